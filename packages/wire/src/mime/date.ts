/** RFC 5322 §3.3 and §4.3: dates of header fields. */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** Zone names of RFC 5322 §4.3 and a few more that mailers write, in minutes east; others mean "unknown", which counts as UTC. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['ut', 0],
  ['utc', 0],
  ['gmt', 0],
  ['z', 0],
  ['est', -300],
  ['edt', -240],
  ['cst', -360],
  ['cdt', -300],
  ['mst', -420],
  ['mdt', -360],
  ['pst', -480],
  ['pdt', -420],
  ['bst', 60],
  ['met', 60],
  ['mez', 60],
  ['cet', 60],
  ['mest', 120],
  ['cest', 120],
  ['eet', 120],
  ['eest', 180],
  ['msk', 180],
  ['jst', 540],
])

/** A moment and the zone it was written in (minutes east of UTC). */
export interface DateTime {
  readonly time: number
  readonly offset: number
}

/** Longest date text that is looked at. */
const MAX_DATE = 128

/**
 * A date-time, lenient: weekday optional, comments skipped, two- and three-digit years (§4.3), missing seconds or zone, zone names,
 * the form of asctime, ISO 8601. Undefined if it is no date or names an impossible day or hour.
 */
export function parseDateTime(text: string): DateTime | undefined {
  const plain = dropComments(text.slice(0, MAX_DATE)).replace(/\s*:\s*/g, ':')
  const iso = /^\s*(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?/i.exec(plain)
  if (iso !== null)
    return moment(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]), iso[4], iso[5], iso[6], zoneOf(iso[7] ?? ''))
  const words = plain.replace(/[,;]/g, ' ').trim().split(/\s+/)
  if (words.length > 0 && /^[a-z]+\.?$/i.test(words[0]!) && monthOf(words[0]!) < 0) words.shift()
  if (words.length === 0) return undefined
  // 15-Feb-2007 as in IMAP and old news software.
  const dashed = /^(\d{1,2})-([a-z]{3,9})-(\d{2,4})$/i.exec(words[0]!)
  if (dashed !== null) words.splice(0, 1, dashed[1]!, dashed[2]!, dashed[3]!)
  const asctime = monthOf(words[0]!) >= 0
  const [a, b, c, d, e] = words
  const month = monthOf((asctime ? a : b) ?? '')
  const day = number((asctime ? b : a) ?? '', 2)
  const clockFirst = asctime && (c ?? '').includes(':')
  const clock = /^(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.\d+)?)?$/.exec((clockFirst ? c : d) ?? '')
  // asctime may carry a zone between clock and year.
  const late = clockFirst && !/^\d{4}$/.test(d ?? '') ? e : d
  const yearText = (clockFirst ? late : c) ?? ''
  const year = fullYear(yearText)
  if (month < 0 || day === undefined || year === undefined || clock === null) return undefined
  const zone = clockFirst ? (late === e ? d : e) : words.slice(4).join('')
  return moment(year, month, day, clock[1], clock[2], clock[3], zoneOf(zone ?? ''))
}

/** Milliseconds since 1970, undefined if the text is no date. See parseDateTime. */
export function parseDate(text: string): number | undefined {
  return parseDateTime(text)?.time
}

function dropComments(text: string): string {
  if (!text.includes('(')) return text
  let out = ''
  let depth = 0
  for (const char of text) {
    if (char === '(') depth++
    else if (char === ')') depth = Math.max(0, depth - 1)
    else if (depth === 0) out += char
  }
  return out
}

function monthOf(word: string): number {
  return word.length < 3 ? -1 : MONTHS.indexOf(word.slice(0, 3).toLowerCase())
}

function number(text: string, digits: number): number | undefined {
  return text.length <= digits && /^\d+$/.test(text) ? Number(text) : undefined
}

function fullYear(text: string): number | undefined {
  const year = number(text, 4)
  if (year === undefined || text.length < 2) return undefined
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return text.length === 3 ? 1900 + year : year
}

function zoneOf(text: string): number {
  const digits = /^([+-])(\d\d):?(\d\d)/.exec(text)
  if (digits !== null) {
    const minutes = Number(digits[2]) * 60 + Number(digits[3])
    return minutes > 24 * 60 ? 0 : digits[1] === '-' ? -minutes : minutes
  }
  const name = /^[a-z]+/i.exec(text)
  return name === null ? 0 : (ZONES.get(name[0].toLowerCase()) ?? 0)
}

function moment(
  year: number,
  month: number,
  day: number,
  hours: string | undefined,
  minutes: string | undefined,
  seconds: string | undefined,
  offset: number,
): DateTime | undefined {
  const h = Number(hours)
  const m = Number(minutes)
  // A leap second (60) counts as the last second of its minute.
  const s = Math.min(Number(seconds ?? 0), 59)
  if (month < 0 || month > 11 || day < 1 || day > 31 || h > 23 || m > 59 || Number(seconds ?? 0) > 60 || year < 1)
    return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  if (date.getUTCDate() !== day) return undefined
  date.setUTCHours(h, m, s)
  return { time: date.getTime() - offset * 60_000, offset }
}

/**
 * `Sat, 21 Nov 2026 10:49:00 +0000`: RFC 5322 §3.3. `offset` in minutes east of UTC. A time outside the years 0 to 9999 is written
 * as 1970.
 */
export function formatDate(time: number, offset = 0): string {
  let date = new Date(time + offset * 60_000)
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) date = new Date(0)
  const two = (n: number) => (n < 10 ? `0${n}` : `${n}`)
  const sign = offset < 0 ? '-' : '+'
  const minutes = Math.abs(offset)
  return `${DAY_NAMES[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTH_NAMES[date.getUTCMonth()]} ${String(
    date.getUTCFullYear(),
  ).padStart(
    4,
    '0',
  )} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${sign}${two(Math.trunc(minutes / 60))}${two(minutes % 60)}`
}
