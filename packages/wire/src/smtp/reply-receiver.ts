/** A client's side of the wire: reply bytes in, whole replies out (RFC 5321 §4.2.1), within limits. */
import { MAX_REPLY_LINE, MAX_REPLY_LINES } from './limits.ts'
import { LineBuffer } from './lines.ts'

/** A reply as a client reads it; the enhanced status is taken off the lines when the server sends one. */
export interface ReceivedReply {
  code: number
  status: string | undefined
  lines: string[]
}

export type ReplyEvent = { kind: 'reply'; reply: ReceivedReply } | { kind: 'error'; problem: string }

export class ReplyReceiver {
  readonly #lines = new LineBuffer()
  #code: number | undefined
  #texts: string[] = []
  #broken: string | undefined

  /** Adds what arrived. */
  push(chunk: Uint8Array): void {
    this.#lines.push(chunk)
  }

  /** The next whole reply; undefined when more bytes are needed. After an error the stream cannot be followed any more. */
  next(): ReplyEvent | undefined {
    while (this.#broken === undefined) {
      const line = this.#lines.next(MAX_REPLY_LINE)
      if (line === undefined) return undefined
      if (line.kind !== 'line') return this.#fail('reply line too long')
      const text = line.bytes.toString('utf8')
      const [, digits, separator, rest] = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(text) ?? []
      if (digits === undefined) return this.#fail('not a reply line')
      const code = Number(digits)
      if (this.#code !== undefined && this.#code !== code) return this.#fail('reply code changed within a reply')
      this.#code = code
      this.#texts.push(rest ?? '')
      if (this.#texts.length > MAX_REPLY_LINES) return this.#fail('too many reply lines')
      if (separator !== '-') return { kind: 'reply', reply: this.#finish(code) }
    }
    return { kind: 'error', problem: this.#broken }
  }

  /** Forgets everything; a client must give up when STARTTLS finds bytes waiting (the answer is not 0). */
  reset(): number {
    this.#code = undefined
    const pending = this.#texts.length
    this.#texts = []
    return this.#lines.clear() + pending
  }

  #fail(problem: string): ReplyEvent {
    this.#broken = problem
    return { kind: 'error', problem }
  }

  #finish(code: number): ReceivedReply {
    const texts = this.#texts
    this.#texts = []
    this.#code = undefined
    const status = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/.exec(texts[0]!)?.[1]
    if (status === undefined || status[0] !== String(code)[0]) return { code, status: undefined, lines: texts }
    const lines = texts.map((text) => (text.startsWith(status) ? text.slice(status.length).replace(/^ /, '') : text))
    return { code, status, lines }
  }
}
