import { commentEnd } from './address-tokens.ts'
import { asBuffer, isNonAscii } from './bytes.ts'
import { decodeText } from './charset.ts'
import { MAX_PARAMETER_LENGTH, MAX_PARAMETERS } from './limits.ts'
import type { RawParameter } from './types.ts'
import { decodeWords } from './words.ts'

/** A field such as Content-Type: its value and its parameters as written. */
export interface Parameterized {
  /** Lower case, comments and spaces removed: `text/plain`. */
  readonly value: string
  readonly parameters: readonly RawParameter[]
}

const isSpace = (c: number) => c === 32 || c === 9 || c === 10 || c === 13

/**
 * `value; name=value; name="value"`: RFC 2045 §5.1, one pass over unfolded text. Lenient with comments, spaces around `=`, missing
 * semicolons after the value or a quoted one, file names without quotes. At most MAX_PARAMETERS are read.
 */
export function parseParameterized(text: string): Parameterized {
  const head = readValue(text, 0)
  const parameters: RawParameter[] = []
  let at = head.end
  while (at < text.length && parameters.length < MAX_PARAMETERS) {
    const c = text.charCodeAt(at)
    if (c === 59 || isSpace(c)) {
      at++
      continue
    }
    if (c === 40) {
      at = commentEnd(text, at)
      continue
    }
    const nameStart = at
    while (at < text.length && !isNameEnd(text.charCodeAt(at))) at++
    const name = text.slice(nameStart, at).toLowerCase()
    at = skipBlank(text, at)
    if (text.charCodeAt(at) !== 61) {
      if (at === nameStart) at++
      continue
    }
    at = skipBlank(text, at + 1)
    if (text.charCodeAt(at) === 34) {
      const quoted = readQuoted(text, at)
      at = quoted.end
      if (name !== '') parameters.push({ name, value: quoted.value })
    } else {
      const start = at
      let end = text.indexOf(';', at)
      if (end < 0) end = text.length
      at = end
      // A file name without quotes may hold spaces and parentheses; any other value ends there.
      if (!name.startsWith('name') && !name.startsWith('filename'))
        for (let i = start; i < end; i++) {
          const d = text.charCodeAt(i)
          if (d === 40 || isSpace(d)) {
            end = i
            break
          }
        }
      if (name !== '') parameters.push({ name, value: text.slice(start, end).trimEnd() })
      at = Math.max(end, start)
    }
  }
  return { value: head.value, parameters }
}

/**
 * The part before the first semicolon, without comments and spaces. It ends at a space too, unless a slash stands beside it: what follows
 * `text/plain charset=utf-8` is a parameter that lost its semicolon.
 */
function readValue(text: string, start: number): { value: string; end: number } {
  let value = ''
  let i = start
  let from = start
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c === 59) break
    if (c !== 40 && !isSpace(c)) {
      i++
      continue
    }
    value += text.slice(from, i)
    i = from = skipBlank(text, i)
    if (value !== '' && !value.endsWith('/') && text[i] !== '/') break
  }
  return { value: (value + text.slice(from, i)).toLowerCase(), end: i }
}

function isNameEnd(c: number): boolean {
  return c === 61 || c === 59 || c === 40 || c === 34 || isSpace(c)
}

function skipBlank(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const c = text.charCodeAt(at)
    if (isSpace(c)) at++
    else if (c === 40) at = commentEnd(text, at)
    else break
  }
  return at
}

function readQuoted(text: string, start: number): { value: string; end: number } {
  let value = ''
  let from = start + 1
  let i = from
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34) break
    if (c === 92 && i + 1 < text.length) {
      value += text.slice(from, i)
      from = i + 1
      i++
    }
  }
  return { value: value + text.slice(from, i), end: i + 1 }
}

interface Pieces {
  plain: string | undefined
  extended: string | undefined
  segments: Map<number, { value: string; extended: boolean }> | undefined
}

/**
 * The parameters by base name with continuations joined and charsets decoded: RFC 2231 §3, §4. An extended value wins over a
 * plain one; a first plain value wins over later ones. Encoded-words in plain values are decoded, as mailers write them.
 */
export function decodeParameters(raw: readonly RawParameter[]): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  let complex = false
  for (const { name, value } of raw) {
    if (name.includes('*')) complex = true
    else if (!out.has(name)) out.set(name, value.includes('=?') ? decodeWords(value) : clean(value))
  }
  if (!complex) return out
  for (const [name, value] of joinExtended(raw)) out.set(name, value)
  return out
}

function clean(value: string): string {
  return value.length > MAX_PARAMETER_LENGTH ? value.slice(0, MAX_PARAMETER_LENGTH) : value
}

