import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError, type MailboxService, type Operation } from '@postrider/domain'
import { el, text } from '@postrider/wire/wbxml'
import { changeOf, deleteOf, exchange, type Reply } from '@postrider/testkit/activesync'
import { emailClass } from '../items/email.ts'
import { Room } from './room.ts'

/** A store whose next `apply` may fail before or after it is done. */
class Faulty {
  before: ((operations: readonly Operation[]) => Error | undefined) | undefined
  after: ((operations: readonly Operation[]) => Error | undefined) | undefined

  readonly wrap = (service: MailboxService): MailboxService =>
    new Proxy(service, {
      get: (target, name) => {
        if (name !== 'apply') {
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        }
        return async (...[mailbox, operations]: Parameters<MailboxService['apply']>) => {
          const early = this.before?.(operations)
          if (early !== undefined) throw early
          const applied = await target.apply(mailbox, operations)
          const late = this.after?.(operations)
          if (late !== undefined) throw late
          return applied
        }
      },
    })
}

const writesRecord = (operations: readonly Operation[]): boolean =>
  operations.some((operation) => operation.op === 'putState' && operation.key.endsWith('/record'))
const writesJournal = (operations: readonly Operation[]): boolean =>
  operations.some((operation) => operation.op === 'putState' && operation.key.endsWith('/journal'))

test('a crash between the two commits: the commands are done once, the answer comes at the next try', async () => {
  const faulty = new Faulty()
  await using room = await Room.open({ wrap: faulty.wrap })
  await room.deliver('one')
  await room.deliver('two')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const [one, two] = [phone.mirror.bySubject(inbox, 'one'), phone.mirror.bySubject(inbox, 'two')]
  const commands = [deleteOf(one), changeOf(two, el('Email:Read', 1))]
  let crashed = false
  faulty.before = (operations) => {
    if (crashed || !writesRecord(operations)) return undefined
    crashed = true
    return new DomainError('unavailable')
  }
  const failed = await phone.sync(inbox, { commands })
  assert.equal(text(failed.document, 'AirSync:Status'), '114')
  assert.deepEqual(await room.subjects('deleteditems'), ['one'])
  const again = await phone.sync(inbox, { commands })
  assert.equal(again.status, 1)
  assert.deepEqual(again.responses, [])
  assert.deepEqual(await room.subjects('deleteditems'), ['one'])
  phone.mirror.items(inbox).delete(one)
  assert.equal((await phone.sync(inbox)).document, undefined)
})

test('a draft added in such a crash is found again: one draft, one ServerId', async () => {
  const faulty = new Faulty()
  await using room = await Room.open({ wrap: faulty.wrap })
  const phone = await room.ready({ version: '16.1' })
  const drafts = phone.folderOfType(3)
  await phone.syncAll(drafts)
  const draft = el(
    'AirSync:Add',
    el('AirSync:ClientId', 'draft1'),
    el(
      'AirSync:ApplicationData',
      el('Email:To', 'bob@example.net'),
      el('Email:Subject', 'a draft'),
      el('AirSyncBase:Body', el('AirSyncBase:Type', 1), el('AirSyncBase:Data', 'text')),
    ),
  )
  let crashed = false
  faulty.before = (operations) => {
    if (crashed || !writesRecord(operations)) return undefined
    crashed = true
    return new DomainError('unavailable')
  }
  await phone.sync(drafts, { commands: [draft] })
  assert.deepEqual(await room.subjects('drafts'), ['a draft'])
  phone.loseReplies()
  const again = await phone.sync(drafts, { commands: [draft] })
  assert.equal(text(again.responses[0], 'AirSync:Status'), '1')
  const id = text(again.responses[0], 'AirSync:ServerId')
  assert.match(id ?? '', /^\d+:\d+$/)
  assert.deepEqual(await room.subjects('drafts'), ['a draft'])
  assert.equal((await phone.sync(drafts)).document, undefined, 'it does not come back to the phone')
})

test('the disk is full: 111 and Retry-After, nothing half done; it goes on when there is room', async () => {
  for (const version of ['12.1', '16.1'] as const) {
    const faulty = new Faulty()
    await using room = await Room.open({ wrap: faulty.wrap })
    await room.deliver('one')
    const phone = await room.ready({ version })
    const inbox = phone.folderOfType(2)
    faulty.before = () => new DomainError('diskFull')
    const body = el(
      'AirSync:Sync',
      el(
        'AirSync:Collections',
        el('AirSync:Collection', el('AirSync:SyncKey', '0'), el('AirSync:CollectionId', inbox)),
      ),
    )
    const reply = await phone.call({ command: 'Sync', body })
    if (version === '12.1') assert.equal(reply.http, 503)
    else assert.equal(text(reply.document, 'AirSync:Status'), '111')
    assert.ok(Number(reply.headers['retry-after']) > 0)
    faulty.before = undefined
    await phone.syncAll(inbox)
    assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one'])
  }
})

