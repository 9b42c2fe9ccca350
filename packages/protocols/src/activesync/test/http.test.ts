import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodeWbxml, el, encodeWbxml, text } from '@postrider/wire/wbxml'
import { exchange, queryOf } from '@postrider/testkit/activesync'
import { isActiveSyncPath } from '../http.ts'
import { Room } from './room.ts'

interface Raw {
  readonly http: number
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** A request as it is written here, nothing added. */
function raw(
  room: Room,
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: Uint8Array,
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: room.port, method, path: url, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ http: response.statusCode ?? 0, headers: response.rawHeaders, body: Buffer.concat(chunks) }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

const header = (reply: Raw, name: string): string | undefined => {
  const index = reply.headers.indexOf(name)
  return index < 0 ? undefined : reply.headers[index + 1]
}

const easPath = '/Microsoft-Server-ActiveSync'
const plain = `${easPath}?Cmd=FolderSync&User=alice&DeviceId=D1&DeviceType=P`
const folderSync = encodeWbxml(el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', '0')))
const wbxml = { 'Content-Type': 'application/vnd.ms-sync.wbxml' }

test('OPTIONS tells versions and commands (MS-ASHTTP_R1107), without a policy', async () => {
  await using room = await Room.open()
  const reply = await raw(room, 'OPTIONS', easPath)
  assert.equal(reply.http, 200)
  assert.equal(header(reply, 'MS-ASProtocolVersions'), '12.1,14.0,14.1,16.0,16.1')
  assert.match(header(reply, 'MS-ASProtocolCommands') ?? '', /^Sync,.*\bPing\b/)
  assert.equal(header(reply, 'Allow'), 'OPTIONS,POST')
  assert.equal(header(reply, 'Public'), 'OPTIONS,POST')
  assert.equal(header(reply, 'Content-Length'), '0')
  assert.ok(header(reply, 'MS-Server-ActiveSync'))
})

test('a client with a ceiling sees and may speak no more than that', async () => {
  await using room = await Room.open()
  const agent = { 'User-Agent': 'Outlook/16.0 (16.0.4266.1001; C2R; x86)' }
  const reply = await raw(room, 'OPTIONS', easPath, agent)
  assert.equal(header(reply, 'MS-ASProtocolVersions'), '12.1,14.0,14.1')
  const refused = await raw(room, 'POST', plain, { ...agent, ...wbxml, 'MS-ASProtocolVersion': '16.1' }, folderSync)
  assert.equal(refused.http, 400)
})

test('paths in any case, with a slash; other methods 501 (MS-ASHTTP_R187)', async () => {
  for (const path of [
    easPath,
    `${easPath}/`,
    easPath.toLowerCase(),
    `${easPath.toUpperCase()}?Cmd=x`,
    `${easPath}/default.eas`,
  ]) {
    assert.ok(isActiveSyncPath(path), path)
  }
  for (const path of ['/', `${easPath}2`, `/x${easPath}`, `${easPath}/x`]) assert.ok(!isActiveSyncPath(path), path)
  await using room = await Room.open()
  for (const method of ['GET', 'PUT', 'DELETE']) assert.equal((await raw(room, method, easPath)).http, 501)
})

test('requests that are none: 400; commands that are none: 501', async () => {
  await using room = await Room.open()
  const version = { 'MS-ASProtocolVersion': '14.1', ...wbxml }
  const table: [string, number][] = [
    [easPath, 400],
    [`${easPath}?`, 400],
    [`${easPath}?DeviceId=x&DeviceType=y`, 400],
    [`${easPath}?Cmd=Nonsense&DeviceId=D1&DeviceType=P`, 501],
    [`${easPath}?!!!!`, 400],
    [`${easPath}?AAAA`, 400],
    [`${easPath}?${'A'.repeat(5000)}`, 400],
  ]
  for (const [url, expected] of table)
    assert.equal((await raw(room, 'POST', url, version, folderSync)).http, expected, url)
  const devices: [string, string][] = [
    ['DeviceType=P', '108'],
    ['DeviceId=&DeviceType=P', '108'],
    [`DeviceId=${'x'.repeat(65)}&DeviceType=P`, '108'],
    ['DeviceId=a%2Fb&DeviceType=P', '108'],
    ['DeviceId=D1', '109'],
    [`DeviceId=D1&DeviceType=${'x'.repeat(65)}`, '109'],
  ]
  for (const [query, expected] of devices) {
    const url = `${easPath}?Cmd=FolderSync&${query}`
    const decoded = decodeWbxml((await raw(room, 'POST', url, version, folderSync)).body)
    assert.ok(decoded.ok, query)
    assert.equal(text(decoded.document.root, 'FolderHierarchy:Status'), expected, `MS-ASCMD_R4828, R4830: ${query}`)
    const oldest = { ...version, 'MS-ASProtocolVersion': '12.1' }
    assert.equal((await raw(room, 'POST', url, oldest, folderSync)).http, 400, query)
  }
  assert.equal((await raw(room, 'POST', plain, wbxml, folderSync)).http, 400, 'no version')
  assert.equal((await raw(room, 'POST', plain, { ...wbxml, 'MS-ASProtocolVersion': '2.5' }, folderSync)).http, 400)
})

test('the base64 query of the document (MS-ASHTTP_R18), padded or not, URL alphabet', async () => {
  const settings = {
    port: 1,
    user: 'a',
    password: 'b',
    form: 'base64',
    version: '14.1',
    deviceId: 'v140Device',
    deviceType: 'SmartPhone',
  } as const
  const { parseQuery } = await import('../query.ts')
  const example = parseQuery('jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l')
  assert.ok(example.ok)
  assert.deepEqual(
    [
      example.query.command,
      example.query.version,
      example.query.deviceId,
      example.query.deviceType,
      example.query.locale,
    ],
    ['Sync', '14.0', 'v140Device', 'SmartPhone', 0x0409],
  )
  for (let key = 0; key < 64; key++) {
    const text = queryOf(settings, {
      command: 'Ping',
      policyKey: 0xfffffff0 + (key % 16),
      acceptMultiPart: key % 2 === 0,
    })
    for (const form of [
      text,
      text.replace(/=+$/, ''),
      text.replaceAll('+', '-').replaceAll('/', '_'),
      encodeURIComponent(text),
    ]) {
      const parsed = parseQuery(form)
      assert.ok(parsed.ok, form)
      assert.equal(parsed.query.policyKey, 0xfffffff0 + (key % 16))
      assert.equal(parsed.query.acceptMultiPart, key % 2 === 0)
    }
  }
  const guid = Buffer.concat([Buffer.of(161, 18, 9, 4, 16), Buffer.alloc(16, 0xab), Buffer.of(0, 1, 0x50)])
  const parsed = parseQuery(guid.toString('base64'))
  assert.ok(parsed.ok)
  assert.equal(parsed.query.deviceId, 'AB'.repeat(16))
})

test('bodies: not WBXML 102 (400 in 12.1), another root 103, an empty one 103, a wrong type 101', async () => {
  await using room = await Room.open()
  const damaged = Buffer.from('03016A0045', 'hex')
  const other = encodeWbxml(el('AirSync:Sync'))
  const table: [Uint8Array | undefined, string, string][] = [
    [damaged, wbxml['Content-Type'], '102'],
    [other, wbxml['Content-Type'], '103'],
    [undefined, wbxml['Content-Type'], '103'],
    [folderSync, 'text/html', '101'],
  ]
  for (const [body, type, status] of table) {
    const phone = room.phone({ version: '14.1' })
    const reply = await phone.call({ command: 'FolderSync', body, contentType: type })
    assert.equal(reply.http, 200)
    assert.equal(text(reply.document, 'FolderHierarchy:Status'), status)
    const old = await room.phone({ version: '12.1' }).call({ command: 'FolderSync', body, contentType: type })
    assert.equal(old.http, 400)
  }
})

test('P4: bodies packed beyond measure, damaged or too large are refused before they hurt', async () => {
  await using room = await Room.open({ settings: { maxRequestBytes: 1_000_000, maxDocumentBytes: 1_000_000 } })
  const base = { ...wbxml, 'MS-ASProtocolVersion': '14.1', 'X-MS-PolicyKey': '0' }
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  assert.equal((await raw(room, 'POST', plain, { ...base, 'Content-Encoding': 'gzip' }, bomb)).http, 413)
  assert.equal(
    (await raw(room, 'POST', plain, { ...base, 'Content-Encoding': 'gzip' }, Buffer.from('no gzip'))).http,
    400,
  )
  assert.equal((await raw(room, 'POST', plain, { ...base, 'Content-Encoding': 'br' }, Buffer.from('x'))).http, 415)
  assert.equal((await raw(room, 'POST', plain, base, Buffer.alloc(1_000_001))).http, 413)
  const good = await raw(room, 'POST', plain, { ...base, 'Content-Encoding': 'gzip' }, gzipSync(folderSync))
  assert.equal(good.http, 200)
})

test('answers are packed for those who take it, and say so', async () => {
  await using room = await Room.open()
  const phone = await room.ready({ gzip: true })
  const call = {
    command: 'FolderSync',
    policyKey: phone.policyKey,
    body: el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', '0')),
  }
  const packed = await exchange(phone.settings, call)
  assert.equal(packed.headers['content-encoding'], 'gzip')
  assert.ok(packed.rawHeaders.includes('Content-Encoding'))
  const bare = await exchange({ ...phone.settings, gzip: false }, call)
  assert.equal(bare.headers['content-encoding'], undefined)
})

test('a version without the command: 137, HTTP 501 in 12.1', async () => {
  await using room = await Room.open()
  const { commands } = await import('../commands/index.ts')
  for (const command of commands) {
    for (const version of ['12.1', '14.0', '16.1'] as const) {
      const known = Number(version) >= Number(command.first) && Number(version) <= Number(command.last ?? 99)
      if (known || command.root === undefined) continue
      const reply = await room.phone({ version }).call({ command: command.name })
      if (version === '12.1') assert.equal(reply.http, 501, command.name)
      else assert.ok(reply.http === 501 || JSON.stringify(reply.document).includes('137'), `${command.name} ${version}`)
    }
  }
})
