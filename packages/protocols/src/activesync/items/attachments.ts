/** airsyncbase:Attachments and the bytes behind a FileReference: [MS-ASAIRS] §2.2.2.7, §2.2.2.24, §2.2.2.31. */
import { type Attachment, attachmentsOf, type Item, type MailboxHandle, type MailboxId } from '@postrider/domain'
import { decodeWords, findBodies, HeaderFields, type MimePart, readMessageIndex } from '@postrider/wire/mime'
import { type Element, el } from '@postrider/wire/wbxml'
import { fileReference, parseFileReference } from '../ids.ts'
import { Original } from './original.ts'

/** airsyncbase:Method: 1 normal, 5 embedded message, 6 OLE. A reference to a file elsewhere is shown as a normal one. */
const methods = { byValue: 1, embedded: 5, ole: 6, reference: 1 } as const satisfies Record<
  Attachment['method'],
  number
>

/**
 * The attachments of an item with their numbers. Items keep theirs in the column; a mail whose only ones are pictures in its
 * HTML has them in its index alone. An invitation has its event as a file, because it is shown as plain mail.
 */
export function attachmentList(item: Item): readonly Attachment[] {
  const kept = item.attachments ?? []
  const index = item.index === undefined || item.index.length === 0 ? undefined : item.index
  const list = kept.length > 0 || index === undefined ? kept : attachmentsOf(index)
  if (index === undefined || !isMeeting(item.promoted?.class)) return list
  const { calendar } = findBodies(readMessageIndex(index))
  if (calendar === undefined || list.some(({ source }) => 'part' in source && source.part === calendar.section)) {
    return list
  }
  return [...list, invitation(calendar, Math.max(-1, ...list.map(({ n }) => n)) + 1)]
}

/** Message classes of scheduling: [MS-OXOCAL] §2.2.2.1. */
export const isMeeting = (messageClass: string | undefined): boolean =>
  /^IPM\.Schedule\.Meeting/i.test(messageClass ?? '')

const invitation = (part: MimePart, n: number): Attachment => ({
  n,
  method: 'byValue',
  name: part.filename ?? 'invite.ics',
  type: `${part.type}/${part.subtype}`,
  size: part.bodyEnd - part.bodyStart,
  inline: false,
  source: { part: part.section },
})

/** Endings for parts that came without a file name. */
const endings: ReadonlyMap<string, string> = new Map([
  ['message/rfc822', 'eml'],
  ['message/global', 'eml'],
  ['text/plain', 'txt'],
  ['text/html', 'html'],
  ['text/calendar', 'ics'],
  ['text/vcard', 'vcf'],
  ['image/jpeg', 'jpg'],
  ['image/png', 'png'],
  ['image/gif', 'gif'],
  ['image/svg+xml', 'svg'],
  ['application/pdf', 'pdf'],
  ['application/pkcs7-mime', 'p7m'],
  ['application/x-pkcs7-mime', 'p7m'],
])

/** The name a client shows: never empty, an embedded message ends in .eml (MS-ASAIRS_R2299). */
export function displayName(attachment: Attachment): string {
  const ending = endings.get(attachment.type) ?? 'dat'
  const name = attachment.name === '' ? `attachment${attachment.n + 1}.${ending}` : attachment.name
  return attachment.method === 'embedded' && !/\.eml$/i.test(name) ? `${name}.eml` : name
}

const bare = (contentId: string): string => contentId.trim().replace(/^<|>$/g, '')

export function attachmentElement(
  mailbox: MailboxId,
  item: Item,
  attachment: Attachment,
  location?: string | undefined,
): Element {
  return el(
    'AirSyncBase:Attachment',
    el('AirSyncBase:DisplayName', displayName(attachment)),
    el('AirSyncBase:FileReference', fileReference(mailbox, item.mid, attachment.n)),
    el('AirSyncBase:Method', methods[attachment.method]),
    el('AirSyncBase:EstimatedDataSize', attachment.size),
    attachment.contentId !== undefined && el('AirSyncBase:ContentId', bare(attachment.contentId)),
    location !== undefined && el('AirSyncBase:ContentLocation', location),
    attachment.inline && el('AirSyncBase:IsInline', 1),
  )
}

