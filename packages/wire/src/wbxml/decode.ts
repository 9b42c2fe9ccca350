/**
 * WBXML 1.3 bytes to a document: [MS-ASWBXML] §2.1, [WBXML 1.3] §5. One pass with an explicit stack, so depth costs
 * memory and never the call stack; every rule that fails is answered as a {@link WbxmlError} value.
 */
import type { Content, Element } from './element.ts'
import { WbxmlError, type WbxmlReason } from './error.ts'
import { type ProtocolVersion, versionIndex } from './page.ts'
import { pageCount, type Tag, tokenEntry } from './tags.ts'

/** Bounds of what is decoded. All are inclusive. */
export interface WbxmlLimits {
  /** Bytes of the whole document. */
  readonly bytes: number
  /** Elements inside one another, the root being 1. */
  readonly depth: number
  /** Elements in total. */
  readonly elements: number
  /** Bytes of text and byte arrays in total; string table references count each time they are used. */
  readonly text: number
}

/** The default limits: requests of Exchange's size (10 MB) and shape (deepest legal request is 11 levels). */
export const wbxmlLimits: WbxmlLimits = {
  bytes: 64 * 1024 * 1024,
  depth: 64,
  elements: 200_000,
  text: 64 * 1024 * 1024,
}

/** A token that its page does not define; the element and all in it was skipped. */
export interface UnknownToken {
  readonly page: number
  readonly token: number
  readonly offset: number
}

export interface WbxmlDocument {
  readonly root: Element
  /** Elements skipped because their token is not defined: a newer or private dialect. */
  readonly unknown: readonly UnknownToken[]
  /** Tags the given protocol version does not know; they are kept in the tree. Empty without a version. */
  readonly outside: readonly Tag[]
}

export type DecodeResult =
  | { readonly ok: true; readonly document: WbxmlDocument }
  | { readonly ok: false; readonly error: WbxmlError }

export interface DecodeOptions extends Partial<WbxmlLimits> {
  /** When given, tags outside this version are listed in {@link WbxmlDocument.outside}. */
  readonly version?: ProtocolVersion
}

/** Global tokens: [WBXML 1.3] §7.1. */
const SWITCH_PAGE = 0x00
const END = 0x01
const STR_I = 0x03
const STR_T = 0x83
const OPAQUE = 0xc3
/** Six bits of tag identity, one bit for content, one for attributes: [WBXML 1.3] §5.8. */
const CONTENT = 0x40
const ATTRIBUTES = 0x80
const IDENTITY = 0x3f

/** MIBenum values: unknown, US-ASCII, UTF-8. [MS-ASWBXML] §2.1.1 requires UTF-8; the first two are subsets in practice. */
const charsets: ReadonlySet<number> = new Set([0, 3, 106])

/** How many unknown tokens and outside tags are listed; more are only skipped. */
const reportLimit = 32

/**
 * Decodes a WBXML document.
 * @param bytes the whole document; byte arrays in the result are views into it.
 * @param options limits, and the version whose tags are expected.
 * @returns the document, or the first error with its byte offset. Never throws.
 */
export function decodeWbxml(bytes: Uint8Array, options: DecodeOptions = {}): DecodeResult {
  try {
    return { ok: true, document: new Decoder(bytes, options).document() }
  } catch (error) {
    if (error instanceof WbxmlError) return { ok: false, error }
    throw error
  }
}

/** An open element; `skipped` holds nothing and only waits for its END. */
type Open = { tag: Tag; children: Content[] } | 'skipped'

