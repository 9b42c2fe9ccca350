import { asBuffer } from './bytes.ts'
import { decodeText } from './charset.ts'
import { MAX_ENCODED_WORDS } from './limits.ts'
import { decodeBase64 } from './transfer.ts'

/** RFC 2047 encoded-words. */

interface EncodedWord {
  readonly charset: string
  readonly bytes: Uint8Array
  readonly end: number
}

/**
 * Text with its encoded-words decoded: RFC 2047 §6. White space between adjacent words is dropped, and the octets of adjacent
 * words of one charset are joined before decoding, since mailers split characters. Lenient: a word may stand inside other text, hold
 * spaces or be longer than 75 characters. Control characters in the result become spaces. At most MAX_ENCODED_WORDS are decoded.
 */
export function decodeWords(text: string): string {
  let at = text.indexOf('=?')
  if (at < 0) return text
  const out: string[] = []
  let done = 0
  let run: Uint8Array[] = []
  let runCharset = ''
  let words = 0
  const flush = () => {
    if (run.length > 0) out.push(decodeText(run.length === 1 ? run[0]! : Buffer.concat(run), runCharset))
    run = []
  }
  while (at >= 0 && words < MAX_ENCODED_WORDS) {
    const word = readWord(text, at)
    if (word === undefined) {
      at = text.indexOf('=?', at + 1)
      continue
    }
    words++
    const adjacent = done > 0 && run.length > 0 && isBlank(text, done, at)
    if (!adjacent) {
      flush()
      out.push(text.slice(done, at))
    } else if (word.charset !== runCharset) flush()
    runCharset = word.charset
    run.push(word.bytes)
    done = word.end
    at = text.indexOf('=?', done)
  }
  flush()
  out.push(text.slice(done))
  return out.join('').replace(/[\x00-\x1f\x7f]/g, ' ')
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i)
    if (c !== 32 && c !== 9 && c !== 10 && c !== 13) return false
  }
  return true
}

/** The encoded-word that starts at `at`; bounded look-ahead for the charset, and the text ends at the first question mark. */
function readWord(text: string, at: number): EncodedWord | undefined {
  let i = at + 2
  const stop = Math.min(text.length, i + 64)
  for (; i < stop; i++) {
    const c = text.charCodeAt(i)
    if (c === 63) break
    if (c <= 32 || c > 126) return undefined
  }
  if (i >= stop || i === at + 2 || text.charCodeAt(i + 2) !== 63) return undefined
  const kind = text.charCodeAt(i + 1) | 32
  if (kind !== 98 && kind !== 113) return undefined
  const start = i + 3
  const end = text.indexOf('?', start)
  if (end < 0 || text.charCodeAt(end + 1) !== 61) return undefined
  const charset = text.slice(at + 2, i).toLowerCase()
  const body = text.slice(start, end)
  return { charset, bytes: kind === 98 ? decodeB(body) : decodeQ(body), end: end + 2 }
}

function decodeB(body: string): Uint8Array {
  return decodeBase64(Buffer.from(body, 'latin1'))
}

function decodeQ(body: string): Uint8Array {
  const source = Buffer.from(body, 'utf8')
  const out = Buffer.allocUnsafe(source.length)
  let size = 0
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!
    const value = c === 61 ? Number.parseInt(source.toString('latin1', i + 1, i + 3), 16) : -1
    if (value >= 0 && isHex(source[i + 1]) && isHex(source[i + 2])) {
      out[size++] = value
      i += 2
    } else out[size++] = c === 95 ? 32 : c
  }
  return out.subarray(0, size)
}

function isHex(c: number | undefined): boolean {
  return c !== undefined && ((c >= 48 && c <= 57) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102))
}

/** True if the text cannot stand in a header field as it is: not ASCII, a control character, or it looks like an encoded-word. */
export function needsEncoding(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 32 || c > 126) return true
  }
  return text.includes('=?')
}

/** Octets an encoded-word of 75 characters holds in base64, `=?utf-8?B?…?=`: RFC 2047 §2. */
const B_OCTETS = 45
const Q_CHARS = 63
/** Characters that stand for themselves in a Q word anywhere, phrases included: RFC 2047 §5 (3). */
const Q_SAFE = new Uint8Array(256)
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/') Q_SAFE[c.charCodeAt(0)] = 1

/** How a Q word writes each octet. */
const Q_PIECES = Array.from({ length: 256 }, (_, byte) =>
  byte === 32
    ? '_'
    : Q_SAFE[byte] === 1
      ? String.fromCharCode(byte)
      : `=${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`,
)

/** The whole text as UTF-8 encoded-words of at most 75 characters, separated by one space; never splits a character. */
export function encodeWord(text: string): string {
  const bytes = Buffer.from(text.toWellFormed(), 'utf8')
  let escapes = 0
  for (const byte of bytes) if (Q_SAFE[byte] === 0 && byte !== 32) escapes++
  const words: string[] = []
  if (bytes.length + escapes * 2 <= Math.ceil(bytes.length / 3) * 4) {
    let word = ''
    for (let i = 0; i < bytes.length; ) {
      const length = sequenceLength(bytes[i]!)
      let piece = ''
      for (let k = i; k < i + length && k < bytes.length; k++) piece += Q_PIECES[bytes[k]!]
      if (word.length + piece.length > Q_CHARS) {
        words.push(`=?utf-8?Q?${word}?=`)
        word = ''
      }
      word += piece
      i += length
    }
    words.push(`=?utf-8?Q?${word}?=`)
  } else
    for (let i = 0; i < bytes.length; ) {
      let end = Math.min(i + B_OCTETS, bytes.length)
      while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
      words.push(`=?utf-8?B?${asBuffer(bytes).toString('base64', i, end)}?=`)
      i = end
    }
  return words.join(' ')
}

function sequenceLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/**
 * Unstructured text (a subject) ready for a header field: RFC 2047 §5 (1). Plain words at both ends stay readable, everything
 * from the first to the last word that needs it becomes encoded-words. Line breaks become spaces: nothing can add a field.
 * Words too long to fold are encoded too.
 */
export function encodeWords(text: string): string {
  const clean = text.replace(/[\r\n]+[ \t]*/g, ' ').replace(/\0/g, '')
  if (!needsEncoding(clean) && !hasLongWord(clean)) return clean
  const words = clean.split(' ')
  const odd = (word: string) => needsEncoding(word) || word.length > 200
  let first = words.findIndex(odd)
  let last = words.findLastIndex(odd)
  if (first < 0) return clean
  // Empty words are extra spaces next to the encoded run: they go inside, where they cannot be lost.
  while (first > 0 && words[first - 1] === '') first--
  while (last < words.length - 1 && words[last + 1] === '') last++
  const encoded = encodeWord(words.slice(first, last + 1).join(' '))
  return [...words.slice(0, first), encoded, ...words.slice(last + 1)].join(' ')
}

function hasLongWord(text: string): boolean {
  for (let at = 0; text.length - at > 200; ) {
    const space = text.indexOf(' ', at)
    if (space < 0 || space - at > 200) return true
    at = space + 1
  }
  return false
}
