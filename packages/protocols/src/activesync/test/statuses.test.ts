import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, el, type Element, text } from '@postrider/wire/wbxml'
import { changeOf, deleteOf, type Phone, type SyncOptions } from '@postrider/testkit/activesync'
import { Room } from './room.ts'

async function synced(room: Room): Promise<{ phone: Phone; inbox: string }> {
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  return { phone, inbox }
}

/** Sends a Sync with this Collection and answers Status under Sync, or under Collection. */
async function statusOf(phone: Phone, ...parts: Element[]): Promise<string | undefined> {
  const reply = await phone.call({
    command: 'Sync',
    body: el('AirSync:Sync', el('AirSync:Collections', el('AirSync:Collection', ...parts))),
  })
  const collection = reply.document?.children[0]
  if (typeof collection === 'object' && 'tag' in collection && collection.tag === 'AirSync:Collections') {
    const [inner] = collection.children
    return typeof inner === 'object' && 'tag' in inner ? text(inner, 'AirSync:Status') : undefined
  }
  return text(reply.document, 'AirSync:Status')
}

const key = (value: string) => el('AirSync:SyncKey', value)
const id = (value: string) => el('AirSync:CollectionId', value)

test('Sync status 4: what is wrong with a request', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const now = () => key(phone.syncKey(inbox))
  const add = el('AirSync:Add', el('AirSync:ClientId', 'c'), el('AirSync:ApplicationData'))
  const table: [string, Element[]][] = [
    ['no CollectionId (R4545)', [now()]],
    ['no SyncKey', [id(inbox)]],
    ['GetChanges with key 0 (R5838)', [key('0'), id(inbox), el('AirSync:GetChanges', 1)]],
    ['empty GetChanges with key 0 (R3128)', [key('0'), id(inbox), el('AirSync:GetChanges')]],
    ['Commands with key 0', [key('0'), id(inbox), el('AirSync:Commands', add)]],
    [
      'Add without ClientId',
      [now(), id(inbox), el('AirSync:Commands', el('AirSync:Add', el('AirSync:ApplicationData')))],
    ],
    [
      'Change without ServerId',
      [now(), id(inbox), el('AirSync:Commands', el('AirSync:Change', el('AirSync:ApplicationData')))],
    ],
    ['Delete without ServerId', [now(), id(inbox), el('AirSync:Commands', el('AirSync:Delete'))]],
    ['FilterType 8 for mail (R3080)', [now(), id(inbox), el('AirSync:Options', el('AirSync:FilterType', 8))]],
    ['FilterType 6 for mail', [now(), id(inbox), el('AirSync:Options', el('AirSync:FilterType', 6))]],
    [
      'the same class in two Options (R930)',
      [
        now(),
        id(inbox),
        el('AirSync:Options', el('AirSync:Class', 'Email')),
        el('AirSync:Options', el('AirSync:Class', 'Email')),
      ],
    ],
    [
      'two BodyPreferences of one type',
      [
        now(),
        id(inbox),
        el(
          'AirSync:Options',
          el('AirSyncBase:BodyPreference', el('AirSyncBase:Type', 1)),
          el('AirSyncBase:BodyPreference', el('AirSyncBase:Type', 1)),
        ),
      ],
    ],
    [
      '201 commands (R5659)',
      [now(), id(inbox), el('AirSync:Commands', ...Array.from({ length: 201 }, () => deleteOf('1:1')))],
    ],
  ]
  for (const [what, parts] of table) assert.equal(await statusOf(phone, ...parts), '4', what)
  const both = await phone.call({ command: 'Sync', body: el('AirSync:Sync') })
  assert.equal(text(both.document, 'AirSync:Status'), '4', 'neither Collections nor Partial')
  const empty = await phone.call({ command: 'Sync', body: el('AirSync:Sync', el('AirSync:Collections')) })
  assert.equal(text(empty.document, 'AirSync:Status'), '4')
  // None of it has hurt the state.
  await room.deliver('still fine')
  assert.equal((await phone.sync(inbox)).status, 1)
})

test('Sync: unknown keys 3, gone folders 12, out of range 103, SMS options taken and ignored', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  assert.equal(await statusOf(phone, key('nonsense-1'), id(inbox)), '3')
  assert.equal(await statusOf(phone, key(phone.syncKey(inbox).replace(/\d+$/, '99')), id(inbox)), '3')
  assert.equal(await statusOf(phone, key('1'), id(phone.folderOfType(5))), '3', 'never primed')
  assert.equal(await statusOf(phone, key('0'), id('9999')), '12')
  const now = () => key(phone.syncKey(inbox))
  assert.equal(await statusOf(phone, now(), id(inbox), el('AirSync:Options', el('AirSync:FilterType', 9))), '103')
  const sms = el('AirSync:Options', el('AirSync:Class', 'SMS'), el('AirSync:FilterType', 0))
  const mail = el('AirSync:Options', el('AirSync:Class', 'Email'))
  assert.equal(await statusOf(phone, now(), id(inbox), mail, sms), undefined)
})

test('a state that is lost: 3, and the phone starts over with what is there', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const { phone, inbox } = await synced(room)
  phone.setSyncKey(inbox, 'gone-7')
  assert.equal((await phone.sync(inbox)).status, 3)
  await phone.syncAll(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one'])
})

