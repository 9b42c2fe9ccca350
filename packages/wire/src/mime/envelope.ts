import { domainToASCII } from 'node:url'
import type { RawAddressItem, RawMailbox } from './address.ts'
import { isNonAscii } from './bytes.ts'
import { imapString, nstring } from './imap-string.ts'
import { type MessageHeader, readMessageHeader } from './message-header.ts'
import type { MimeTree } from './types.ts'
import { encodeWord } from './words.ts'

/** Which octets an answer may hold: 7-bit, or UTF-8 for a client after ENABLE UTF8=ACCEPT or IMAP4rev2. */
export interface ImapTextOptions {
  readonly utf8?: boolean
}

/**
 * The ENVELOPE of a message: RFC 9051 §7.5.2, RFC 3501 §7.4.2, parentheses included. Names keep their encoded-words. Missing or empty
 * Sender and Reply-To are From; a mailbox without domain has an empty host, since NIL would mean a group.
 */
export function imapEnvelope(tree: MimeTree, options: ImapTextOptions = {}): Uint8Array {
  return Buffer.from(envelopeText(readMessageHeader(tree.header()), options.utf8 === true), 'utf8')
}

/** ENVELOPE as text for the writers of BODYSTRUCTURE and the index. */
export function envelopeText(header: MessageHeader, utf8: boolean): string {
  const from = addressText(header.from, utf8)
  const orFrom = (items: readonly RawAddressItem[]) => (items.length === 0 ? from : addressText(items, utf8))
  return `(${nstring(header.date, utf8)} ${nstring(header.subject, utf8)} ${from} ${orFrom(header.sender)} ${orFrom(
    header.replyTo,
  )} ${addressText(header.to, utf8)} ${addressText(header.cc, utf8)} ${addressText(header.bcc, utf8)} ${nstring(
    header.inReplyTo,
    utf8,
  )} ${nstring(header.messageId, utf8)})`
}

function addressText(items: readonly RawAddressItem[], utf8: boolean): string {
  if (items.length === 0) return 'NIL'
  const out = ['(']
  for (const item of items)
    if (item.kind === 'mailbox') out.push(mailboxText(item, utf8))
    else {
      out.push(`(NIL NIL ${imapString(item.rawName, utf8)} NIL)`)
      for (const member of item.members) out.push(mailboxText(member, utf8))
      out.push('(NIL NIL NIL NIL)')
    }
  out.push(')')
  return out.join('')
}

function mailboxText(mailbox: RawMailbox, utf8: boolean): string {
  const name = mailbox.rawName === '' ? 'NIL' : imapString(mailbox.rawName, utf8)
  const route = mailbox.route === '' ? 'NIL' : imapString(mailbox.route, utf8)
  let { local, domain } = mailbox
  // RFC 6858 asks for addresses an old client can show, not use: A-labels, and an encoded-word as local part.
  if (!utf8) {
    if (isNonAscii(domain)) domain = domainToASCII(domain) || encodeWord(domain)
    if (isNonAscii(local)) local = encodeWord(local)
  }
  return `(${name} ${route} ${imapString(local, utf8)} ${imapString(domain, utf8)})`
}
