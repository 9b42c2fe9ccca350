import { isNonAscii } from './bytes.ts'
import { encodeWords } from './words.ts'

/** Strings inside FETCH answers: RFC 9051 §4.3. Texts are collected as strings and turned into bytes once, as UTF-8. */

/** Longer strings travel as literals: line-based clients have buffers of a few kilobytes. */
export const MAX_QUOTED = 1000

/**
 * An nstring: NIL for undefined, else a quoted string, or a literal for long text. Without `utf8` (before ENABLE UTF8=ACCEPT, RFC 6855)
 * no octet above 127 may appear: such text becomes encoded-words.
 */
export function nstring(text: string | undefined, utf8: boolean): string {
  return text === undefined ? 'NIL' : imapString(text, utf8)
}

/** A string that is never NIL. */
export function imapString(text: string, utf8: boolean): string {
  let safe = text
  let plain = true
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 32 || c > 126 || c === 34 || c === 92) {
      plain = false
      break
    }
  }
  if (!plain) {
    safe = safe.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ')
    if (isNonAscii(safe)) safe = utf8 ? safe.toWellFormed() : encodeWords(safe)
  }
  if (safe.length > MAX_QUOTED) return `{${Buffer.byteLength(safe, 'utf8')}}\r\n${safe}`
  return plain ? `"${safe}"` : `"${safe.replace(/["\\]/g, '\\$&')}"`
}
