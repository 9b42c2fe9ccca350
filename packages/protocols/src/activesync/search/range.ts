/** `m-n`, which results a client wants: [MS-ASCMD] §2.2.3.143.1 (Find) and §2.2.3.143.3 (Search). */

/** Results of one answer, and the default: MS-ASCMD_R3733, R3735. */
export const MAX_RESULTS = 100
/** Highest index: the schema allows three digits. */
export const MAX_INDEX = 999

export interface ResultRange {
  readonly start: number
  /** Inclusive. */
  readonly end: number
  /** More was asked for than one answer carries: Search says so with status 12. */
  readonly cut: boolean
}

/** The range asked for, cut to what one answer carries; undefined for what is no range. */
export function parseResultRange(text: string | undefined): ResultRange | undefined {
  if (text === undefined || text.trim() === '') return { start: 0, end: MAX_RESULTS - 1, cut: false }
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(text.trim())
  if (match === null) return undefined
  const [start, end] = [Number(match[1]), Number(match[2])]
  if (start > end) return undefined
  const last = Math.min(end, start + MAX_RESULTS - 1, MAX_INDEX)
  return { start, end: last, cut: last < end }
}

/** The range that was found: MS-ASCMD_R4638, Total is one more than the last index when everything is there. */
export const foundRange = (start: number, count: number): string => `${start}-${start + count - 1}`
