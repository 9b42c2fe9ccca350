/**
 * A mail as the children of ApplicationData or Properties: [MS-ASEMAIL] §2.2.2, in the order Exchange writes them. The encoder
 * drops tags the client's version does not know; elements whose meaning depends on the version are decided here.
 */
import { Flag, type Item, type Recipient } from '@postrider/domain'
import { conversationTopic, decodeWords, type HeaderFields, mailboxesOf, parseAddressList } from '@postrider/wire/mime'
import { type Child, type Element, el } from '@postrider/wire/wbxml'
import type { ContentOptions, StatePart } from '../content.ts'
import type { Context } from '../context.ts'
import { atLeast } from '../version.ts'
import { easAddresses, MAX_BCC, recipientsOfType } from './addresses.ts'
import { attachmentsElement, isMeeting } from './attachments.ts'
import { BLIND_FIELDS, receivedAsBcc } from './blind.ts'
import { Bodies, bodyElement } from './body.ts'
import { categoriesElement } from './categories.ts'
import { codePage } from './codepage.ts'
import { conversationId, conversationIndex } from './conversation.ts'
import { easDate } from './dates.ts'
import { flagElement } from './flag.ts'
import { meetingRequest } from './meeting.ts'
import { Original } from './original.ts'
import { verbElements } from './verb.ts'

/** Columns a whole mail is rendered from. */
export const emailColumns = ['promoted', 'index', 'original', 'props', 'recipients', 'attachments'] as const

/** Header fields a mail is rendered from; the index keeps all of them. */
const FIELDS = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'subject', 'thread-topic', ...BLIND_FIELDS] as const

/** [MS-ASEMAIL] §2.2.2.20: R342 for mail; what Exchange says of invitations. */
const contentClass = { mail: 'urn:content-classes:message', meeting: 'urn:content-classes:calendarmessage' } as const

/** Bodies of a multipart answer: gives the number of the part that will carry these bytes. */
export type PartSink = (data: string | Uint8Array) => number

export async function renderEmail(
  context: Context,
  item: Item,
  options: ContentOptions,
  part: 'all' | 'state' | readonly StatePart[],
  sink?: PartSink,
): Promise<readonly Child[]> {
  if (part !== 'all') return renderState(context, item, part === 'state' ? allParts : part)
  const original = Original.of(context.mailbox, item)
  const header = original.exists ? await original.header(FIELDS) : undefined
  const bodies = new Bodies(item, original)
  const meeting = await meetingRequest(context, item, original)
  return [
    ...people(item, header),
    text('Email:Subject', header === undefined ? item.promoted?.subject : subjectOf(header)),
    text('Email:ReplyTo', easAddresses(addressesOf(header, 'reply-to'), ';')),
    el('Email:DateReceived', easDate(item.received)),
    text('Email:DisplayTo', item.promoted?.displayTo),
    text('Email:ThreadTopic', topicOf(item, header)),
    el('Email:Importance', item.promoted?.importance ?? 1),
    readElement(item),
    await attachmentsElement(context.mailbox.mailbox, item, original),
    ...(await bodyElements(context, bodies, options, sink)),
    el('Email:MessageClass', meeting === undefined ? messageClass(item) : item.promoted?.class),
    meeting,
    el('Email:InternetCPID', await codePageOf(original)),
    flagElement(item),
    el('Email:ContentClass', meeting === undefined ? contentClass.mail : contentClass.meeting),
    el('AirSyncBase:NativeBodyType', await bodies.text.native()),
    ...(await newer(context, item, header)),
  ]
}

const allParts: readonly StatePart[] = ['read', 'flag', 'categories', 'verb']

/** Only what a change of state touched: MS-ASEMAIL_R75, R76, R96. Nothing where the version knows none of it. */
function renderState(context: Context, item: Item, parts: readonly StatePart[]): Child[] {
  const elements: Child[] = []
  if (parts.includes('read')) elements.push(readElement(item))
  if (parts.includes('flag')) elements.push(flagElement(item))
  if (!context.since('14.0')) return elements
  if (parts.includes('verb')) elements.push(...verbElements(item))
  if (parts.includes('categories')) elements.push(categoriesElement(item.props))
  return elements
}

