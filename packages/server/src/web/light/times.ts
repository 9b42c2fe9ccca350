/** Times as a user of the Light version reads and writes them: in his own zone, without a calendar to click on. */

const DAY_MS = 86_400_000

/** `2026-12-24 18:00` in the user's zone. */
export function localTime(ms: number | undefined, zone: string): string {
  if (ms === undefined) return ''
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(ms)
  const of = (type: string): string => parts.find((one) => one.type === type)?.value ?? ''
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}`
}

/** The moment of `2026-12-24 18:00` in a zone; undefined when that is no time. */
export function readLocalTime(text: string, zone: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}):(\d{2})$/.exec(text.trim())
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number)
  const wanted = Date.UTC(year, month - 1, day, hour, minute)
  if (new Date(wanted).getUTCDate() !== day || hour > 23 || minute > 59) return undefined
  // What the zone's clock shows at a moment tells how far the moment is off; twice, for a change of the clock in between.
  let at = wanted
  for (let n = 0; n < 2; n++) at += wanted - Date.parse(`${localTime(at, zone).replace(' ', 'T')}:00Z`)
  return at
}

export interface Offered {
  readonly name:
    | 'laterToday'
    | 'tomorrowMorning'
    | 'thisWeekend'
    | 'mondayMorning'
    | 'dueToday'
    | 'dueTomorrow'
    | 'dueWeek'
    | 'dueNextWeek'
  readonly at: number
}

/** So many days after today, at this hour, of the user's clock. */
function ahead(now: number, zone: string, days: number, hour: string): number {
  const [day = ''] = localTime(now, zone).split(' ')
  const later = new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
  return readLocalTime(`${later} ${hour}`, zone) ?? now + days * DAY_MS
}
const weekday = (now: number, zone: string): number =>
  new Date(`${localTime(now, zone).replace(' ', 'T')}:00Z`).getUTCDay()

/** Times worth a choice for snoozing and sending, the soonest first: those of the full client. */
export function laterTimes(now: number, zone: string): Offered[] {
  const day = weekday(now, zone)
  const hour = Number(localTime(now, zone).slice(11, 13))
  return [
    ...(hour < 16 ? [{ name: 'laterToday', at: ahead(now, zone, 0, '18:00') } as const] : []),
    { name: 'tomorrowMorning', at: ahead(now, zone, 1, '08:00') },
    ...(day > 0 && day < 5 ? [{ name: 'thisWeekend', at: ahead(now, zone, 6 - day, '09:00') } as const] : []),
    ...(day === 0 ? [] : [{ name: 'mondayMorning', at: ahead(now, zone, (8 - day) % 7 || 7, '08:00') } as const]),
  ]
}

/** For follow-up: the end of the day it is to be done. */
export function dueTimes(now: number, zone: string): Offered[] {
  const today = ahead(now, zone, 0, '17:00')
  const friday = (5 - weekday(now, zone) + 7) % 7
  return [
    { name: 'dueToday', at: today > now ? today : ahead(now, zone, 0, '23:59') },
    { name: 'dueTomorrow', at: ahead(now, zone, 1, '17:00') },
    { name: 'dueWeek', at: ahead(now, zone, friday, '17:00') },
    { name: 'dueNextWeek', at: ahead(now, zone, friday + 7, '17:00') },
  ]
}

/** A JMAP UTCDate. */
export const utc = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
