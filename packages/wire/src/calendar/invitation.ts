/** What an invitation says of its meeting: RFC 5546, RFC 5545 §3.6.1, with what Outlook adds ([MS-OXCICAL]). */
import {
  type Component,
  type ContentLine,
  durationOf,
  firstLine,
  readComponents,
  textValue,
  wallTime,
} from './component.ts'
import { type RecurrenceRule, readRule } from './rule.ts'
import { instantOf, platformZone, utcZone, type Zone, zoneOf } from './zone.ts'

export interface Invitation {
  /** RFC 5546 §1.4, upper case. */
  readonly method: string
  readonly uid: string
  readonly sequence: number
  readonly location: string
  readonly organizer: { readonly name: string; readonly address: string }
  /** ms since 1970. */
  readonly stamp: number | undefined
  readonly start: number
  readonly end: number
  readonly allDay: boolean
  /** Start by the clock of the zone, ms as if it were UTC. */
  readonly wall: number
  readonly zone: Zone
  readonly rule: RecurrenceRule | undefined
  /** End of the rule, ms since 1970. */
  readonly until: number | undefined
  /** The occurrence this is about, when it is about one of a series. */
  readonly instance: number | undefined
  readonly access: 'public' | 'private' | 'confidential'
  readonly busy: 'free' | 'tentative' | 'busy' | 'away'
  /** Seconds before the start. */
  readonly reminder: number | undefined
  readonly replyWanted: boolean
  readonly noCounter: boolean
}

const DAY = 86_400_000

/** Reads times of one calendar, whose zones it finds by name. */
class Times {
  readonly #zones = new Map<string, Zone | undefined>()

  constructor(calendar: Component) {
    for (const one of calendar.inside) {
      const name = firstLine(one, 'TZID')?.value.trim()
      if (one.name === 'VTIMEZONE' && name !== undefined) this.#zones.set(name, zoneOf(one))
    }
  }

  /** The zone a line names; UTC for none, and for one that nobody knows. */
  zone(line: ContentLine | undefined, near: number): Zone {
    const name = line?.parameters.get('TZID')?.trim()
    if (name === undefined || name === '') return utcZone
    return this.#zones.get(name) ?? platformZone(name.replace(/^\//, '').slice(0, 80), near) ?? utcZone
  }

  instant(line: ContentLine | undefined, zone?: Zone): number | undefined {
    const time = wallTime(line?.value ?? '')
    if (time === undefined) return undefined
    return time.utc ? time.wall : instantOf(zone ?? this.zone(line, time.wall), time.wall)
  }
}

/** The meeting of an invitation: the series where it has one, else its first event. Undefined: no event with a start and a UID. */
export function readInvitation(text: string): Invitation | undefined {
  const calendar = readComponents(text).inside.find((one) => one.name === 'VCALENDAR')
  const events = calendar?.inside.filter((one) => one.name === 'VEVENT') ?? []
  const event = events.find((one) => firstLine(one, 'RECURRENCE-ID') === undefined) ?? events[0]
  if (calendar === undefined || event === undefined) return undefined
  const times = new Times(calendar)
  const value = (name: string): string => textValue(firstLine(event, name))
  const startLine = firstLine(event, 'DTSTART')
  const begins = wallTime(startLine?.value ?? '')
  const uid = value('UID')
  if (begins === undefined || uid === '') return undefined
  const zone = times.zone(startLine, begins.wall)
  const start = times.instant(startLine, zone) as number
  const length = durationOf(value('DURATION')) ?? (begins.allDay ? DAY : 0)
  const rule = readRule(value('RRULE'))
  return {
    method: textValue(firstLine(calendar, 'METHOD')).toUpperCase(),
    uid: uid.slice(0, 1_000),
    sequence: Number(value('SEQUENCE')) || 0,
    location: value('LOCATION').slice(0, 1_000).toWellFormed(),
    organizer: personOf(firstLine(event, 'ORGANIZER')),
    stamp: times.instant(firstLine(event, 'DTSTAMP')),
    start,
    end: Math.max(start, times.instant(firstLine(event, 'DTEND')) ?? start + Math.max(0, length)),
    allDay: begins.allDay || value('X-MICROSOFT-CDO-ALLDAYEVENT').toUpperCase() === 'TRUE',
    wall: begins.wall,
    zone,
    rule,
    until:
      rule?.until === undefined
        ? undefined
        : times.instant({ name: '', parameters: new Map(), value: rule.until }, zone),
    instance: times.instant(firstLine(event, 'RECURRENCE-ID')),
    access: ACCESS.get(value('CLASS').toUpperCase()) ?? 'public',
    busy:
      BUSY.get((value('X-MICROSOFT-CDO-INTENDEDSTATUS') || value('X-MICROSOFT-CDO-BUSYSTATUS')).toUpperCase()) ??
      (value('TRANSP').toUpperCase() === 'TRANSPARENT' ? 'free' : 'busy'),
    reminder: reminderOf(event),
    replyWanted: event.lines.some(
      ({ name, parameters }) => name === 'ATTENDEE' && parameters.get('RSVP')?.toUpperCase() === 'TRUE',
    ),
    noCounter: value('X-MICROSOFT-DISALLOW-COUNTER').toUpperCase() === 'TRUE',
  }
}

const ACCESS: ReadonlyMap<string, Invitation['access']> = new Map([
  ['PRIVATE', 'private'],
  ['CONFIDENTIAL', 'confidential'],
])
const BUSY: ReadonlyMap<string, Invitation['busy']> = new Map([
  ['FREE', 'free'],
  ['TENTATIVE', 'tentative'],
  ['BUSY', 'busy'],
  ['OOF', 'away'],
])

const personOf = (line: ContentLine | undefined): Invitation['organizer'] => ({
  name: (line?.parameters.get('CN') ?? '').trim().slice(0, 255).toWellFormed(),
  address: (line?.value ?? '')
    .trim()
    .replace(/^mailto:/i, '')
    .slice(0, 320)
    .toWellFormed(),
})

/** The first alarm before the start: RFC 5545 §3.6.6. */
function reminderOf(event: Component): number | undefined {
  for (const alarm of event.inside) {
    const trigger = alarm.name === 'VALARM' ? firstLine(alarm, 'TRIGGER') : undefined
    const before = trigger === undefined ? undefined : durationOf(trigger.value)
    if (before !== undefined && before <= 0) return -before / 1000
  }
  return undefined
}
