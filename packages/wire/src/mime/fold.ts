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

/** Words with the white space before them; one longer than a line may be is cut, since no line may exceed 998 octets. */
function* splitWords(text: string): Generator<string, void, void> {
  let first = true
  for (const match of text.matchAll(/([ \t]*)([^ \t]+)/g)) {
    const lead = first && match[1] === '' ? ' ' : match[1]!.slice(0, 300)
    first = false
    let word = match[2]!
    if (word.length <= 300) {
      yield lead + word
      continue
    }
    let space = lead
    while (word.length > 0) {
      // 240 characters are at most 720 octets.
      const cut = word.length > 900 ? safeCut(word, isNonAscii(word) ? 240 : 900) : word.length
      yield space + word.slice(0, cut)
      word = word.slice(cut)
      space = ' '
    }
  }
}

function safeCut(text: string, at: number): number {
  const last = text.charCodeAt(at - 1)
  return last >= 0xd800 && last < 0xdc00 ? at - 1 : at
}

/** A field of unstructured text (Subject, Comments, X-…): encoded where needed (RFC 2047), folded. */
export function textField(name: string, value: string): string {
  return headerField(name, encodeWords(value))
}
