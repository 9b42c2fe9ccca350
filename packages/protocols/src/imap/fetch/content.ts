import type { Partial, Section } from '@postrider/wire/imap'
import {
  decodeTransfer,
  type FieldSelection,
  isEmbedded,
  isKnownEncoding,
  type MessageIndex,
  type MimePart,
  parseHeaderFields,
  partBySection,
} from '@postrider/wire/mime'
import { no, Refusal } from '../codes.ts'
import type { MessageSource } from './source.ts'

/** Content up to this size is read before it is written; larger content is streamed in pieces of this size. */
export const STREAM_PIECE = 256 * 1024

/** What a section holds: nothing (NIL), octets, or a range of the original to be streamed. */
export type Content =
  | { readonly kind: 'nil' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly start: number; readonly end: number }

const nil: Content = { kind: 'nil' }

/** The content of `BODY[section]<partial>`: RFC 9051 §6.4.5.1. The parts' offsets are known, so only what is asked for is read. */
export async function sectionContent(
  source: MessageSource,
  section: Section,
  partial: Partial | undefined,
  fields: FieldSelection | undefined,
): Promise<Content> {
  if (section.part.length === 0 && section.text === '') return range(source, 0, source.size, partial)
  const index = await source.index()
  if (section.part.length === 0) {
    if (section.text === 'HEADER') return range(source, 0, index.headerSize, partial)
    if (section.text === 'TEXT') return range(source, index.headerSize, source.size, partial)
    const prepared = fields === undefined ? undefined : index.headerFields(fields)
    if (prepared !== undefined) return cut(prepared, partial)
    return cut(filterFields(await source.read(0, index.headerSize), section), partial)
  }
  const part = partBySection(index.parts, section.part.join('.'))
  if (part === undefined) return nil
  if (section.text === '') return range(source, part.bodyStart, part.bodyEnd, partial)
  if (section.text === 'MIME') return range(source, part.headerStart, part.bodyStart, partial)
  const inner = embedded(index, part)
  if (inner === undefined) return nil
  if (section.text === 'HEADER') return range(source, inner.headerStart, inner.bodyStart, partial)
  if (section.text === 'TEXT') return range(source, inner.bodyStart, inner.bodyEnd, partial)
  return cut(filterFields(await source.read(inner.headerStart, inner.bodyStart), section), partial)
}

/** The message inside a message/rfc822 part. */
function embedded(index: MessageIndex, part: MimePart): MimePart | undefined {
  return isEmbedded(part) ? index.parts[part.firstChild] : undefined
}

async function range(
  source: MessageSource,
  start: number,
  end: number,
  partial: Partial | undefined,
): Promise<Content> {
  const from = Math.min(end, start + (partial?.offset ?? 0))
  const to = partial === undefined ? end : Math.min(end, from + partial.length)
  if (to - from > STREAM_PIECE) return { kind: 'range', start: from, end: to }
  return { kind: 'bytes', bytes: to > from ? await source.read(from, to) : new Uint8Array(0) }
}

function cut(bytes: Uint8Array, partial: Partial | undefined): Content {
  if (partial === undefined) return { kind: 'bytes', bytes }
  return { kind: 'bytes', bytes: bytes.subarray(partial.offset, partial.offset + partial.length) }
}

/** The fields named (or all others) with the blank line that ends every header answer: RFC 9051 §6.4.5.1. */
function filterFields(header: Uint8Array, section: Section): Uint8Array {
  const names = new Set(section.fields.map((name) => name.toLowerCase()))
  const wanted = section.text === 'HEADER.FIELDS'
  const pieces: Uint8Array[] = []
  for (const field of parseHeaderFields(header)) {
    if (names.has(field.name) !== wanted) continue
    pieces.push(header.subarray(field.start, field.end))
    if (header[field.end - 1] !== 0x0a) pieces.push(CRLF)
  }
  pieces.push(CRLF)
  return Buffer.concat(pieces)
}

const CRLF = Buffer.from('\r\n')

/** The decoded content of `BINARY[part]`: RFC 3516 §4.2. Raises NO [UNKNOWN-CTE] for an encoding nobody knows (§4.3). */
export async function binaryContent(
  source: MessageSource,
  part: readonly number[],
  partial: Partial | undefined,
): Promise<Content> {
  if (part.length === 0) return range(source, 0, source.size, partial)
  const found = partBySection((await source.index()).parts, part.join('.'))
  if (found === undefined) return nil
  if (!isKnownEncoding(found.encoding)) throw new Refusal(no('Unknown transfer encoding', 'UNKNOWN-CTE'))
  const plain = /^(7bit|8bit|binary)$/i.test(found.encoding) || isEmbedded(found) || found.type === 'multipart'
  if (plain) return range(source, found.bodyStart, found.bodyEnd, partial)
  return cut(decodeTransfer(await source.read(found.bodyStart, found.bodyEnd), found.encoding), partial)
}

/** The octets BINARY[part] would have. */
export async function binarySize(source: MessageSource, part: readonly number[]): Promise<number> {
  const content = await binaryContent(source, part, undefined)
  if (content.kind === 'nil') return 0
  return content.kind === 'range' ? content.end - content.start : content.bytes.length
}
