/** What stands before the commands, and what stands in ranges: in every version and both query forms. [MS-ASHTTP] §2.2.2.1.1, [MS-ASPROV] §3.1.5.2. */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, test } from 'node:test'
import { child, children, el, text } from '@postrider/wire/wbxml'
import { exchange, type Phone, path, queryOf } from '../../src/activesync/index.ts'
import { append, Court, folderTypes, keyed, mail, statusOf, versions } from './judge.ts'

let court: Court
before(async () => {
  court = await Court.open('gate', 'other')
  const imap = await court.imap('gate')
  for (let n = 0; n < 5; n++) await append(imap, 'INBOX', mail(`mail ${n}`))
  imap.close()
})
after(async () => {
  await court?.[Symbol.asyncDispose]()
})

const forms = ['plain', 'base64'] as const

const folderSync = (key: string) => ({
  command: 'FolderSync',
  body: el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', key)),
})

/** The HTTP status of a query as it is. */
function raw(
  phone: Phone,
  query: string,
  headers: Record<string, string> = {},
  body = Buffer.alloc(0),
): Promise<number> {
  const { port, user, password } = phone.settings
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: `${path}${query}`,
        method: 'POST',
        agent: false,
        rejectUnauthorized: false,
        headers: { Authorization: `Basic ${basic}`, 'Content-Length': body.length, ...headers },
      },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

test('policy keys: none, zero, a wrong one, the temporary one, another device’s', async () => {
  for (const version of versions)
    for (const form of forms) {
      const phone = court.phone('gate', { version, form })
      const old = version === '12.1'
      const said = (status: string) => (old ? 'HTTP 449' : status)
      const status = async (policyKey: number | undefined) =>
        statusOf(await exchange(phone.settings, { ...folderSync('0'), policyKey }))
      const where = `${version} ${form}`
      assert.equal(await status(undefined), said('142'), where)
      assert.equal(await status(0), said('142'), where)
      assert.equal(await status(4711), said('144'), where)
      const [first] = await phone.provision()
      const policy = child(child(first?.document, 'Provision:Policies'), 'Provision:Policy')
      assert.equal(
        await status(Number(text(policy, 'Provision:PolicyKey'))),
        said('144'),
        `${where}: the temporary key`,
      )
      assert.equal(await status(phone.policyKey), '1', where)
      const another = await court.ready('gate', { version, form })
      assert.equal(await status(another.policyKey), said('144'), `${where}: another device’s`)
    }
})

test('queries that are none, versions and commands that are none, bodies that are missing', async () => {
  for (const version of versions)
    for (const form of forms) {
      const phone = await court.ready('gate', { version, form })
      const where = `${version} ${form}`
      const old = version === '12.1'
      const call = async (command: string) => statusOf(await phone.call({ command }))
      // Bodies that must be there: 103, HTTP 400 in 12.1.
      for (const command of ['FolderSync', 'GetItemEstimate', 'MoveItems', 'Search', 'ItemOperations', 'Settings']) {
        assert.equal(await call(command), old ? 'HTTP 400' : '103', `${where} ${command}`)
      }
      assert.equal(await call('Sync'), '13', where)
      assert.equal(await call('Ping'), '3', where)
      const reply = await exchange(
        { ...phone.settings, version: '12.0' as typeof version },
        { ...folderSync('0'), policyKey: phone.policyKey },
      )
      assert.equal(reply.http, 400, `${where}: version 12.0`)
      const bad = { ...phone.settings, deviceId: 'x'.repeat(80) }
      assert.equal(statusOf(await exchange(bad, folderSync('0'))), old ? 'HTTP 400' : '108', `${where}: DeviceId`)
      const nonsense = Buffer.from('this is no WBXML')
      assert.equal(
        statusOf(await phone.call({ command: 'FolderSync', body: nonsense })),
        old ? 'HTTP 400' : '102',
        where,
      )
      const wrongRoot = { command: 'FolderSync', body: el('Ping:Ping') }
      assert.equal(statusOf(await phone.call(wrongRoot)), old ? 'HTTP 400' : '103', where)
    }
  const phone = await court.ready('gate')
  const query = `?${queryOf(phone.settings, folderSync('0'))}`
  const version = { 'MS-ASProtocolVersion': '16.1' }
  assert.equal(await raw(phone, '', version), 400, 'no query')
  assert.equal(await raw(phone, query.replace('FolderSync', 'Nonsense'), version), 501)
  assert.equal(await raw(phone, query.replace(/Cmd=FolderSync&/, ''), version), 400)
  const oldest = { 'MS-ASProtocolVersion': '12.1' }
  assert.equal(await raw(phone, query.replace(/&DeviceId=[^&]*/, ''), oldest), 400)
  assert.equal(await raw(phone, query.replace(/&DeviceType=[^&]*/, ''), oldest), 400)
  assert.equal(await raw(phone, query), 400, 'no version')
  assert.equal(await raw(phone, query, { 'MS-ASProtocolVersion': 'abc' }), 400)
  assert.equal(await raw(phone, '?AAAA', version), 400, 'base64 that ends too soon')
  assert.equal(await raw(phone, query, { ...version, Authorization: 'Basic eDp5' }), 401)
})

