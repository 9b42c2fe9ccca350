import { asBuffer, CRLF, isNonAscii } from './bytes.ts'
import { bodyText } from './bodystructure.ts'
import { FIELD_NUMBERS } from './covered-fields.ts'
import { envelopeText } from './envelope.ts'
import type { HeaderFields } from './headers.ts'
import { MAX_INDEXED_FIELD, MAX_INDEXED_FIELDS } from './limits.ts'
import type { MessageHeader } from './message-header.ts'
import { packParts, unpackParts } from './part-table.ts'
import type { BodyFacts } from './summary.ts'
import type { MessageIndex, MimePart, MimeTree } from './types.ts'

/**
 * The stored form of a message index, little endian:
 *   0 u32 magic 'PMX1' · 4 u32 size · 8 u32 header size · 12 u16 flags · 14 u16 parts ·
 *   16 u32 ×3 numbers of covered fields that are in the message but were too long to keep ·
 *   28 u32 ×10 end offsets of the sections, which follow in the order of `Section`.
 * Field table: u16 count, then per field u8 number, u16 length; then the fields' bytes in the order of the message.
 */
const MAGIC = 0x3158_4d50
const SECTIONS_AT = 28
const Section = {
  class: 0,
  preview: 1,
  envelope: 2,
  body: 3,
  bodyStructure: 4,
  envelopeUtf8: 5,
  bodyUtf8: 6,
  bodyStructureUtf8: 7,
  fields: 8,
  parts: 9,
} as const
const SECTION_COUNT = 10
const HEAD = SECTIONS_AT + SECTION_COUNT * 4
const FLAG_ATTACHMENTS = 1
const FLAG_UTF8 = 2

/** The bytes are no message index of a version this code reads: the index must be made again from the original. */
export class MessageIndexError extends Error {
  constructor() {
    super('not a message index of a known version')
    this.name = 'MessageIndexError'
  }
}

/** Writes the index of a scanned message. */
export function packIndex(tree: MimeTree, header: HeaderFields, fields: MessageHeader, facts: BodyFacts): Uint8Array {
  const kept = packFields(header)
  const utf8 = tree.eightBit
  const texts = [
    facts.class,
    facts.preview,
    envelopeText(fields, false),
    bodyText(tree, 0, false, false),
    bodyText(tree, 0, false, true),
    utf8 ? envelopeText(fields, true) : '',
    utf8 ? bodyText(tree, 0, true, false) : '',
    utf8 ? bodyText(tree, 0, true, true) : '',
  ]
  const parts = packParts(tree.parts)
  // Where all is ASCII, one call writes it, and places are counts of letters.
  const all = texts.join('')
  const ascii = !isNonAscii(all)
  const textBytes = ascii ? all.length : Buffer.byteLength(all, 'utf8')
  const out = Buffer.allocUnsafeSlow(HEAD + textBytes + kept.bytes.length + Buffer.byteLength(parts, 'utf8'))
  out.writeUInt32LE(MAGIC, 0)
  out.writeUInt32LE(facts.size, 4)
  out.writeUInt32LE(tree.parts[0]!.bodyStart, 8)
  out.writeUInt16LE((facts.hasAttachments ? FLAG_ATTACHMENTS : 0) | (utf8 ? FLAG_UTF8 : 0), 12)
  out.writeUInt16LE(tree.parts.length, 14)
  for (let i = 0; i < 3; i++) out.writeUInt32LE(kept.missing[i]!, 16 + i * 4)
  let at = HEAD
  if (ascii) out.write(all, at, 'latin1')
  for (let i = 0; i < texts.length; i++) {
    at += ascii ? texts[i]!.length : out.write(texts[i]!, at, 'utf8')
    out.writeUInt32LE(at, SECTIONS_AT + i * 4)
  }
  at += kept.bytes.copy(out, at)
  out.writeUInt32LE(at, SECTIONS_AT + Section.fields * 4)
  at += out.write(parts, at, 'utf8')
  out.writeUInt32LE(at, SECTIONS_AT + Section.parts * 4)
  return out
}

/** The covered fields verbatim. A name with a field too long, or beyond the total, is marked missing as a whole. */
function packFields(header: HeaderFields): { bytes: Buffer; missing: Uint32Array } {
  const missing = new Uint32Array(3)
  const sizes = new Map<number, number>()
  for (const field of header.fields) {
    const number = FIELD_NUMBERS.get(field.name)
    if (number === undefined) continue
    const length = field.end - field.start
    const sum = (sizes.get(number) ?? 0) + length
    sizes.set(number, length > MAX_INDEXED_FIELD ? Number.POSITIVE_INFINITY : sum)
  }
  // Names stand in order of how often they are asked for: later ones make room first.
  let total = 0
  let count = 0
  for (const number of [...sizes.keys()].sort((a, b) => a - b)) {
    const size = sizes.get(number)!
    if (size <= MAX_INDEXED_FIELD && total + size <= MAX_INDEXED_FIELDS) total += size
    else missing[number >> 5]! |= 1 << (number & 31)
  }
  const out = Buffer.allocUnsafe(2 + header.fields.length * 3 + total + 2)
  let table = 2
  const keep: { start: number; end: number }[] = []
  for (const field of header.fields) {
    const number = FIELD_NUMBERS.get(field.name)
    if (number === undefined || (missing[number >> 5]! & (1 << (number & 31))) !== 0) continue
    out[table] = number
    out.writeUInt16LE(field.end - field.start, table + 1)
    table += 3
    keep.push(field)
    count++
  }
  out.writeUInt16LE(count, 0)
  let at = table
  const bytes = asBuffer(header.bytes)
  for (const { start, end } of keep) at += bytes.copy(out, at, start, end)
  return { bytes: out.subarray(0, at), missing }
}

