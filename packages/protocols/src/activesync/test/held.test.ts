import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag, type FolderId, resultOf } from '@postrider/domain'
import { el, integer, text } from '@postrider/wire/wbxml'
import type { Phone } from '@postrider/testkit/activesync'
import { Room } from './room.ts'

/** Whether a promise is still open after some time. */
async function open(promise: Promise<unknown>, ms = 150): Promise<boolean> {
  const waiting = Symbol('waiting')
  const timer = new Promise((resolve) => setTimeout(() => resolve(waiting), ms))
  return (await Promise.race([promise.catch(() => undefined), timer])) === waiting
}

async function synced(
  room: Room,
  version: '12.1' | '14.1' | '16.1' = '16.1',
): Promise<{ phone: Phone; inbox: string }> {
  const phone = await room.ready({ version })
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  return { phone, inbox }
}

test('Ping rings when a mail arrives, with the folder (status 2), and a Sync brings it', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const waiting = phone.ping(60, [inbox])
  assert.ok(await open(waiting), 'it waits')
  assert.equal(room.eas.held, 1)
  const start = performance.now()
  await room.deliver('ring')
  const rung = await waiting
  assert.ok(performance.now() - start < 1000)
  assert.equal(rung.status, 2)
  assert.deepEqual(rung.folders, [inbox])
  assert.equal(room.eas.held, 0)
  await phone.sync(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['ring'])
})

test('a mail between the Sync and the Ping rings at once (MS-ASCMD_R5636)', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  await room.deliver('early')
  const rung = await phone.ping(60, [inbox])
  assert.equal(rung.status, 2)
})

test('Ping expires with status 1, and an empty Ping uses what was cached (MS-ASCMD_R5632, R5634, R322)', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  assert.equal((await phone.ping(1, [inbox])).status, 1)
  assert.equal((await phone.ping()).status, 1)
  const waiting = phone.ping()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await room.deliver('ring')
  assert.deepEqual((await waiting).folders, [inbox])
})

test('Ping without anything cached is 3, twice the same folder or no Id is 4, an unknown folder 7', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  assert.equal((await phone.ping()).status, 3)
  assert.equal((await phone.ping(60, [inbox, inbox])).status, 4, 'MS-ASCMD_R6699')
  const reply = await phone.call({
    command: 'Ping',
    body: el(
      'Ping:Ping',
      el('Ping:HeartbeatInterval', 60),
      el('Ping:Folders', el('Ping:Folder', el('Ping:Class', 'Email'))),
    ),
  })
  assert.equal(text(reply.document, 'Ping:Status'), '4')
  assert.equal((await phone.ping(60, ['99999'])).status, 7)
})

test('a heartbeat out of range is 5 with the nearest one, too many folders 6 with MaxFolders', async () => {
  await using room = await Room.open({ settings: { minHeartbeatInterval: 60, maxFolders: 1 } })
  const { phone, inbox } = await synced(room)
  const low = await phone.ping(10, [inbox])
  assert.equal(low.status, 5)
  assert.equal(integer(low.document, 'Ping:HeartbeatInterval'), 60)
  const high = await phone.ping(99999, [inbox])
  assert.equal(integer(high.document, 'Ping:HeartbeatInterval'), 3540)
  const many = await phone.ping(60, [inbox, phone.folderOfType(5)])
  assert.equal(many.status, 6)
  assert.equal(integer(many.document, 'Ping:MaxFolders'), 1)
})

test('a newer Ping ends the older one of the device, and only of that device', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const other = await synced(room)
  const elsewhere = other.phone.ping(60, [inbox])
  const older = phone.ping(60, [inbox])
  assert.ok(await open(older))
  const newer = phone.ping(60, [inbox])
  assert.equal((await older).status, 1)
  assert.ok(await open(newer))
  assert.ok(await open(elsewhere))
  assert.equal(room.eas.held, 2)
  await room.deliver('ring')
  assert.equal((await newer).status, 2)
  assert.equal((await elsewhere).status, 2)
})

test('Ping before the first sync of a folder waits for what comes from now on', async () => {
  await using room = await Room.open()
  await room.deliver('before')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  const waiting = phone.ping(60, [inbox])
  assert.ok(await open(waiting))
  await room.deliver('after')
  assert.equal((await waiting).status, 2)
})

