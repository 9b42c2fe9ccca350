import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, el, type Element, text } from '@postrider/wire/wbxml'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { easVersions } from '../version.ts'
import { Room } from './room.ts'

const statusOf = (reply: Reply): string | undefined => text(reply.document, 'FolderHierarchy:Status')

const create = (phone: Phone, parent: string, name: string, type: number, key = phone.folderKey) =>
  phone.call({
    command: 'FolderCreate',
    body: el(
      'FolderHierarchy:FolderCreate',
      el('FolderHierarchy:SyncKey', key),
      el('FolderHierarchy:ParentId', parent),
      el('FolderHierarchy:DisplayName', name),
      el('FolderHierarchy:Type', type),
    ),
  })

const remove = (phone: Phone, id: string, key = phone.folderKey) =>
  phone.call({
    command: 'FolderDelete',
    body: el('FolderHierarchy:FolderDelete', el('FolderHierarchy:SyncKey', key), el('FolderHierarchy:ServerId', id)),
  })

const update = (phone: Phone, id: string, parent: string, name: string, key = phone.folderKey) =>
  phone.call({
    command: 'FolderUpdate',
    body: el(
      'FolderHierarchy:FolderUpdate',
      el('FolderHierarchy:SyncKey', key),
      el('FolderHierarchy:ServerId', id),
      el('FolderHierarchy:ParentId', parent),
      el('FolderHierarchy:DisplayName', name),
    ),
  })

/** Takes the new key of a folder command. */
function take(phone: Phone, reply: Reply): string | undefined {
  if (statusOf(reply) === '1') phone.folderKey = text(reply.document, 'FolderHierarchy:SyncKey') ?? '0'
  return text(reply.document, 'FolderHierarchy:ServerId')
}

for (const version of easVersions) {
  test(`${version}: the folders a phone needs, each with its type, parents before children`, async () => {
    await using room = await Room.open()
    const phone = room.phone({ version })
    await phone.provision()
    const reply = await phone.folderSync()
    for (const type of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) phone.folderOfType(type)
    assert.equal(
      [...phone.folders.values()].some((folder) => folder.type === 19),
      version !== '12.1',
    )
    const changes = child(reply.document, 'FolderHierarchy:Changes')
    const seen = new Set(['0'])
    for (const folder of children(changes, 'FolderHierarchy:Add')) {
      assert.ok(seen.has(text(folder, 'FolderHierarchy:ParentId') ?? ''))
      seen.add(text(folder, 'FolderHierarchy:ServerId') ?? '')
    }
    assert.equal(text(changes, 'FolderHierarchy:Count'), String(phone.folders.size))
    // MS-ASHTTP_R1104: with key 0 the server says what it can.
    const names = reply.rawHeaders.filter((_, index) => index % 2 === 0)
    for (const name of [
      'X-MS-RP',
      'MS-ASProtocolVersions',
      'MS-ASProtocolCommands',
      'Content-Length',
      'Content-Type',
    ]) {
      assert.ok(names.includes(name), name)
    }
    const names2 = (await phone.folderSync()).rawHeaders
    assert.ok(!names2.includes('X-MS-RP'))
  })
}

test('folders made, renamed, moved and deleted by others arrive as Add, Update and Delete', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const top = await room.folder('msgfolderroot')
  const inbox = await room.folder('inbox')
  await room.write({ op: 'createFolder', parent: top.id, name: 'Projects', class: 'IPF.Note' })
  await phone.folderSync()
  const projects = [...phone.folders.values()].find((folder) => folder.name === 'Projects')!
  assert.equal(projects.type, 12)
  const made = (await room.mailbox.folders()).find((folder) => folder.name === 'Projects')!
  await room.write({ op: 'updateFolder', folder: made.id, name: 'Done', parent: inbox.id })
  const moved = await phone.folderSync()
  assert.equal(children(child(moved.document, 'FolderHierarchy:Changes'), 'FolderHierarchy:Update').length, 1)
  assert.deepEqual(phone.folders.get(projects.serverId)?.parentId, String(inbox.id))
  await room.write({ op: 'deleteFolder', folder: made.id, recursive: true })
  await phone.folderSync()
  assert.ok(!phone.folders.has(projects.serverId))
  const nothing = await phone.folderSync()
  assert.equal(text(child(nothing.document, 'FolderHierarchy:Changes'), 'FolderHierarchy:Count'), '0', 'MS-ASCMD_R2120')
})