/** Names prepared for repeated use: one selection serves a FETCH of ten thousand messages. */
export interface FieldSelection {
  /** Undefined if a name is not covered by any index. */
  readonly mask: Uint32Array | undefined
}

/** Prepares names for headerFields. */
export function selectFields(names: readonly string[]): FieldSelection {
  const mask = new Uint32Array(3)
  for (const name of names) {
    const number = FIELD_NUMBERS.get(name.toLowerCase())
    if (number === undefined) return { mask: undefined }
    mask[number >> 5]! |= 1 << (number & 31)
  }
  return { mask }
}

class PackedIndex implements MessageIndex {
  readonly #bytes: Buffer
  #parts: readonly MimePart[] | undefined

  constructor(packed: Uint8Array) {
    this.#bytes = asBuffer(packed)
    if (packed.length < HEAD || this.#bytes.readUInt32LE(0) !== MAGIC) throw new MessageIndexError()
    if (this.#bytes.readUInt32LE(SECTIONS_AT + (SECTION_COUNT - 1) * 4) > packed.length) throw new MessageIndexError()
  }

  #section(section: number): Buffer {
    const start = section === 0 ? HEAD : this.#bytes.readUInt32LE(SECTIONS_AT + (section - 1) * 4)
    return this.#bytes.subarray(start, this.#bytes.readUInt32LE(SECTIONS_AT + section * 4))
  }

  #variant(utf8: number, ascii: number): Buffer {
    return this.#section((this.#bytes.readUInt16LE(12) & FLAG_UTF8) !== 0 ? utf8 : ascii)
  }

  get size(): number {
    return this.#bytes.readUInt32LE(4)
  }

  get headerSize(): number {
    return this.#bytes.readUInt32LE(8)
  }

  get hasAttachments(): boolean {
    return (this.#bytes.readUInt16LE(12) & FLAG_ATTACHMENTS) !== 0
  }

  get partCount(): number {
    return this.#bytes.readUInt16LE(14)
  }

  get class(): string {
    return this.#section(Section.class).toString('utf8')
  }

  get preview(): string {
    return this.#section(Section.preview).toString('utf8')
  }

  get envelope(): Uint8Array {
    return this.#section(Section.envelope)
  }

  get body(): Uint8Array {
    return this.#section(Section.body)
  }

  get bodyStructure(): Uint8Array {
    return this.#section(Section.bodyStructure)
  }

  get envelopeUtf8(): Uint8Array {
    return this.#variant(Section.envelopeUtf8, Section.envelope)
  }

  get bodyUtf8(): Uint8Array {
    return this.#variant(Section.bodyUtf8, Section.body)
  }

  get bodyStructureUtf8(): Uint8Array {
    return this.#variant(Section.bodyStructureUtf8, Section.bodyStructure)
  }

  get parts(): readonly MimePart[] {
    this.#parts ??= unpackParts(this.#section(Section.parts).toString('utf8'))
    return this.#parts
  }

  headerFields(names: readonly string[] | FieldSelection): Uint8Array | undefined {
    const mask = 'mask' in names ? names.mask : selectFields(names).mask
    if (mask === undefined) return undefined
    for (let i = 0; i < 3; i++) if ((mask[i]! & this.#bytes.readUInt32LE(16 + i * 4)) !== 0) return undefined
    const table = this.#section(Section.fields)
    const count = table.readUInt16LE(0)
    let size = 2
    for (let i = 0; i < count; i++) {
      const number = table[2 + i * 3]!
      if ((mask[number >> 5]! & (1 << (number & 31))) !== 0) size += table.readUInt16LE(3 + i * 3) + 2
    }
    const out = Buffer.allocUnsafe(size)
    let to = 0
    let from = 2 + count * 3
    for (let i = 0; i < count; i++) {
      const number = table[2 + i * 3]!
      const length = table.readUInt16LE(3 + i * 3)
      if ((mask[number >> 5]! & (1 << (number & 31))) !== 0) {
        to += table.copy(out, to, from, from + length)
        // The last field of a header that ends without a line break gets one.
        if (length === 0 || out[to - 1] !== 10) to += CRLF.copy(out, to)
      }
      from += length
    }
    to += CRLF.copy(out, to)
    return out.subarray(0, to)
  }
}

/**
 * Opens a stored index; accessors read straight from the bytes, parts are decoded on first use. Throws MessageIndexError if the bytes are
 * no index of a known version (then make a new one from the original).
 */
export function readMessageIndex(packed: Uint8Array): MessageIndex {
  return new PackedIndex(packed)
}

/**
 * The named header fields verbatim, in the order of the message, with the closing blank line: the answer to BODY[HEADER.FIELDS (…)]
 * (RFC 9051 §6.4.5.1). Undefined: the index does not know one of the names, read the original. An absent field is known to be absent.
 */
export function headerFields(index: MessageIndex, names: readonly string[] | FieldSelection): Uint8Array | undefined {
  return index.headerFields(names)
}
