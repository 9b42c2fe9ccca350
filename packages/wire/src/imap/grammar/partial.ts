import type { ArgumentReader } from '../reader.ts'

/** A window of results, counted from one: RFC 9394 §3.1. */
export interface PartialRange {
  readonly first: number
  /** Never before `first`. */
  readonly last: number
  /** Counted from the newest backwards: `-1:-100`. */
  readonly fromEnd: boolean
  /** As the client wrote it: so it is said in the answer. */
  readonly text: string
}

/** `partial-range`: two numbers in any order, both with a minus or neither. */
export function readPartialRange(r: ArgumentReader): PartialRange {
  const fromEnd = r.take('-')
  const one = r.nonZero()
  r.expect(':')
  if (r.take('-') !== fromEnd) r.fail('Both ends of a partial range count from the same side')
  const other = r.nonZero()
  const sign = fromEnd ? '-' : ''
  return { first: Math.min(one, other), last: Math.max(one, other), fromEnd, text: `${sign}${one}:${sign}${other}` }
}

/** Where the window begins and ends in a list of so many results, as `slice` counts. */
export function partialSlice({ first, last, fromEnd }: PartialRange, count: number): readonly [number, number] {
  if (fromEnd) return [Math.max(0, count - last), Math.max(0, count - first + 1)]
  return [Math.min(count, first - 1), Math.min(count, last)]
}
