import { isUtf8 } from 'node:buffer'
import { encodeUtf7 } from './utf7.ts'

const CRLF = 0x0a0d
const DIGIT = 0x30

/** Characters that a quoted string of RFC 9051 §9 cannot carry in 7 bits, or that would break the line (reliability P9). */
const notQuotable = /[\x00\r\n\x80-\uffff]/
const notQuotableUtf8 = /[\x00\r\n\x7f]/
const atomOnly = /^[^\x00-\x20(){%*"\\\]\x7f-\uffff]+$/

/**
 * Builds responses in one growing buffer: RFC 9051 §7. Strings choose between quoted and literal by themselves, so no value can
 * end a line early. `take()` hands out what was written and starts again.
 */
export class ResponseWriter {
  #buffer: Buffer
  #length = 0
  readonly #first: number
  /** Room for as much as last time: a long answer is written in many pieces of one size. */
  #expected = 0
  #spare: Buffer | undefined
  /** Quoted strings may carry UTF-8 and mailbox names are UTF-8: RFC 6855 §3, RFC 9051 §5.1. */
  utf8: boolean

  constructor(utf8 = false, first = 512) {
    this.utf8 = utf8
    this.#first = first
    this.#buffer = Buffer.allocUnsafeSlow(first)
  }

  /** Bytes written since the last `take()`. */
  get length(): number {
    return this.#length
  }

  /** What was written; the writer is empty afterwards and does not touch these bytes again. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length)
    this.#buffer = empty
    this.#expected = this.#length > LONG ? this.#length + SPARE : 0
    this.#length = 0
    return bytes
  }

  /** Bytes of an earlier `take()` that nobody needs any more: the next piece of a long answer is written over them. */
  giveBack(bytes: Buffer): void {
    if (this.#expected > 0) this.#spare = Buffer.from(bytes.buffer)
  }

  /** What was written, to be copied at once: the writer is empty afterwards, and what it writes next goes over these bytes. */
  borrow(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length)
    this.#length = 0
    return bytes
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const room = Math.max(needed, 2 * this.#buffer.length, this.#first, this.#expected)
    const grown = (this.#spare?.length ?? 0) >= room ? (this.#spare as Buffer) : Buffer.allocUnsafeSlow(room)
    this.#spare = undefined
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }

  /** Text of our own making in ASCII: keywords, brackets, spaces. Never pass text that came from outside. */
  ascii(text: string): this {
    const { length } = text
    this.#room(length)
    if (length > 24) {
      this.#length += this.#buffer.write(text, this.#length, length, 'latin1')
      return this
    }
    const buffer = this.#buffer
    let at = this.#length
    for (let i = 0; i < length; i++) buffer[at++] = text.charCodeAt(i)
    this.#length = at
    return this
  }

  /** Bytes that are already in the protocol's form, such as a prepared ENVELOPE. */
  bytes(bytes: Uint8Array): this {
    const { length } = bytes
    this.#room(length)
    if (length > 48) this.#buffer.set(bytes, this.#length)
    else {
      const buffer = this.#buffer
      const at = this.#length
      for (let i = 0; i < length; i++) buffer[at + i] = bytes[i] as number
    }
    this.#length += length
    return this
  }

  /** A part of such bytes. */
  slice(from: Buffer, start: number, end: number): this {
    this.#room(end - start)
    this.#length += from.copy(this.#buffer, this.#length, start, end)
    return this
  }

  /** A number that is whole and not negative. */
  number(value: number): this {
    if (value > 0x7fff_ffff) return this.ascii(String(value))
    this.#room(10)
    const buffer = this.#buffer
    let digits = 1
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++
    const end = this.#length + digits
    let rest = value | 0
    for (let i = end - 1; i >= this.#length; i--) {
      const quotient = (rest / 10) | 0
      buffer[i] = DIGIT + rest - quotient * 10
      rest = quotient
    }
    this.#length = end
    return this
  }

  crlf(): this {
    this.#room(2)
    this.#length = this.#buffer.writeUInt16LE(CRLF, this.#length)
    return this
  }

  /** A string as text: quoted where that is possible, else a literal. */
  string(text: string): this {
    if (text.length <= 1024 && !(this.utf8 ? notQuotableUtf8 : notQuotable).test(text)) return this.#quoted(text)
    return this.literal(Buffer.from(text, 'utf8'))
  }

  /** A string as bytes: quoted when short and plain, else a literal. */
  byteString(bytes: Uint8Array): this {
    if (bytes.length > 1024 || !quotable(bytes, this.utf8)) return this.literal(bytes)
    return this.#quoted(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  }

  nstring(text: string | undefined): this {
    return text === undefined ? this.ascii('NIL') : this.string(text)
  }

  /** An atom where the text is one, else a string. */
  astring(text: string): this {
    return atomOnly.test(text) && text.toUpperCase() !== 'NIL' ? this.ascii(text) : this.string(text)
  }

  #quoted(text: string): this {
    const escaped = /["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text
    const size = this.utf8 ? Buffer.byteLength(escaped) : escaped.length
    this.#room(size + 2)
    const buffer = this.#buffer
    buffer[this.#length++] = 0x22
    this.#length += buffer.write(escaped, this.#length, size, this.utf8 ? 'utf8' : 'latin1')
    buffer[this.#length++] = 0x22
    return this
  }

  /** `{n}` and the bytes. */
  literal(bytes: Uint8Array): this {
    return this.literalHead(bytes.length).bytes(bytes)
  }

  /** `{n}` alone: the caller sends exactly `size` bytes next. `binary`: literal8, RFC 3516 §4.4. */
  literalHead(size: number, binary = false): this {
    return this.ascii(binary ? '~{' : '{')
      .number(size)
      .ascii('}\r\n')
  }

  /** A mailbox name: modified UTF-7, or UTF-8 where the client enabled it. */
  mailbox(name: string): this {
    return this.astring(this.utf8 ? name : encodeUtf7(name))
  }

  /** `(a b c)` of flags, which are atoms. */
  flags(flags: readonly string[]): this {
    return this.ascii(`(${flags.filter((flag) => flagForm.test(flag)).join(' ')})`)
  }

  /** Human text at the end of a response line; anything that could end the line or is not ASCII is replaced. */
  humanText(text: string): this {
    return this.ascii(text.replace(/[^\x20-\x7e]/g, '?') || 'OK')
  }
}

const empty = Buffer.alloc(0)
/** What is longer is a piece of a long answer, and the next one is about as long. */
const LONG = 32 * 1024
const SPARE = 8 * 1024
const flagForm = /^\\?[^\x00-\x20(){%*"\\\]\x7f-\uffff]+$|^\\\*$/

function quotable(bytes: Uint8Array, utf8: boolean): boolean {
  let high = false
  for (const byte of bytes) {
    if (byte === 0 || byte === 0x0d || byte === 0x0a) return false
    if (byte >= 0x7f) high = true
  }
  return !high || (utf8 && isUtf8(bytes))
}

/** True for a keyword we can store and send: RFC 9051 §2.3.2 `flag-keyword`. */
export function isKeyword(flag: string): boolean {
  return flag.length <= MAX_KEYWORD_LENGTH && /^[^\x00-\x20(){%*"\\\]\x7f-\uffff]+$/.test(flag)
}

/** Characters of a keyword. */
export const MAX_KEYWORD_LENGTH = 255
