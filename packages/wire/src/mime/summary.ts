import { decodeMailboxes } from './address.ts'
import { parseDate } from './date.ts'
import type { HeaderFields } from './headers.ts'
import type { MessageHeader } from './message-header.ts'
import { messageIds } from './subject.ts'
import type { MessageSummary, MimePart } from './types.ts'
import { decodeWords } from './words.ts'

/** What the body contributes to a summary. */
export interface BodyFacts {
  readonly preview: string
  readonly hasAttachments: boolean
  readonly class: string
  readonly size: number
}

/** The summary of a message from its header and what is known of its body. Sender and replyTo are empty where the fields are. */
export function summaryOf(header: HeaderFields, fields: MessageHeader, body: BodyFacts): MessageSummary {
  const references = header.get('references')
  return {
    subject: decodeWords(fields.subject ?? ''),
    from: decodeMailboxes(fields.from),
    sender: decodeMailboxes(fields.sender),
    replyTo: decodeMailboxes(fields.replyTo),
    to: decodeMailboxes(fields.to),
    cc: decodeMailboxes(fields.cc),
    bcc: decodeMailboxes(fields.bcc),
    messageId: fields.messageId === undefined ? undefined : messageIds(fields.messageId)[0],
    inReplyTo: fields.inReplyTo === undefined ? undefined : messageIds(fields.inReplyTo)[0],
    references: references === undefined ? [] : messageIds(references),
    date: fields.date === undefined ? undefined : parseDate(fields.date),
    importance: importanceOf(header),
    sensitivity: sensitivityOf(header),
    preview: body.preview,
    hasAttachments: body.hasAttachments,
    class: body.class,
    size: body.size,
    listId: header.get('list-id'),
    autoSubmitted: header.get('auto-submitted')?.toLowerCase(),
    threadTopic: optionalWords(header.get('thread-topic')),
    threadIndex: header.get('thread-index')?.replace(/\s+/g, ''),
  }
}

function optionalWords(text: string | undefined): string | undefined {
  return text === undefined ? undefined : decodeWords(text)
}

/** Importance (RFC 2156), Priority, X-Priority and X-MSMail-Priority: [MS-OXCMAIL] §2.2.3.2.6. */
function importanceOf(header: HeaderFields): 0 | 1 | 2 {
  const named = (header.get('importance') ?? header.get('x-msmail-priority') ?? '').trim().toLowerCase()
  if (named.startsWith('high')) return 2
  if (named.startsWith('low')) return 0
  if (named !== '') return 1
  const number = /^\s*([1-5])/.exec(header.get('x-priority') ?? '')?.[1]
  if (number !== undefined) return number < '3' ? 2 : number > '3' ? 0 : 1
  const priority = (header.get('priority') ?? '').trim().toLowerCase()
  return priority === 'urgent' ? 2 : priority === 'non-urgent' ? 0 : 1
}

/** Sensitivity: RFC 2156, [MS-OXCMAIL] §2.2.3.2.7. */
function sensitivityOf(header: HeaderFields): 0 | 1 | 2 | 3 {
  const value = (header.get('sensitivity') ?? '').trim().toLowerCase()
  if (value.startsWith('personal')) return 1
  if (value.startsWith('private')) return 2
  return value.startsWith('company') ? 3 : 0
}

/** True if a person would see an attachment; those inside an embedded message do not count again. */
export function hasAttachments(parts: readonly MimePart[]): boolean {
  return parts.some((part) => part.isAttachment && !insideEmbedded(parts, part))
}

function insideEmbedded(parts: readonly MimePart[], part: MimePart): boolean {
  for (let at = part.parent; at >= 0; at = parts[at]!.parent) if (parts[at]!.type === 'message') return true
  return false
}
