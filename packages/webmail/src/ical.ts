/**
 * Reads what a card of an event shows out of an iCalendar file (RFC 5545), and nothing else: in linear time, within limits, without throwing.
 * Times stay as they are written; where their zone is known they are instants. Read by the client and by the server's Light version.
 */

export interface EventTime {
  /** ms since 1970; undefined: the zone is not known, `wall` is what is written. */
  readonly instant: number | undefined
  /** `2026-11-21T10:00` or `2026-11-21`. */
  readonly wall: string
  readonly allDay: boolean
  readonly zone: string
}

export interface CalendarEvent {
  readonly uid: string
  readonly summary: string
  readonly location: string
  readonly organiser: string
  readonly start: EventTime | undefined
  readonly end: EventTime | undefined
  readonly cancelled: boolean
  readonly repeats: boolean
}

export interface CalendarFile {
  /** RFC 5546 §1.4, upper case. */
  readonly method: string
  readonly events: readonly CalendarEvent[]
}

export const MAX_CALENDAR = 512 * 1024
const MAX_EVENTS = 5
const MAX_TEXT = 500

interface Line {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string>
  readonly value: string
}

/** RFC 5545 §3.1: `name;parameter=value:value`, quotes in parameters. */
function lineOf(text: string): Line | undefined {
  let quoted = false
  let colon = -1
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '"') quoted = !quoted
    else if (c === ':' && !quoted) {
      colon = i
      break
    }
  }
  if (colon < 1) return undefined
  const [name = '', ...rest] = text.slice(0, colon).match(/(?:"[^"]*"|[^;"])+/g) ?? []
  const parameters = new Map<string, string>()
  for (const one of rest) {
    const equals = one.indexOf('=')
    if (equals > 0) parameters.set(one.slice(0, equals).toUpperCase(), one.slice(equals + 1).replaceAll('"', ''))
  }
  return { name: name.toUpperCase(), parameters, value: text.slice(colon + 1) }
}

/** RFC 5545 §3.3.11. */
const textOf = (value: string): string =>
  value
    .replace(/\\([\\;,nN])/g, (_, c: string) => (c === 'n' || c === 'N' ? '\n' : c))
    .trim()
    .slice(0, MAX_TEXT)

/** The offset of a zone at an instant, ms; undefined for a zone that is not known here. */
function offsetAt(zone: string, instant: number): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }).formatToParts(instant)
    const at = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0)
    return Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second')) - instant
  } catch {
    return undefined
  }
}

/** RFC 5545 §3.3.4, §3.3.5. */
function timeOf({ value, parameters }: Line): EventTime | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(value.trim())
  if (match === null) return undefined
  const [, year, month, day, hour, minute, , z] = match
  const date = `${year}-${month}-${day}`
  if (hour === undefined) return { instant: undefined, wall: date, allDay: true, zone: '' }
  const wall = `${date}T${hour}:${minute}`
  const asUtc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute))
  if (z === 'Z') return { instant: asUtc, wall, allDay: false, zone: 'UTC' }
  const zone = (parameters.get('TZID') ?? '').replace(/^\//, '').slice(0, 80)
  const offset = zone === '' ? undefined : offsetAt(zone, asUtc)
  if (offset === undefined) return { instant: undefined, wall, allDay: false, zone }
  // Once more at what was found: the offset may be another one there.
  const instant = asUtc - (offsetAt(zone, asUtc - offset) ?? offset)
  return { instant, wall, allDay: false, zone }
}

/** RFC 5545 §3.3.6, added to a start. */
function after(start: EventTime | undefined, duration: string): EventTime | undefined {
  const match = /^\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?$/.exec(duration)
  if (match === null || start?.instant === undefined) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((one) => Number(one ?? 0))
  return {
    ...start,
    instant: start.instant + ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000,
  }
}

function organiserOf({ value, parameters }: Line): string {
  const address = value.replace(/^mailto:/i, '').trim()
  const name = parameters.get('CN')?.trim() ?? ''
  return (name === '' || name === address ? address : `${name} (${address})`).slice(0, MAX_TEXT)
}

export function readCalendar(text: string): CalendarFile {
  let method = ''
  const events: CalendarEvent[] = []
  let now: Map<string, Line> | undefined
  // Alarms and the like inside of an event have lines of the same names.
  let depth = 0
  for (const raw of text
    .slice(0, MAX_CALENDAR)
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)) {
    const line = lineOf(raw)
    if (line === undefined) continue
    const { name, value } = line
    const kind = value.trim().toUpperCase()
    if (name === 'BEGIN') {
      if (now !== undefined) depth++
      else if (kind === 'VEVENT') now = new Map()
    } else if (name === 'END') {
      if (depth > 0) depth--
      else if (now !== undefined && kind === 'VEVENT') {
        if (events.length < MAX_EVENTS) events.push(eventOf(now, method))
        now = undefined
      }
    } else if (now === undefined) {
      if (name === 'METHOD') method = kind.slice(0, 20)
    } else if (depth === 0 && !now.has(name)) now.set(name, line)
  }
  return { method, events }
}

function eventOf(lines: ReadonlyMap<string, Line>, method: string): CalendarEvent {
  const text = (name: string): string => textOf(lines.get(name)?.value ?? '')
  const time = (name: string): EventTime | undefined => {
    const line = lines.get(name)
    return line === undefined ? undefined : timeOf(line)
  }
  const organiser = lines.get('ORGANIZER')
  const start = time('DTSTART')
  return {
    uid: text('UID'),
    summary: text('SUMMARY'),
    location: text('LOCATION'),
    organiser: organiser === undefined ? '' : organiserOf(organiser),
    start,
    end: time('DTEND') ?? after(start, lines.get('DURATION')?.value.trim() ?? ''),
    cancelled: method === 'CANCEL' || text('STATUS').toUpperCase() === 'CANCELLED',
    repeats: lines.has('RRULE'),
  }
}
