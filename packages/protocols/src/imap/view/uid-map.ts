import { NO_RANGES, type Ranges, rangesOf } from '@postrider/wire/imap'

/** Before the first range stands nothing: all maps without gaps share this. */
const FIRST = new Uint32Array(1)

/**
 * The messages of a selected mailbox as this session knows them: which UID each sequence number stands for (RFC 9051 §2.3.1.2).
 * Kept as ranges of UIDs, so that a thousand idle sessions on a folder of ten thousand mails cost a few bytes each.
 */
export class UidMap {
  /** Pairs lo, hi. */
  #ranges: Ranges
  /** How many messages stand before each range. */
  #before: Uint32Array
  #count = 0

  constructor(uids: ArrayLike<number> = []) {
    this.#ranges = uids.length === 0 ? NO_RANGES : rangesOf(uids)
    this.#before = FIRST
    if (uids.length > 0) this.#recount()
  }

  /** From ranges of UIDs, ascending; they are only read. */
  static of(ranges: Ranges): UidMap {
    const map = new UidMap()
    map.#ranges = ranges
    map.#recount()
    return map
  }

  /** EXISTS. */
  get count(): number {
    return this.#count
  }

  /** The UIDs as ranges. */
  get ranges(): Ranges {
    return this.#ranges
  }

  /** The largest UID, 0 when there is no message. */
  get last(): number {
    return this.#ranges[this.#ranges.length - 1] ?? 0
  }

  #recount(): void {
    const pairs = this.#ranges.length / 2
    this.#before = pairs <= 1 ? FIRST : new Uint32Array(pairs)
    let sum = 0
    for (let i = 0; i < pairs; i++) {
      if (i > 0) this.#before[i] = sum
      sum += (this.#ranges[2 * i + 1] as number) - (this.#ranges[2 * i] as number) + 1
    }
    this.#count = sum
  }

  /** How many UIDs are below `uid`. */
  #below(uid: number): number {
    const ranges = this.#ranges
    let low = 0
    let high = ranges.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[2 * middle + 1] as number) < uid) low = middle + 1
      else high = middle
    }
    if (low === ranges.length / 2) return this.#count
    const from = ranges[2 * low] as number
    return (this.#before[low] as number) + (uid > from ? uid - from : 0)
  }

  has(uid: number): boolean {
    return uid > 0 && this.#below(uid + 1) > this.#below(uid)
  }

  /** The sequence number of a UID, 0 when it is not here. */
  sequenceOf(uid: number): number {
    const below = this.#below(uid)
    return this.has(uid) ? below + 1 : 0
  }

  /** The UID of a sequence number from 1 to `count`. */
  uidOf(sequence: number): number {
    let low = 0
    let high = this.#ranges.length / 2 - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#before[middle] as number) < sequence) low = middle
      else high = middle - 1
    }
    return (this.#ranges[2 * low] as number) + sequence - 1 - (this.#before[low] as number)
  }

  /** Ranges of UIDs, here or not, as ranges of sequence numbers of those that are here. */
  toSequences(uids: Ranges): Ranges {
    const out: number[] = []
    for (let i = 0; i < uids.length; i += 2) {
      const low = this.#below(uids[i] as number) + 1
      const high = this.#below((uids[i + 1] as number) + 1)
      if (low > high) continue
      if (out.length > 0 && out[out.length - 1] === low - 1) out[out.length - 1] = high
      else out.push(low, high)
    }
    return Uint32Array.from(out)
  }

  /** Ranges of sequence numbers as ranges of UIDs. */
  toUids(sequences: Ranges): Ranges {
    const out: number[] = []
    for (let i = 0; i < sequences.length; i += 2) {
      this.#each(sequences[i] as number, sequences[i + 1] as number, (low, high) => {
        if (out.length > 0 && out[out.length - 1] === low - 1) out[out.length - 1] = high
        else out.push(low, high)
      })
    }
    return Uint32Array.from(out)
  }

  /** Calls back with each run of UIDs between two sequence numbers. */
  #each(first: number, last: number, run: (low: number, high: number) => void): void {
    let sequence = first
    while (sequence <= last) {
      const uid = this.uidOf(sequence)
      const high = Math.min(this.#ranges[2 * this.#rangeAt(uid) + 1] as number, uid + last - sequence)
      run(uid, high)
      sequence += high - uid + 1
    }
  }

  #rangeAt(uid: number): number {
    let low = 0
    let high = this.#ranges.length / 2 - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ranges[2 * middle + 1] as number) < uid) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Adds messages that came: ascending UIDs, all above `last`. */
  append(uids: ArrayLike<number>): void {
    if (uids.length === 0) return
    const added = rangesOf(uids)
    const old = this.#ranges
    const joins = old.length > 0 && (old[old.length - 1] as number) + 1 === added[0]
    const merged = new Uint32Array(old.length + added.length - (joins ? 2 : 0))
    merged.set(old)
    if (joins) {
      merged[old.length - 1] = added[1] as number
      merged.set(added.subarray(2), old.length)
    } else {
      merged.set(added, old.length)
    }
    this.#ranges = merged
    this.#recount()
  }

  /** Takes messages out. `uids` ascending, all of them here. */
  remove(uids: ArrayLike<number>): void {
    if (uids.length === 0) return
    const gone = rangesOf(uids)
    const out: number[] = []
    let g = 0
    for (let i = 0; i < this.#ranges.length; i += 2) {
      let low = this.#ranges[i] as number
      const high = this.#ranges[i + 1] as number
      while (g < gone.length && (gone[g + 1] as number) < low) g += 2
      let k = g
      while (k < gone.length && (gone[k] as number) <= high) {
        const from = gone[k] as number
        const to = gone[k + 1] as number
        if (from > low) out.push(low, from - 1)
        low = to + 1
        if (to > high) break
        k += 2
      }
      if (low <= high) out.push(low, high)
    }
    this.#ranges = Uint32Array.from(out)
    this.#recount()
  }
}

/** Some messages in the order of their numbers: `uids[i]` has sequence number `sequences[i]`. */
export interface Window {
  readonly uids: Uint32Array
  readonly sequences: Uint32Array
}

/** Writes numbers that follow one another. A function of its own: it is compiled earlier than what calls it. */
function count(into: Uint32Array, at: number, from: number, length: number): void {
  for (let i = 0; i < length; i++) into[at + i] = from + i
}

/** Cuts ranges of sequence numbers into windows of at most `most` messages, the first one of `first`. */
export function* windows(map: UidMap, sequences: Ranges, most: number, first = most): Generator<Window> {
  let size = first
  let uids = new Uint32Array(size)
  let numbers = new Uint32Array(size)
  let n = 0
  for (let i = 0; i < sequences.length; i += 2) {
    let next = sequences[i] as number
    const last = sequences[i + 1] as number
    while (next <= last) {
      const step = Math.min(last - next + 1, size - n)
      const runs = map.toUids(Uint32Array.of(next, next + step - 1))
      for (let r = 0; r < runs.length; r += 2) {
        const length = (runs[r + 1] as number) - (runs[r] as number) + 1
        count(uids, n, runs[r] as number, length)
        count(numbers, n, next, length)
        n += length
        next += length
      }
      if (n === size) {
        yield { uids, sequences: numbers }
        size = most
        uids = new Uint32Array(size)
        numbers = new Uint32Array(size)
        n = 0
      }
    }
  }
  if (n > 0) yield { uids: uids.slice(0, n), sequences: numbers.slice(0, n) }
}
