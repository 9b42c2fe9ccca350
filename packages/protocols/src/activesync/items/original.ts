/**
 * The stored bytes of a mail, read as little as possible: part offsets come from the item's index, bytes in ranges, and what
 * lies in the first chunk is read once.
 */
import type { Item, MailboxHandle } from '@postrider/domain'
import {
  findBodies,
  HeaderFields,
  type MessageBodies,
  type MimePart,
  partBytes,
  partText,
  readMessageIndex,
  scanMessage,
} from '@postrider/wire/mime'

/** Bytes read at once from the start of an original: header and text of most mails. */
export const HEAD_CHUNK = 64 * 1024
/**
 * Ranges read one by one; then the whole is read once and kept while the item is rendered. A packed original is unpacked for every range,
 * and a mail of 10,000 texts would have it unpacked 10,000 times (P3).
 */
const MAX_RANGES = 8

interface Source {
  /** False for items that property protocols made: they have no MIME form. */
  readonly exists: boolean
  readonly size: number
  readonly index: Uint8Array | undefined
  read(start: number, end: number): Promise<Uint8Array>
}

export class Original {
  readonly #source: Source
  #reads = 0
  #all: Promise<Uint8Array> | undefined
  #head: Promise<Uint8Array> | undefined
  #parts: Promise<readonly MimePart[]> | undefined
  #header: Promise<HeaderFields> | undefined

  private constructor(source: Source) {
    this.#source = source
  }

  /** Of an item read with columns `original` and `index`. */
  static of(mailbox: MailboxHandle, item: Item): Original {
    return new Original({
      exists: item.original !== undefined,
      size: item.size,
      index: item.index === undefined || item.index.length === 0 ? undefined : item.index,
      read: (start, end) => mailbox.original(item, start, end),
    })
  }

  /** Of bytes that are not stored yet. */
  static from(bytes: Uint8Array): Original {
    return new Original({
      exists: true,
      size: bytes.length,
      index: undefined,
      read: async (start, end) => bytes.subarray(start, end),
    })
  }

  get exists(): boolean {
    return this.#source.exists
  }

  get size(): number {
    return this.#source.size
  }

  /** Bytes `start` to `end`, fewer where the original ends. */
  async range(start: number, end: number): Promise<Uint8Array> {
    if (!this.exists || end <= start) return new Uint8Array(0)
    if (end <= HEAD_CHUNK) {
      this.#head ??= this.#source.read(0, HEAD_CHUNK)
      return (await this.#head).subarray(start, end)
    }
    if (this.#all === undefined && ++this.#reads <= MAX_RANGES) return this.#source.read(start, end)
    this.#all ??= this.#source.read(0, this.size)
    return (await this.#all).subarray(start, end)
  }

  whole(): Promise<Uint8Array> {
    return this.range(0, this.size)
  }

  parts(): Promise<readonly MimePart[]> {
    this.#parts ??= this.#readParts()
    return this.#parts
  }

  async #readParts(): Promise<readonly MimePart[]> {
    if (!this.exists) return []
    const { index } = this.#source
    return index === undefined ? scanMessage(await this.whole()).parts : readMessageIndex(index).parts
  }

  async bodies(): Promise<MessageBodies> {
    return findBodies({ parts: await this.parts() })
  }

  /** The message's header fields: from the index where it has them, else from the bytes. */
  header(names: readonly string[]): Promise<HeaderFields> {
    const { index } = this.#source
    const kept = index === undefined ? undefined : readMessageIndex(index).headerFields(names)
    return kept === undefined ? this.fullHeader() : Promise.resolve(new HeaderFields(kept))
  }

  fullHeader(): Promise<HeaderFields> {
    this.#header ??= this.#readHeader()
    return this.#header
  }

  async #readHeader(): Promise<HeaderFields> {
    const end = (await this.parts())[0]?.bodyStart ?? 0
    return new HeaderFields(await this.range(0, end))
  }

  /** The text of a part; with `max` about as much as that many characters need. */
  async text(part: MimePart, max?: number): Promise<string> {
    const raw = await this.range(part.bodyStart, part.bodyEnd)
    return partText(raw, atStart(part, raw.length), max)
  }

  /** The decoded bytes of a part. */
  async bytes(part: MimePart): Promise<Uint8Array> {
    const raw = await this.range(part.bodyStart, part.bodyEnd)
    return partBytes(raw, atStart(part, raw.length))
  }
}

/** The same part where its body is all there is. */
const atStart = (part: MimePart, length: number): MimePart => ({
  ...part,
  headerStart: 0,
  bodyStart: 0,
  bodyEnd: length,
})
