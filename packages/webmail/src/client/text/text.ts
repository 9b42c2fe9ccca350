/** The message catalogue: `t('key', { n: 3 })`. Dates, sizes and names of people by Intl, in the same language. */
import { signal } from '@preact/signals'
import type { Address } from '../jmap/types.ts'
import { en, type TextKey } from './en.ts'

export type { TextKey }
export const language = signal('en')
let texts: Readonly<Record<TextKey, string>> = en

/**
 * How a language counts and writes whole numbers. Not by Intl: its first NumberFormat alone takes as long as drawing half the first view.
 */
export interface Numbers {
  readonly thousands: string
  readonly isOne: (n: number) => boolean
}
export const numbersOf: Readonly<Record<'en' | 'fr', Numbers>> = {
  en: { thousands: ',', isOne: (n) => n === 1 },
  fr: { thousands: '\u202f', isOne: (n) => n >= 0 && n < 2 },
}
const written = (n: number, { thousands }: Numbers): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, thousands)
let numbers = numbersOf.en
let names: Intl.Collator | undefined

export async function useLanguage(wanted: string): Promise<void> {
  const chosen = wanted.startsWith('fr') ? 'fr' : 'en'
  texts = chosen === 'fr' ? (await import('./fr.ts')).fr : en
  if (chosen !== language.peek()) {
    numbers = numbersOf[chosen]
    names = undefined
    formats.clear()
  }
  language.value = chosen
  document.documentElement.lang = chosen
}

type Values = Readonly<Record<string, string | number>>

/** `{key}` is filled in, `{key|one|many}` chosen by the number; branches may hold `{key}` themselves. */
export function fill(text: string, values: Values, numbers: Numbers): string {
  let out = ''
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('{', at)
    if (open < 0) return out + text.slice(at)
    out += text.slice(at, open)
    let depth = 0
    let close = open
    for (; close < text.length; close++) {
      if (text[close] === '{') depth++
      else if (text[close] === '}' && --depth === 0) break
    }
    const inside = text.slice(open + 1, close)
    const bar = inside.indexOf('|')
    const value = values[bar < 0 ? inside : inside.slice(0, bar)] ?? ''
    if (bar < 0) out += typeof value === 'number' ? written(value, numbers) : value
    else {
      const [one = '', many = one] = inside.slice(bar + 1).split('|')
      out += fill(numbers.isOne(Number(value)) ? one : many, values, numbers)
    }
    at = close + 1
  }
  return out
}

export const t = (key: TextKey, values: Values = {}): string => {
  // Whoever shows a text is drawn again when the language changes.
  void language.value
  return fill(texts[key], values, numbers)
}

/** Order of names, numbers in them by their value. Made when two are first compared: that takes longer than drawing many rows. */
export function compareNames(a: string, b: string): number {
  // Whoever sorts sorts again when the language changes.
  const now = language.value
  names ??= new Intl.Collator(now, { numeric: true })
  return names.compare(a, b)
}

/** IANA zone times are shown in; empty: the browser's. */
const zone = signal('')
export function useZone(wanted: string): void {
  if (wanted === zone.peek()) return
  formats.clear()
  zone.value = wanted
}

const formats = new Map<string, Intl.DateTimeFormat>()
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.peek()} ${name}`
  let found = formats.get(key)
  if (found === undefined) {
    // The user's own region where it speaks the language: 24 hours stay 24 hours.
    const own = navigator.languages.find((one) => one.startsWith(language.peek()))
    const timeZone = zone.peek()
    found = new Intl.DateTimeFormat(own ?? language.peek(), timeZone === '' ? options : { ...options, timeZone })
    formats.set(key, found)
  }
  return found
}

const twoDigits = (n: number): string => String(n).padStart(2, '0')
/** `2026-11-21`, in the zone shown. */
function dayOf(date: Date): string {
  if (zone.value === '')
    return [
      String(date.getFullYear()).padStart(4, '0'),
      twoDigits(date.getMonth() + 1),
      twoDigits(date.getDate()),
    ].join('-')
  const parts = format('key', { calendar: 'iso8601', year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(
    date,
  )
  const of = (type: string): string => parts.find((one) => one.type === type)?.value ?? ''
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}`
}

/** For a row: the time today, the day of the week this week, else the date. */
export function shortDate(iso: string, now: Date = new Date()): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return ''
  void zone.value
  const [day, today] = [dayOf(date), dayOf(now)]
  if (day === today) return format('time', { hour: '2-digit', minute: '2-digit' }).format(date)
  const days = (now.getTime() - date.getTime()) / 86_400_000
  if (days > 0 && days < 6)
    return format('weekday', { weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(date)
  if (day.slice(0, 4) === today.slice(0, 4)) return format('day', { day: 'numeric', month: 'short' }).format(date)
  return format('year', { day: '2-digit', month: '2-digit', year: 'numeric' }).format(date)
}
export const longDate = (iso: string): string =>
  format('long', {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(iso))
export const timeOnly = (date: Date): string => format('time', { hour: '2-digit', minute: '2-digit' }).format(date)

/** Bytes, in units of 1000. */
export function fileSize(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return new Intl.NumberFormat(language.peek(), {
    style: 'unit',
    unit: units[power] as string,
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power < 2 ? 0 : 1,
  }).format(bytes / 1000 ** power)
}

export const nameOf = ({ name, email }: Address): string => (name === null || name.trim() === '' ? email : name.trim())
/** The first name for long lists of people. */
export const firstNameOf = (address: Address): string => {
  const name = nameOf(address)
  return name === address.email
    ? (name.split('@')[0] ?? name)
    : name.includes(',')
      ? name
      : (name.split(/\s+/)[0] ?? name)
}
export const fullAddress = ({ name, email }: Address): string =>
  name === null || name === '' || name === email ? email : `${name} <${email}>`
