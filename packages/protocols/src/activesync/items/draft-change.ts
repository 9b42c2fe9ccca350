/** What a client says of a draft: [MS-ASEMAIL] §3.1.5.4 (elements), [MS-ASAIRS] §2.2.2.2 (Add), §2.2.2.21 (Delete). */
import type { MailAddress } from '@postrider/wire/mime'
import { child, children, type Element, has, isElement, ownBytes, ownText, type Tag, text } from '@postrider/wire/wbxml'
import { parseEasAddresses } from './addresses.ts'
import type { Draft, DraftAttachment } from './draft.ts'
import { BodyType } from './text.ts'

/** Characters of a subject. */
const MAX_SUBJECT = 1_000

/** What a client must not say of a mail (MS-ASEMAIL_R347, R648, R723, R1276): Status 6. */
export const forbidden: ReadonlySet<Tag> = new Set<Tag>([
  'Email2:ConversationId',
  'Email2:ConversationIndex',
  'Email2:ReceivedAsBcc',
  'Email2:Sender',
  'Email2:IsDraft',
  'Email2:LastVerbExecuted',
  'Email2:LastVerbExecutionTime',
  'AirSyncBase:BodyPart',
])

export interface DraftChange {
  readonly fields: Partial<Pick<Draft, 'to' | 'cc' | 'bcc' | 'replyTo' | 'subject' | 'importance'>>
  /** New text, in one of the two forms; the other is dropped. */
  readonly body: { readonly type: 1 | 2; readonly data: string } | undefined
  /** A whole new message. */
  readonly mime: Uint8Array | undefined
  readonly add: readonly Omit<DraftAttachment, 'n'>[]
  /** FileReferences. */
  readonly remove: readonly string[]
}

/** True when nothing of the message itself changes. */
export const isEmpty = (change: DraftChange): boolean =>
  Object.keys(change.fields).length === 0 &&
  change.body === undefined &&
  change.mime === undefined &&
  change.add.length === 0 &&
  change.remove.length === 0

/**
 * Reads the message part of ApplicationData. Undefined is Status 6: a forbidden element, a value outside its range, an attachment
 * without its required elements. A draft sent as MIME brings its header along: To, Subject and the like beside it are passed over.
 */
export function parseDraftChange(data: Element): DraftChange | undefined {
  for (const content of data.children) if (isElement(content) && forbidden.has(content.tag)) return undefined
  const body = parseBody(child(data, 'AirSyncBase:Body'))
  const attachments = parseAttachments(child(data, 'AirSyncBase:Attachments'))
  const importance = text(data, 'Email:Importance')?.trim()
  if (body === undefined || attachments === undefined) return undefined
  if (importance !== undefined && !/^[012]$/.test(importance)) return undefined
  const fields: DraftChange['fields'] = {
    ...(importance === undefined ? {} : { importance: Number(importance) as 0 | 1 | 2 }),
    ...(body.mime === undefined ? headerFields(data) : {}),
  }
  return { fields, ...body, ...attachments }
}

function headerFields(data: Element): DraftChange['fields'] {
  const people = (name: 'to' | 'cc' | 'bcc' | 'replyTo', tag: Tag): Partial<Record<typeof name, MailAddress[]>> => {
    const value = text(data, tag)
    return value === undefined ? {} : { [name]: parseEasAddresses(value) }
  }
  const subject = text(data, 'Email:Subject')
  return {
    ...people('to', 'Email:To'),
    ...people('cc', 'Email:Cc'),
    ...people('bcc', 'Email2:Bcc'),
    ...people('replyTo', 'Email:ReplyTo'),
    ...(subject === undefined ? {} : { subject: subject.slice(0, MAX_SUBJECT).toWellFormed() }),
  }
}

function parseBody(element: Element | undefined): Pick<DraftChange, 'body' | 'mime'> | undefined {
  if (element === undefined) return { body: undefined, mime: undefined }
  const type = text(element, 'AirSyncBase:Type')?.trim()
  const data = child(element, 'AirSyncBase:Data')
  switch (Number(type ?? Number.NaN)) {
    case BodyType.plain:
    case BodyType.html:
      return { body: { type: Number(type) as 1 | 2, data: data === undefined ? '' : ownText(data) }, mime: undefined }
    case BodyType.mime: {
      const mime = data === undefined ? new Uint8Array(0) : ownBytes(data)
      return mime.length === 0 ? undefined : { body: undefined, mime }
    }
    default:
      return undefined
  }
}

function parseAttachments(element: Element | undefined): Pick<DraftChange, 'add' | 'remove'> | undefined {
  const add: Omit<DraftAttachment, 'n'>[] = []
  const remove: string[] = []
  for (const one of children(element)) {
    if (one.tag === 'AirSyncBase:Add') {
      const parsed = parseAdd(one)
      if (parsed === undefined) return undefined
      add.push(parsed)
    } else if (one.tag === 'AirSyncBase:Delete') {
      const reference = text(one, 'AirSyncBase:FileReference')?.trim() ?? ''
      if (reference === '') return undefined
      remove.push(reference)
    } else return undefined
  }
  return { add, remove }
}

/** MS-ASAIRS_R1009, R1010, R1014, R1016: required elements; R1390: Method 1 or 5. */
function parseAdd(element: Element): Omit<DraftAttachment, 'n'> | undefined {
  const clientId = text(element, 'AirSyncBase:ClientId')?.trim()
  const content = child(element, 'AirSyncBase:Content')
  const name = text(element, 'AirSyncBase:DisplayName')
  const method = text(element, 'AirSyncBase:Method')?.trim()
  if (clientId === undefined || clientId === '' || content === undefined || name === undefined) return undefined
  if (method !== '1' && method !== '5') return undefined
  const contentType = text(element, 'AirSyncBase:ContentType')?.trim()
  return {
    clientId,
    input: {
      content: contentBytes(content),
      filename: name,
      contentType: method === '5' ? 'message/rfc822' : contentType === '' ? undefined : contentType,
      contentId: text(element, 'AirSyncBase:ContentId')?.trim() || undefined,
      contentLocation: text(element, 'AirSyncBase:ContentLocation')?.trim() || undefined,
      inline: has(element, 'AirSyncBase:IsInline'),
    },
  }
}

/** A byte array; a client that sends text sends it in base64, as everywhere else. */
function contentBytes(content: Element): Uint8Array {
  const bytes = ownBytes(content)
  if (content.children.some((one) => one instanceof Uint8Array)) return bytes
  const plain = Buffer.from(bytes).toString('latin1').replace(/\s+/g, '')
  return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : bytes
}
