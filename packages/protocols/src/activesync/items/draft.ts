/**
 * Drafts of 16.0 and newer: [MS-ASEMAIL] §3.1.5.4. A draft is taken apart into what a client can change, changed, and written again as one
 * message; what the client did not name stays. Read next: draft-change.ts (what a client says), email-change.ts (the operations).
 */
import {
  type Attachment,
  attachmentsOf,
  type Item,
  type MailboxHandle,
  mailItem,
  type NewItem,
} from '@postrider/domain'
import {
  type AddressItem,
  type AddressLike,
  type AttachmentInput,
  buildMessage,
  decodeWords,
  type HeaderFields,
  messageIds,
  newMessageId,
  packMessageIndex,
  parseAddressList,
  summarize,
} from '@postrider/wire/mime'
import { attachmentList, contentOf, displayName } from './attachments.ts'
import { Original } from './original.ts'
import { BodyText, BodyType } from './text.ts'

/** An attachment of a draft. `n` is the number in its FileReference: it stays, whatever happens to its neighbours. */
export interface DraftAttachment {
  readonly n: number
  readonly input: AttachmentInput
  /** As the client called a new one: [MS-ASAIRS] §2.2.2.14. */
  readonly clientId: string | undefined
}

type People = readonly (AddressItem | AddressLike)[]

export interface Draft {
  readonly from: AddressLike
  readonly replyTo: People
  readonly to: People
  readonly cc: People
  readonly bcc: People
  readonly subject: string
  readonly importance: 0 | 1 | 2
  readonly messageId: string
  readonly inReplyTo: string | undefined
  readonly references: readonly string[]
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly text: string | undefined
  readonly html: string | undefined
  readonly attachments: readonly DraftAttachment[]
}

/** Fields that carry over besides those a client can change. */
const KEPT = ['thread-index', 'thread-topic', 'disposition-notification-to', 'x-mailer', 'user-agent']

export const newDraft = (from: AddressLike): Draft => ({
  from,
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  subject: '',
  importance: 1,
  messageId: newMessageId(from.address.slice(from.address.lastIndexOf('@') + 1)),
  inReplyTo: undefined,
  references: [],
  headers: [],
  text: undefined,
  html: undefined,
  attachments: [],
})

/** Takes a stored draft apart; it was read with the columns of a whole mail. */
export function readDraft(mailbox: MailboxHandle, item: Item, from: AddressLike): Promise<Draft> {
  const original = Original.of(mailbox, item)
  if (original.exists) return takeApart(mailbox, item, original, attachmentList(item), from)
  return Promise.resolve({ ...newDraft(from), subject: item.promoted?.subject ?? '' })
}

/** Takes a message apart that a client sent whole (Body of type 4). */
export function readMimeDraft(mailbox: MailboxHandle, folder: Item['folder'], bytes: Uint8Array, from: AddressLike) {
  const attachments = attachmentsOf(packMessageIndex(bytes))
  return takeApart(mailbox, { folder }, Original.from(bytes), attachments, from)
}

async function takeApart(
  mailbox: MailboxHandle,
  item: Pick<Item, 'folder'>,
  original: Original,
  list: readonly Attachment[],
  from: AddressLike,
): Promise<Draft> {
  const bodies = await original.bodies()
  const text = new BodyText(original, undefined)
  const attachments: DraftAttachment[] = []
  for (const attachment of list) {
    const content = await contentOf(mailbox, item, attachment, original)
    if (content === undefined) continue
    const { n, contentId, inline } = attachment
    const { bytes, contentType } = content
    const input = { content: bytes, contentType, filename: displayName(attachment), contentId, inline }
    attachments.push({ n, input, clientId: undefined })
  }
  return {
    ...readHeader(await original.fullHeader(), from),
    text: bodies.text === undefined ? undefined : await text.as(BodyType.plain),
    html: bodies.html === undefined ? undefined : await text.as(BodyType.html),
    attachments,
  }
}

function readHeader(header: HeaderFields, from: AddressLike): Omit<Draft, 'text' | 'html' | 'attachments'> {
  const list = (field: string) => header.all(field).flatMap((value) => parseAddressList(value))
  const author = list('from')[0]
  const fresh = newDraft(from)
  return {
    from: author?.kind === 'mailbox' && author.address !== '' ? author : from,
    replyTo: list('reply-to'),
    to: list('to'),
    cc: list('cc'),
    bcc: list('bcc'),
    subject: decodeWords(header.get('subject') ?? ''),
    importance: importanceOf(header),
    messageId: messageIds(header.get('message-id') ?? '')[0] ?? fresh.messageId,
    inReplyTo: messageIds(header.get('in-reply-to') ?? '')[0],
    references: messageIds(header.get('references') ?? ''),
    headers: KEPT.flatMap((name) => {
      const value = header.get(name)
      return value === undefined || value === '' ? [] : [[name, value] as const]
    }),
  }
}

const importanceOf = (header: HeaderFields): 0 | 1 | 2 =>
  summarize(Buffer.concat([...header.fields.map((field) => header.raw(field)), Buffer.from('\r\n')])).importance

/** True for pictures of the HTML: only those can stand in multipart/related. */
const isInline = (one: AttachmentInput, html: string | undefined): boolean =>
  one.inline === true && one.contentId !== undefined && html !== undefined

/** Writes the draft as a message. Bcc stands in it: it is the user's own copy. */
export function writeDraft(draft: Draft, now: number): Uint8Array {
  const some = (people: People): People | undefined => (people.length === 0 ? undefined : people)
  return buildMessage({
    from: [draft.from],
    replyTo: some(draft.replyTo),
    to: some(draft.to),
    cc: some(draft.cc),
    bcc: some(draft.bcc),
    subject: draft.subject,
    importance: draft.importance,
    date: now,
    messageId: draft.messageId,
    inReplyTo: draft.inReplyTo,
    references: draft.references,
    headers: draft.headers,
    text: draft.text,
    html: draft.html,
    attachments: draft.attachments.map(({ input }) => ({ ...input, inline: isInline(input, draft.html) })),
  })
}

/** The item of a written draft, its attachments numbered as in the draft. */
export function draftItem(draft: Draft, bytes: Uint8Array, options: { received: number; flags: number }): NewItem {
  const item = mailItem(bytes, options)
  const found = attachmentsOf(item.index)
  const inline = draft.attachments.filter(({ input }) => isInline(input, draft.html))
  const attached = draft.attachments.filter((one) => !inline.includes(one))
  const wanted = [...attached, ...inline]
  // Each one written is one found again, saved ones first: that is how both sides list them.
  if (found.length !== wanted.length) return item
  return { ...item, attachments: found.map((one, i) => ({ ...one, n: (wanted[i] as DraftAttachment).n })) }
}
