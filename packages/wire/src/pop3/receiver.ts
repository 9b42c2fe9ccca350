/** The server's side of the wire: bytes in with `push`, commands out with `next`, one at a time, so that STLS and AUTH decide what follows. */
import { LineBuffer } from '../smtp/index.ts'
import { type Pop3Command, type Pop3Refusal, parsePop3Command } from './command.ts'

/** Default of Exchange's MaxCommandSize for POP3; 40 to 1024 may be set. RFC 2449 §4 asks for 255. */
export const DEFAULT_MAX_COMMAND_SIZE = 512
/** Longest line of an AUTH exchange: RFC 5034 §4. */
export const MAX_POP3_AUTH_LINE = 12_288

export type Pop3Event =
  | { kind: 'command'; command: Pop3Command }
  | { kind: 'refusal'; refusal: Pop3Refusal }
  /** A line of an AUTH exchange; undefined when it was too long or held control characters. */
  | { kind: 'authLine'; line: string | undefined }

export class Pop3Receiver {
  readonly #lines = new LineBuffer()
  readonly #maxCommandSize: number
  #authLine = false

  constructor(options: { maxCommandSize?: number } = {}) {
    this.#maxCommandSize = options.maxCommandSize ?? DEFAULT_MAX_COMMAND_SIZE
  }

  /** Adds what arrived. */
  push(chunk: Uint8Array): void {
    this.#lines.push(chunk)
  }

  /** The next event, or undefined when more bytes are needed. */
  next(): Pop3Event | undefined {
    const long = this.#authLine || /^auth /i.test(this.#lines.peek(5).toString('latin1'))
    // A bare LF is taken as a line end: nothing can be smuggled here, and old clients send it.
    const line = this.#lines.next(long ? MAX_POP3_AUTH_LINE : this.#maxCommandSize)
    if (line === undefined) return undefined
    if (this.#authLine) {
      this.#authLine = false
      const text = line.kind === 'line' ? line.bytes.toString('latin1') : undefined
      return { kind: 'authLine', line: text !== undefined && /^[\x21-\x7e]*$/.test(text) ? text : undefined }
    }
    if (line.kind !== 'line') {
      const fatal = line.kind === 'endless'
      return { kind: 'refusal', refusal: { verb: 'error', word: '', text: 'Command too long', fatal } }
    }
    const command = parsePop3Command(line.bytes)
    return command.verb === 'error' ? { kind: 'refusal', refusal: command } : { kind: 'command', command }
  }

  /** After a challenge of AUTH: the next line is its answer. */
  expectAuthLine(): void {
    this.#authLine = true
  }

  /** Bytes received and not looked at yet. */
  get buffered(): number {
    return this.#lines.buffered
  }

  /** Forgets all buffered bytes (STLS: RFC 2595 §4); says how many were thrown away. */
  reset(): number {
    this.#authLine = false
    return this.#lines.clear()
  }
}
