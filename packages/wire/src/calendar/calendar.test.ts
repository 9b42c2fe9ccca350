import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_CALENDAR, readInvitation } from './index.ts'

const calendar = (event: readonly string[], more: readonly string[] = []): string =>
  [
    'BEGIN:VCALENDAR',
    'METHOD:REQUEST',
    ...more,
    'BEGIN:VEVENT',
    'UID:1@example.com',
    'DTSTAMP:20261121T090000Z',
    ...event,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')
const read = (event: readonly string[], more?: readonly string[]) => {
  const invitation = readInvitation(calendar(event, more))
  assert.ok(invitation)
  return invitation
}
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString())

const custom = (name: string, rules: readonly (readonly [string, string, string, string])[]): readonly string[] => [
  'BEGIN:VTIMEZONE',
  `TZID:${name}`,
  ...rules.flatMap(([kind, start, to, rule]) => [
    `BEGIN:${kind}`,
    `DTSTART:${start}`,
    'TZOFFSETFROM:+0000',
    `TZOFFSETTO:${to}`,
    ...(rule === '' ? [] : [`RRULE:${rule}`]),
    `END:${kind}`,
  ]),
  'END:VTIMEZONE',
]
const europe = custom('Customized Time Zone', [
  ['STANDARD', '16010101T030000', '+0100', 'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10'],
  ['DAYLIGHT', '16010101T020000', '+0200', 'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3'],
])

test('RFC 5545 §3.3.5: times in UTC, in a zone the file describes, in one the platform knows, in one nobody knows', () => {
  for (const [start, more, expected] of [
    ['DTSTART:20261124T100000Z', [], '2026-11-24T10:00:00.000Z'],
    ['DTSTART;TZID=Europe/Paris:20261124T100000', [], '2026-11-24T09:00:00.000Z'],
    ['DTSTART;TZID=Europe/Paris:20260724T100000', [], '2026-07-24T08:00:00.000Z'],
    ['DTSTART;TZID="Customized Time Zone":20260724T100000', europe, '2026-07-24T08:00:00.000Z'],
    ['DTSTART;TZID="Customized Time Zone":20261124T100000', europe, '2026-11-24T09:00:00.000Z'],
    ['DTSTART;TZID=America/New_York:20260308T013000', [], '2026-03-08T06:30:00.000Z'],
    ['DTSTART;TZID=Australia/Sydney:20260115T090000', [], '2026-01-14T22:00:00.000Z'],
    ['DTSTART;TZID=Asia/Kolkata:20260115T090000', [], '2026-01-15T03:30:00.000Z'],
    ['DTSTART;TZID=Nowhere:20260115T090000', [], '2026-01-15T09:00:00.000Z'],
    ['DTSTART;VALUE=DATE:20261224', [], '2026-12-24T00:00:00.000Z'],
  ] as const)
    assert.equal(iso(read([start], more).start), expected, start)
})

test('RFC 5545 §3.6.5: a zone of the file and the same of the platform have the same changes of the clock', () => {
  const described = read(['DTSTART;TZID=Customized Time Zone:20260724T100000'], europe).zone
  const known = read(['DTSTART;TZID=Europe/Paris:20260724T100000']).zone
  assert.deepEqual(described.standard.onset, { month: 10, week: 5, day: 0, time: 3 * 3_600_000 })
  assert.deepEqual(described.daylight?.onset, { month: 3, week: 5, day: 0, time: 2 * 3_600_000 })
  assert.deepEqual(known.standard.onset, described.standard.onset)
  assert.deepEqual(known.daylight?.onset, described.daylight?.onset)
  const york = read(['DTSTART;TZID=America/New_York:20260724T100000']).zone
  assert.deepEqual(york.daylight?.onset, { month: 3, week: 2, day: 0, time: 2 * 3_600_000 })
  assert.equal(york.standard.offset, -5 * 3_600_000)
  assert.equal(read(['DTSTART;TZID=Asia/Kolkata:20260115T090000']).zone.daylight, undefined)
})

test('RFC 5545 §3.6.1: the end is written, or comes of a duration, or is the day’s', () => {
  for (const [lines, expected] of [
    [['DTSTART:20261124T100000Z', 'DTEND:20261124T113000Z'], '2026-11-24T11:30:00.000Z'],
    [['DTSTART:20261124T100000Z', 'DURATION:PT45M'], '2026-11-24T10:45:00.000Z'],
    [['DTSTART;VALUE=DATE:20261124'], '2026-11-25T00:00:00.000Z'],
    [['DTSTART:20261124T100000Z', 'DTEND:20261123T100000Z'], '2026-11-24T10:00:00.000Z'],
  ] as const)
    assert.equal(iso(read(lines).end), expected)
})

