import { randomBytes } from 'node:crypto'
import { isAscii } from 'node:buffer'
import { CRLF } from './bytes.ts'
import { toCrlf } from './crlf.ts'
import { headerField, textField } from './fold.ts'
import { encodeParameter, formatParameterized, parseParameterized } from './parameters.ts'
import { encodeBase64, encodeQuotedPrintable } from './transfer.ts'

/** The pieces a message is built from: parts that render to bytes. */

/** A part ready to be written: its Content-* fields, and either its encoded body or its children. */
export interface MimeNode {
  /** Formatted fields with CRLF, without the blank line. */
  readonly fields: string
  readonly body: Uint8Array | undefined
  readonly boundary: string
  readonly children: readonly MimeNode[]
  /** True if the body holds octets above 127: enclosing parts must say 8bit (RFC 2045 §6.4). */
  readonly eightBit: boolean
}

/** A file, picture or message that goes along. */
export interface AttachmentInput {
  readonly content: Uint8Array
  /** `image/png`, parameters allowed; default application/octet-stream. */
  readonly contentType?: string | undefined
  readonly filename?: string | undefined
  /** With or without angle brackets. */
  readonly contentId?: string | undefined
  readonly contentLocation?: string | undefined
  readonly description?: string | undefined
  /** Shown inside the HTML rather than listed. */
  readonly inline?: boolean | undefined
}

/** A boundary no content can contain by accident: RFC 2046 §5.1.1; `=_` never occurs in quoted-printable or base64. */
export function newBoundary(): string {
  return `=_${randomBytes(18).toString('base64url')}`
}

/** A text part in UTF-8: 7bit if it may, else quoted-printable or base64, whichever is smaller. */
export function textPart(
  text: string,
  subtype = 'plain',
  parameters: readonly (readonly [string, string])[] = [],
): MimeNode {
  const bytes = Buffer.from(toCrlf(Buffer.from(text.toWellFormed(), 'utf8')))
  const ascii = isAscii(bytes)
  const { encoding, body } = encodeText(bytes, ascii)
  const type = formatParameterized(`text/${tokenOr(subtype, 'plain')}`, [['charset', 'utf-8'], ...parameters])
  return leafNode(headerField('Content-Type', type), encoding, body)
}

function encodeText(bytes: Uint8Array, ascii: boolean): { encoding: string; body: Uint8Array } {
  if (ascii && isPlainLines(bytes)) return { encoding: '7bit', body: bytes }
  let odd = 0
  for (const byte of bytes)
    if (byte > 126 || byte === 61 || (byte < 32 && byte !== 10 && byte !== 13 && byte !== 9)) odd++
  return odd * 3 < bytes.length || bytes.length < 64
    ? { encoding: 'quoted-printable', body: encodeQuotedPrintable(bytes) }
    : { encoding: 'base64', body: encodeBase64(bytes) }
}

/** Lines of at most 998 octets without control characters, NUL or an mbox separator: RFC 2045 §2.7. */
function isPlainLines(bytes: Uint8Array): boolean {
  let start = 0
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    if (c === 10) start = i + 1
    else if (c === 0 || c === 127 || (c < 32 && c !== 13 && c !== 9)) return false
    else if (i - start >= 997) return false
    else if (i - start === 4 && c === 32 && bytes[start] === 70 && Buffer.from(bytes.subarray(start, i)).equals(FROM))
      return false
  }
  return true
}

const FROM = Buffer.from('From')

/** A text/calendar part with its method: RFC 6047 §2.4. */
export function calendarPart(ics: string, method: string): MimeNode {
  return textPart(ics, 'calendar', [['method', tokenOr(method.toUpperCase(), 'PUBLISH')]])
}