test('MS-ASCMD_R885: key 0 again gives the same ids and leaves the sync states of the folders alone', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const before = [...phone.folders.values()]
  await phone.folderSync('0')
  assert.deepEqual([...phone.folders.values()], before)
  await room.deliver('two')
  const result = await phone.sync(inbox)
  assert.equal(result.status, 1)
  assert.equal(result.commands.length, 1)
})

test('a lost FolderSync answer is given again', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const top = await room.folder('msgfolderroot')
  await room.write({ op: 'createFolder', parent: top.id, name: 'New', class: 'IPF.Note' })
  phone.loseReplies(2)
  await phone.folderSync()
  assert.ok([...phone.folders.values()].some((folder) => folder.name === 'New'))
  assert.equal(statusOf(await phone.folderSync()), '1')
})

test('FolderCreate, FolderUpdate and FolderDelete: done, keys go on, and FolderSync says nothing of them', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const made = await create(phone, '0', 'Own', 12)
  assert.equal(statusOf(made), '1')
  const id = take(phone, made)!
  const calendar = take(phone, await create(phone, id, 'Own calendar', 13))!
  take(phone, await update(phone, id, phone.folderOfType(2), 'Renamed'))
  const folder = (await room.mailbox.folders()).find((candidate) => String(candidate.id) === id)!
  assert.equal(folder.name, 'Renamed')
  const quiet = await phone.folderSync()
  assert.equal(text(child(quiet.document, 'FolderHierarchy:Changes'), 'FolderHierarchy:Count'), '0')
  take(phone, await remove(phone, id))
  const folders = await room.mailbox.folders()
  assert.ok(!folders.some((candidate) => [id, calendar].includes(String(candidate.id))))
  const still = await phone.folderSync()
  assert.equal(text(child(still.document, 'FolderHierarchy:Changes'), 'FolderHierarchy:Count'), '0')
})

test('lost answers of folder commands: done once, the same answer again', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  phone.loseReplies(2)
  const made = await create(phone, '0', 'Own', 12)
  assert.equal(statusOf(made), '1')
  const id = take(phone, made)!
  assert.equal((await room.mailbox.folders()).filter((folder) => folder.name === 'Own').length, 1)
  phone.loseReplies()
  const renamed = await update(phone, id, '0', 'Renamed')
  assert.equal(statusOf(renamed), '1')
  take(phone, renamed)
  phone.loseReplies()
  const gone = await remove(phone, id)
  assert.equal(statusOf(gone), '1')
})

test('statuses of the folder commands: [MS-ASCMD] §2.2.3.177.3 to .6', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  const id = take(phone, await create(phone, '0', 'Own', 12))!
  const table: [string, Promise<Reply>, string][] = [
    ['create: name exists (R4012)', create(phone, '0', 'own', 12), '2'],
    ['create: parent RI (R4015)', create(phone, 'RI', 'X', 12), '3'],
    ['create: no parent (R4018)', create(phone, '9999', 'X', 12), '5'],
    ['create: wrong key (R4031)', create(phone, '0', 'X', 12, 'nonsense'), '9'],
    ['create: key 0', create(phone, '0', 'X', 12, '0'), '9'],
    ['create: a default folder (R4035)', create(phone, '0', 'X', 2), '10'],
    ['create: an RI', create(phone, '0', 'X', 19), '10'],
    ['create: empty name', create(phone, '0', '', 12), '10'],
    ['delete: special (R101)', remove(phone, inbox), '3'],
    ['delete: RI (R101)', remove(phone, 'RI'), '3'],
    ['delete: missing', remove(phone, '9999'), '4'],
    ['delete: wrong key', remove(phone, id, 'x'), '9'],
    ['update: special (R4102)', update(phone, inbox, '0', 'X'), '2'],
    ['update: RI (R143)', update(phone, 'RI', '0', 'X'), '3'],
    ['update: missing (R4105)', update(phone, '9999', '0', 'X'), '4'],
    ['update: no parent (R4108)', update(phone, id, '9999', 'X'), '5'],
    ['update: name exists (R5438)', update(phone, id, '0', 'Inbox'), '2'],
    ['update: wrong key (R4119)', update(phone, id, '0', 'X', 'x'), '9'],
    ['update: below itself', update(phone, id, id, 'X'), '10'],
  ]
  for (const [what, pending, expected] of table) {
    const reply = await pending
    assert.equal(statusOf(reply), expected, what)
    // MS-ASCMD_R4570, R3904: nothing else in a failed answer.
    assert.equal(reply.document?.children.length, 1, what)
  }
  const bare = (root: 'FolderCreate' | 'FolderDelete' | 'FolderUpdate' | 'FolderSync', ...parts: Element[]) =>
    phone.call({ command: root, body: el(`FolderHierarchy:${root}`, ...parts) })
  for (const root of ['FolderCreate', 'FolderDelete', 'FolderUpdate', 'FolderSync'] as const) {
    assert.equal(statusOf(await bare(root)), '10', `${root} without a key (R4568)`)
  }
  const key = el('FolderHierarchy:SyncKey', phone.folderKey)
  assert.equal(statusOf(await bare('FolderUpdate', key, el('FolderHierarchy:Status', 1))), '10', 'R3102')
  assert.equal(statusOf(await phone.folderSync('nonsense')), '9', 'MS-ASCMD_R4581')
})

