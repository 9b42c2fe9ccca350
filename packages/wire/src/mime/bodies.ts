import { asBuffer } from './bytes.ts'
import { decodeText, isKnownCharset } from './charset.ts'
import { isEmbedded } from './scan.ts'
import { decodeTransfer } from './transfer.ts'
import type { MessageBodies, MimePart } from './types.ts'

/** Which parts are the text a person reads, and which are attachments. */

interface Found {
  text: MimePart | undefined
  html: MimePart | undefined
  calendar: MimePart | undefined
  readonly inline: MimePart[]
  readonly attachments: MimePart[]
  readonly more: MimePart[]
}

/** Signatures are no attachments of the mail they sign: RFC 1847 §2.1. */
const SIGNATURE = /^application\/(?:(?:x-)?pkcs7-signature|pgp-signature)$/
const CALENDAR = /^(?:text\/calendar|application\/ics)$/

/**
 * Finds the bodies of a message: the best text and HTML of multipart/alternative, the root of multipart/related, the first texts of
 * multipart/mixed, the content of multipart/signed, the note of multipart/report. `root` is the part to start from (the message itself, or
 * the child of a message/rfc822 part). Nothing is lost: a part is a body, inline, in `more` or an attachment.
 */
export function findBodies(source: { readonly parts: readonly MimePart[] }, root = 0): MessageBodies {
  const found: Found = {
    text: undefined,
    html: undefined,
    calendar: undefined,
    inline: [],
    attachments: [],
    more: [],
  }
  const part = source.parts[root]
  if (part !== undefined) walk(source.parts, part, found, 'body')
  return found
}

/** Recursion is bounded by the scanner's depth limit. */
function walk(parts: readonly MimePart[], part: MimePart, found: Found, as: 'body' | 'alternative' | 'related'): void {
  if (part.type !== 'multipart' || part.firstChild < 0) {
    leaf(part, found, as)
    return
  }
  const children = childrenOf(parts, part)
  switch (part.subtype) {
    case 'alternative':
      for (const child of children) walk(parts, child, found, 'alternative')
      break
    case 'related': {
      const start = part.parameters.get('start')
      const root = children.find((child) => start !== undefined && child.contentId === start) ?? children[0]!
      walk(parts, root, found, as)
      for (const child of children) if (child !== root) walk(parts, child, found, 'related')
      break
    }
    case 'signed':
      children.forEach((child, i) => {
        if (i === 0) walk(parts, child, found, as)
        else if (!SIGNATURE.test(`${child.type}/${child.subtype}`)) walk(parts, child, found, 'body')
      })
      break
    default:
      for (const child of children) walk(parts, child, found, as === 'related' ? 'related' : 'body')
  }
}

function childrenOf(parts: readonly MimePart[], part: MimePart): MimePart[] {
  const out: MimePart[] = []
  for (let child = part.firstChild; child >= 0; child = parts[child]!.nextSibling) out.push(parts[child]!)
  return out
}

function leaf(part: MimePart, found: Found, as: 'body' | 'alternative' | 'related'): void {
  const kind = `${part.type}/${part.subtype}`
  if (part.type === 'multipart') {
    // A multipart nobody could look into: its raw text is better than nothing.
    if (part.bodyEnd > part.bodyStart) found.attachments.push(part)
    return
  }
  const calendar = CALENDAR.test(kind) && (part.type === 'text' || part.parameters.has('method'))
  if (calendar && found.calendar === undefined) {
    found.calendar = part
    // Beside an alternative the same event often comes a second time as a file.
    if (!part.isAttachment || part.parameters.has('method')) return
  }
  if (part.isAttachment && !(as === 'alternative' && part.type === 'text' && part.disposition !== 'attachment')) {
    found.attachments.push(part)
    return
  }
  if (kind === 'text/plain' || kind === 'text/html') {
    const slot = part.subtype === 'html' ? 'html' : 'text'
    const other = slot === 'html' ? 'text' : 'html'
    if (as === 'related') found.inline.push(part)
    // Outside an alternative only the first text is the body; a later one (list footer, text behind a picture) follows it.
    else if (found[slot] === undefined && (as === 'alternative' || found[other] === undefined)) found[slot] = part
    else if (as === 'alternative' && slot === 'html') found.html = part
    else found.more.push(part)
    return
  }
  if (part.type === 'text' && as === 'alternative') return
  if (part.type === 'text' && found.text === undefined && found.html === undefined && !calendar) found.text = part
  else if (as === 'related' || part.contentId !== undefined) found.inline.push(part)
  else if (isMachine(kind)) return
  else found.attachments.push(part)
}

/** Parts of reports that programs read. */
function isMachine(kind: string): boolean {
  return (
    SIGNATURE.test(kind) ||
    /^(?:message\/(?:global-)?(?:delivery-status|disposition-notification)|message\/feedback-report|text\/rfc822-headers)$/.test(
      kind,
    )
  )
}

/** The raw body of a part: a view, nothing decoded. */
export function partRaw(bytes: Uint8Array, part: MimePart): Uint8Array {
  return bytes.subarray(part.bodyStart, part.bodyEnd)
}

/** The body of a part with its transfer encoding undone (RFC 2045 §6); identity encodings give a view. */
export function partBytes(bytes: Uint8Array, part: MimePart): Uint8Array {
  if (isEmbedded(part) && !part.opaque) return partRaw(bytes, part)
  return decodeTransfer(partRaw(bytes, part), part.encoding)
}

/** Encoded bytes a text of `max` characters can take: an escape needs 3 for one, a character of UTF-8 up to 4. */
const ENCODED_PER_CHARACTER = 12

/**
 * The text of a part as Unicode: transfer encoding and charset undone. HTML without a charset in its header may name one in a meta
 * element. With `max` only about as much is decoded as that many characters need.
 */
export function partText(bytes: Uint8Array, part: MimePart, max?: number): string {
  let raw = partRaw(bytes, part)
  if (max !== undefined && raw.length > max * ENCODED_PER_CHARACTER) raw = raw.subarray(0, max * ENCODED_PER_CHARACTER)
  const decoded = decodeTransfer(raw, part.encoding)
  let charset = part.charset
  if (part.subtype === 'html' && (charset === undefined || !isKnownCharset(charset)))
    charset = metaCharset(decoded) ?? charset
  const text = decodeText(decoded, charset)
  return max !== undefined && text.length > max ? text.slice(0, max).toWellFormed() : text
}

function metaCharset(html: Uint8Array): string | undefined {
  const head = asBuffer(html).toString('latin1', 0, 1024)
  return /<meta[^>]{1,200}charset=["']?([\w.:-]{1,40})/i.exec(head)?.[1]
}
