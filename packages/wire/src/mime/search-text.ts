import { findBodies, partText } from './bodies.ts'
import { htmlToText } from './html.ts'
import { MAX_SEARCH_TEXT } from './limits.ts'
import { scanMessage } from './scan.ts'
import type { MimeTree } from './types.ts'
import { decodeWords } from './words.ts'

/** The words of a message for the search index. */
export interface SearchText {
  readonly subject: string
  /** The address fields, decoded: names and addresses as they stand in From, To, Cc, Bcc, Sender and Reply-To. */
  readonly addresses: string
  readonly body: string
  readonly attachmentNames: readonly string[]
}

const ADDRESS_FIELDS = ['from', 'to', 'cc', 'bcc', 'sender', 'reply-to']
const MAX_NAMES = 500
/** Embedded messages whose text is indexed with the mail that carries them. */
const MAX_EMBEDDED = 20

/** Extracts it: bodies as text, texts of embedded messages too, attachment names; `max` characters of body text at most. */
export function searchText(bytes: Uint8Array, max = MAX_SEARCH_TEXT): SearchText {
  const tree = scanMessage(bytes)
  const header = tree.header()
  const addresses = ADDRESS_FIELDS.flatMap((name) => header.all(name)).map(decodeWords)
  const names: string[] = []
  for (const part of tree.parts) {
    if (names.length >= MAX_NAMES) break
    if (part.filename !== undefined) names.push(part.filename)
  }
  const roots = [0]
  for (const part of tree.parts) {
    if (roots.length > MAX_EMBEDDED) break
    if (part.type === 'message' && part.firstChild >= 0) roots.push(part.firstChild)
  }
  let body = ''
  for (const root of roots) {
    if (body.length >= max) break
    if (root > 0) body += `${decodeWords(tree.header(root).get('subject') ?? '')}\n`
    body += bodyOf(tree, root, max - body.length)
  }
  return {
    subject: decodeWords(header.get('subject') ?? ''),
    addresses: addresses.join('\n').slice(0, max),
    body: body.slice(0, max).toWellFormed(),
    attachmentNames: names,
  }
}

function bodyOf(tree: MimeTree, root: number, max: number): string {
  const bodies = findBodies(tree, root)
  let out = ''
  const plain = bodies.text === undefined ? '' : partText(tree.bytes, bodies.text, max)
  if (plain.trim() !== '') out = plain
  else if (bodies.html !== undefined)
    // Markup outweighs text: twice the room is read to find it.
    out = htmlToText(partText(tree.bytes, bodies.html, MAX_SEARCH_TEXT * 2), { max })
  for (const part of bodies.more) {
    if (out.length >= max) break
    const text = partText(tree.bytes, part, max - out.length)
    out += `\n${part.subtype === 'html' ? htmlToText(text) : text}`
  }
  return `${out}\n`
}
