import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, type Element, el, has, integer, isElement, text } from '@postrider/wire/wbxml'
import { easVersions } from '../version.ts'
import { crlf, fetch, preference, propertiesOf } from './mails.ts'
import { Room } from './room.ts'

interface Invited {
  readonly method?: string
  readonly event?: readonly string[]
  readonly organizer?: string
  readonly uid?: string
}

/** An invitation as most programs send it: text beside the event. */
const invitation = ({
  method = 'REQUEST',
  event = [],
  organizer = 'ann@example.org',
  uid = 'meeting-1@example.org',
}: Invited) =>
  crlf([
    'From: Ann <ann@example.org>',
    'To: alice@example.com',
    'Subject: Planning',
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Come, please.',
    '--b',
    `Content-Type: text/calendar; method=${method}; charset=utf-8`,
    '',
    'BEGIN:VCALENDAR',
    `METHOD:${method}`,
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20261121T090000Z',
    `ORGANIZER;CN=Ann:mailto:${organizer}`,
    'ATTENDEE;RSVP=TRUE:mailto:alice@example.com',
    'DTSTART;TZID=Europe/Paris:20261124T100000',
    'DTEND;TZID=Europe/Paris:20261124T110000',
    'LOCATION:Room 1',
    'SUMMARY:Planning',
    ...event,
    'END:VEVENT',
    'END:VCALENDAR',
    '--b--',
  ])

async function shown(room: Room, mail: Invited, version: (typeof easVersions)[number] = '16.1'): Promise<Element> {
  const phone = await room.ready({ version })
  const mid = await room.deliverMime(invitation(mail))
  const properties = propertiesOf(await fetch(phone, await room.folder('inbox'), mid, preference(1)))
  assert.ok(properties)
  return properties
}
const meetingOf = (properties: Element): Element => {
  const meeting = child(properties, 'Email:MeetingRequest')
  assert.ok(meeting)
  return meeting
}
const tagsOf = (element: Element): readonly string[] =>
  element.children.flatMap((one) => (isElement(one) ? [one.tag] : []))

for (const version of easVersions) {
  test(`${version}: an invitation comes as MeetingRequest, with what the version knows (MS-ASEMAIL_R546)`, async () => {
    await using room = await Room.open()
    const properties = await shown(room, { event: ['SEQUENCE:0', 'CLASS:PRIVATE', 'TRANSP:OPAQUE'] }, version)
    assert.equal(text(properties, 'Email:MessageClass'), 'IPM.Schedule.Meeting.Request')
    assert.equal(text(properties, 'Email:ContentClass'), 'urn:content-classes:calendarmessage')
    const meeting = meetingOf(properties)
    const modern = version.startsWith('16')
    assert.deepEqual(tagsOf(meeting), [
      ...['AllDayEvent', 'StartTime', 'DtStamp', 'EndTime', 'InstanceType'].map((name) => `Email:${name}`),
      modern ? 'AirSyncBase:Location' : 'Email:Location',
      ...['Organizer', 'ResponseRequested', 'Sensitivity', 'BusyStatus', 'TimeZone'].map((name) => `Email:${name}`),
      ...(modern ? [] : ['Email:GlobalObjId']),
      ...(version === '12.1' ? [] : ['Email:DisallowNewTimeProposal']),
      ...(version === '12.1' || version === '14.0' ? [] : ['Email2:MeetingMessageType']),
      ...(modern ? ['Calendar:UID'] : []),
    ])
    assert.equal(text(meeting, 'Email:StartTime'), '2026-11-24T09:00:00.000Z')
    assert.equal(text(meeting, 'Email:EndTime'), '2026-11-24T10:00:00.000Z')
    assert.equal(text(meeting, 'Email:DtStamp'), '2026-11-21T09:00:00.000Z')
    assert.equal(text(meeting, 'Email:Organizer'), '"Ann" <ann@example.org>')
    const numbers = ['AllDayEvent', 'InstanceType', 'ResponseRequested', 'Sensitivity', 'BusyStatus'] as const
    assert.deepEqual(
      numbers.map((name) => integer(meeting, `Email:${name}`)),
      [0, 0, 1, 2, 2],
    )
    if (modern) assert.equal(text(meeting, 'Calendar:UID'), 'meeting-1@example.org')
    else {
      const id = Buffer.from(text(meeting, 'Email:GlobalObjId') ?? '', 'base64')
      assert.equal(id.toString('hex', 0, 16), '040000008200e00074c5b7101a82e008')
      assert.equal(id.toString('latin1', 40, 48), 'vCal-Uid')
      // MS-ASEMAIL_R29: the count less the marker, its version and the zero at the end.
      assert.equal(id.toString('latin1', 52, 52 + id.readUInt32LE(36) - 13), 'meeting-1@example.org')
    }
    if (version !== '12.1' && version !== '14.0') assert.equal(text(meeting, 'Email2:MeetingMessageType'), '1')
  })
}

test('MS-ASDTYPE_R103 to R120: the time zone, with the changes of its clock', async () => {
  await using room = await Room.open()
  const zone = Buffer.from(text(meetingOf(await shown(room, {})), 'Email:TimeZone') ?? '', 'base64')
  assert.equal(zone.length, 172)
  assert.deepEqual([zone.readInt32LE(0), zone.readInt32LE(84), zone.readInt32LE(168)], [-60, 0, -60])
  const date = (at: number) => Array.from({ length: 5 }, (_, i) => zone.readUInt16LE(at + 2 * i))
  assert.deepEqual(
    [date(68), date(152)],
    [
      [0, 10, 0, 5, 3],
      [0, 3, 0, 5, 2],
    ],
  )
})