/** An attachment or inline part; embedded messages are never encoded (RFC 2046 §5.2.1). */
export function attachmentPart(input: AttachmentInput): MimeNode {
  const { value, parameters } = parseParameterized((input.contentType ?? '').replace(/[\r\n\0]/g, ' '))
  const composite = value.startsWith('multipart/')
  const type =
    /^[!#$%&'*+\-.0-9^_`a-z{|}~]+\/[!#$%&'*+\-.0-9^_`a-z{|}~]+$/.test(value) && !composite
      ? value
      : 'application/octet-stream'
  const kept = type === value ? parameters.filter(({ name }) => name !== 'name' && !name.includes('*')) : []
  const named: [string, string][] = kept.map(({ name, value: text }) => [name, text])
  const filename = input.filename === undefined || input.filename === '' ? undefined : input.filename
  if (filename !== undefined) named.push(['name', filename])
  let fields = headerField('Content-Type', formatParameterized(type, named))
  if (input.description !== undefined) fields += textField('Content-Description', input.description)
  const disposition = [input.inline === true ? 'inline' : 'attachment']
  if (filename !== undefined) disposition.push(...encodeParameter('filename', filename))
  fields += headerField('Content-Disposition', disposition.join('; '))
  const id = input.contentId?.replace(/[<>\s\x00-\x1f\x7f-\uffff]/g, '')
  if (id !== undefined && id !== '') fields += headerField('Content-ID', `<${id}>`)
  if (input.contentLocation !== undefined) fields += textField('Content-Location', input.contentLocation)
  if (type === 'message/rfc822' || type === 'message/global') return messageNode(fields, input.content)
  if (type.startsWith('message/')) {
    const body = toCrlf(input.content)
    return isAscii(body) && isPlainLines(body) ? leafNode(fields, '7bit', body) : leafNode(fields, '8bit', body)
  }
  return leafNode(fields, 'base64', encodeBase64(input.content))
}

/** An embedded message without a file name, as in forwards and reports. */
export function messagePart(message: Uint8Array): MimeNode {
  return messageNode(headerField('Content-Type', 'message/rfc822'), message)
}

function messageNode(fields: string, message: Uint8Array): MimeNode {
  const body = toCrlf(message)
  return leafNode(fields, isAscii(body) ? '7bit' : '8bit', body)
}

function leafNode(fields: string, encoding: string, body: Uint8Array): MimeNode {
  const text = encoding === '7bit' ? fields : fields + headerField('Content-Transfer-Encoding', encoding)
  return { fields: text, body, boundary: '', children: [], eightBit: encoding === '8bit' }
}

/** A multipart of the given parts: RFC 2046 §5.1. At least one child. */
export function buildMultipart(
  subtype: string,
  children: readonly MimeNode[],
  parameters: readonly (readonly [string, string])[] = [],
  boundary = newBoundary(),
): MimeNode {
  const type = formatParameterized(`multipart/${tokenOr(subtype, 'mixed')}`, [...parameters])
  const eightBit = children.some((child) => child.eightBit)
  const fields = headerField('Content-Type', `${type}; boundary="${boundary}"`)
  return {
    fields: eightBit ? fields + headerField('Content-Transfer-Encoding', '8bit') : fields,
    body: undefined,
    boundary,
    children: children.length > 0 ? children : [textPart('')],
    eightBit,
  }
}

function tokenOr(text: string, fallback: string): string {
  return /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,60}$/.test(text) ? text : fallback
}

/** The bytes of a part: its fields, the blank line, its body. */
export function renderNode(node: MimeNode, front = ''): Uint8Array {
  const pieces: Uint8Array[] = [Buffer.from(front, 'utf8')]
  renderInto(node, pieces)
  return Buffer.concat(pieces)
}

/** Recursion follows what the caller nested, a handful of levels. */
function renderInto(node: MimeNode, pieces: Uint8Array[]): void {
  pieces.push(Buffer.from(`${node.fields}\r\n`, 'utf8'))
  if (node.body !== undefined) {
    pieces.push(node.body)
    return
  }
  for (const child of node.children) {
    pieces.push(Buffer.from(`--${node.boundary}\r\n`, 'latin1'))
    renderInto(child, pieces)
    pieces.push(CRLF)
  }
  pieces.push(Buffer.from(`--${node.boundary}--\r\n`, 'latin1'))
}
