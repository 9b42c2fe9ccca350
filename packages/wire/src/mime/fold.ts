import { isNonAscii } from './bytes.ts'
import { encodeWords } from './words.ts'

/** Header fields as they are written: RFC 5322 §2.1.1 line lengths, §2.2.3 folding. No value can end its field. */

const SOFT_LIMIT = 78
const HARD_LIMIT = 998

/**
 * One field, folded, with its CRLF. `value` must be encoded already (ASCII, or UTF-8 addresses); line breaks and NUL in it become
 * spaces. A name that is no field name (RFC 5322 §3.6.8) gives ''.
 */
export function headerField(name: string, value: string): string {
  if (!/^[!-9;-~]{1,76}$/.test(name)) return ''
  const clean = value
    .toWellFormed()
    .replace(/[\r\n\0]+/g, ' ')
    .trim()
  if (name.length + clean.length + 2 <= SOFT_LIMIT && !isNonAscii(clean)) return `${name}: ${clean}\r\n`
  const lines: string[] = []
  let line = `${name}:`
  let length = line.length
  let blank = true
  for (const word of splitWords(clean)) {
    const size = isNonAscii(word) ? Buffer.byteLength(word, 'utf8') : word.length
    // A line of white space only is obsolete syntax: break only behind something visible.
    if (length + size > SOFT_LIMIT && (!blank || length + size > HARD_LIMIT)) {
      lines.push(line)
      line = ''
      length = 0
      blank = true
    }
    line += word
    length += size
    blank = false
  }
  lines.push(line)
  return `${lines.join('\r\n')}\r\n`
}

/** Longest run of white space that is kept, and longest word that goes unbroken. */
const MAX_SPACE = 300
const MAX_WORD = 600

/** Words with the white space before them; one too long is cut, since no line may exceed 998 octets. */
function splitWords(text: string): string[] {
  const words: string[] = []
  // 200 characters are at most 600 octets.
  const piece = isNonAscii(text) ? 200 : MAX_WORD
  let at = 0
  while (at < text.length) {
    let start = at
    while (start < text.length && isBlank(text.charCodeAt(start))) start++
    let end = start
    while (end < text.length && !isBlank(text.charCodeAt(end))) end++
    const lead = start === at ? ' ' : text.slice(at, Math.min(start, at + MAX_SPACE))
    if (end - start <= piece) words.push(lead + text.slice(start, end))
    else
      for (let i = start; i < end; ) {
        const stop = Math.min(end, safeCut(text, i + piece))
        words.push((i === start ? lead : ' ') + text.slice(i, stop))
        i = stop
      }
    at = end
  }
  return words
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9
}

function safeCut(text: string, at: number): number {
  const last = text.charCodeAt(at - 1)
  return last >= 0xd800 && last < 0xdc00 ? at - 1 : at
}

/** A field of unstructured text (Subject, Comments, X-…): encoded where needed (RFC 2047), folded. */
export function textField(name: string, value: string): string {
  return headerField(name, encodeWords(value))
}
