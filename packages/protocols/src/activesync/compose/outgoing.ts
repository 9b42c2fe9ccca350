/**
 * A client's MIME made ready to leave: CRLF line ends, From and Sender set, Date and Message-ID there, Bcc out. The body is never
 * touched, so signatures hold; header fields that need no change stay byte for byte.
 */
import type { Submission } from '@postrider/domain'
import {
  bodyStartOf,
  formatAddress,
  formatAddressList,
  formatDate,
  HeaderFields,
  newMessageId,
  parseDate,
  rewriteHeaders,
  toCrlf,
} from '@postrider/wire/mime'
import type { Context } from '../context.ts'
import { Status } from '../status.ts'
import { recipientsOfHeader } from './recipients.ts'
import { authorOf } from './sender.ts'

export interface Outgoing {
  readonly from: string
  readonly recipients: Submission['recipients']
  /** What leaves. */
  readonly message: Uint8Array
  /** What is kept in Sent Items: the same with its Bcc. */
  readonly copy: Uint8Array
}

export type OutgoingResult =
  | { readonly ok: true; readonly outgoing: Outgoing }
  | { readonly ok: false; readonly status: number; readonly reason: string }

/** Fields a client has no say in. */
const NEVER = ['return-path', 'resent-bcc', 'x-envelope-from', 'delivered-to'] as const

/** More fields for a reply or forward, where the client's header lacks them. */
export type ExtraFields = readonly (readonly [name: string, value: string])[]

/** True when the bytes begin with something that is a header: MS-ASCMD_R4826. */
export function isMime(bytes: Uint8Array): boolean {
  const header = new HeaderFields(bytes)
  const first = header.fields[0]
  return first !== undefined && first.start === leadingBreaks(bytes)
}

/** Some clients send an empty line before the header. */
function leadingBreaks(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length && (bytes[at] === 13 || bytes[at] === 10)) at++
  return at
}

export function prepareOutgoing(context: Context, mime: Uint8Array, extra: ExtraFields = []): OutgoingResult {
  const bytes = toCrlf(mime.subarray(leadingBreaks(mime)))
  if (bytes.length === 0 || !isMime(bytes)) return refuse(Status.InvalidMIME, 'no header')
  const header = new HeaderFields(bytes, 0, bodyStartOf(bytes, 0, bytes.length))
  const resolved = recipientsOfHeader(header, context.deps.directory)
  if (!resolved.ok) return refuse(Status.MessageRecipientUnresolved, 'a recipient that is no address')
  if (resolved.addresses.length === 0) return refuse(Status.MessageHasNoRecipient, 'no recipient')
  const author = authorOf(context, header)
  const remove: string[] = [...NEVER, 'sender']
  const prepend: [string, string][] = []
  const replace = (name: string, value: string): void => {
    remove.push(name)
    prepend.push([name, value])
  }
  const date = header.get('date')
  if (date === undefined || parseDate(date) === undefined) replace('Date', formatDate(context.deps.clock.now()))
  if (author.from !== undefined) replace('From', formatAddress(author.from))
  if (author.sender !== undefined) prepend.push(['Sender', formatAddress(author.sender)])
  if (!/^<[^<>\s]+@[^<>\s]+>$/.test(header.get('message-id') ?? '')) {
    replace('Message-ID', newMessageId(author.envelope.slice(author.envelope.lastIndexOf('@') + 1)))
  }
  for (const [name, value] of extra) if (!header.has(name)) prepend.push([name, value])
  if (header.has('content-type') && !header.has('mime-version')) prepend.push(['MIME-Version', '1.0'])
  const bcc: [string, string][] = []
  for (const [field, items] of resolved.rewritten) {
    if (field === 'bcc') bcc.push(['Bcc', formatAddressList(items)])
    else replace(field === 'to' ? 'To' : 'Cc', formatAddressList(items))
  }
  const copy = rewriteHeaders(bytes, {
    remove: bcc.length === 0 ? remove : [...remove, 'bcc'],
    prepend: [...prepend, ...bcc],
  })
  const hasBcc = header.has('bcc')
  return {
    ok: true,
    outgoing: {
      from: author.envelope,
      recipients: resolved.addresses.map((address) => ({ address })),
      message: hasBcc ? rewriteHeaders(copy, { remove: ['bcc'] }) : copy,
      copy,
    },
  }
}

const refuse = (status: number, reason: string): OutgoingResult => ({ ok: false, status, reason })
