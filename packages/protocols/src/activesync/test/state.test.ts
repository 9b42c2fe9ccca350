import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag, type Item, type Mid, namedProperties, Pid } from '@postrider/domain'
import { changeOf, type Phone } from '@postrider/testkit/activesync'
import { child, children, type Element, el, has, text } from '@postrider/wire/wbxml'
import { crlf, fetch, propertiesOf, serverIdOf } from './mails.ts'
import { Room } from './room.ts'

const data = (tag: 'Subject' | 'StartDate' | 'DueDate' | 'UtcStartDate' | 'UtcDueDate', value: string): Element =>
  el(`Tasks:${tag}`, value)
const start = '2026-11-21T00:00:00.000Z'
const due = '2026-11-28T00:00:00.000Z'
const dates = (from = start, to = due): Element[] => [
  data('StartDate', from),
  data('DueDate', to),
  data('UtcStartDate', from),
  data('UtcDueDate', to),
]
const flag = (...content: Element[]): Element => el('Email:Flag', ...content)
const status = (value: number | string): Element => el('Email:Status', value)
const type = el('Email:FlagType', 'Flag for follow up')

/** A room with one mail on the phone; `change` sends a Change and answers its status. */
async function setUp(room: Room, version: '12.1' | '14.0' | '14.1' | '16.0' | '16.1' = '16.1') {
  const mid = await room.deliver('one')
  const folder = await room.folder('inbox')
  const phone = await room.ready({ version })
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const id = serverIdOf(folder, mid)
  const change = async (...properties: Element[]): Promise<string> => {
    const result = await phone.sync(inbox, { commands: [changeOf(id, ...properties)] })
    const [response] = result.responses
    return text(response, 'AirSync:Status') ?? String(result.status)
  }
  const stored = async (): Promise<Item> => {
    const [item] = await room.mailbox.get({ by: { mids: [mid] }, columns: ['props', 'promoted'] })
    assert.ok(item)
    return item
  }
  return { mid, folder, phone, inbox, id, change, stored }
}

/** What the next Sync says of an item: the tags of its ApplicationData. */
async function told(phone: Phone, inbox: string): Promise<string[][]> {
  const result = await phone.sync(inbox)
  return result.commands.map((command) => children(child(command, 'AirSync:ApplicationData')).map(({ tag }) => tag))
}

test('Read goes both ways, and comes back alone (MS-ASEMAIL_R75)', async () => {
  await using room = await Room.open()
  const { phone, inbox, change, stored, folder, mid } = await setUp(room)
  assert.equal(await change(el('Email:Read', 1)), '1')
  assert.equal((await stored()).flags & Flag.seen, Flag.seen)
  assert.deepEqual(await told(phone, inbox), [], 'its own change does not come back')
  await room.write({ op: 'flag', folder: folder.id, items: { mids: [mid] }, clear: Flag.seen })
  assert.deepEqual(await told(phone, inbox), [['Email:Read']])
  assert.equal(await change(el('Email:Read', 'maybe')), '6', 'MS-ASEMAIL_R643')
})

test('a \\Flagged of IMAP is an active flag on the phone, and gone with it (MS-ASEMAIL_R76)', async () => {
  await using room = await Room.open()
  const { phone, inbox, folder, mid } = await setUp(room)
  const items = { mids: [mid] }
  await room.write({ op: 'flag', folder: folder.id, items, set: Flag.flagged })
  assert.deepEqual(await told(phone, inbox), [['Email:Flag']])
  const shown = child(propertiesOf(await fetch(phone, folder, mid)), 'Email:Flag')
  assert.equal(text(shown, 'Email:Status'), '2')
  assert.equal(text(shown, 'Email:FlagType'), 'Flag for follow up')
  await room.write({ op: 'flag', folder: folder.id, items, clear: Flag.flagged })
  assert.deepEqual(await told(phone, inbox), [['Email:Flag']])
  assert.equal(child(propertiesOf(await fetch(phone, folder, mid)), 'Email:Flag')?.children.length, 0)
})