test('Ping rings at once while the first sync of a folder is not through', async () => {
  await using room = await Room.open()
  for (let n = 0; n < 5; n++) await room.deliver(`mail ${n}`)
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.sync(inbox)
  await phone.sync(inbox, { windowSize: 2 })
  assert.equal((await phone.ping(60, [inbox])).status, 2)
})

test('MS-ASCMD_R5641: a changed or deleted mail does not ring, unless it is set to', async () => {
  for (const pingOnChanges of [false, true]) {
    await using room = await Room.open({ settings: { pingOnChanges } })
    const mid = await room.deliver('one')
    const { phone, inbox } = await synced(room)
    const folder = await room.folder('inbox')
    const waiting = phone.ping(60, [inbox])
    assert.ok(await open(waiting))
    await room.write({ op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.seen })
    if (pingOnChanges) assert.equal((await waiting).status, 2)
    else {
      assert.ok(await open(waiting))
      await room.deliver('two')
      assert.equal((await waiting).status, 2)
    }
  }
})

test('what the phone did itself does not ring', async () => {
  await using room = await Room.open({ settings: { pingOnChanges: true } })
  await room.deliver('one')
  const { phone, inbox } = await synced(room)
  const id = phone.mirror.bySubject(inbox, 'one')
  await phone.sync(inbox, {
    commands: [el('AirSync:Change', el('AirSync:ServerId', id), el('AirSync:ApplicationData', el('Email:Read', 1)))],
  })
  assert.ok(await open(phone.ping(60, [inbox])))
})

test('a client that goes away leaves nothing behind', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const abort = new AbortController()
  const waiting = phone.ping(60, [inbox], abort.signal)
  assert.ok(await open(waiting, 50))
  abort.abort()
  await assert.rejects(waiting)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(room.eas.held, 0)
})

test('drain answers everybody who waits as if the time were over', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const waiting = phone.ping(60, [inbox])
  assert.ok(await open(waiting, 50))
  room.eas.drain()
  assert.equal((await waiting).status, 1)
})

test('a burst of mails wakes once', async () => {
  await using room = await Room.open({ settings: { coalesceMs: 50 } })
  const { phone, inbox } = await synced(room)
  const waiting = phone.ping(60, [inbox])
  assert.ok(await open(waiting, 50))
  for (let n = 0; n < 20; n++) await room.deliver(`burst ${n}`)
  assert.equal((await waiting).status, 2)
  await phone.syncAll(inbox)
  assert.equal(phone.mirror.items(inbox).size, 20)
})

test('a waiting Sync brings the mail itself; without one it ends empty', async () => {
  for (const version of ['12.1', '14.1', '16.1'] as const) {
    await using room = await Room.open()
    const { phone, inbox } = await synced(room, version)
    const wait = version === '12.1' ? { waitMinutes: 1 } : { heartbeatSeconds: 60 }
    const waiting = phone.syncMany([{ collectionId: inbox }], wait)
    assert.ok(await open(waiting))
    await room.deliver('ring')
    const [result] = await waiting
    assert.equal(result!.commands.length, 1)
    assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['ring'])
    if (version === '12.1') continue
    const [empty] = await phone.syncMany([{ collectionId: inbox }], { heartbeatSeconds: 1 })
    assert.equal(empty!.http, 200)
    assert.equal(empty!.document, undefined)
  }
})

test('an empty Sync waits as the last one did, and a lost answer of it is given again', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const [first] = await phone.syncMany([{ collectionId: inbox }], { heartbeatSeconds: 1 })
  assert.equal(first!.document, undefined)
  phone.loseReplies()
  const waiting = phone.syncEmpty([inbox])
  assert.ok(await open(waiting, 100))
  await room.deliver('ring')
  await waiting
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['ring'])
})

test('an empty Sync without one before is 13', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const [result] = await phone.syncEmpty([phone.folderOfType(2)])
  assert.equal(result!.status, 13)
})

test('Partial takes the collections it does not name from the last request (MS-ASCMD_R3644)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const [inbox, sent] = [phone.folderOfType(2), phone.folderOfType(5)]
  await phone.syncAll(inbox)
  await phone.syncAll(sent)
  await phone.syncMany([{ collectionId: inbox }, { collectionId: sent }], { heartbeatSeconds: 1 })
  const waiting = phone.syncMany([], { partial: true, heartbeatSeconds: 60 })
  assert.ok(await open(waiting))
  await room.deliver('into sent', { folder: 'sentitems' })
  await waiting
  assert.deepEqual(phone.mirror.values(sent, 'Email:Subject'), ['into sent'])
})

