import { randomUUID } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { parseAddressList } from './address.ts'
import { formatAddressList } from './address-format.ts'
import { formatDate } from './date.ts'
import { headerField, textField } from './fold.ts'
import {
  type AttachmentInput,
  attachmentPart,
  buildMultipart,
  calendarPart,
  type MimeNode,
  renderNode,
  textPart,
} from './multipart.ts'
import { messageIds } from './subject.ts'
import type { AddressItem, AddressLike } from './types.ts'

type People = readonly (AddressItem | AddressLike)[]

/** What a new message says; every field optional except who it is from. */
export interface MessageInput {
  readonly from: People
  readonly sender?: AddressLike | undefined
  readonly replyTo?: People | undefined
  readonly to?: People | undefined
  readonly cc?: People | undefined
  /** Written only where the caller asks for it: drafts and the sender's own copy. */
  readonly bcc?: People | undefined
  readonly subject?: string | undefined
  /** Milliseconds since 1970; default now. */
  readonly date?: number | undefined
  /** Minutes east of UTC for the Date field. */
  readonly zone?: number | undefined
  /** With angle brackets; default a new one at the first sender's domain. */
  readonly messageId?: string | undefined
  readonly inReplyTo?: string | undefined
  readonly references?: readonly string[] | undefined
  readonly importance?: 0 | 1 | 2 | undefined
  readonly sensitivity?: 0 | 1 | 2 | 3 | undefined
  /** More fields in order; names must be field names, values are text. Fields built from the input above are left out here. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined
  readonly text?: string | undefined
  readonly html?: string | undefined
  readonly calendar?: { readonly method: string; readonly ics: string } | undefined
  readonly attachments?: readonly AttachmentInput[] | undefined
  /** Instead of text, html, calendar and attachments: a body made with the pieces of multipart.ts. */
  readonly body?: MimeNode | undefined
}

/** A new message identifier: RFC 5322 §3.6.4. `domain` may be internationalised; what is no domain becomes `localhost`. */
export function newMessageId(domain: string): string {
  const ascii = domainToASCII(domain) || 'localhost'
  return `<${randomUUID()}@${/^[A-Za-z0-9.-]+$/.test(ascii) ? ascii : 'localhost'}>`
}

const OWN_FIELDS = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-id',
])
const ADDRESS_FIELDS = new Set([
  'disposition-notification-to',
  'return-receipt-to',
  'resent-from',
  'resent-to',
  'resent-cc',
  'resent-sender',
  'errors-to',
  'mail-followup-to',
])

/**
 * A message from structured input: RFC 5322, RFC 2045. CRLF line ends, lines of at most 998 octets, header lines folded at 78. Plain
 * ASCII goes as 7bit, other text as quoted-printable or base64, files as base64, embedded messages as they are. No value can add a field:
 * line breaks become spaces. Invalid addresses and field names are left out.
 */
export function buildMessage(input: MessageInput): Uint8Array {
  return renderNode(input.body ?? bodyOf(input), headerOf(input))
}

function headerOf(input: MessageInput): string {
  let out = headerField('Date', formatDate(input.date ?? Date.now(), input.zone ?? 0))
  const people = (name: string, list: People | undefined) => {
    const text = list === undefined ? '' : formatAddressList(list)
    if (text !== '') out += headerField(name, text)
  }
  people('From', input.from)
  people('Sender', input.sender === undefined ? undefined : [input.sender])
  people('Reply-To', input.replyTo)
  people('To', input.to)
  people('Cc', input.cc)
  people('Bcc', input.bcc)
  if (input.subject !== undefined) out += textField('Subject', input.subject)
  out += headerField('Message-ID', identifier(input.messageId) ?? newMessageId(domainOf(input.from)))
  const answered = identifier(input.inReplyTo)
  if (answered !== undefined) out += headerField('In-Reply-To', answered)
  const references = messageIds((input.references ?? []).join(' ')).filter(isAsciiId)
  if (references.length > 0) out += headerField('References', references.join(' '))
  if (input.importance === 2) out += 'Importance: high\r\nX-Priority: 1\r\n'
  else if (input.importance === 0) out += 'Importance: low\r\nX-Priority: 5\r\n'
  if (input.sensitivity !== undefined && input.sensitivity !== 0)
    out += headerField('Sensitivity', ['', 'Personal', 'Private', 'Company-Confidential'][input.sensitivity]!)
  for (const [name, value] of input.headers ?? []) {
    const lower = name.toLowerCase()
    if (OWN_FIELDS.has(lower)) continue
    out += ADDRESS_FIELDS.has(lower)
      ? headerField(name, formatAddressList(parseAddressList(value.replace(/[\r\n]/g, ' '))))
      : textField(name, value)
  }
  return `${out}MIME-Version: 1.0\r\n`
}

function identifier(text: string | undefined): string | undefined {
  const id = text === undefined ? undefined : messageIds(text)[0]
  return id !== undefined && isAsciiId(id) ? id : undefined
}

function isAsciiId(id: string): boolean {
  return /^<[!-;=?-~]{1,950}>$/.test(id)
}

function domainOf(from: People): string {
  const first = from[0]
  const address = first === undefined ? '' : 'address' in first ? first.address : ''
  return address.slice(address.lastIndexOf('@') + 1)
}

/** mixed( alternative( text, related( html, inline… ), calendar ), attachments… ), each layer only where it is needed. */
function bodyOf(input: MessageInput): MimeNode {
  const inline: AttachmentInput[] = []
  const attached: AttachmentInput[] = []
  for (const item of input.attachments ?? [])
    (item.inline === true && item.contentId !== undefined && input.html !== undefined ? inline : attached).push(item)
  const alternatives: MimeNode[] = []
  if (input.text !== undefined) alternatives.push(textPart(input.text))
  if (input.html !== undefined) {
    const html = textPart(input.html, 'html')
    alternatives.push(
      inline.length === 0
        ? html
        : buildMultipart('related', [html, ...inline.map(attachmentPart)], [['type', 'text/html']]),
    )
  }
  if (input.calendar !== undefined) alternatives.push(calendarPart(input.calendar.ics, input.calendar.method))
  if (alternatives.length === 0 && attached.length === 0) alternatives.push(textPart(''))
  const body = alternatives.length > 1 ? buildMultipart('alternative', alternatives) : alternatives[0]
  if (attached.length === 0) return body!
  return buildMultipart('mixed', [...(body === undefined ? [] : [body]), ...attached.map(attachmentPart)])
}