test('a flag of the phone: set, updated, completed, cleared (MS-ASEMAIL_R940, R90, R86, R8800)', async () => {
  await using room = await Room.open()
  const { change, stored, phone, folder, mid } = await setUp(room)
  const reminder = [el('Tasks:ReminderSet', 1), el('Tasks:ReminderTime', start)]
  assert.equal(await change(flag(data('Subject', 'one'), status(2), type, ...dates(), ...reminder)), '1')
  let item = await stored()
  assert.equal(item.flags & Flag.flagged, Flag.flagged, 'IMAP sees it')
  assert.equal(item.props?.get(Pid.TagFlagStatus), 2)
  assert.equal(item.props?.get(namedProperties.flagRequest.tag), 'Flag for follow up')
  const shown = child(propertiesOf(await fetch(phone, folder, mid)), 'Email:Flag')
  assert.equal(text(shown, 'Tasks:DueDate'), due)
  assert.equal(text(shown, 'Tasks:UtcStartDate'), start)
  assert.equal(text(shown, 'Tasks:ReminderSet'), '1')
  assert.equal(text(shown, 'Tasks:Subject'), 'one')
  assert.equal(await change(flag(...dates(start, '2026-12-01T00:00:00.000Z'))), '1')
  const done = [el('Email:CompleteTime', due), el('Tasks:DateCompleted', due)]
  assert.equal(await change(flag(status(1), ...done)), '1')
  item = await stored()
  assert.equal(item.flags & Flag.flagged, 0)
  const complete = child(propertiesOf(await fetch(phone, folder, mid)), 'Email:Flag')
  assert.deepEqual([text(complete, 'Email:Status'), text(complete, 'Email:CompleteTime')], ['1', due])
  assert.equal(text(complete, 'Tasks:DueDate'), '2026-12-01T00:00:00.000Z')
  assert.equal(await change(flag()), '1')
  item = await stored()
  assert.ok(!item.props?.has(Pid.TagFlagStatus))
  assert.ok(!item.props?.has(namedProperties.taskDueDate.tag))
})

test('a flag that is not right is status 6', async () => {
  await using room = await Room.open()
  const { change, stored } = await setUp(room)
  const table: [string, Element][] = [
    ['MS-ASEMAIL_R757: a status there is not', flag(status(3), type)],
    ['a status that is no number', flag(status('x'), type)],
    ['MS-ASEMAIL_R92, R940: no type', flag(status(2))],
    ['MS-ASEMAIL_R334: completed without a time', flag(status(1), el('Tasks:DateCompleted', due))],
    ['MS-ASEMAIL_R358: completed without a date', flag(status(1), el('Email:CompleteTime', due))],
    ['MS-ASEMAIL_R359', flag(status(2), type, el('Tasks:DateCompleted', due))],
    ['MS-ASEMAIL_R409: half of the dates', flag(status(2), type, data('StartDate', start), data('DueDate', due))],
    ['MS-ASEMAIL_R407, R739: start after due', flag(status(2), type, ...dates(due, start))],
    ['MS-ASEMAIL_R702: a reminder without its time', flag(status(2), type, el('Tasks:ReminderSet', 1))],
    ['a reminder that is no boolean', flag(status(2), type, el('Tasks:ReminderSet', 'x'))],
    ['a date that is none', flag(status(2), type, el('Tasks:OrdinalDate', 'tomorrow'))],
    ['nothing to update', flag(data('Subject', 'x'))],
  ]
  for (const [what, element] of table) assert.equal(await change(element), '6', what)
  assert.equal((await stored()).flags & Flag.flagged, 0)
})

test('categories: set, kept when not named, taken away by an empty element (MS-ASEMAIL_R319, R320, R96)', async () => {
  await using room = await Room.open()
  const { phone, inbox, change, stored, mid } = await setUp(room)
  const categories = (...names: string[]) => el('Email:Categories', ...names.map((name) => el('Email:Category', name)))
  assert.equal(await change(categories('Red', 'Work', 'Red')), '1')
  assert.deepEqual((await stored()).props?.get(namedProperties.keywords.tag), ['Red', 'Work'])
  assert.equal(await change(el('Email:Read', 1)), '1')
  assert.deepEqual((await stored()).props?.get(namedProperties.keywords.tag), ['Red', 'Work'])
  await room.write({ op: 'update', mid, set: new Map([[namedProperties.keywords.tag, ['Blue']]]) })
  assert.deepEqual(await told(phone, inbox), [['Email:Categories']])
  assert.equal(await change(categories()), '1')
  assert.ok(!(await stored()).props?.has(namedProperties.keywords.tag))
  const many = Array.from({ length: 301 }, (_, n) => `c${n}`)
  assert.equal(await change(categories(...many)), '6')
  assert.equal(await change(categories('x'.repeat(256))), '6')
})

