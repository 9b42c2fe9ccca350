/** The lines a message gets on its way through us: RFC 5321 §4.4; and the header repair of a submission server: RFC 6409 §8. */
import type { Directory, Principal } from '@postrider/domain'
import { formatAddress, formatDate, HeaderFields, newMessageId, rewriteHeaders } from '@postrider/wire/mime'
import { domainOf } from '../core.ts'

export interface Trace {
  readonly hello: string
  readonly remoteAddress: string
  readonly by: string
  readonly protocol: string
  readonly id: string
}

/** A Received field. `for` only when there is one recipient: it must not tell one about another. */
export function receivedField(trace: Trace, recipients: readonly string[], now: number): string {
  const literal = trace.remoteAddress.includes(':') ? `[IPv6:${trace.remoteAddress}]` : `[${trace.remoteAddress}]`
  const from = trace.remoteAddress === '' ? [] : [`from ${safe(trace.hello) || 'unknown'} (${literal})`]
  const [first = ''] = recipients
  // Only in ASCII: the trace must not be what makes a message need SMTPUTF8.
  const one = recipients.length === 1 && /^[\x21-\x7e]{1,250}$/.test(first)
  const id = one ? [`id ${trace.id}`, `for <${first}>;`] : [`id ${trace.id};`]
  return folded('Received:', [...from, `by ${trace.by} (Postrider) with ${trace.protocol}`, ...id, dateOf(now)])
}

/** RFC 5322 §2.1.1. */
const SOFT_LIMIT = 78

/** Pieces of our own, each far shorter than a line may be, and none with a line break: no other care is needed. */
function folded(name: string, pieces: readonly string[]): string {
  let field = name
  let length = name.length
  for (const piece of pieces) {
    if (length + 1 + piece.length > SOFT_LIMIT && field !== name) {
      field += '\r\n'
      length = 0
    }
    field += ` ${piece}`
    length += 1 + piece.length
  }
  return `${field}\r\n`
}

/** The last second that was written: mails come many in one. */
const written = { second: -1, text: '' }

function dateOf(now: number): string {
  const second = Math.floor(now / 1000)
  if (second !== written.second) {
    written.second = second
    written.text = formatDate(now)
  }
  return written.text
}

/** The Return-Path field: the first line of what a mailbox keeps, and of what waits on the queue. */
export function returnPathField(from: string): string {
  return `Return-Path: <${from.replace(/[\x00-\x1f\x7f]/g, '')}>\r\n`
}

/** Takes our own Return-Path line off again: it does not travel (RFC 5321 §4.4). */
export function withoutReturnPath(message: Buffer): Buffer {
  if (message.subarray(0, 12).toString('latin1').toLowerCase() !== 'return-path:') return message
  const end = message.indexOf('\r\n')
  return end < 0 ? message : message.subarray(end + 2)
}

/** Puts trace fields in front of a message; one without any header gets the empty line that makes it a body. */
export function prefixed(fields: string, message: Buffer): Buffer {
  const begin = message.subarray(0, 1000).toString('latin1')
  const isHeader = message.length === 0 || /^(?:[!-9;-~]{1,900}[ \t]*:|\r?\n)/.test(begin)
  return Buffer.concat([Buffer.from(isHeader ? fields : `${fields}\r\n`, 'utf8'), message])
}

/**
 * What a submission server adds and takes away: Date, Message-ID and From where they are missing, Sender where somebody writes on behalf of
 * another, no Bcc. Everything else stays byte for byte.
 */
export function repairSubmission(message: Buffer, principal: Principal, directory: Directory, now: number): Buffer {
  const header = new HeaderFields(message)
  const prepend: [string, string][] = []
  const own = formatAddress({ name: principal.displayName, address: principal.address })
  if (!header.has('date')) prepend.push(['Date', formatDate(now)])
  if (!header.has('message-id')) prepend.push(['Message-ID', newMessageId(domainOf(principal.address))])
  const from = header.get('from')
  if (from === undefined) prepend.push(['From', own])
  else if (!header.has('sender') && writesOnBehalf(from, principal, directory)) prepend.push(['Sender', own])
  // Looked for by the rewriter itself, in headers of any size: a Bcc that is missed tells a secret.
  return Buffer.from(rewriteHeaders(message, { remove: ['bcc', 'resent-bcc', 'return-path'], prepend }))
}

function writesOnBehalf(from: string, principal: Principal, directory: Directory): boolean {
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from.trim()
  return directory.maySendAs(principal.account, address) === 'onBehalf'
}

/** A host name as a client gave it, fit for a header: nothing that could end or comment the field. */
function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9.:_[\]-]/g, '').slice(0, 255)
}
