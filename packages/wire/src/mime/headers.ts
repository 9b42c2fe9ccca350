import { asBuffer } from './bytes.ts'
import { decodeUnknown } from './charset.ts'
import { MAX_HEADER_BYTES, MAX_HEADER_FIELDS } from './limits.ts'

/** One header field by offsets: the field with its folded lines and line end is [start, end), its value [valueStart, end). */
export interface HeaderField {
  /** Lower case. */
  readonly name: string
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/**
 * Where the body starts: the offset behind the first blank line, or `end` if there is none. Bare LF counts as a line end.
 * A block that starts with a line break is empty.
 */
export function bodyStartOf(bytes: Uint8Array, start: number, end: number): number {
  let lineStart = start
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 10) continue
    const length = i - lineStart
    if (length === 0 || (length === 1 && bytes[lineStart] === 13)) return i + 1
    lineStart = i + 1
  }
  return end
}

/**
 * The header fields of [start, end), which may include the blank line. RFC 5322 §2.2, obsolete syntax of §4.5 accepted (white
 * space before the colon); lines that are no field are skipped, an mbox "From " line too. Linear; at most MAX_HEADER_FIELDS.
 */
export function parseHeaderFields(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  limits = { bytes: MAX_HEADER_BYTES, fields: MAX_HEADER_FIELDS },
): HeaderField[] {
  const fields: HeaderField[] = []
  const limit = Math.min(end, start + limits.bytes)
  const text = asBuffer(bytes).toString('latin1', start, limit)
  const size = text.length
  let at = 0
  while (at < size && fields.length < limits.fields) {
    let next = text.indexOf('\n', at)
    next = next < 0 ? size : next + 1
    const first = text.charCodeAt(at)
    if (first === 10 || (first === 13 && next - at === 2)) break
    while (next < size) {
      const c = text.charCodeAt(next)
      if (c !== 32 && c !== 9) break
      next = text.indexOf('\n', next)
      next = next < 0 ? size : next + 1
    }
    const nameEnd = fieldNameEnd(text, at, next)
    if (nameEnd > at) {
      let colon = nameEnd
      while (text.charCodeAt(colon) !== 58) colon++
      fields.push({
        name: text.slice(at, nameEnd).toLowerCase(),
        start: start + at,
        valueStart: start + colon + 1,
        end: start + next,
      })
    }
    at = next
  }
  return fields
}

/** The end of the field name, or `at` if the line is no field. */
function fieldNameEnd(text: string, at: number, end: number): number {
  let i = at
  for (; i < end; i++) {
    const c = text.charCodeAt(i)
    if (c === 58) return i
    if (c <= 32 || c === 127) break
  }
  const nameEnd = i
  while (i < end && (text.charCodeAt(i) === 32 || text.charCodeAt(i) === 9)) i++
  return text.charCodeAt(i) === 58 && i < end ? nameEnd : at
}

/**
 * A field value as one line of Unicode text: line breaks removed (RFC 5322 §2.2.3), outer white space trimmed, control
 * characters as spaces. Octets above 127 are read as UTF-8 (RFC 6532), else as windows-1252. Encoded-words stay.
 */
export function unfoldValue(bytes: Uint8Array, start: number, end: number): string {
  let s = start
  let e = end
  while (s < e && bytes[s]! <= 32) s++
  while (e > s && bytes[e - 1]! <= 32) e--
  let plain = true
  for (let i = s; i < e; i++) {
    const c = bytes[i]!
    if (c < 32 || c > 126) {
      plain = false
      break
    }
  }
  if (plain) return asBuffer(bytes).toString('latin1', s, e)
  const text = decodeUnknown(bytes.subarray(s, e))
  return text.replace(/[\r\n]/g, '').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ')
}

/** The fields of one header block, found by name; input names never become object keys. */
export class HeaderFields {
  readonly bytes: Uint8Array
  readonly fields: readonly HeaderField[]
  #byName: Map<string, HeaderField[]> | undefined

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.fields = parseHeaderFields(bytes, start, end)
  }

  #named(name: string): HeaderField[] | undefined {
    if (this.#byName === undefined) {
      this.#byName = new Map()
      for (const field of this.fields) {
        const same = this.#byName.get(field.name)
        if (same === undefined) this.#byName.set(field.name, [field])
        else same.push(field)
      }
    }
    return this.#byName.get(name.toLowerCase())
  }

  has(name: string): boolean {
    return this.#named(name) !== undefined
  }

  /** The first field of this name, unfolded (see unfoldValue), undefined if absent. */
  get(name: string): string | undefined {
    const field = this.#named(name)?.[0]
    return field && unfoldValue(this.bytes, field.valueStart, field.end)
  }

  /** Every field of this name in order, unfolded. */
  all(name: string): string[] {
    return (this.#named(name) ?? []).map((field) => unfoldValue(this.bytes, field.valueStart, field.end))
  }

  /** Every field of this name by offsets. */
  fieldsNamed(name: string): readonly HeaderField[] {
    return this.#named(name) ?? []
  }

  /** The bytes of a field with name, folding and line end. */
  raw(field: HeaderField): Uint8Array {
    return this.bytes.subarray(field.start, field.end)
  }
}
