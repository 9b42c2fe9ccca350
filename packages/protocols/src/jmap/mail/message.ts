/**
 * A message to be shown: its parts, header blocks, body values, exact sizes, whether it lies in the store (read by ranges: a mail of 30 MB is
 * not fetched for its text) or in memory (Email/parse).
 */
import type { Item, MailboxHandle } from '@postrider/domain'
import {
  isKnownCharset,
  isKnownEncoding,
  type MessageIndex,
  type MimePart,
  parseHeaderFields,
  partText,
  readMessageIndex,
  scanMessage,
  selectFields,
} from '@postrider/wire/mime'
import { blobIdOf, undone } from '../blobs/blob.ts'
import type { HeaderBlock, PartSource } from './parts.ts'

export interface Message extends PartSource {
  readonly parts: readonly MimePart[]
  readonly root: number
  readonly size: number
  readonly hasAttachments: boolean
  readonly preview: string
  /** The message's own header block; `names` (lower case) may let it be answered without reading the original. */
  ownHeader(names: readonly string[] | undefined): Promise<HeaderBlock>
  /** Text of a part: RFC 8621 §4.1.4 EmailBodyValue. */
  value(part: MimePart, maxBytes: number): Promise<BodyValue>
}

export interface BodyValue {
  readonly value: string
  readonly isEncodingProblem: boolean
  readonly isTruncated: boolean
}

type Range = (start: number, end: number) => Promise<Uint8Array>

export const blockOf = (bytes: Uint8Array): HeaderBlock => ({ bytes, fields: parseHeaderFields(bytes) })
const NOTHING = new Uint8Array(0)
/** Larger base64 bodies are measured by their first and last lines, not by decoding them. */
const MEASURE_FROM = 64 * 1024
const EDGE = 512
/** Encoded bytes read for one byte of a text that is to be cut: quoted-printable takes three. */
const ENCODED_PER_BYTE = 4

/** A mail of the store, read with the columns that are needed: the index is opened when somebody looks. An item without one is empty. */
export function storedMessage(handle: MailboxHandle, item: Item): Message {
  const range: Range = (start, end) => (end <= start ? Promise.resolve(NOTHING) : handle.original(item, start, end))
  let opened: MessageIndex | undefined
  const index = (): MessageIndex | undefined => {
    if (opened === undefined && item.index !== undefined && item.index.length > 0) opened = readMessageIndex(item.index)
    return opened
  }
  return {
    ...commonOf(blobIdOf(item), range),
    get parts() {
      return index()?.parts ?? emptyParts
    },
    root: 0,
    size: item.size,
    get hasAttachments() {
      return index()?.hasAttachments ?? false
    },
    get preview() {
      return index()?.preview ?? ''
    },
    async ownHeader(names) {
      const kept = names === undefined ? undefined : index()?.headerFields(selectFields(names))
      return blockOf(kept ?? (await range(0, index()?.headerSize ?? 0)))
    },
  }
}

const emptyParts = scanMessage(NOTHING).parts

/** A message in memory. */
export function parsedMessage(
  bytes: Uint8Array,
  blobId: string,
  facts: { hasAttachments: boolean; preview: string },
): Message {
  const { parts } = scanMessage(bytes)
  const range: Range = (start, end) => Promise.resolve(bytes.subarray(start, end))
  const common = commonOf(blobId, range)
  return {
    ...common,
    parts,
    root: 0,
    size: bytes.length,
    ...facts,
    ownHeader: () => common.header(parts[0] as MimePart),
  }
}

function commonOf(blobId: string | null, range: Range): PartSource & Pick<Message, 'value'> {
  const sizes = new Map<number, Promise<number>>()
  return {
    blobId,
    header: async (part) => blockOf(await range(part.headerStart, part.bodyStart)),
    partSize(part) {
      const known = sizes.get(part.index) ?? sizeOf(part, range)
      sizes.set(part.index, known)
      return known
    },
    value: (part, maxBytes) => bodyValue(part, maxBytes, range),
  }
}

/** Octets of a part with its transfer encoding undone. */
async function sizeOf(part: MimePart, range: Range): Promise<number> {
  const raw = part.bodyEnd - part.bodyStart
  if (!/^(?:base64|quoted-printable|x-uuencode|uuencode|x-uue)$/.test(part.encoding)) return raw
  if (part.encoding === 'base64' && raw > MEASURE_FROM) {
    const measured = measureBase64(
      await range(part.bodyStart, part.bodyStart + EDGE),
      await range(part.bodyEnd - EDGE, part.bodyEnd),
      raw,
    )
    if (measured !== undefined) return measured
  }
  return undone(await range(part.bodyStart, part.bodyEnd), part).length
}

/**
 * The decoded size of base64 whose lines are all of one length, told from its first and last bytes: undefined where these do not agree
 * with that.
 */
export function measureBase64(head: Uint8Array, tail: Uint8Array, raw: number): number | undefined {
  const first = Buffer.from(head).toString('latin1')
  const last = Buffer.from(tail).toString('latin1')
  const line = /^([A-Za-z0-9+/]{4,})(\r?\n)/.exec(first)
  if (line === null) return undefined
  const [, text = '', end = ''] = line
  const step = text.length + end.length
  if (text.length % 4 !== 0) return undefined
  const trailing = /(?:\r?\n)*$/.exec(last)?.[0].length ?? 0
  const length = raw - trailing
  const full = Math.floor(length / step)
  const rest = length - full * step
  if (rest % 4 !== 0 || rest > text.length) return undefined
  const body = last.slice(0, last.length - trailing)
  const lines = body.split(end)
  // Every line that is whole in the tail has the same length, and the last one is what is left over.
  const whole = lines.slice(1, -1)
  if (lines.length < 2 || !whole.every((one) => one.length === text.length)) return undefined
  const lastLine = lines.at(-1) as string
  if (lastLine.length !== (rest === 0 ? text.length : rest) || !/^[A-Za-z0-9+/]*={0,2}$/.test(lastLine))
    return undefined
  if (rest === 0) return undefined
  const characters = full * text.length + rest
  const padding = /=*$/.exec(lastLine)?.[0].length ?? 0
  return (characters / 4) * 3 - padding
}

async function bodyValue(part: MimePart, maxBytes: number, range: Range): Promise<BodyValue> {
  const raw = part.bodyEnd - part.bodyStart
  const needed = maxBytes === 0 ? raw : Math.min(raw, maxBytes * ENCODED_PER_BYTE + EDGE)
  const bytes = await range(part.bodyStart, part.bodyStart + needed)
  const text = partText(bytes, { ...part, bodyStart: 0, bodyEnd: bytes.length }).replace(/\r\n/g, '\n')
  const cut = maxBytes === 0 ? text : cutText(text, maxBytes, part.subtype === 'html')
  const charset = part.charset
  return {
    value: cut,
    isEncodingProblem:
      text.includes('\ufffd') || (charset !== undefined && !isKnownCharset(charset)) || !isKnownEncoding(part.encoding),
    isTruncated: needed < raw || cut.length < text.length,
  }
}

/** At most so many bytes of UTF-8, never in the middle of a character or, in HTML, of a tag: RFC 8621 §4.2. */
export function cutText(text: string, maxBytes: number, html: boolean): string {
  if (text.length * 3 <= maxBytes) return text
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= maxBytes) return text
  let end = maxBytes
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  const cut = bytes.toString('utf8', 0, end)
  if (!html) return cut
  const open = cut.lastIndexOf('<')
  return open > cut.lastIndexOf('>') ? cut.slice(0, open) : cut
}
