/** Time zones as two phases with a yearly change: what VTIMEZONE (RFC 5545 §3.6.5) says, or the platform knows of a name. */
import { type Component, firstLine, wallTime } from './component.ts'
import { daysOf, partsOf } from './rule.ts'

/** When a phase begins, by the clock of the phase before: the `week`th (5: last) weekday (0: Sunday) of a month (1 to 12). */
export interface Onset {
  readonly month: number
  readonly week: number
  readonly day: number
  /** ms since midnight. */
  readonly time: number
}
export interface Phase {
  /** ms east of UTC. */
  readonly offset: number
  readonly name: string
  readonly onset: Onset | undefined
}
export interface Zone {
  readonly standard: Phase
  /** Undefined: the clock is never changed. */
  readonly daylight: Phase | undefined
}

const DAY = 86_400_000
const phase = (offset: number, name: string, onset?: Onset): Phase => ({ offset, name, onset })
export const utcZone: Zone = { standard: phase(0, 'UTC'), daylight: undefined }

/** `+0130`. */
function offsetValue(text: string | undefined): number | undefined {
  const match = /^([+-])(\d\d)(\d\d)(\d\d)?$/.exec(text?.trim() ?? '')
  if (match === null) return undefined
  const size = (Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0)) * 1000
  return match[1] === '-' ? -size : size
}

/** Which weekday of its month a day is; the last is 5. */
function onsetAt(wall: number): Onset {
  const date = new Date(wall)
  const day = date.getUTCDate()
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  return {
    month: date.getUTCMonth() + 1,
    week: day + 7 > length ? 5 : Math.ceil(day / 7),
    day: date.getUTCDay(),
    time: ((wall % DAY) + DAY) % DAY,
  }
}

function phaseOf(part: Component): { readonly made: Phase; readonly since: number } | undefined {
  const offset = offsetValue(firstLine(part, 'TZOFFSETTO')?.value)
  const start = wallTime(firstLine(part, 'DTSTART')?.value ?? '')
  if (offset === undefined) return undefined
  const name = (firstLine(part, 'TZNAME')?.value ?? '').slice(0, 31)
  if (start === undefined) return { made: phase(offset, name), since: 0 }
  const said = onsetAt(start.wall)
  const rule = partsOf(firstLine(part, 'RRULE')?.value ?? '')
  const [named] = daysOf(rule.get('BYDAY'))
  const monthDay = Number(rule.get('BYMONTHDAY')?.split(',')[0] ?? Number.NaN)
  const month = Number(rule.get('BYMONTH') ?? said.month)
  const nth = named === undefined ? undefined : named.nth || (monthDay > 0 ? Math.ceil(monthDay / 7) : undefined)
  const onset: Onset = {
    month: month >= 1 && month <= 12 ? month : said.month,
    week: nth === undefined ? said.week : nth < 0 ? 5 : Math.min(nth, 5),
    day: named?.day ?? said.day,
    time: said.time,
  }
  return { made: phase(offset, name, onset), since: start.wall }
}

/** The newest rules of a VTIMEZONE; undefined where it has none that can be read. */
export function zoneOf(component: Component): Zone | undefined {
  const newest = (kind: string) =>
    component.inside
      .filter((one) => one.name === kind)
      .flatMap((one) => phaseOf(one) ?? [])
      .reduce<{ made: Phase; since: number } | undefined>(
        (best, one) => (best === undefined || one.since >= best.since ? one : best),
        undefined,
      )
  const standard = newest('STANDARD')
  const daylight = newest('DAYLIGHT')
  const only = standard ?? daylight
  if (only === undefined) return undefined
  if (standard === undefined || daylight === undefined || daylight.made.offset === standard.made.offset)
    return { standard: { ...only.made, onset: undefined }, daylight: undefined }
  return { standard: standard.made, daylight: daylight.made }
}

/** What the platform knows of a zone by name, with the changes of the year around `instant`; undefined for an unknown name. */
export function platformZone(name: string, instant: number): Zone | undefined {
  const offsetAt = platformOffsets(name)
  if (offsetAt === undefined) return undefined
  const year = new Date(instant).getUTCFullYear()
  const changes: { readonly at: number; readonly before: number; readonly after: number }[] = []
  let from = Date.UTC(year, 0, 1)
  for (let month = 1; month <= 12; month++) {
    const to = Date.UTC(year, month, 1)
    const [before, after] = [offsetAt(from), offsetAt(to)]
    if (before !== after) {
      let [low, high] = [from, to]
      while (high - low > 1000) {
        const middle = low + Math.floor((high - low) / 2000) * 1000
        if (offsetAt(middle) === before) low = middle
        else high = middle
      }
      changes.push({ at: high, before, after })
    }
    from = to
  }
  const [first, second] = changes
  if (first === undefined || second === undefined || changes.length !== 2)
    return { standard: phase(offsetAt(instant), name), daylight: undefined }
  const [spring, autumn] = first.after > first.before ? [first, second] : [second, first]
  return {
    standard: phase(autumn.after, name, onsetAt(autumn.at + autumn.before)),
    daylight: phase(spring.after, name, onsetAt(spring.at + spring.before)),
  }
}

function platformOffsets(name: string): ((instant: number) => number) | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    return (instant) => {
      const parts = format.formatToParts(instant)
      const at = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0)
      return Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second')) - instant
    }
  } catch {
    return undefined
  }
}

/** When a phase begins in a year, by the clock of the phase before it. */
function onsetIn({ month, week, day, time }: Onset, year: number): number {
  const first = Date.UTC(year, month - 1, 1)
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
  let date = 1 + ((day - new Date(first).getUTCDay() + 7) % 7) + (week - 1) * 7
  while (date > length) date -= 7
  return first + (date - 1) * DAY + time
}

/** The instant at which the zone's clock shows `wall`. */
export function instantOf({ standard, daylight }: Zone, wall: number): number {
  if (daylight?.onset === undefined || standard.onset === undefined) return wall - standard.offset
  const year = new Date(wall).getUTCFullYear()
  const [begins, ends] = [onsetIn(daylight.onset, year), onsetIn(standard.onset, year)]
  const summer = begins < ends ? wall >= begins && wall < ends : wall >= begins || wall < ends
  return wall - (summer ? daylight.offset : standard.offset)
}