test('no room for one command: it alone fails with 9, the others are done', async () => {
  const faulty = new Faulty()
  await using room = await Room.open({ wrap: faulty.wrap })
  await room.deliver('one')
  await room.deliver('two')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  faulty.before = (operations) => {
    const index = operations.findIndex((operation) => operation.op === 'flag')
    return writesJournal(operations) && index >= 0 ? new DomainError('overQuota', '', { operation: index }) : undefined
  }
  const [one, two] = [phone.mirror.bySubject(inbox, 'one'), phone.mirror.bySubject(inbox, 'two')]
  const result = await phone.sync(inbox, { commands: [changeOf(one, el('Email:Read', 1)), deleteOf(two)] })
  assert.deepEqual(
    result.responses.map((response) => text(response, 'AirSync:Status')),
    ['9'],
  )
  assert.deepEqual(await room.subjects('deleteditems'), ['two'])
  phone.mirror.items(inbox).delete(two)
})

test('an item that cannot be shown is skipped and never blocks', async (t) => {
  await using room = await Room.open()
  for (const subject of ['good', 'bad', 'fine']) await room.deliver(subject)
  const render = emailClass.render
  t.mock.method(emailClass, 'render', (...args: Parameters<typeof render>) => {
    if (args[1].promoted?.subject === 'bad') throw new Error('broken MIME')
    return render.apply(emailClass, args)
  })
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['fine', 'good'])
  assert.equal((await phone.sync(inbox)).document, undefined)
  // It may be deleted like any other, unheard.
  const folder = await room.folder('inbox')
  const rows = await room.mailbox.scan({ folder: folder.id, columns: ['uid'] })
  await room.write({ op: 'remove', folder: folder.id, items: { uids: rows.uid } })
  await phone.sync(inbox)
  assert.equal(phone.mirror.items(inbox).size, 0)
})

test('a phone that stumbles over an item: it gets single items, then everything but the bad one', async () => {
  await using room = await Room.open()
  const now = Date.now()
  for (const [n, subject] of ['newest', 'poison', 'oldest'].entries())
    await room.deliver(subject, { received: now - n * 1000 })
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.sync(inbox)
  // The phone dies on every answer that has the bad item in it, and asks again with the key it has.
  let tries = 0
  for (; tries < 60; tries++) {
    const key = phone.syncKey(inbox)
    const mirror = new Map(phone.mirror.items(inbox))
    const result = await phone.sync(inbox)
    if (result.document === undefined) break
    if (result.commands.some((command) => JSON.stringify(command).includes('poison'))) {
      phone.setSyncKey(inbox, key)
      phone.mirror.collections.set(inbox, mirror)
    }
  }
  assert.ok(tries < 60, 'it ends')
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['newest', 'oldest'])
})

test('a loop is slowed down: 503 with Retry-After', async () => {
  await using room = await Room.open({ settings: { requestsPerMinute: 5 } })
  const phone = await room.ready()
  let slowed: Reply | undefined
  for (let n = 0; n < 6; n++) {
    const reply = await phone.call({
      command: 'FolderSync',
      body: el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', phone.folderKey)),
    })
    if (reply.http === 503) slowed = reply
  }
  assert.ok(Number(slowed?.headers['retry-after']) >= 1)
  assert.equal(slowed?.headers['x-ms-asthrottle'], 'CommandFrequency', 'MS-ASHTTP_R9052')
  const other = await room.ready()
  assert.ok(other.folders.size > 0, 'other devices are not slowed')
})

test('the same request twice at once: one answer, done once', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const id = phone.mirror.bySubject(inbox, 'one')
  const body = el(
    'AirSync:Sync',
    el(
      'AirSync:Collections',
      el(
        'AirSync:Collection',
        el('AirSync:SyncKey', phone.syncKey(inbox)),
        el('AirSync:CollectionId', inbox),
        el('AirSync:Commands', deleteOf(id)),
      ),
    ),
  )
  const call = { command: 'Sync', body, policyKey: phone.policyKey }
  const [a, b] = await Promise.all([exchange(phone.settings, call), exchange(phone.settings, call)])
  assert.deepEqual(a.body, b.body)
  assert.deepEqual(await room.subjects('deleteditems'), ['one'])
})

test('the same request in two processes at once: done once, equal answers', async () => {
  await using room = await Room.open()
  for (let n = 0; n < 4; n++) await room.deliver(`mail ${n}`)
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const port = await room.twin()
  for (let n = 0; n < 4; n++) {
    const id = phone.mirror.bySubject(inbox, `mail ${n}`)
    await room.deliver(`new ${n}`)
    const body = el(
      'AirSync:Sync',
      el(
        'AirSync:Collections',
        el(
          'AirSync:Collection',
          el('AirSync:SyncKey', phone.syncKey(inbox)),
          el('AirSync:CollectionId', inbox),
          el('AirSync:Commands', deleteOf(id)),
        ),
      ),
    )
    const call = { command: 'Sync', body, policyKey: phone.policyKey }
    const [a, b] = await Promise.all([exchange(phone.settings, call), exchange({ ...phone.settings, port }, call)])
    assert.deepEqual(a.body, b.body)
    const result = await phone.sync(inbox, { commands: [deleteOf(id)] })
    assert.equal(result.status, 1)
    phone.mirror.items(inbox).delete(id)
  }
  assert.deepEqual(await room.subjects('deleteditems'), ['mail 0', 'mail 1', 'mail 2', 'mail 3'])
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['new 0', 'new 1', 'new 2', 'new 3'])
})