test('a second key 0 before anything was sent is the first one again', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.sync(inbox)
  const first = phone.syncKey(inbox)
  phone.setSyncKey(inbox, '0')
  await phone.sync(inbox)
  assert.equal(phone.syncKey(inbox), first)
})

test('items: a Change of a gone item is 8, a Delete of one is fine, an Add of mail is 6 (R755)', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const add = el(
    'AirSync:Add',
    el('AirSync:ClientId', 'c1'),
    el('AirSync:ApplicationData', el('Email:Subject', 'not allowed'), el('Email:Read', 1)),
  )
  const result = await phone.sync(inbox, {
    commands: [changeOf(`${inbox}:424242`, el('Email:Read', 1)), deleteOf(`${inbox}:424243`), deleteOf('junk'), add],
  })
  assert.equal(result.status, 1)
  assert.deepEqual(
    result.responses.map((response) => [response.tag, text(response, 'AirSync:Status')]),
    [
      ['AirSync:Change', '8'],
      ['AirSync:Add', '6'],
    ],
  )
  assert.deepEqual(await room.subjects('inbox'), [])
})

test('an item of another folder cannot be reached through this one', async () => {
  await using room = await Room.open()
  await room.deliver('elsewhere', { folder: 'sentitems' })
  const { phone, inbox } = await synced(room)
  const sent = phone.folderOfType(5)
  await phone.syncAll(sent)
  const [, mid] = phone.mirror.bySubject(sent, 'elsewhere').split(':')
  const result = await phone.sync(inbox, {
    commands: [changeOf(`${inbox}:${mid}`, el('Email:Read', 1)), deleteOf(`${inbox}:${mid}`)],
  })
  assert.equal(text(result.responses[0], 'AirSync:Status'), '8')
  assert.deepEqual(await room.subjects('sentitems'), ['elsewhere'])
})

test('what a request should not ask is 4 under Sync (MS-ASCMD_R756, R3080)', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const outer = async (collection: string, options: SyncOptions) =>
    text((await phone.sync(collection, options)).document, 'AirSync:Status')
  assert.equal(await outer(inbox, { options: el('AirSync:Options', el('AirSync:FilterType', 8)) }), '4')
  await phone.syncAll('RI')
  const add = el('AirSync:Add', el('AirSync:ClientId', '1'), el('AirSync:ApplicationData', el('Contacts:FileAs', 'x')))
  assert.equal(await outer('RI', { commands: [add] }), '4')
})

test('GetItemEstimate: classes that do not go together are 4 (MS-ASCMD_R907, R908)', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const { phone, inbox } = await synced(room)
  await room.deliver('two')
  const estimate = async (...classes: string[]) => {
    const options = classes.map((name) => el('AirSync:Options', el('AirSync:Class', name)))
    const collection = el(
      'GetItemEstimate:Collection',
      el('AirSync:SyncKey', phone.syncKey(inbox)),
      el('GetItemEstimate:CollectionId', inbox),
      options,
    )
    const body = el('GetItemEstimate:GetItemEstimate', el('GetItemEstimate:Collections', collection))
    const { document } = await phone.call({ command: 'GetItemEstimate', body })
    const response = child(document, 'GetItemEstimate:Response')
    const found = child(response, 'GetItemEstimate:Collection')
    return [text(document, 'GetItemEstimate:Status'), text(found, 'GetItemEstimate:Estimate')]
  }
  assert.deepEqual(await estimate('SMS', 'Email'), [undefined, '1'])
  assert.deepEqual(await estimate('Tasks', 'Contacts'), ['4', undefined])
  assert.deepEqual(await estimate('Email', 'Email'), ['4', undefined])
})

test('GetItemEstimate: 103 of a collection, and of the whole where nothing else is left of it (MS-ASCMD_R2984, R4129, R4130)', async () => {
  await using room = await Room.open()
  const { phone, inbox } = await synced(room)
  const one = (filterType: number) =>
    el(
      'GetItemEstimate:Collection',
      el('AirSync:SyncKey', phone.syncKey(inbox)),
      el('GetItemEstimate:CollectionId', inbox),
      el('AirSync:Options', el('AirSync:FilterType', filterType)),
    )
  const statuses = async (...collections: Element[]) => {
    const body = el('GetItemEstimate:GetItemEstimate', el('GetItemEstimate:Collections', ...collections))
    const { document } = await phone.call({ command: 'GetItemEstimate', body })
    const responses = children(document, 'GetItemEstimate:Response')
    return [text(document, 'GetItemEstimate:Status'), ...responses.map((each) => text(each, 'GetItemEstimate:Status'))]
  }
  assert.deepEqual(await statuses(one(9)), ['103', '103'])
  assert.deepEqual(await statuses(one(9), one(0)), [undefined, '103', '1'])
})

test('too many collections are 15 with the limit', async () => {
  await using room = await Room.open({ settings: { maxFolders: 2 } })
  const phone = await room.ready()
  const collections = [2, 3, 4].map((type) => ({ collectionId: phone.folderOfType(type) }))
  const [result] = await phone.syncMany(collections)
  assert.equal(text(result!.document, 'AirSync:Status'), '15')
  assert.equal(text(result!.document, 'AirSync:Limit'), '2')
})