/** The Attachments element; undefined where there are none. */
export async function attachmentsElement(
  mailbox: MailboxId,
  item: Item,
  original: Original,
): Promise<Element | undefined> {
  const list = attachmentList(item)
  if (list.length === 0) return undefined
  const parts = await original.parts()
  const bySection = new Map(parts.map((part) => [part.section, part]))
  const elements: Element[] = []
  for (const one of list) {
    const part = 'part' in one.source ? bySection.get(one.source.part) : undefined
    const named = one.name === '' && part !== undefined ? await namedAfterSubject(one, part, parts, original) : one
    elements.push(attachmentElement(mailbox, item, named, part?.location))
  }
  return el('AirSyncBase:Attachments', elements)
}

/** Bytes of an embedded message's header that are looked at for its subject. */
const EMBEDDED_HEADER = 16 * 1024

/** An embedded message without a file name is called by its subject. */
async function namedAfterSubject(
  attachment: Attachment,
  part: MimePart,
  parts: readonly MimePart[],
  original: Original,
): Promise<Attachment> {
  const inner = part.firstChild < 0 ? undefined : parts[part.firstChild]
  if (attachment.method !== 'embedded' || inner === undefined) return attachment
  const end = Math.min(inner.bodyStart, inner.headerStart + EMBEDDED_HEADER)
  const header = new HeaderFields(await original.range(inner.headerStart, end))
  const subject = decodeWords(header.get('subject') ?? '')
  return {
    ...attachment,
    name: subject
      .replace(/[/\\:*?"<>|\x00-\x1f]+/g, ' ')
      .trim()
      .slice(0, 100)
      .toWellFormed(),
  }
}

/** The MIME part of an attachment that points into the original. */
export function partOf(attachment: Attachment, parts: readonly MimePart[]): MimePart | undefined {
  if (!('part' in attachment.source)) return undefined
  const { part: section } = attachment.source
  return parts.find((part) => part.section === section)
}

export interface AttachmentContent {
  readonly attachment: Attachment
  /** `image/png`; of a text with its charset, for it is not converted. */
  readonly contentType: string
  readonly bytes: Uint8Array
}

/**
 * The attachment behind a FileReference. Undefined: no reference, another mailbox's, an item or attachment that is gone, or in a
 * folder the principal may not read (the handle leaves those items out).
 */
export async function readAttachment(
  mailbox: MailboxHandle,
  reference: string | undefined,
): Promise<AttachmentContent | undefined> {
  const parsed = parseFileReference(mailbox.mailbox, reference)
  if (parsed === undefined) return undefined
  const [item] = await mailbox.get({
    by: { mids: [parsed.mid] },
    columns: ['original', 'index', 'attachments', 'promoted'],
  })
  if (item === undefined) return undefined
  const attachment = attachmentList(item).find((one) => one.n === parsed.attachment)
  return attachment === undefined ? undefined : contentOf(mailbox, item, attachment, Original.of(mailbox, item))
}

/** The bytes of one attachment of an item; `original` is the item's own. */
export async function contentOf(
  mailbox: MailboxHandle,
  item: Pick<Item, 'folder'>,
  attachment: Attachment,
  original: Original,
): Promise<AttachmentContent | undefined> {
  const { source } = attachment
  if ('blob' in source) {
    const bytes = await mailbox.original({ folder: item.folder, original: source.blob })
    return { attachment, contentType: attachment.type, bytes }
  }
  if ('embedded' in source) {
    const [embedded] = await mailbox.get({ by: { mids: [source.embedded] }, columns: ['original'] })
    if (embedded?.original === undefined) return undefined
    return { attachment, contentType: 'message/rfc822', bytes: await mailbox.original(embedded) }
  }
  const part = partOf(attachment, await original.parts())
  if (part === undefined) return undefined
  return { attachment, contentType: contentTypeOf(part), bytes: await original.bytes(part) }
}

/** It becomes a header field of an answer (GetAttachment), so nothing but tokens gets into it. */
function contentTypeOf({ type, subtype, charset }: MimePart): string {
  const name = `${type}/${subtype}`
  if (!/^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,80}$/.test(name)) return 'application/octet-stream'
  return type === 'text' && charset !== undefined && /^[\w.:+-]{1,40}$/.test(charset)
    ? `${name}; charset=${charset}`
    : name
}