const estimate = async (phone: Phone, id: string, key: string, ...more: Element[]): Promise<[string?, string?]> => {
  const reply = await phone.call({
    command: 'GetItemEstimate',
    body: el(
      'GetItemEstimate:GetItemEstimate',
      el(
        'GetItemEstimate:Collections',
        el('GetItemEstimate:Collection', el('AirSync:SyncKey', key), el('GetItemEstimate:CollectionId', id), ...more),
      ),
    ),
  })
  const response = child(reply.document, 'GetItemEstimate:Response')
  return [
    text(response, 'GetItemEstimate:Status') ?? text(reply.document, 'GetItemEstimate:Status'),
    text(child(response, 'GetItemEstimate:Collection'), 'GetItemEstimate:Estimate'),
  ]
}

test('GetItemEstimate counts what the next Sync brings, within the filter', async () => {
  await using room = await Room.open()
  const phone = await room.ready({ version: '14.1' })
  const inbox = phone.folderOfType(2)
  assert.deepEqual(await estimate(phone, inbox, '0'), ['3', undefined])
  for (let n = 0; n < 3; n++) await room.deliver(`mail ${n}`)
  await room.deliver('old', { received: Date.now() - 10 * 24 * 3600 * 1000 })
  assert.equal((await estimate(phone, inbox, 'x'))[0], '3', 'not primed')
  await phone.sync(inbox)
  const filter = (type: number) => el('AirSync:Options', el('AirSync:FilterType', type))
  assert.deepEqual(await estimate(phone, inbox, phone.syncKey(inbox)), ['1', '4'])
  assert.deepEqual(await estimate(phone, inbox, phone.syncKey(inbox), filter(1)), ['1', '3'])
  await phone.syncAll(inbox)
  assert.deepEqual(await estimate(phone, inbox, phone.syncKey(inbox)), ['1', '0'])
  await room.deliver('new')
  assert.deepEqual(await estimate(phone, inbox, phone.syncKey(inbox)), ['1', '1'])
  const result = await phone.sync(inbox)
  assert.equal(result.commands.length, 1, 'an estimate changes nothing')
})

test('GetItemEstimate: statuses 2, 4, 110 and 103', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const [inbox, calendar] = [phone.folderOfType(2), phone.folderOfType(8)]
  await phone.sync(inbox)
  const filter = (type: number) => el('AirSync:Options', el('AirSync:FilterType', type))
  assert.equal((await estimate(phone, '9999', '1'))[0], '2')
  assert.equal((await estimate(phone, inbox, 'wrong'))[0], '4')
  assert.equal((await estimate(phone, inbox, 'wrong', el('AirSync:Options', el('AirSync:MaxItems', 5))))[0], '2')
  assert.equal((await estimate(phone, inbox, phone.syncKey(inbox), filter(6)))[0], '110')
  assert.equal((await estimate(phone, calendar, '1', filter(1)))[0], '110')
  assert.equal((await estimate(phone, inbox, phone.syncKey(inbox), filter(9)))[0], '103')
})