const readElement = (item: Item): Element => el('Email:Read', (item.flags & Flag.seen) === 0 ? 0 : 1)

const text = (tag: Parameters<typeof el>[0], value: string | undefined): Child =>
  value === undefined || value === '' ? undefined : el(tag, value)

/** Email2 and other elements of 14.0 and newer. */
async function newer(context: Context, item: Item, header: HeaderFields | undefined): Promise<Child[]> {
  if (!context.since('14.0')) return []
  const { recipients = [] } = item
  const id = conversationId(item)
  const draft = (item.flags & Flag.draft) !== 0
  return [
    id !== undefined && el('Email2:ConversationId', id),
    el('Email2:ConversationIndex', conversationIndex(item)),
    receivedAsBcc(context, item, header) && el('Email2:ReceivedAsBcc', 1),
    text('Email2:Sender', senderOf(item, header)),
    ...verbElements(item),
    categoriesElement(item.props),
    ...(context.since('16.0')
      ? [
          el('Email2:IsDraft', draft ? 1 : 0),
          text('Email2:Bcc', easAddresses(recipientsOfType(recipients, 3), ', ', MAX_BCC)),
        ]
      : []),
  ]
}

/** To, Cc and From. The header has all names and addresses; items without one have their recipients column. */
function people(item: Item, header: HeaderFields | undefined): Child[] {
  const { recipients = [], promoted } = item
  const list = (field: string, type: Recipient['type']) =>
    header === undefined ? recipientsOfType(recipients, type) : addressesOf(header, field)
  const from = addressesOf(header, 'from')
  const author = { name: promoted?.fromName ?? '', address: promoted?.fromAddress ?? '' }
  return [
    text('Email:To', easAddresses(list('to', 1))),
    text('Email:Cc', easAddresses(list('cc', 2))),
    text('Email:From', easAddresses(from.length > 0 ? from.slice(0, 1) : [author])),
  ]
}

const addressesOf = (header: HeaderFields | undefined, field: string) =>
  mailboxesOf((header?.all(field) ?? []).flatMap((value) => parseAddressList(value)))

const subjectOf = (header: HeaderFields): string => decodeWords(header.get('subject') ?? '')

/** ThreadTopic as the sender's program wrote it, else the subject without its prefixes. */
function topicOf(item: Item, header: HeaderFields | undefined): string {
  const written = header?.get('thread-topic')
  const subject = header === undefined ? (item.promoted?.subject ?? '') : subjectOf(header)
  return written === undefined || written === '' ? conversationTopic(subject) : decodeWords(written)
}

/** Only where another person sent it: MS-ASEMAIL_R726. */
function senderOf(item: Item, header: HeaderFields | undefined): string | undefined {
  const sender = addressesOf(header, 'sender')[0]
  const from = item.promoted?.fromAddress ?? ''
  if (sender === undefined || sender.address === '' || sender.address.toLowerCase() === from) return undefined
  return easAddresses([sender])
}

/** The message class of what has no MeetingRequest: a phone that is told of a meeting without one cannot show the mail at all. */
function messageClass(item: Item): string {
  const name = item.promoted?.class ?? ''
  return name === '' || isMeeting(name) ? 'IPM.Note' : name
}

async function codePageOf(original: Original): Promise<number> {
  if (!original.exists) return codePage('utf-8')
  const bodies = await original.bodies()
  return codePage((bodies.html ?? bodies.text)?.charset)
}

/** Body, BodyPart, or both: MS-ASCON_R245 to R248. */
async function bodyElements(
  context: Context,
  bodies: Bodies,
  options: ContentOptions,
  sink: PartSink | undefined,
): Promise<Child[]> {
  const { bodyPreferences, bodyPartPreference } = options
  const wantsPart = bodyPartPreference !== undefined && atLeast(context.version, '14.1')
  const elements: Child[] = []
  if (!wantsPart || bodyPreferences.length > 0) {
    const body = await bodies.choose(options)
    const number = sink === undefined || body.data === undefined ? undefined : sink(body.data)
    elements.push(bodyElement(body, context.version, number))
  }
  if (wantsPart) elements.push(await bodies.part(bodyPartPreference))
  return elements
}
