/**
 * Bytes in, lines out, for every line-based dialogue (SMTP commands and replies, POP3). Holds at most one partial line; a line
 * beyond the limit is dropped up to its end and reported once; one that does not end within {@link MAX_DROPPED_LINE} is reported as
 * such, as often as more of it comes: nobody sends that, and who goes on reading it has a guest for hours.
 */
export type Line =
  /** `ending` tells a proper CRLF from a bare LF; `bytes` is without it. */
  { kind: 'line'; bytes: Buffer; ending: 'crlf' | 'lf' } | { kind: 'tooLong' } | { kind: 'endless' }

/** Bytes of one too long line that are dropped before the peer is given up. */
export const MAX_DROPPED_LINE = 256 * 1024

const EMPTY = Buffer.alloc(0)
const MIN_SPARE = 64

export class LineBuffer {
  #pending: Buffer = EMPTY
  /** Memory of our own that `#pending` lies in, and where in it the next byte goes; undefined while it is the peer's chunk. */
  #own: Buffer | undefined
  #end = 0
  #searched = 0
  #skipping = false
  #skipped = 0

  /** Adds what arrived. The chunk is kept by reference until consumed. */
  push(chunk: Uint8Array): void {
    const bytes = asBuffer(chunk)
    if (this.#pending.length === 0) {
      this.#pending = bytes
      this.#own = undefined
    } else this.#append(bytes)
  }

  /** Behind what waits already. The memory doubles, so that a peer who sends single bytes costs no more than their number. */
  #append(bytes: Buffer): void {
    const { length } = this.#pending
    if (this.#own === undefined || this.#end + bytes.length > this.#own.length) {
      this.#own = Buffer.allocUnsafeSlow(length + Math.max(bytes.length, length, MIN_SPARE))
      this.#own.set(this.#pending)
      this.#end = length
    }
    // Bytes given out before lie in front of these and are never written again.
    this.#own.set(bytes, this.#end)
    this.#end += bytes.length
    this.#pending = this.#own.subarray(this.#end - length - bytes.length, this.#end)
  }

  /** The number of bytes not consumed yet. */
  get buffered(): number {
    return this.#pending.length
  }

  /** The first bytes not consumed yet, to choose a limit by. */
  peek(count: number): Buffer {
    return this.#pending.subarray(0, count)
  }

  /** The next line, or undefined when more bytes are needed. `limit` counts the line with its CRLF. */
  next(limit: number): Line | undefined {
    for (;;) {
      const lf = this.#pending.indexOf(10, this.#searched)
      if (lf < 0) {
        if (this.#skipping || this.#pending.length > limit) {
          this.#skipped = (this.#skipping ? this.#skipped : 0) + this.#pending.length
          const news = this.#pending.length > 0
          this.#skipping = true
          this.#pending = EMPTY
          this.#own = undefined
          this.#searched = 0
          if (news && this.#skipped > MAX_DROPPED_LINE) return { kind: 'endless' }
        } else {
          this.#searched = this.#pending.length
        }
        return undefined
      }
      const line = this.#pending.subarray(0, lf + 1)
      this.#pending = this.#pending.subarray(lf + 1)
      this.#searched = 0
      if (this.#skipping || line.length > limit) {
        this.#skipping = false
        return { kind: 'tooLong' }
      }
      const crlf = lf > 0 && line[lf - 1] === 13
      return { kind: 'line', bytes: line.subarray(0, crlf ? lf - 1 : lf), ending: crlf ? 'crlf' : 'lf' }
    }
  }

  /** Takes up to `count` raw bytes out of the buffer (BDAT, DATA). */
  take(count: number): Buffer {
    const bytes = this.#pending.subarray(0, count)
    this.#pending = this.#pending.subarray(bytes.length)
    this.#searched = 0
    return bytes
  }

  /** Puts bytes back in front; only what `take` gave out. */
  unread(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([bytes, this.#pending])
    this.#own = undefined
    this.#searched = 0
  }

  /** Forgets everything and says how many bytes were forgotten (STARTTLS: RFC 3207 §4.2 and the injection attacks on it). */
  clear(): number {
    const dropped = this.#pending.length
    this.#pending = EMPTY
    this.#own = undefined
    this.#searched = 0
    this.#skipping = false
    return dropped
  }
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * The next position of a byte at or after `from`, or -1. A short run is looked at by hand because a native call per line costs
 * more than the line when lines are short, and hostile input has the shortest.
 */
export function nextByte(bytes: Buffer, byte: number, from: number): number {
  const near = Math.min(bytes.length, from + 24)
  for (let i = from; i < near; i++) if (bytes[i] === byte) return i
  return near === bytes.length ? -1 : bytes.indexOf(byte, near)
}
