import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCalendar } from './ical.ts'

const file = (...lines: string[]): string => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR'].join('\r\n')
const event = (...lines: string[]): string => file('BEGIN:VEVENT', ...lines, 'END:VEVENT')
const first = (text: string) => readCalendar(text).events[0]

test('RFC 5545: what, when, where, who; folded lines, escapes, quoted parameters, alarms apart', () => {
  const { method, events } = readCalendar(
    file(
      'METHOD:REQUEST',
      'BEGIN:VTIMEZONE',
      'TZID:Europe/Paris',
      'END:VTIMEZONE',
      'BEGIN:VEVENT',
      'UID:1@example.com',
      'SUMMARY:Plan\\, second',
      ' \\; part',
      'LOCATION:Room 5\\nFloor 2',
      'ORGANIZER;CN="Hopper; Grace":mailto:grace@example.com',
      'DTSTART;TZID=Europe/Paris:20260701T100000',
      'DTEND;TZID=Europe/Paris:20260701T113000',
      'RRULE:FREQ=WEEKLY',
      'BEGIN:VALARM',
      'SUMMARY:no',
      'END:VALARM',
      'END:VEVENT',
    ),
  )
  assert.equal(method, 'REQUEST')
  const [one] = events
  assert.equal(one?.summary, 'Plan, second; part')
  assert.equal(one?.location, 'Room 5\nFloor 2')
  assert.equal(one?.organiser, 'Hopper; Grace (grace@example.com)')
  assert.equal(new Date(one?.start?.instant ?? 0).toISOString(), '2026-07-01T08:00:00.000Z')
  assert.equal(new Date(one?.end?.instant ?? 0).toISOString(), '2026-07-01T09:30:00.000Z')
  assert.deepEqual([one?.repeats, one?.cancelled], [true, false])
})

test('RFC 5545 §3.3.5: UTC, winter, the night the clock changes, whole days, durations, zones nobody knows', () => {
  const at = (line: string): string => new Date(first(event(line))?.start?.instant ?? Number.NaN).toISOString()
  assert.equal(at('DTSTART:20260101T120000Z'), '2026-01-01T12:00:00.000Z')
  assert.equal(at('DTSTART;TZID=Europe/Paris:20260115T100000'), '2026-01-15T09:00:00.000Z')
  assert.equal(at('DTSTART;TZID=Europe/Paris:20260329T033000'), '2026-03-29T01:30:00.000Z')
  const day = first(event('DTSTART;VALUE=DATE:20260714', 'DTEND;VALUE=DATE:20260715'))
  assert.deepEqual([day?.start?.allDay, day?.start?.wall, day?.end?.wall], [true, '2026-07-14', '2026-07-15'])
  const long = first(event('DTSTART:20260101T120000Z', 'DURATION:PT1H30M'))
  assert.equal(long?.end?.instant, Date.UTC(2026, 0, 1, 13, 30))
  const { start } = first(event('DTSTART;TZID=Elsewhere Standard Time:20260101T120000')) ?? {}
  assert.deepEqual(start, {
    instant: undefined,
    wall: '2026-01-01T12:00',
    allDay: false,
    zone: 'Elsewhere Standard Time',
  })
})

test('a cancelled meeting says so; what is no calendar is no event', () => {
  assert.equal(first(file('METHOD:CANCEL', 'BEGIN:VEVENT', 'SUMMARY:x', 'END:VEVENT'))?.cancelled, true)
  assert.equal(first(event('STATUS:CANCELLED'))?.cancelled, true)
  assert.deepEqual(readCalendar('<html>').events, [])
  assert.equal(readCalendar(file(...Array.from({ length: 50 }, () => 'BEGIN:VEVENT\r\nEND:VEVENT'))).events.length, 5)
})

test('any text is read without throwing', () => {
  const word = fc.constantFrom(
    'BEGIN:VEVENT',
    'END:VEVENT',
    'DTSTART',
    ';TZID=',
    ':',
    '\r\n',
    ' ',
    '"',
    'DURATION:P',
    '9'.repeat(20),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 60 }), (parts) => {
      readCalendar(parts.join(''))
    }),
    { numRuns: 200 },
  )
})