function joinExtended(raw: readonly RawParameter[]): Map<string, string> {
  const byName = new Map<string, Pieces>()
  for (const { name, value } of raw) {
    const star = name.indexOf('*')
    if (star <= 0) continue
    const base = name.slice(0, star)
    let pieces = byName.get(base)
    if (pieces === undefined) {
      pieces = { plain: undefined, extended: undefined, segments: undefined }
      byName.set(base, pieces)
    }
    const rest = name.slice(star + 1)
    if (rest === '') pieces.extended ??= value
    else {
      const number = /^(\d{1,5})(\*?)$/.exec(rest)
      if (number === null) continue
      pieces.segments ??= new Map()
      const index = Number(number[1])
      if (!pieces.segments.has(index)) pieces.segments.set(index, { value, extended: number[2] === '*' })
    }
  }
  const out = new Map<string, string>()
  for (const [base, pieces] of byName) {
    const value = pieces.extended === undefined ? joinSegments(pieces.segments) : decodeExtended(pieces.extended)
    if (value !== undefined) out.set(base, value)
  }
  return out
}

function joinSegments(segments: Pieces['segments']): string | undefined {
  const first = segments?.get(0)
  if (segments === undefined || first === undefined) return undefined
  const { charset, rest } = first.extended ? splitCharset(first.value) : { charset: undefined, rest: first.value }
  const chunks: Uint8Array[] = []
  let size = 0
  for (let i = 0; size < MAX_PARAMETER_LENGTH; i++) {
    const segment = segments.get(i)
    if (segment === undefined) break
    const value = i === 0 ? rest : segment.value
    const bytes = segment.extended ? percentDecode(value) : Buffer.from(value, 'utf8')
    chunks.push(bytes)
    size += bytes.length
  }
  const text = sanitize(decodeText(Buffer.concat(chunks), charset))
  return text.includes('=?') ? decodeWords(text) : text
}

function decodeExtended(value: string): string {
  const { charset, rest } = splitCharset(value)
  return sanitize(clean(decodeText(percentDecode(rest), charset)))
}

/** `charset'language'text`: without the two quotes the whole value is text. */
function splitCharset(value: string): { charset: string | undefined; rest: string } {
  const first = value.indexOf("'")
  const second = first < 0 ? -1 : value.indexOf("'", first + 1)
  if (second < 0) return { charset: undefined, rest: value }
  return { charset: value.slice(0, first), rest: value.slice(second + 1) }
}

function percentDecode(value: string): Uint8Array {
  const source = Buffer.from(value, 'utf8')
  const out = Buffer.allocUnsafe(source.length)
  let size = 0
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!
    if (c === 37 && i + 2 < source.length) {
      const pair = asBuffer(source).toString('latin1', i + 1, i + 3)
      if (/^[0-9a-f]{2}$/i.test(pair)) {
        out[size++] = Number.parseInt(pair, 16)
        i += 2
        continue
      }
    }
    out[size++] = c
  }
  return out.subarray(0, size)
}

/** Decoded values must not carry line breaks into headers, logs or file names. */
function sanitize(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, ' ')
}

/** Characters of a token: RFC 2045 §5.1. */
const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/
/** attribute-char of RFC 2231 §7. */
const ATTRIBUTE_CHAR = /^[!#$&+\-.0-9A-Z^_`a-z{|}~]$/
const SEGMENT = 60

/**
 * A parameter as it stands in a field, without the leading semicolon: a token, a quoted-string, or RFC 2231 with continuations
 * (several entries) where the value is not ASCII or too long for a line. Line breaks and controls become spaces.
 */
export function encodeParameter(name: string, value: string): string[] {
  const safe = sanitize(value.toWellFormed())
  if (!isNonAscii(safe) && safe.length <= SEGMENT && !safe.includes('=?'))
    return [TOKEN.test(safe) ? `${name}=${safe}` : `${name}="${safe.replace(/["\\]/g, '\\$&')}"`]
  const segments: string[] = []
  let current = "utf-8''"
  for (const char of safe) {
    const piece = ATTRIBUTE_CHAR.test(char) ? char : percentEncode(char)
    if (current.length + piece.length > SEGMENT) {
      segments.push(current)
      current = ''
    }
    current += piece
  }
  segments.push(current)
  if (segments.length === 1) return [`${name}*=${segments[0]}`]
  return segments.map((segment, i) => `${name}*${i}*=${segment}`)
}

function percentEncode(char: string): string {
  let out = ''
  for (const byte of Buffer.from(char, 'utf8')) out += `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
  return out
}

/** A whole field value: `text/plain; charset=utf-8`, parts separated so that folding can break between them. */
export function formatParameterized(value: string, parameters: Iterable<readonly [string, string]>): string {
  const parts = [value]
  for (const [name, text] of parameters) parts.push(...encodeParameter(name, text))
  return parts.join('; ')
}
