/**
 * The sending side of "message, then CRLF.CRLF": RFC 5321 §4.5.2 and RFC 1939 §3. Also makes every line end CRLF, because what leaves
 * here must be one message for every receiver, however it reads line ends.
 */
import { nextByte } from './lines.ts'

const CR = 13
const LF = 10
const DOT = 46

export class DotStuffer {
  #lineStart = true
  #lastWasCr = false
  #empty = true

  /** The next piece of the message, ready to send; the piece itself when nothing had to change. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk
    this.#empty = false
    if (!this.#isClean(chunk)) return this.#rewrite(chunk)
    this.#lastWasCr = chunk[chunk.length - 1] === CR
    this.#lineStart = chunk[chunk.length - 1] === LF
    return chunk
  }

  /** What ends the message: the missing end of its last line, and the dot. */
  end(): Buffer {
    const missing = this.#lastWasCr ? '\n' : this.#lineStart || this.#empty ? '' : '\r\n'
    return Buffer.from(`${missing}.\r\n`)
  }

  /** Whether every line of the piece ends in CRLF and none begins with a dot. */
  #isClean(bytes: Buffer): boolean {
    if (this.#lastWasCr !== (bytes[0] === LF)) return false
    let at = 0
    let lineStart = this.#lineStart
    for (;;) {
      if (lineStart && bytes[at] === DOT) return false
      const lf = nextByte(bytes, LF, at)
      const cr = nextByte(bytes, CR, at)
      if (lf < 0) return cr < 0 || cr === bytes.length - 1
      if (lf > 0 && cr !== lf - 1) return false
      at = lf + 1
      lineStart = true
    }
  }

  #rewrite(bytes: Buffer): Buffer {
    // Each byte brings at most one more.
    const out = Buffer.allocUnsafe(bytes.length * 2 + 2)
    let to = 0
    let lastWasCr = this.#lastWasCr
    let lineStart = this.#lineStart
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte === LF) {
        if (!lastWasCr) out[to++] = CR
      } else {
        if (lastWasCr) {
          out[to++] = LF
          lineStart = true
        }
        if (lineStart && byte === DOT) out[to++] = DOT
      }
      out[to++] = byte
      lastWasCr = byte === CR
      lineStart = byte === LF
    }
    this.#lastWasCr = lastWasCr
    this.#lineStart = lineStart
    return out.subarray(0, to)
  }
}

/** A whole message as the pieces to send, its end included. */
export function stuffMessage(message: Buffer): Buffer[] {
  const stuffer = new DotStuffer()
  const body = stuffer.push(message)
  return [body, stuffer.end()]
}
