/** Where TOP stops: RFC 1939 §7 — the header section, the empty line, and so many lines of the body. */

/**
 * The number of bytes of `message` that TOP sends. Line ends are CRLF or bare LF, as stored. Linear; `message` may be the beginning only, then
 * `complete` says whether the answer cannot grow with more bytes.
 */
export function topLength(message: Buffer, lines: number): { length: number; complete: boolean } {
  let at = 0
  for (;;) {
    const lf = message.indexOf(10, at)
    if (lf < 0) return { length: message.length, complete: false }
    const empty = lf === at || (lf === at + 1 && message[at] === 13)
    at = lf + 1
    if (empty) break
  }
  for (let left = lines; left > 0; left--) {
    const lf = message.indexOf(10, at)
    if (lf < 0) return { length: message.length, complete: false }
    at = lf + 1
  }
  return { length: at, complete: true }
}