test('MS-ASEMAIL_R41: of a mail that is no draft only Read, Flag and Categories change', async () => {
  await using room = await Room.open()
  const { change, stored } = await setUp(room)
  const table: Element[] = [
    el('Email:Subject', 'other'),
    el('Email:Importance', 2),
    el('Email2:ConversationId', Buffer.alloc(16)),
    el('Email2:ConversationIndex', Buffer.alloc(5)),
    el('Email2:ReceivedAsBcc', 1),
    el('Email2:Sender', 'x@example.org'),
    el('Email2:IsDraft', 1),
    el('Email2:LastVerbExecuted', 1),
    el('AirSyncBase:Body', el('AirSyncBase:Type', 1), el('AirSyncBase:Data', 'x')),
  ]
  for (const element of table) assert.equal(await change(element), '6', element.tag)
  assert.equal((await stored()).promoted?.subject, 'one')
})

test('MS-ASEMAIL_R104: several parts at once come as just these; a reply adds its verb', async () => {
  await using room = await Room.open()
  const { phone, inbox, folder, mid } = await setUp(room)
  await room.write(
    { op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.seen | Flag.flagged },
    { op: 'update', mid, set: new Map([[namedProperties.keywords.tag, ['Red']]]) },
  )
  const [tags] = await told(phone, inbox)
  assert.deepEqual(tags?.toSorted(), ['Email:Categories', 'Email:Flag', 'Email:Read'])
  await room.write({ op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.answered })
  assert.deepEqual(await told(phone, inbox), [['Email2:LastVerbExecuted']])
  await room.write({ op: 'update', mid, set: new Map([[0x6600_001f, 'not of mail']]) })
  assert.deepEqual(await told(phone, inbox), [], 'MS-ASEMAIL_R93: nothing a phone knows has changed')
})

test('12.1 knows flags and no categories; an Add of mail is refused in every version but for drafts', async () => {
  await using room = await Room.open()
  const { change, phone, inbox } = await setUp(room, '12.1')
  assert.equal(await change(flag(status(2), type, ...dates())), '1')
  const add = el('AirSync:Add', el('AirSync:ClientId', 'c1'), el('AirSync:ApplicationData', el('Email:Subject', 'x')))
  const result = await phone.sync(inbox, { commands: [add] })
  assert.equal(text(result.responses[0], 'AirSync:Status'), '6')
  const newer = await room.ready({ version: '16.1' })
  await newer.syncAll(inbox)
  const again = await newer.sync(inbox, { commands: [add] })
  assert.equal(text(again.responses[0], 'AirSync:Status'), '6', 'not in the Inbox')
})

test('12.1: what the version cannot say is not said', async () => {
  await using room = await Room.open()
  const { phone, inbox, folder, mid } = await setUp(room, '12.1')
  await room.write(
    { op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.answered },
    { op: 'update', mid, set: new Map([[namedProperties.keywords.tag, ['Red']]]) },
  )
  assert.deepEqual(await told(phone, inbox), [])
  await room.write({ op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.seen })
  assert.deepEqual(await told(phone, inbox), [['Email:Read']])
})

test('a flag that Outlook completed and IMAP set again is active', async () => {
  await using room = await Room.open()
  const mid: Mid = await room.deliverMime(crlf(['From: a@example.org', 'Subject: x', '', 'x']))
  const folder = await room.folder('inbox')
  await room.write(
    {
      op: 'update',
      mid,
      set: new Map<number, number | string>([
        [Pid.TagFlagStatus, 1],
        [namedProperties.flagRequest.tag, 'Old'],
      ]),
    },
    { op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.flagged },
  )
  const phone = await room.ready()
  const shown = child(propertiesOf(await fetch(phone, folder, mid)), 'Email:Flag')
  assert.equal(text(shown, 'Email:Status'), '2')
  assert.equal(text(shown, 'Email:FlagType'), 'Flag for follow up')
  assert.ok(!has(shown, 'Email:CompleteTime'))
})
