import { MAX_SEQUENCE_RANGES } from './limits.ts'

/**
 * A sequence set as written: pairs of numbers in one array, 0 for `*` (no message has number 0). RFC 9051 §9 `sequence-set`.
 * `saved` is `$`, the saved search result (RFC 5182).
 */
export type SequenceSet = { readonly kind: 'ranges'; readonly ranges: Uint32Array } | { readonly kind: 'saved' }

/** The result of a set against a mailbox: sorted pairs lo, hi that neither touch nor overlap. */
export type Ranges = Uint32Array

/** No numbers at all. */
export const NO_RANGES: Ranges = new Uint32Array(0)

/** Reads a sequence set; undefined when it is none or has too many ranges. */
export function parseSequenceSet(text: string): SequenceSet | undefined {
  if (text === '$') return { kind: 'saved' }
  let pairs = new Uint32Array(16)
  let n = 0
  let i = 0
  for (;;) {
    if (n / 2 >= MAX_SEQUENCE_RANGES) return undefined
    if (n + 2 > pairs.length) {
      const grown = new Uint32Array(pairs.length * 2)
      grown.set(pairs)
      pairs = grown
    }
    const low = readNumber(text, i)
    if (low === undefined) return undefined
    i = low.end
    let high = low.value
    if (text.charCodeAt(i) === 0x3a) {
      const second = readNumber(text, i + 1)
      if (second === undefined) return undefined
      high = second.value
      i = second.end
    }
    pairs[n++] = low.value
    pairs[n++] = high
    if (i === text.length) return { kind: 'ranges', ranges: pairs.slice(0, n) }
    if (text.charCodeAt(i) !== 0x2c) return undefined
    i++
  }
}

function readNumber(text: string, at: number): { value: number; end: number } | undefined {
  if (text.charCodeAt(at) === 0x2a) return { value: 0, end: at + 1 }
  let value = 0
  let i = at
  for (; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
    if (value > 0xffff_ffff) return undefined
  }
  return i === at || value === 0 ? undefined : { value, end: i }
}

/** True when `*` stands anywhere in the set. */
export function hasStar(ranges: Uint32Array): boolean {
  return ranges.includes(0)
}

/**
 * What the set means where `max` is the largest number in use; `*` is that number, `9:*` never misses it even when it is
 * below 9 (RFC 9051 §9). With `max` 0 (empty mailbox) a `*` means nothing.
 */
export function resolveRanges(ranges: Uint32Array, max: number): Ranges {
  const out = new Uint32Array(ranges.length)
  let n = 0
  let sorted = true
  for (let i = 0; i < ranges.length; i += 2) {
    let low = ranges[i] as number
    let high = ranges[i + 1] as number
    if (low === 0 || high === 0) {
      if (max === 0) continue
      if (low === 0) low = max
      if (high === 0) high = max
    }
    if (low > high) [low, high] = [high, low]
    if (n > 0 && low <= (out[n - 2] as number)) sorted = false
    out[n++] = low
    out[n++] = high
  }
  return mergeSorted(sorted ? out.subarray(0, n) : sortPairs(out.subarray(0, n)))
}

function sortPairs(pairs: Uint32Array): Uint32Array {
  const order = new Uint32Array(pairs.length / 2).map((_, index) => index)
  order.sort((a, b) => (pairs[2 * a] as number) - (pairs[2 * b] as number))
  const out = new Uint32Array(pairs.length)
  order.forEach((from, to) => {
    out[2 * to] = pairs[2 * from] as number
    out[2 * to + 1] = pairs[2 * from + 1] as number
  })
  return out
}

function mergeSorted(pairs: Uint32Array): Ranges {
  const out = new Uint32Array(pairs.length)
  let n = 0
  for (let i = 0; i < pairs.length; i += 2) {
    const low = pairs[i] as number
    const high = pairs[i + 1] as number
    if (n > 0 && low <= (out[n - 1] as number) + 1) {
      if (high > (out[n - 1] as number)) out[n - 1] = high
    } else {
      out[n++] = low
      out[n++] = high
    }
  }
  return out.slice(0, n)
}

/** True when `value` is in resolved ranges. */
export function inRanges(ranges: Ranges, value: number): boolean {
  let low = 0
  let high = ranges.length / 2 - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (value < (ranges[2 * middle] as number)) high = middle - 1
    else if (value > (ranges[2 * middle + 1] as number)) low = middle + 1
    else return true
  }
  return false
}

/** The numbers that are in both of two resolved ranges. */
export function intersectRanges(a: Ranges, b: Ranges): Ranges {
  const out: number[] = []
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const low = Math.max(a[i] as number, b[k] as number)
    const high = Math.min(a[i + 1] as number, b[k + 1] as number)
    if (low <= high) out.push(low, high)
    if ((a[i + 1] as number) < (b[k + 1] as number)) i += 2
    else k += 2
  }
  return Uint32Array.from(out)
}

/** How many numbers resolved ranges hold. */
export function countRanges(ranges: Ranges): number {
  let sum = 0
  for (let i = 0; i < ranges.length; i += 2) sum += (ranges[i + 1] as number) - (ranges[i] as number) + 1
  return sum
}

/** Of the numbers of resolved ranges those at the places `from` to `to`, the last not included. */
export function sliceRanges(ranges: Ranges, from: number, to: number): Ranges {
  const out: number[] = []
  let before = 0
  for (let i = 0; i < ranges.length && before < to; i += 2) {
    const low = ranges[i] as number
    const size = (ranges[i + 1] as number) - low + 1
    const start = Math.max(from, before)
    const end = Math.min(to, before + size)
    if (start < end) out.push(low + start - before, low + end - before - 1)
    before += size
  }
  return Uint32Array.from(out)
}

/** Ranges of ascending numbers. */
export function rangesOf(sorted: ArrayLike<number>): Ranges {
  const out = new Uint32Array(2 * sorted.length)
  let n = 0
  for (let i = 0; i < sorted.length; i++) {
    const value = sorted[i] as number
    if (n > 0 && value <= (out[n - 1] as number) + 1) out[n - 1] = Math.max(value, out[n - 1] as number)
    else {
      out[n++] = value
      out[n++] = value
    }
  }
  return out.slice(0, n)
}

/** Writes resolved ranges as a `uid-set` or `sequence-set`; the empty string for none. */
export function formatRanges(ranges: Ranges): string {
  let out = ''
  for (let i = 0; i < ranges.length; i += 2) {
    const low = ranges[i] as number
    const high = ranges[i + 1] as number
    if (i > 0) out += ','
    out += low === high ? low : `${low}:${high}`
  }
  return out
}

/**
 * Writes numbers as a set in the order given (COPYUID pairs two sets member by member, RFC 4315 §3): only ascending neighbours
 * are joined to a range.
 */
export function formatInOrder(numbers: ArrayLike<number>): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length; ) {
    const first = numbers[i] as number
    let last = first
    i++
    while (i < numbers.length && numbers[i] === last + 1) {
      last = numbers[i] as number
      i++
    }
    parts.push(first === last ? `${first}` : `${first}:${last}`)
  }
  return parts.join(',')
}
