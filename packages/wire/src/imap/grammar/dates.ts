import type { ArgumentReader } from '../reader.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** A calendar day as whole days since 1970-01-01, whatever the zone. */
export type DayNumber = number

const MS_PER_DAY = 86_400_000

/** `date` (RFC 9051 §9): `1-Feb-1994`, quoted or not. */
export function readDate(r: ArgumentReader): DayNumber {
  const text = r.astring()
  const match = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text)
  const day = match === null ? undefined : dayNumber(Number(match[3]), match[2] as string, Number(match[1]))
  return day ?? r.fail('Invalid date')
}

/** `date-time` (RFC 9051 §9): `"17-Jul-1996 02:44:25 -0700"`, answered in milliseconds since 1970. */
export function readDateTime(r: ArgumentReader): number {
  const value = parseDateTime(r.string())
  return value ?? r.fail('Invalid date-time')
}

/** Milliseconds since 1970 of a `date-time` without its quotes; undefined when it is none. */
export function parseDateTime(text: string): number | undefined {
  const match = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/.exec(text)
  if (match === null) return undefined
  const [hours, minutes, seconds, zoneHours, zoneMinutes] = [4, 5, 6, 8, 9].map((i) => Number(match[i])) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const day = dayNumber(Number(match[3]), match[2] as string, Number(match[1]))
  if (day === undefined || hours > 23 || minutes > 59 || seconds > 60 || zoneMinutes > 59) return undefined
  const zone = (zoneHours * 60 + zoneMinutes) * (match[7] === '-' ? -1 : 1)
  return day * MS_PER_DAY + ((hours * 60 + minutes - zone) * 60 + seconds) * 1000
}

function dayNumber(year: number, monthName: string, day: number): DayNumber | undefined {
  const month = months.indexOf(monthName.toLowerCase())
  if (month < 0 || day < 1 || day > 31) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return date.getUTCMonth() === month ? date.getTime() / MS_PER_DAY : undefined
}

/** `date-time` of an instant, in UTC, without quotes: `17-Jul-1996 09:44:25 +0000`. The day is two characters wide. */
export function formatDateTime(ms: number): string {
  const date = new Date(Number.isFinite(ms) ? ms : 0)
  const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`)
  const month = months[date.getUTCMonth()] as string
  const year = Math.min(Math.max(date.getUTCFullYear(), 0), 9999)
  return `${String(date.getUTCDate()).padStart(2)}-${month[0]?.toUpperCase()}${month.slice(1)}-${String(year).padStart(4, '0')} ${two(
    date.getUTCHours(),
  )}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`
}
