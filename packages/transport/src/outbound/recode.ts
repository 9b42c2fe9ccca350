/**
 * A message for a server that cannot take it as it is: 8-bit parts and over-long lines become quoted-printable or base64 (RFC 6152 §3,
 * RFC 5321 §4.5.3.1.6). Parts that are fine stay byte for byte.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import {
  decodeBase64,
  decodeQuotedPrintable,
  encodeBase64,
  encodeQuotedPrintable,
  HeaderFields,
  headerField,
  type MimePart,
  rewriteHeaders,
  scanMessage,
} from '@postrider/wire/mime'
import { asciiHeader } from './downgrade.ts'

/** Longest line without its CRLF. */
const MAX_LINE = 998

/** Whether a line is longer than SMTP carries. */
export function hasLongLine(bytes: Buffer): boolean {
  let at = 0
  while (bytes.length - at > MAX_LINE) {
    // Whatever lies in the first 1,000 bytes decides; jumping to the last line end there skips the short lines.
    const window = bytes.subarray(at, at + MAX_LINE + 2)
    const lf = window.lastIndexOf(10)
    if (lf < 0) return true
    at += lf + 1
  }
  return false
}

/** Whether bytes have a CR or LF alone. */
export function hasBareLineEnd(bytes: Buffer): boolean {
  let at = 0
  for (;;) {
    const cr = bytes.indexOf(13, at)
    const lf = bytes.indexOf(10, at)
    if (cr < 0 && lf < 0) return false
    if (lf !== cr + 1 || cr < 0) return true
    at = lf + 1
  }
}

/** The message with every part made 7-bit (`eightBit` false) and no line too long. */
export function recode(message: Buffer, eightBit: boolean): Buffer {
  if ((eightBit || isAscii(message)) && !hasLongLine(message)) return message
  const { parts } = scanMessage(message)
  const pieces: Uint8Array[] = []
  let at = 0
  const between = (from: number, to: number): Buffer => {
    const bytes = message.subarray(from, to)
    return eightBit ? bytes : masked(bytes)
  }
  for (const part of parts) {
    const body = message.subarray(part.bodyStart, part.bodyEnd)
    const leaf = part.firstChild < 0
    const bad = (!eightBit && !isAscii(body)) || hasLongLine(body)
    const declared = part.encoding === '8bit' || part.encoding === 'binary'
    const raw = message.subarray(part.headerStart, part.bodyStart)
    const header = eightBit || part.index === 0 || isAscii(raw) ? raw : (asciiHeader(raw) ?? masked(raw))
    if (leaf ? !bad : !(declared && !eightBit)) {
      if (header === raw) continue
      pieces.push(between(at, part.headerStart), header)
      at = part.bodyStart
      continue
    }
    pieces.push(between(at, part.headerStart))
    if (!leaf) {
      // RFC 2045 §6.4: a composite part has no encoding of its own; its parts are 7-bit now.
      pieces.push(rewriteHeaders(header, { remove: ['content-transfer-encoding'] }))
      at = part.bodyStart
      continue
    }
    const { encoding, bytes } = encoded(part, body)
    const kept = Buffer.from(rewriteHeaders(header, { remove: ['content-transfer-encoding'] }))
    // Behind the fields that are there: nothing comes before a Received line.
    const end = kept.length - (kept.at(-2) === 13 ? 2 : kept.length === 0 ? 0 : 1)
    const fields = fieldsFor(part, kept, body) + headerField('Content-Transfer-Encoding', encoding)
    pieces.push(kept.subarray(0, end), Buffer.from(`${fields}\r\n`), bytes)
    at = part.bodyEnd
  }
  pieces.push(between(at, message.length))
  return Buffer.concat(pieces)
}

/** What no encoding can carry (text before and behind the parts) loses its 8-bit octets; nobody is shown it. */
function masked(bytes: Buffer): Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes.toString('latin1').replace(/[\x80-\xff]/g, '?'), 'latin1')
}

/** A message that was no MIME until now: without these fields nobody would decode it (RFC 2045 §4). */
function fieldsFor(part: MimePart, header: Buffer, body: Buffer): string {
  if (part.index !== 0) return ''
  const present = new HeaderFields(header)
  const version = present.has('mime-version') ? '' : headerField('MIME-Version', '1.0')
  if (present.has('content-type')) return version
  // RFC 1428 §3: nobody said what the octets mean; valid UTF-8 is hardly anything else.
  const charset = isAscii(body) ? 'us-ascii' : isUtf8(body) ? 'utf-8' : 'unknown-8bit'
  return version + headerField('Content-Type', `text/plain; charset=${charset}`)
}

function encoded(part: MimePart, body: Buffer): { encoding: string; bytes: Uint8Array } {
  // What is encoded already but in lines too long is encoded anew.
  if (part.encoding === 'base64') return { encoding: 'base64', bytes: encodeBase64(decodeBase64(body)) }
  const raw = part.encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body
  return part.type === 'text'
    ? { encoding: 'quoted-printable', bytes: encodeQuotedPrintable(raw) }
    : { encoding: 'base64', bytes: encodeBase64(raw) }
}
