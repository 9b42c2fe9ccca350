/**
 * Follows the text of a message as it arrives (RFC 5321 §4.1.1.4, §4.5.2): finds its only end, CRLF.CRLF, takes the stuffed dots
 * away and notes what a clean message may not have. Line ends other than CRLF never end a line here, which is what makes
 * smuggling (CVE-2023-51764 and its family) impossible. Native searches do the work; state across chunks is a few bytes.
 */
import { nextByte } from './lines.ts'

/** What was seen in a message. */
export interface MessageNotes {
  /** Bytes of the message, dots unstuffed. */
  size: number
  /** Bytes of the header section with its empty line (everything, when there was none). */
  headerBytes: number
  /** A LF without CR before it. */
  bareLf: boolean
  /** A CR without LF after it. */
  bareCr: boolean
  nul: boolean
  /** The header section passed its limit; the message's bytes were dropped from there on. */
  headerTooLarge: boolean
  /** The message passed its limit; the message's bytes were dropped from there on. */
  tooLarge: boolean
}

export interface MessageLimits {
  maxMessageBytes: number
  maxHeaderBytes: number
}

/** `rest` is undefined while the message goes on, else the bytes behind its end. */
export interface ScannedText {
  text: Buffer
  rest: Buffer | undefined
}

const CR = 13
const DOT = 46

export class MessageScan {
  readonly #limits: MessageLimits
  readonly #dots: boolean
  #lineStart = true
  #lineLength = 0
  #lastWasCr = false
  #headerDone = false
  #carry: Buffer | undefined
  #size = 0
  #headerBytes = 0
  #bareLf = false
  #bareCr = false
  #nul = false
  #headerTooLarge = false
  #tooLarge = false

  /** `dots` for DATA (stuffed, ends itself); without for BDAT (RFC 3030), where the chunk sizes say where it ends. */
  constructor(limits: MessageLimits, dots: boolean) {
    this.#limits = limits
    this.#dots = dots
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): ScannedText {
    const bytes = this.#carry === undefined ? chunk : Buffer.concat([this.#carry, chunk])
    this.#carry = undefined
    if (bytes.length === 0) return { text: bytes, rest: undefined }
    const text = new Unstuffed(bytes)
    let at = 0
    let cr = -2
    if (this.#lastWasCr && bytes[0] !== 10) this.#bareCr = true
    for (;;) {
      if (this.#lineStart && this.#dots && at < bytes.length && bytes[at] === DOT) {
        const left = bytes.length - at
        if (left === 1 || (left === 2 && bytes[at + 1] === CR)) {
          // Cannot tell yet: keep the dot (and CR) for the next chunk.
          this.#carry = Buffer.from(bytes.subarray(at))
          this.#lastWasCr = false
          return { text: this.#keep(text.upTo(at)), rest: undefined }
        }
        if (bytes[at + 1] === CR && bytes[at + 2] === 10) {
          this.#lastWasCr = false
          return { text: this.#keep(text.upTo(at)), rest: bytes.subarray(at + 3) }
        }
        text.skip(at)
        at += 1
      }
      const lf = nextByte(bytes, 10, at)
      const lineEnd = lf < 0 ? bytes.length : lf
      if (!this.#bareCr) {
        if (cr !== -1 && cr < at) cr = nextByte(bytes, CR, at)
        // The one CR a line may hold is its last byte.
        if (cr !== -1 && cr < lineEnd - 1) this.#bareCr = true
      }
      if (at < lineEnd) this.#lineStart = false
      this.#lineLength += lineEnd - at
      if (lf < 0) break
      const crlf = lf > 0 ? bytes[lf - 1] === CR : this.#lastWasCr
      if (!crlf) this.#bareLf = true
      if (!this.#headerDone && this.#lineLength === (crlf ? 1 : 0)) {
        this.#headerDone = true
        this.#headerBytes = this.#size + text.length(lf + 1)
      }
      this.#lineStart = crlf
      this.#lineLength = 0
      at = lf + 1
    }
    this.#lastWasCr = bytes[bytes.length - 1] === CR
    return { text: this.#keep(text.upTo(bytes.length)), rest: undefined }
  }

  /** What was seen; call at the end. */
  notes(): MessageNotes {
    return {
      size: this.#size,
      headerBytes: this.#headerDone ? this.#headerBytes : this.#size,
      bareLf: this.#bareLf,
      bareCr: this.#bareCr || this.#lastWasCr,
      nul: this.#nul,
      headerTooLarge:
        this.#headerTooLarge || (this.#headerDone ? this.#headerBytes : this.#size) > this.#limits.maxHeaderBytes,
      tooLarge: this.#tooLarge,
    }
  }

  /** Counts and checks the text; gives nothing once a limit is passed. */
  #keep(text: Buffer): Buffer {
    this.#size += text.length
    if (!this.#nul && text.includes(0)) this.#nul = true
    if (this.#size > this.#limits.maxMessageBytes) this.#tooLarge = true
    if (!this.#headerDone && this.#size > this.#limits.maxHeaderBytes) this.#headerTooLarge = true
    return this.#tooLarge || this.#headerTooLarge ? text.subarray(0, 0) : text
  }
}

/** The chunk without its stuffed dots: the chunk itself when it has none, else one copy. */
class Unstuffed {
  readonly #source: Buffer
  #copy: Buffer | undefined
  #copied = 0
  #from = 0

  constructor(source: Buffer) {
    this.#source = source
  }

  /** Leaves out the byte at `at`. */
  skip(at: number): void {
    this.#copy ??= Buffer.allocUnsafe(this.#source.length)
    this.#append(this.#copy, at)
    this.#from = at + 1
  }

  /** The length of the text before position `end` of the source. */
  length(end: number): number {
    return this.#copied + end - this.#from
  }

  /** The text before position `end` of the source. */
  upTo(end: number): Buffer {
    if (this.#copy === undefined) return this.#source.subarray(0, end)
    this.#append(this.#copy, end)
    this.#from = end
    return this.#copy.subarray(0, this.#copied)
  }

  #append(copy: Buffer, end: number): void {
    const length = end - this.#from
    if (length < 32) for (let i = 0; i < length; i++) copy[this.#copied + i] = this.#source[this.#from + i]!
    else this.#source.copy(copy, this.#copied, this.#from, end)
    this.#copied += length
  }
}