test('the User of the query opens nobody else’s mailbox', async () => {
  const phone = await court.ready('gate')
  const query = `?${queryOf({ ...phone.settings, user: 'other@example.com' }, folderSync('0'))}`
  assert.ok([200, 400, 403].includes(await raw(phone, query, { 'MS-ASProtocolVersion': '16.1' })))
  const other = await court.ready('other')
  const inbox = other.folderOfType(folderTypes.inbox)
  await other.syncAll(inbox)
  assert.equal(other.mirror.items(inbox).size, 0)
})

test('an oversized body is refused before it is read', async () => {
  const phone = await court.ready('gate')
  const query = `?${queryOf(phone.settings, { command: 'FolderSync' })}`
  const headers = { 'MS-ASProtocolVersion': '16.1', 'Content-Length': String(10 ** 9) }
  const status = await raw(phone, query, headers).catch(() => 0)
  assert.equal(status, 413)
})

test('windows, waits and heartbeats: in the range, at its ends, beyond them', async () => {
  for (const [turn, version] of versions.entries()) {
    const phone = await court.ready('gate', { version, form: forms[turn % 2]! })
    const inbox = phone.folderOfType(folderTypes.inbox)
    for (const [windowSize, first] of [
      [0, 5],
      [513, 5],
      [512, 5],
      [1, 1],
      [undefined, 5],
    ] as const) {
      phone.setSyncKey(inbox, '0')
      phone.mirror.collections.delete(inbox)
      await phone.sync(inbox)
      const { commands, more } = await phone.sync(inbox, windowSize === undefined ? {} : { windowSize })
      assert.deepEqual([commands.length, more], [first, first < 5], `${version} WindowSize ${windowSize}`)
    }
    await phone.syncAll(inbox)
    const limits = async (...wait: ReturnType<typeof el>[]) => {
      const body = keyed(phone.syncKey(inbox), inbox)
      const reply = await phone.call({ command: 'Sync', body: el('AirSync:Sync', ...children(body), ...wait) })
      return [text(reply.document, 'AirSync:Status'), text(reply.document, 'AirSync:Limit')]
    }
    assert.deepEqual(await limits(el('AirSync:Wait', 0)), ['14', '1'], version)
    assert.deepEqual(await limits(el('AirSync:Wait', 60)), ['14', '59'], version)
    if (phone.since('14.0')) {
      assert.deepEqual(await limits(el('AirSync:HeartbeatInterval', 59)), ['14', '60'], version)
      assert.deepEqual(await limits(el('AirSync:HeartbeatInterval', 3541)), ['14', '3540'], version)
      assert.deepEqual(
        await limits(el('AirSync:Wait', 5), el('AirSync:HeartbeatInterval', 300)),
        ['4', undefined],
        version,
      )
    }
    for (const [asked, nearest] of [
      [59, '60'],
      [3541, '3540'],
      [0, '60'],
    ] as const) {
      const { status, document } = await phone.ping(asked, [inbox])
      assert.deepEqual([status, text(document, 'Ping:HeartbeatInterval')], [5, nearest], version)
    }
    const many = await phone.ping(
      60,
      Array.from({ length: 2_000 }, (_, i) => String(i)),
    )
    assert.equal(many.status, 6, version)
    assert.ok(Number(text(many.document, 'Ping:MaxFolders')) > 0)
  }
  court.verdict()
})