class Decoder {
  readonly #bytes: Buffer
  readonly #limits: WbxmlLimits
  readonly #version: number | undefined
  readonly #unknown: UnknownToken[] = []
  readonly #outside = new Set<Tag>()
  #at = 0
  #elements = 0
  #text = 0
  #tableStart = 0
  #tableEnd = 0

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#limits = { ...wbxmlLimits, ...options }
    this.#version = options.version === undefined ? undefined : versionIndex(options.version)
  }

  document(): WbxmlDocument {
    if (this.#bytes.length > this.#limits.bytes) this.#fail('limit', `more than ${this.#limits.bytes} bytes`)
    this.#header()
    const root = this.#body()
    return { root, unknown: this.#unknown, outside: [...this.#outside] }
  }

  /** version publicid charset strtbl: [WBXML 1.3] §5.4 to §5.6, §5.3. */
  #header(): void {
    const version = this.#byte()
    if (version < 0x01 || version > 0x03) this.#fail('header', `WBXML version ${version >> 4}.${version & 15}`, 0)
    const publicId = this.#integer()
    const publicIdIndex = publicId === 0 ? this.#integer() : undefined
    const charset = this.#integer()
    if (!charsets.has(charset)) this.#fail('header', `charset ${charset} is not UTF-8`)
    const length = this.#integer()
    if (length > this.#bytes.length - this.#at) this.#fail('truncated', 'string table longer than the document')
    this.#tableStart = this.#at
    this.#tableEnd = this.#at + length
    this.#at = this.#tableEnd
    if (publicIdIndex !== undefined) this.#tableString(publicIdIndex)
  }

  #body(): Element {
    const bytes = this.#bytes
    const stack: Open[] = []
    let root: Element | undefined
    let page = 0
    while (this.#at < bytes.length) {
      const start = this.#at
      const token = bytes[this.#at++]!
      const top = stack.length === 0 ? undefined : stack[stack.length - 1]
      if (token === END) {
        if (top === undefined) this.#fail('structure', 'END without an element', start)
        stack.pop()
      } else if (token === STR_I || token === STR_T || token === OPAQUE) {
        const content = this.#content(token)
        if (top === undefined) this.#fail('structure', 'text outside the root element', start)
        if (top !== 'skipped' && content !== '') top.children.push(content)
      } else if (token === SWITCH_PAGE) {
        page = this.#byte()
        if (page >= pageCount) this.#fail('page', `code page ${page} does not exist`, start)
      } else {
        if ((token & IDENTITY) < 5) this.#fail('forbidden', `global token 0x${token.toString(16)} is forbidden`, start)
        if ((token & ATTRIBUTES) !== 0) this.#fail('forbidden', 'attributes are forbidden', start)
        if (top === undefined && root !== undefined) this.#fail('structure', 'a second root element', start)
        const open = this.#open(page, token & IDENTITY, start)
        if (top === undefined) {
          if (open === 'skipped') this.#fail('structure', `token ${token & IDENTITY} of page ${page} as root`, start)
          root = open
        } else if (top !== 'skipped' && open !== 'skipped') {
          top.children.push(open)
        }
        if ((token & CONTENT) !== 0) {
          if (stack.length >= this.#limits.depth) this.#fail('limit', `deeper than ${this.#limits.depth}`, start)
          stack.push(top === 'skipped' ? 'skipped' : open)
        }
      }
    }
    if (stack.length > 0) this.#fail('truncated', `${stack.length} elements are not closed`)
    if (root === undefined) this.#fail('truncated', 'no root element')
    return root
  }

  #open(page: number, token: number, offset: number): Open {
    if (++this.#elements > this.#limits.elements) {
      this.#fail('limit', `more than ${this.#limits.elements} elements`, offset)
    }
    const entry = tokenEntry(page, token)
    if (entry === undefined) {
      if (this.#unknown.length < reportLimit) this.#unknown.push({ page, token, offset })
      return 'skipped'
    }
    const version = this.#version
    if (version !== undefined && (version < entry.first || version > entry.last) && this.#outside.size < reportLimit) {
      this.#outside.add(entry.tag)
    }
    return { tag: entry.tag, children: [] }
  }

  /** The string or byte array behind a token that announces one. */
  #content(token: number): string | Uint8Array {
    const bytes = this.#bytes
    if (token === STR_I) {
      const end = bytes.indexOf(0, this.#at)
      if (end < 0) this.#fail('truncated', 'string without its end')
      this.#spend(end - this.#at)
      const text = bytes.toString('utf8', this.#at, end)
      this.#at = end + 1
      return text
    }
    if (token === STR_T) return this.#tableString(this.#integer())
    const length = this.#integer()
    if (length > bytes.length - this.#at) this.#fail('truncated', 'byte array longer than the document')
    this.#spend(length)
    const view = bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return view
  }

  #tableString(index: number): string {
    const start = this.#tableStart + index
    if (start >= this.#tableEnd) this.#fail('stringTable', `reference ${index} outside the string table`)
    // The search is bounded by the table, and what it passes over is spent, so many references stay linear.
    const table = this.#bytes.subarray(start, this.#tableEnd)
    const length = table.indexOf(0)
    if (length < 0) this.#fail('stringTable', `string ${index} of the table has no end`)
    this.#spend(length + 1)
    return table.toString('utf8', 0, length)
  }

  #spend(length: number): void {
    this.#text += length
    if (this.#text > this.#limits.text) this.#fail('limit', `more than ${this.#limits.text} bytes of text`)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) this.#fail('truncated', 'the document ends inside a token')
    this.#at++
    return byte
  }

  /** mb_u_int32: seven bits a byte, most significant first, [WBXML 1.3] §5.1. */
  #integer(): number {
    let value = 0
    for (let count = 0; count < 5; count++) {
      const byte = this.#byte()
      value = value * 128 + (byte & 0x7f)
      if (value > 0xffff_ffff) break
      if ((byte & 0x80) === 0) return value
    }
    return this.#fail('integer', 'integer longer than 32 bits')
  }

  #fail(reason: WbxmlReason, message: string, offset = this.#at): never {
    throw new WbxmlError(reason, `${message} (at byte ${offset})`, offset)
  }
}