test('Wait and HeartbeatInterval: both 4, out of range 14 with the nearest (MS-ASCMD_R3162, R3227 to R3230)', async () => {
  await using room = await Room.open({ settings: { minHeartbeatInterval: 60 } })
  const { phone, inbox } = await synced(room)
  const collections = [{ collectionId: inbox }]
  const table = [
    [{ waitMinutes: 0 }, '14', '1'],
    [{ waitMinutes: 60 }, '14', '59'],
    [{ heartbeatSeconds: 59 }, '14', '60'],
    [{ heartbeatSeconds: 3541 }, '14', '3540'],
    [{ waitMinutes: 1, heartbeatSeconds: 60 }, '4', undefined],
  ] as const
  for (const [wait, status, limit] of table) {
    const [result] = await phone.syncMany(collections, wait)
    assert.equal(text(result!.document, 'AirSync:Status'), status, JSON.stringify(wait))
    assert.equal(text(result!.document, 'AirSync:Limit'), limit)
  }
})

test('a Sync while an older one still waits: the older one ends, and no state is turned back', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const { phone, inbox } = await synced(room)
  const key = phone.syncKey(inbox)
  const older = phone.syncMany([{ collectionId: inbox }], { heartbeatSeconds: 60 })
  assert.ok(await open(older, 100))
  const id = phone.mirror.bySubject(inbox, 'one')
  const read = el('AirSync:Change', el('AirSync:ServerId', id), el('AirSync:ApplicationData', el('Email:Read', 1)))
  assert.equal((await phone.sync(inbox, { commands: [read] })).status, 1)
  assert.notEqual(phone.syncKey(inbox), key)
  assert.equal((await older)[0]!.document, undefined)
  await room.deliver('two')
  assert.equal((await phone.sync(inbox)).status, 1)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one', 'two'])
})

test('the same in two processes: the one that waits does not turn back what the other did', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const { phone, inbox } = await synced(room)
  const twin = room.phone({ ...phone.settings, port: await room.twin() })
  twin.policyKey = phone.policyKey
  twin.setSyncKey(inbox, phone.syncKey(inbox))
  const older = phone.syncMany([{ collectionId: inbox }], { heartbeatSeconds: 60 })
  assert.ok(await open(older, 100))
  const id = phone.mirror.bySubject(inbox, 'one')
  const read = el('AirSync:Change', el('AirSync:ServerId', id), el('AirSync:ApplicationData', el('Email:Read', 1)))
  assert.equal((await twin.sync(inbox, { commands: [read] })).status, 1)
  await room.deliver('two')
  assert.equal((await older)[0]!.document, undefined, 'it ends empty')
  assert.equal((await twin.sync(inbox)).status, 1)
  assert.deepEqual(twin.mirror.values(inbox, 'Email:Subject'), ['two'])
})

test('MS-ASCMD_R4257: folders that others change end a held Ping with 7, and are said once', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const waiting = phone.ping(60, [inbox])
  assert.ok(await open(waiting), 'it waits')
  const top = (await room.folder('inbox')).parent as FolderId
  const made = await room.mailbox.apply([
    { op: 'createFolder', parent: top, name: 'Made elsewhere', class: 'IPF.Note', subscribed: true },
  ])
  assert.equal((await waiting).status, 7)
  const deaf = phone.ping(60, [inbox])
  assert.ok(await open(deaf), 'said once: a client that does not mind it is not sent round and round')
  await room.deliver('ring')
  assert.equal((await deaf).status, 2)
  await phone.sync(inbox)
  await phone.folderSync()
  await room.mailbox.apply([
    { op: 'updateFolder', folder: resultOf(made, 0, 'createFolder').folder, name: 'Renamed between' },
  ])
  assert.equal((await phone.ping(60, [inbox])).status, 7, 'changed before the Ping came')
  await phone.folderSync()
  assert.equal((await phone.ping(1, [inbox])).status, 1, 'the device has its folders')
  const own = phone.ping(1, [inbox])
  await phone.call({
    command: 'FolderCreate',
    body: el(
      'FolderHierarchy:FolderCreate',
      el('FolderHierarchy:SyncKey', phone.folderKey),
      el('FolderHierarchy:ParentId', '0'),
      el('FolderHierarchy:DisplayName', 'Own'),
      el('FolderHierarchy:Type', 12),
    ),
  })
  assert.equal((await own).status, 1, 'what the device did itself is no news')
})