test('what else an invitation says: rule, organizer, alarm, access, folded and escaped text; an alarm’s lines are its own', () => {
  const invitation = read([
    'DTSTART;TZID=Europe/Paris:20261124T100000',
    'RRULE:FREQ=MONTHLY;BYDAY=2TU;UNTIL=20270601;WKST=SU',
    'ORGANIZER;CN="Doe, Ann":MAILTO:ann@example.org',
    'ATTENDEE;RSVP=TRUE;CN=Alice:mailto:alice@example.com',
    'LOCATION:Room 1\\, first',
    '  floor',
    'CLASS:PRIVATE',
    'TRANSP:TRANSPARENT',
    'SEQUENCE:3',
    'X-MICROSOFT-DISALLOW-COUNTER:TRUE',
    'BEGIN:VALARM',
    'UID:alarm',
    'TRIGGER:-PT15M',
    'END:VALARM',
  ])
  assert.equal(invitation.uid, '1@example.com')
  assert.equal(invitation.location, 'Room 1, first floor')
  assert.deepEqual(invitation.organizer, { name: 'Doe, Ann', address: 'ann@example.org' })
  assert.deepEqual(invitation.rule?.days, [{ day: 2, nth: 2 }])
  assert.equal(iso(invitation.until), '2027-05-31T22:00:00.000Z')
  const { access, busy, sequence, reminder, replyWanted, noCounter } = invitation
  assert.deepEqual([access, busy, sequence, reminder, replyWanted, noCounter], ['private', 'free', 3, 900, true, true])
})

test('the series goes before its exceptions; without an event, a start or a UID there is no invitation', () => {
  const master = calendar(['DTSTART:20261124T100000Z', 'RRULE:FREQ=DAILY'])
  const exception =
    'BEGIN:VEVENT\r\nUID:1@example.com\r\nRECURRENCE-ID:20261125T100000Z\r\nDTSTART:20261125T120000Z\r\nEND:VEVENT\r\n'
  const both = readInvitation(master.replace('BEGIN:VEVENT', `${exception}BEGIN:VEVENT`))
  assert.deepEqual([both?.instance, iso(both?.start)], [undefined, '2026-11-24T10:00:00.000Z'])
  const alone = readInvitation(`BEGIN:VCALENDAR\r\n${exception}END:VCALENDAR`)
  assert.equal(iso(alone?.instance), '2026-11-25T10:00:00.000Z')
  for (const text of [
    '',
    'BEGIN:VCALENDAR',
    calendar(['DTSTART:soon']),
    calendar([]),
    calendar(['DTSTART:20260230T100000Z']),
  ])
    assert.equal(readInvitation(text), undefined)
})

test('P2, P5: whatever stands in a calendar, it is read in one pass or not at all', () => {
  const word = fc.constantFrom(
    ...['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'END:VEVENT', 'BEGIN:VTIMEZONE', 'BEGIN:STANDARD', 'END:STANDARD', 'TZID:x'],
    ...['DTSTART;TZID=x:20261124T100000', 'TZOFFSETTO:-2359', 'RRULE:FREQ=YEARLY;BYDAY=9SU,-9MO;BYMONTH=99', 'UID:1'],
    ...[
      'RRULE:FREQ=WEEKLY;INTERVAL=-1;COUNT=x;UNTIL=20269999',
      'DTEND:99991231T235959Z',
      'DURATION:P99999D',
      ';;;:',
      '"',
    ],
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 40 }), (lines) => {
      const invitation = readInvitation(['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...lines].join('\r\n'))
      if (invitation !== undefined) assert.ok(Number.isFinite(invitation.start) && invitation.end >= invitation.start)
    }),
    { numRuns: 300 },
  )
  for (const line of ['BEGIN:X\n', ';'.repeat(100), 'A;'.repeat(50_000), '"'.repeat(1_000), '\n ', 'BYDAY=,,,,'])
    readInvitation(`BEGIN:VCALENDAR\n${line.repeat(Math.ceil(MAX_CALENDAR / line.length))}`)
})
