/** Dates as ActiveSync writes them: [MS-ASDTYPE] §2.3 (dateTime) and §2.7.5 (Compact DateTime), always UTC. */

const MIN = Date.UTC(1601, 0, 1)
const MAX = Date.UTC(9999, 11, 31, 23, 59, 59)

const inRange = (ms: number): number => (Number.isFinite(ms) ? Math.min(MAX, Math.max(MIN, Math.trunc(ms))) : 0)

/** `2026-11-21T10:49:00.000Z`. A time outside the years 1601 to 9999 is moved to their edge. */
export const easDate = (ms: number): string => new Date(inRange(ms)).toISOString()

/** `20261121T104900Z`. */
export const compactDate = (ms: number): string => new Date(inRange(ms)).toISOString().replace(/[-:]|\.\d{3}/g, '')

const dateTime = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?Z?$/
const compact = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z?$/

/** ms since 1970 of a dateTime or Compact DateTime; undefined for anything else, impossible days and hours included. */
export function parseEasDate(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? ''
  const match = dateTime.exec(trimmed) ?? compact.exec(trimmed)
  if (match === null) return undefined
  const [year, month, day, hour, minute] = match.slice(1, 6).map(Number) as [number, number, number, number, number]
  const second = Number(match[6] ?? 0)
  const ms = Number((match[7] ?? '0').padEnd(3, '0').slice(0, 3))
  if (hour > 23 || minute > 59 || second > 59 || year < 1601) return undefined
  const time = Date.UTC(year, month - 1, day, hour, minute, second, ms)
  const back = new Date(time)
  return back.getUTCMonth() === month - 1 && back.getUTCDate() === day ? time : undefined
}
