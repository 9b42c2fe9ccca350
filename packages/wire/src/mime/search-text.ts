import { partText } from './bodies.ts'
import { type HeaderField, unfoldValue } from './headers.ts'
import { htmlToText } from './html.ts'
import { MAX_SEARCH_TEXT } from './limits.ts'
import { scanMessage } from './scan.ts'
import type { MimePart, MimeTree } from './types.ts'
import { decodeWords } from './words.ts'

/** The words of a message for the search index. */
export interface SearchText {
  readonly subject: string
  /** The address fields, decoded: names and addresses as they stand in From, To, Cc, Bcc, Sender and Reply-To. */
  readonly addresses: string
  /** Every part of type text or message (RFC 9051 §6.4.4 lets a server pass over the others only), HTML without its markup. */
  readonly body: string
  /** Header fields of parts and embedded messages, `name: value`, decoded: TEXT looks at them, BODY does not. */
  readonly partFields: readonly string[]
  readonly attachmentNames: readonly string[]
}

const ADDRESS_FIELDS = ['from', 'to', 'cc', 'bcc', 'sender', 'reply-to']
const MAX_NAMES = 500
/** Header fields of parts that are indexed, and characters of one. */
const MAX_PART_FIELDS = 2_000
const MAX_PART_FIELD = 1_000

/** Extracts it; `max` characters of body text at most. */
export function searchText(bytes: Uint8Array, max = MAX_SEARCH_TEXT): SearchText {
  const tree = scanMessage(bytes)
  const header = tree.header()
  const addresses = ADDRESS_FIELDS.flatMap((name) => header.all(name)).map(decodeWords)
  const names: string[] = []
  for (const part of tree.parts) {
    if (names.length >= MAX_NAMES) break
    if (part.filename !== undefined) names.push(part.filename)
  }
  return {
    subject: decodeWords(header.get('subject') ?? ''),
    addresses: addresses.join('\n').slice(0, max),
    body: bodyOf(tree, max).slice(0, max).toWellFormed(),
    partFields: partFieldsOf(tree),
    attachmentNames: names,
  }
}

/** A header field's value as searches see it: decoded, and a tab (what a fold often leaves) is a space. */
export function searchValue(bytes: Uint8Array, field: Pick<HeaderField, 'valueStart' | 'end'>): string {
  return decodeWords(unfoldValue(bytes, field.valueStart, field.end)).replaceAll('\t', ' ')
}

function partFieldsOf(tree: MimeTree): string[] {
  const out: string[] = []
  for (const part of tree.parts) {
    if (part.index === 0) continue
    for (const field of tree.header(part.index).fields) {
      if (out.length >= MAX_PART_FIELDS) return out
      out.push(`${field.name}: ${searchValue(tree.bytes, field)}`.slice(0, MAX_PART_FIELD).toWellFormed())
    }
  }
  return out
}

function bodyOf(tree: MimeTree, max: number): string {
  let out = ''
  let last = ''
  for (const part of tree.parts) {
    if (out.length >= max) break
    if (part.firstChild >= 0 || (part.type !== 'text' && part.type !== 'message')) continue
    const text = textOf(tree, part, max - out.length)
    // The HTML of an alternative often says the same as the text before it.
    if (part.subtype !== 'html' || collapsed(text) !== collapsed(last)) out += `${text}\n`
    last = text
  }
  return out
}

function textOf(tree: MimeTree, part: MimePart, max: number): string {
  if (part.subtype !== 'html') return partText(tree.bytes, part, max)
  // Markup outweighs text: twice the room is read to find it.
  return htmlToText(partText(tree.bytes, part, MAX_SEARCH_TEXT * 2), { max })
}

const collapsed = (text: string): string => text.replace(/\s+/g, ' ').trim()
