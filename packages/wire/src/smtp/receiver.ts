/**
 * The server's side of the wire, without a socket: bytes in with `push`, events out with `next`, until `next` has no more. The
 * session decides between two events what the bytes that follow are (`beginData`, `expectAuthLine`), so pipelined input is never
 * taken for something else than the session meant.
 */
import { parseCommand, type SmtpCommand, type SmtpRefusal } from './command.ts'
import { MAX_AUTH_LINE, MAX_COMMAND_LINE, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES } from './limits.ts'
import { LineBuffer } from './lines.ts'
import { type MessageLimits, type MessageNotes, MessageScan } from './message-scan.ts'
import { smtpReply } from './reply.ts'

export type SmtpEvent =
  | { kind: 'command'; command: SmtpCommand }
  | { kind: 'refusal'; refusal: SmtpRefusal }
  /** A line of an AUTH exchange; undefined when it was too long or held control characters. */
  | { kind: 'authLine'; line: string | undefined }
  /** Bytes of the message, dots unstuffed; may be a view of the chunk that was pushed. */
  | { kind: 'text'; bytes: Buffer }
  | { kind: 'dataEnd'; notes: MessageNotes }
  /** The end of a BDAT chunk; the notes cover the message so far. */
  | { kind: 'chunkEnd'; last: boolean; notes: MessageNotes }

export class SmtpReceiver {
  readonly #limits: MessageLimits
  readonly #lines = new LineBuffer()
  #mode: 'command' | 'auth' | 'data' | 'bdat' = 'command'
  #scan: MessageScan | undefined
  #chunkLeft = 0
  #chunkLast = false
  #queued: SmtpEvent | undefined

  constructor(limits: Partial<MessageLimits> = {}) {
    this.#limits = {
      maxMessageBytes: limits.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      maxHeaderBytes: limits.maxHeaderBytes ?? MAX_HEADER_BYTES,
    }
  }

  /** Adds what arrived. */
  push(chunk: Uint8Array): void {
    this.#lines.push(chunk)
  }

  /** The next event, or undefined when more bytes are needed. */
  next(): SmtpEvent | undefined {
    const queued = this.#queued
    this.#queued = undefined
    if (queued !== undefined) return queued
    switch (this.#mode) {
      case 'command':
        return this.#nextCommand()
      case 'auth':
        return this.#nextAuthLine()
      case 'data':
        return this.#nextData()
      case 'bdat':
        return this.#nextChunk()
    }
  }

  /** After DATA was answered with 354: what follows is the message. */
  beginData(): void {
    this.#mode = 'data'
    this.#scan = new MessageScan(this.#limits, true)
  }

  /** After an AUTH challenge: the next line is its answer. */
  expectAuthLine(): void {
    this.#mode = 'auth'
  }

  /** After RSET, EHLO or the end of a transaction: the next BDAT begins a new message. */
  endMessage(): void {
    this.#scan = undefined
  }

  /** Forgets all state and buffered bytes (STARTTLS); says how many bytes were thrown away. */
  reset(): number {
    this.#mode = 'command'
    this.#scan = undefined
    this.#chunkLeft = 0
    this.#queued = undefined
    return this.#lines.clear()
  }

  /** Bytes received and not looked at yet. */
  get buffered(): number {
    return this.#lines.buffered
  }

  #nextCommand(): SmtpEvent | undefined {
    const isAuth = /^auth /i.test(this.#lines.peek(5).toString('latin1'))
    const line = this.#lines.next(isAuth ? MAX_AUTH_LINE : MAX_COMMAND_LINE)
    if (line === undefined) return undefined
    if (line.kind !== 'line') return refuse('Line too long', line.kind === 'endless')
    // RFC 5321 §2.3.8: only CRLF ends a line. A bare LF is how smuggled commands look.
    if (line.ending === 'lf') return refuse('Bare LF: lines must end in CRLF')
    const command = parseCommand(line.bytes)
    if (command.verb === 'error') return { kind: 'refusal', refusal: command }
    if (command.verb === 'BDAT') {
      this.#scan ??= new MessageScan(this.#limits, false)
      this.#mode = 'bdat'
      this.#chunkLeft = command.size
      this.#chunkLast = command.last
    }
    return { kind: 'command', command }
  }

  #nextAuthLine(): SmtpEvent | undefined {
    const line = this.#lines.next(MAX_AUTH_LINE)
    if (line === undefined) return undefined
    this.#mode = 'command'
    if (line.kind !== 'line' || line.ending === 'lf') return { kind: 'authLine', line: undefined }
    const text = line.bytes.toString('latin1')
    return { kind: 'authLine', line: /^[\x21-\x7e]*$/.test(text) ? text : undefined }
  }

  #nextData(): SmtpEvent | undefined {
    const scan = this.#scan
    if (scan === undefined || this.#lines.buffered === 0) return undefined
    const { text, rest } = scan.push(this.#lines.take(this.#lines.buffered))
    if (rest === undefined) return text.length > 0 ? { kind: 'text', bytes: text } : undefined
    this.#lines.unread(rest)
    this.#mode = 'command'
    this.#scan = undefined
    return this.#afterText(text, { kind: 'dataEnd', notes: scan.notes() })
  }

  #nextChunk(): SmtpEvent | undefined {
    const scan = this.#scan
    if (scan === undefined || (this.#lines.buffered === 0 && this.#chunkLeft > 0)) return undefined
    const bytes = this.#lines.take(this.#chunkLeft)
    this.#chunkLeft -= bytes.length
    const { text } = scan.push(bytes)
    if (this.#chunkLeft > 0) return text.length > 0 ? { kind: 'text', bytes: text } : undefined
    this.#mode = 'command'
    if (this.#chunkLast) this.#scan = undefined
    return this.#afterText(text, { kind: 'chunkEnd', last: this.#chunkLast, notes: scan.notes() })
  }

  #afterText(text: Buffer, end: SmtpEvent): SmtpEvent {
    if (text.length === 0) return end
    this.#queued = end
    return { kind: 'text', bytes: text }
  }
}

function refuse(text: string, fatal = false): SmtpEvent {
  return {
    kind: 'refusal',
    refusal: { verb: 'error', word: '', reply: smtpReply(500, '5.5.2', text), fatal },
  }
}
