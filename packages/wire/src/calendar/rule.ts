/** Recurrence rules: RFC 5545 §3.3.10. */

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

/** A weekday of BYDAY, 0 Sunday; `nth` 0: every one, negative: from the end. */
export interface RuleDay {
  readonly day: number
  readonly nth: number
}

export interface RecurrenceRule {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'
  readonly interval: number
  readonly count: number | undefined
  /** As written: a date, or a date with time. */
  readonly until: string | undefined
  readonly days: readonly RuleDay[]
  readonly monthDay: number | undefined
  readonly month: number | undefined
  readonly position: number | undefined
  /** 0 Sunday; Monday where nothing is said. */
  readonly weekStart: number
}

export const partsOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .trim()
      .toUpperCase()
      .split(';', 20)
      .map((part) => part.split('=', 2))
      .flatMap(([name = '', value]) => (value === undefined ? [] : [[name, value] as const])),
  )

export const daysOf = (text: string | undefined): readonly RuleDay[] =>
  (text ?? '').split(',', 60).flatMap((one) => {
    const match = /^([+-]?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)$/.exec(one.trim())
    return match === null ? [] : [{ day: WEEKDAYS.indexOf(match[2] as string), nth: Number(match[1] ?? 0) }]
  })

const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const

/** A rule by days or longer; undefined for what cannot be read, and for rules by hours, minutes and seconds. */
export function readRule(text: string): RecurrenceRule | undefined {
  const parts = partsOf(text)
  const frequency = FREQUENCIES.find((one) => one === parts.get('FREQ'))
  if (frequency === undefined) return undefined
  const number = (name: string, from: number, to: number): number | undefined => {
    const value = Number(parts.get(name)?.split(',', 1)[0] ?? Number.NaN)
    return Number.isInteger(value) && value >= from && value <= to ? value : undefined
  }
  const weekStart = WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO')
  return {
    frequency,
    interval: number('INTERVAL', 1, 999) ?? 1,
    count: number('COUNT', 1, 999),
    until: parts.get('UNTIL'),
    days: daysOf(parts.get('BYDAY')),
    monthDay: number('BYMONTHDAY', -31, 31) || undefined,
    month: number('BYMONTH', 1, 12),
    position: number('BYSETPOS', -5, 5) || undefined,
    weekStart: weekStart < 0 ? 1 : weekStart,
  }
}
