/** Times in the future that are worth a click. */
export interface Later {
  readonly name: 'laterToday' | 'tomorrowMorning' | 'thisWeekend' | 'mondayMorning' | 'nextWeek'
  readonly date: Date
}

const at = (from: Date, days: number, hour: number): Date => {
  const date = new Date(from)
  date.setDate(date.getDate() + days)
  date.setHours(hour, 0, 0, 0)
  return date
}

/** For sending and snoozing, the soonest first. */
export function laterTimes(now: Date = new Date()): Later[] {
  const day = now.getDay()
  const out: Later[] = []
  if (now.getHours() < 16) out.push({ name: 'laterToday', date: at(now, 0, 18) })
  out.push({ name: 'tomorrowMorning', date: at(now, 1, 8) })
  if (day > 0 && day < 5) out.push({ name: 'thisWeekend', date: at(now, 6 - day, 9) })
  if (day !== 0) out.push({ name: 'mondayMorning', date: at(now, (8 - day) % 7 || 7, 8) })
  return out
}

/** For follow-up: the end of the day it is to be done. */
export function dueTimes(
  now: Date = new Date(),
): { readonly name: 'dueToday' | 'dueTomorrow' | 'dueWeek' | 'dueNextWeek'; readonly date: Date }[] {
  const today = at(now, 0, 17)
  if (today <= now) today.setHours(23, 59)
  const friday = (5 - now.getDay() + 7) % 7
  return [
    { name: 'dueToday', date: today },
    { name: 'dueTomorrow', date: at(now, 1, 17) },
    { name: 'dueWeek', date: at(now, friday, 17) },
    { name: 'dueNextWeek', date: at(now, friday + 7, 17) },
  ]
}

/** `YYYY-MM-DDTHH:MM` of the user's own clock, for inputs. */
export const localInput = (date: Date): string =>
  new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
/** A JMAP UTCDate. */
export const utc = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z')
