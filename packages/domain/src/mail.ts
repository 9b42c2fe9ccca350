import { hash } from 'node:crypto'
import {
  conversationKey,
  conversationTopic,
  findBodies,
  type MailAddress,
  type MessageSummary,
  type MimePart,
  prepareMessage,
  readMessageIndex,
} from '@postrider/wire/mime'
import type { Attachment, NewItem, OriginalSource, Promoted, Recipient } from './item.ts'
import type { PropertyBag } from './props/bag.ts'
import { Pid } from './props/tags.ts'
import { fileTime, type PropValue } from './props/types.ts'
import { threadKeysOf } from './threads.ts'

/** Recipients kept beside an item; the original has them all. */
export const MAX_RECIPIENTS = 10_000
/** Promoted strings are cut here: they are for lists. */
export const MAX_PROMOTED = 255

const cut = (text: string): string => {
  if (text.length <= MAX_PROMOTED) return text
  const end = (text.charCodeAt(MAX_PROMOTED - 1) & 0xfc00) === 0xd800 ? MAX_PROMOTED - 1 : MAX_PROMOTED
  return text.slice(0, end)
}
const shown = (list: readonly MailAddress[]): string => cut(list.map((one) => one.name || one.address).join('; '))

/**
 * 16 bytes, hex, equal for all mails of one conversation: the thread's root (first of References, else In-Reply-To, else the mail itself)
 * and the topic without prefixes. Needs no look-up. The mailbox joins what this takes apart (threads.ts).
 */
export function conversationOf(
  summary: Pick<MessageSummary, 'references' | 'inReplyTo' | 'messageId' | 'subject'>,
): string {
  const key = conversationKey({ ...summary, topic: conversationTopic(summary.subject) })
  return hash('sha256', key).slice(0, 32)
}

export function promotedOf(summary: MessageSummary): Promoted {
  const from = summary.from[0]
  return {
    class: summary.class,
    subject: cut(summary.subject),
    fromAddress: cut((from?.address ?? '').toLowerCase()),
    fromName: cut(from === undefined ? '' : from.name || from.address),
    displayTo: shown(summary.to),
    displayCc: shown(summary.cc),
    sent: summary.date,
    messageId: cut(summary.messageId ?? ''),
    preview: cut(summary.preview),
    hasAttachments: summary.hasAttachments,
    importance: summary.importance,
    conversation: conversationOf(summary),
  }
}

export function recipientsOf(summary: MessageSummary): Recipient[] {
  const recipients: Recipient[] = []
  const add = (type: 1 | 2 | 3, list: readonly MailAddress[]): void => {
    for (const one of list) {
      if (recipients.length >= MAX_RECIPIENTS) return
      if (one.address !== '') recipients.push({ type, name: one.name, address: one.address })
    }
  }
  add(1, summary.to)
  add(2, summary.cc)
  add(3, summary.bcc)
  return recipients
}

function attachmentOf(part: MimePart, n: number, inline: boolean): Attachment {
  const embedded = part.type === 'message' && part.subtype === 'rfc822'
  const size = part.bodyEnd - part.bodyStart
  return {
    n,
    method: embedded ? 'embedded' : 'byValue',
    name: part.filename ?? '',
    type: `${part.type}/${part.subtype}`,
    ...(part.contentId === undefined ? {} : { contentId: part.contentId }),
    size: part.encoding === 'base64' ? Math.floor((size * 3) / 4) : size,
    inline,
    source: { part: part.section },
  }
}

/** The attachments of a prepared mail: saved ones first, then the pictures its HTML shows. Names may be empty. */
export function attachmentsOf(index: Uint8Array): Attachment[] {
  const prepared = readMessageIndex(index)
  // One part is the text itself, unless the mail is nothing but a file.
  if (prepared.partCount === 1 && !prepared.hasAttachments) return []
  const bodies = findBodies(prepared)
  return [
    ...bodies.attachments.map((part, i) => attachmentOf(part, i, false)),
    ...bodies.inline.map((part, i) => attachmentOf(part, bodies.attachments.length + i, true)),
  ]
}

/** Properties of a mail that are in no promoted column. */
function bagOf(summary: MessageSummary): PropertyBag {
  const bag = new Map<number, PropValue>()
  const sender = summary.sender[0]
  if (sender !== undefined && sender.address !== '') {
    bag.set(Pid.TagSenderSmtpAddress, sender.address)
    bag.set(Pid.TagSenderName, sender.name || sender.address)
  }
  if (summary.sensitivity !== 0) bag.set(Pid.TagSensitivity, summary.sensitivity)
  if (summary.inReplyTo !== undefined) bag.set(Pid.TagInReplyToId, summary.inReplyTo)
  if (summary.threadIndex !== undefined) {
    const index = Buffer.from(summary.threadIndex, 'base64')
    if (index.length >= 22) bag.set(Pid.TagConversationIndex, index)
  }
  if (summary.date !== undefined) bag.set(Pid.TagClientSubmitTime, fileTime(summary.date))
  return bag
}

export interface MailItemOptions {
  /** ms since 1970: INTERNALDATE. */
  readonly received: number
  readonly flags?: number
  readonly keywords?: readonly string[]
  /** Already staged: then the bytes are only read here and not sent again. */
  readonly original?: OriginalSource
}

/** RFC 5322 bytes → the item to add. The one way mail comes in: SMTP, APPEND, ActiveSync, import. Linear, never throws on content. */
export function mailItem(bytes: Uint8Array, options: MailItemOptions): NewItem {
  const { index, summary } = prepareMessage(bytes)
  const thread = threadKeysOf(summary)
  return {
    flags: options.flags ?? 0,
    keywords: options.keywords ?? [],
    received: options.received,
    associated: false,
    size: bytes.length,
    original: options.original ?? { bytes },
    index,
    promoted: promotedOf(summary),
    props: bagOf(summary),
    recipients: recipientsOf(summary),
    attachments: attachmentsOf(index),
    ...(thread.length === 0 ? {} : { thread }),
  }
}
