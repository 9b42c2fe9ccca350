import { headerField } from './fold.ts'
import { bodyStartOf, parseHeaderFields } from './headers.ts'

export interface HeaderChanges {
  /** Names of fields to take out, every occurrence. */
  readonly remove?: readonly string[]
  /** Fields to put in front, in this order; values are encoded text, folded here. */
  readonly prepend?: readonly (readonly [name: string, value: string])[]
}

/**
 * A message with header fields taken out or put in front, every other byte as it was (DKIM and S/MIME see the same message): Bcc
 * (RFC 5322 §3.6.3), Received and Return-Path (RFC 5321 §4.4). Header blocks of any size: nothing that must go is missed.
 */
export function rewriteHeaders(bytes: Uint8Array, changes: HeaderChanges): Uint8Array {
  const front = (changes.prepend ?? []).map(([name, value]) => headerField(name, value)).join('')
  const bodyStart = bodyStartOf(bytes, 0, bytes.length)
  const fields = parseHeaderFields(bytes, 0, bodyStart, { bytes: bodyStart, fields: Number.POSITIVE_INFINITY })
  const gone = new Set((changes.remove ?? []).map((name) => name.toLowerCase()))
  const pieces: Uint8Array[] = [Buffer.from(front, 'utf8')]
  // Bytes that are no header at all become the body of the fields put in front.
  if (front !== '' && fields.length === 0 && bytes.length > 0 && bytes[0] !== 10 && bytes[0] !== 13)
    pieces.push(Buffer.from('\r\n'))
  let at = 0
  for (const field of fields) {
    if (!gone.has(field.name)) continue
    if (field.start > at) pieces.push(bytes.subarray(at, field.start))
    at = field.end
  }
  pieces.push(bytes.subarray(at))
  return Buffer.concat(pieces)
}
