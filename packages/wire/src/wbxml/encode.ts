/**
 * A document to WBXML 1.3 bytes as [MS-ASWBXML] §2.1.1 wants them: header 03 01 6A 00, no string table, text as STR_I,
 * byte arrays as OPAQUE. Invariant: what it writes, {@link decodeWbxml} and libwbxml read.
 */
import type { Content, Element } from './element.ts'
import { WbxmlError } from './error.ts'
import { type ProtocolVersion, versionIndex } from './page.ts'
import { type Tag, type TagEntry, tagEntry } from './tags.ts'

export interface EncodeOptions {
  /** The version the client speaks; without it no tag is checked. */
  readonly version?: ProtocolVersion
  /**
   * What to do with a tag the version does not know: `refuse` throws (tests, our own client), `drop` leaves the element
   * and all in it out (the server: an older client gets a valid document without the newer part). Default `refuse`.
   */
  readonly outside?: 'refuse' | 'drop'
  /** Told of every tag that was dropped. */
  readonly onDrop?: (tag: Tag) => void
}

/** Version 1.3, public identifier unknown, UTF-8, empty string table: [MS-ASWBXML] §2.1.1. */
const header = [0x03, 0x01, 0x6a, 0x00] as const
const SWITCH_PAGE = 0x00
const END = 0x01
const STR_I = 0x03
const OPAQUE = 0xc3
const CONTENT = 0x40

/** Depth at which the encoder refuses: our own documents are never deeper than a dozen. */
const depthLimit = 256

/** Characters XML 1.0 §2.2 forbids; a phone's XML reader stumbles over them, and NUL would end the string. */
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/
const forbiddenAll = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g

/** Text as it goes on the wire: without the characters XML forbids, lone surrogates replaced. */
export function wireText(text: string): string {
  const clean = forbidden.test(text) ? text.replace(forbiddenAll, '') : text
  return clean.isWellFormed() ? clean : clean.toWellFormed()
}

/**
 * Encodes a document.
 * @returns the bytes.
 * @throws {WbxmlError} `version` for a tag the version does not know (unless dropped; a dropped root always throws),
 *   `tag` for a string that is no tag, `limit` for a document deeper than 256.
 */
export function encodeWbxml(root: Element, options: EncodeOptions = {}): Buffer {
  return new Encoder(options).document(root)
}

class Encoder {
  readonly #version: number | undefined
  readonly #drop: boolean
  readonly #onDrop: ((tag: Tag) => void) | undefined
  #buffer = Buffer.allocUnsafe(1024)
  #length = 0
  #page = 0

  constructor(options: EncodeOptions) {
    this.#version = options.version === undefined ? undefined : versionIndex(options.version)
    this.#drop = options.outside === 'drop'
    this.#onDrop = options.onDrop
  }

  document(root: Element): Buffer {
    for (const byte of header) this.#byte(byte)
    const entry = this.#entry(root)
    if (!this.#knows(entry)) throw new WbxmlError('version', `${root.tag} does not exist in this version`)
    this.#element(root, entry, 1)
    return this.#buffer.subarray(0, this.#length)
  }

  #element(element: Element, entry: TagEntry, depth: number): void {
    if (depth > depthLimit) throw new WbxmlError('limit', `deeper than ${depthLimit}`)
    if (entry.page !== this.#page) {
      this.#byte(SWITCH_PAGE)
      this.#byte(entry.page)
      this.#page = entry.page
    }
    const mark = this.#length
    this.#byte(entry.token)
    const contentStart = this.#length
    for (const child of element.children) this.#content(child, depth)
    // A tag whose children were all empty or dropped is written without content: `<Tag/>`, one byte.
    if (this.#length === contentStart) return
    this.#buffer[mark] = entry.token | CONTENT
    this.#byte(END)
  }

  #content(content: Content, depth: number): void {
    if (typeof content === 'string') this.#string(content)
    else if (content instanceof Uint8Array) this.#opaque(content)
    else {
      const entry = this.#entry(content)
      if (this.#knows(entry)) this.#element(content, entry, depth + 1)
      else if (this.#drop) this.#onDrop?.(entry.tag)
      else throw new WbxmlError('version', `${content.tag} does not exist in this version`)
    }
  }

  #entry(element: Element): TagEntry {
    const entry = tagEntry(element.tag)
    if (entry === undefined) throw new WbxmlError('tag', `${element.tag} is not a tag`)
    return entry
  }

  #knows(entry: TagEntry): boolean {
    return this.#version === undefined || (this.#version >= entry.first && this.#version <= entry.last)
  }

  #string(text: string): void {
    const clean = wireText(text)
    if (clean === '') return
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(clean.length * 3 + 2)
    this.#buffer[this.#length++] = STR_I
    this.#length += this.#buffer.write(clean, this.#length, 'utf8')
    this.#buffer[this.#length++] = 0
  }

  #opaque(bytes: Uint8Array): void {
    this.#reserve(bytes.length + 6)
    this.#buffer[this.#length++] = OPAQUE
    this.#integer(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #integer(value: number): void {
    let groups = 1
    while (value >= 128 ** groups) groups++
    for (let group = groups - 1; group >= 0; group--) {
      const bits = Math.floor(value / 128 ** group) & 0x7f
      this.#buffer[this.#length++] = group > 0 ? bits | 0x80 : bits
    }
  }

  #byte(byte: number): void {
    if (this.#length === this.#buffer.length) this.#reserve(1)
    this.#buffer[this.#length++] = byte
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