test('a Sync and a Search bring it too; the event stays there as a file', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  await room.deliverMime(invitation({}))
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:MessageClass'), ['IPM.Schedule.Meeting.Request'])
  const reply = await phone.call({
    command: 'Search',
    body: el(
      'Search:Search',
      el(
        'Search:Store',
        el('Search:Name', 'Mailbox'),
        el('Search:Query', el('Search:And', el('AirSync:Class', 'Email'), el('Search:FreeText', 'planning'))),
      ),
    ),
  })
  const [result] = children(child(child(reply.document, 'Search:Response'), 'Search:Store'), 'Search:Result')
  const properties = child(result, 'Search:Properties')
  assert.ok(properties && has(properties, 'Email:MeetingRequest'))
  const [file] = children(child(properties, 'AirSyncBase:Attachments'))
  assert.equal(text(file, 'AirSyncBase:DisplayName'), 'invite.ics')
})

test('MS-ASEMAIL_R653, R291: rules as Recurrence, each in what its type needs', async () => {
  await using room = await Room.open()
  const table: readonly (readonly [rule: string, expected: Readonly<Record<string, string>>])[] = [
    ['FREQ=DAILY;COUNT=5', { Type: '0', Interval: '1', Occurrences: '5' }],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE', { Type: '1', Interval: '2', DayOfWeek: '10', FirstDayOfWeek: '1' }],
    ['FREQ=WEEKLY', { Type: '1', Interval: '1', DayOfWeek: '4', FirstDayOfWeek: '1' }],
    ['FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR', { Type: '1', Interval: '1', DayOfWeek: '62', FirstDayOfWeek: '1' }],
    ['FREQ=MONTHLY', { Type: '2', Interval: '1', DayOfMonth: '24', CalendarType: '0' }],
    ['FREQ=MONTHLY;BYDAY=4TU', { Type: '3', Interval: '1', WeekOfMonth: '4', DayOfWeek: '4', CalendarType: '0' }],
    [
      'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1',
      { Type: '3', Interval: '1', WeekOfMonth: '5', DayOfWeek: '4', CalendarType: '0' },
    ],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', { Type: '3', Interval: '1', WeekOfMonth: '5', DayOfWeek: '127', CalendarType: '0' }],
    [
      'FREQ=YEARLY;UNTIL=20301124T090000Z',
      { Type: '5', Interval: '1', Until: '20301124T090000Z', DayOfMonth: '24', MonthOfYear: '11', CalendarType: '0' },
    ],
    [
      'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
      { Type: '6', Interval: '1', WeekOfMonth: '5', DayOfWeek: '1', MonthOfYear: '3', CalendarType: '0' },
    ],
  ]
  for (const [rule, expected] of table) {
    const meeting = meetingOf(await shown(room, { event: [`RRULE:${rule}`] }))
    assert.equal(integer(meeting, 'Email:InstanceType'), 1, rule)
    const [recurrence] = children(child(meeting, 'Email:Recurrences'))
    const said = (recurrence?.children ?? []).flatMap((one) =>
      isElement(one) ? [[one.tag.replace(/^.*:/, ''), String(one.children[0])] as const] : [],
    )
    assert.deepEqual(Object.fromEntries(said), expected, rule)
  }
})

test('MS-ASEMAIL_R935, R936: one occurrence has its RecurrenceId, and its date in GlobalObjId; an Outlook UID is one already', async () => {
  await using room = await Room.open()
  const uid = `040000008200E00074C5B7101A82E00800000000${'10'.repeat(16)}04000000${'AB'.repeat(4)}`
  const event = ['RECURRENCE-ID;TZID=Europe/Paris:20261124T090000', 'SEQUENCE:2']
  const meeting = meetingOf(await shown(room, { event, uid }, '14.1'))
  assert.equal(text(meeting, 'Email:RecurrenceId'), '2026-11-24T08:00:00.000Z')
  assert.deepEqual([text(meeting, 'Email:InstanceType'), text(meeting, 'Email2:MeetingMessageType')], ['3', '2'])
  const id = Buffer.from(text(meeting, 'Email:GlobalObjId') ?? '', 'base64')
    .toString('hex')
    .toUpperCase()
  assert.equal(id, `${uid.slice(0, 32)}07EA0B18${uid.slice(40)}`)
})

test('an end of a meeting is told as such; the organizer’s own copy, an answer and a broken event are plain mail', async () => {
  await using room = await Room.open()
  const cancelled = await shown(room, { method: 'CANCEL' })
  assert.equal(text(cancelled, 'Email:MessageClass'), 'IPM.Schedule.Meeting.Canceled')
  assert.equal(integer(meetingOf(cancelled), 'Email:ResponseRequested'), 0)
  for (const mail of [{ organizer: 'Alice@example.com' }, { method: 'REPLY' }, { uid: '' }]) {
    const properties = await shown(room, mail)
    assert.ok(!has(properties, 'Email:MeetingRequest'))
    assert.equal(text(properties, 'Email:MessageClass'), 'IPM.Note')
    assert.equal(text(properties, 'Email:ContentClass'), 'urn:content-classes:message')
  }
})

test('all day, an alarm, 16.1: AllDayEvent and Reminder in seconds', async () => {
  await using room = await Room.open()
  const event = ['X-MICROSOFT-CDO-ALLDAYEVENT:TRUE', 'BEGIN:VALARM', 'TRIGGER:-PT30M', 'END:VALARM']
  const meeting = meetingOf(await shown(room, { event }))
  assert.deepEqual([integer(meeting, 'Email:AllDayEvent'), integer(meeting, 'Email:Reminder')], [1, 1800])
})
