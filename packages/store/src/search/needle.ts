import { END, folded, STRING } from './fields.ts'

/** What is looked for in columns of folded UTF-8 text. */
export interface Needle {
  readonly bytes: Uint8Array
  /** A word begins here, and a word ends here. */
  readonly left: boolean
  readonly right: boolean
  /** The string must begin with this, and the rest contain `bytes`: a header field by name. */
  readonly start?: Uint8Array
}

const utf8 = new TextEncoder()
const bytesOf = (text: string): Uint8Array => utf8.encode(folded(text))

export const substringNeedle = (value: string): Needle => ({ bytes: bytesOf(value), left: false, right: false })

export const headerNeedle = (name: string, value: string): Needle => ({
  bytes: bytesOf(value),
  left: false,
  right: false,
  start: bytesOf(`${name}: `),
})

const wordPattern = /[\p{L}\p{N}\p{M}]+/gu

/** Every word, the last one as a beginning. No words at all: no needles, and everything matches. */
export function wordNeedles(value: string): readonly Needle[] {
  const words = folded(value).match(wordPattern) ?? []
  return words.map((word, i) => ({ bytes: utf8.encode(word), left: true, right: i < words.length - 1 }))
}

/** Scripts written without spaces: a word may begin and end between any two of their letters. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const letter = /[\p{L}\p{N}\p{M}]/u

const Kind = { other: 1, letter: 2, unspaced: 3 } as const
const kinds = new Uint8Array(0x11_0000)

function kindOf(point: number): number {
  const known = kinds[point] as number
  if (known !== 0) return known
  const text = String.fromCodePoint(point)
  const kind = unspaced.test(text) ? Kind.unspaced : letter.test(text) ? Kind.letter : Kind.other
  kinds[point] = kind
  return kind
}

/** The code point that begins at `at`; marks and ends are 0. */
function pointAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? END
  if (first < 0x80) return first
  if (first >= STRING) return 0
  if (first < 0xe0) return ((first & 0x1f) << 6) | (bytes[at + 1]! & 0x3f)
  if (first < 0xf0) return ((first & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)
  return (
    ((first & 0x07) << 18) | ((bytes[at + 1]! & 0x3f) << 12) | ((bytes[at + 2]! & 0x3f) << 6) | (bytes[at + 3]! & 0x3f)
  )
}

/** The code point that ends before `at`. */
function pointBefore(bytes: Uint8Array, at: number): number {
  let start = at - 1
  while (start >= 0 && (bytes[start]! & 0xc0) === 0x80) start--
  return start < 0 ? 0 : pointAt(bytes, start)
}

/** Whether a word may begin or end at `at`. */
function boundary(bytes: Uint8Array, at: number): boolean {
  const before = kindOf(pointBefore(bytes, at))
  const after = kindOf(pointAt(bytes, at))
  return before !== Kind.letter || after !== Kind.letter
}

/**
 * Calls `found` with the number of each document of a column (documents end with END) that the needle is in, ascending. `wanted` says which
 * documents are of interest; others may be passed over.
 */
export function findIn(column: Buffer, needle: Needle, found: (document: number) => void): void {
  if (needle.start !== undefined) findFields(column, needle.start, needle.bytes, found)
  else if (needle.bytes.length === 0) findAny(column, found)
  else findBytes(column, needle, found)
}

/** Documents that have any string at all. */
function findAny(column: Buffer, found: (document: number) => void): void {
  let document = 0
  for (let at = 0; at < column.length; document++) {
    if (column[at] === STRING) found(document)
    at = column.indexOf(END, at) + 1
  }
}

function findBytes(column: Buffer, needle: Needle, found: (document: number) => void): void {
  const { bytes, left, right } = needle
  let document = 0
  let end = column.indexOf(END)
  for (let at = column.indexOf(bytes); at >= 0; ) {
    while (end < at) {
      end = column.indexOf(END, end + 1)
      document++
    }
    if ((left && !boundary(column, at)) || (right && !boundary(column, at + bytes.length))) {
      at = column.indexOf(bytes, at + 1)
      continue
    }
    found(document)
    at = column.indexOf(bytes, end)
  }
}

function findFields(column: Buffer, start: Uint8Array, bytes: Uint8Array, found: (document: number) => void): void {
  const marked = Buffer.concat([Uint8Array.of(STRING), start])
  let document = 0
  let end = column.indexOf(END)
  for (let at = column.indexOf(marked); at >= 0; ) {
    while (end < at) {
      end = column.indexOf(END, end + 1)
      document++
    }
    const value = at + marked.length
    const next = column.indexOf(STRING, value)
    const stop = next < 0 ? end : Math.min(next, end)
    if (column.subarray(value, stop).includes(bytes)) {
      found(document)
      at = column.indexOf(marked, end)
    } else at = column.indexOf(marked, value)
  }
}
