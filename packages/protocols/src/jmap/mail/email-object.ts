/** The Email object: RFC 8621 §4.1. Each property says what of a message it needs, so that a list of fifty reads no original. */
import type { FolderId, Item, ItemColumn } from '@postrider/domain'
import { blobIdOf } from '../blobs/blob.ts'
import type { Call } from '../core/call.ts'
import { emailIdOf, mailboxIdOf, threadIdOf } from '../core/ids.ts'
import { record } from '../core/json.ts'
import * as s from '../core/shape.ts'
import { MAX_BODY_VALUE_BYTES } from '../limits.ts'
import { keywordsOf } from '../view/keywords.ts'
import type { Mail } from '../view/view.ts'
import { isSmime } from '../smime/properties.ts'
import { convenience, type HeaderProperty, headerProperty, neededHeaderProperty, writeUtcDate } from './header-forms.ts'
import { extrasOf, isExtra } from './extras.ts'
import type { Message } from './message.ts'
import {
  bodyLists,
  checkedPartProperties,
  headerList,
  headerValue,
  type Part,
  partIdOf,
  partObject,
  partTree,
} from './parts.ts'

/** RFC 8621 §4.1.1. */
export const metadata = ['id', 'blobId', 'threadId', 'mailboxIds', 'keywords', 'size', 'receivedAt'] as const
/** RFC 8621 §4.1.4. */
export const bodies = [
  'bodyStructure',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
  'hasAttachment',
  'preview',
] as const
const conveniences = Object.keys(convenience)

/** RFC 8621 §4.2. */
export const defaultEmailProperties: readonly string[] = [
  'id',
  'blobId',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
  'messageId',
  'inReplyTo',
  'references',
  'sender',
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'sentAt',
  'hasAttachment',
  'preview',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
]

/** The arguments Email/get and Email/parse share. */
export const contentArgs = {
  bodyProperties: s.maybe(s.list(s.string)),
  fetchTextBodyValues: s.optional(s.boolean, false),
  fetchHTMLBodyValues: s.optional(s.boolean, false),
  fetchAllBodyValues: s.optional(s.boolean, false),
  maxBodyValueBytes: s.optional(s.unsigned, 0),
} as const

/** Whether it is a property every Email has, or one of its header: RFC 8621 §4.1. */
export function isEmailProperty(name: string): boolean {
  if ([...metadata, ...bodies, 'headers', ...conveniences].includes(name)) return true
  const read = headerProperty(name)
  return read !== undefined && read !== 'forbidden'
}

/** What is to be answered of each email, made once a call. */
export interface Wanted {
  readonly properties: readonly string[]
  /** Convenience and header properties, by name. */
  readonly headers: ReadonlyMap<string, HeaderProperty>
  /** Field names they read; undefined when the whole header is wanted. */
  readonly fields: readonly string[] | undefined
  readonly bodyProperties: readonly string[]
  readonly fetchText: boolean
  readonly fetchHtml: boolean
  readonly fetchAll: boolean
  readonly maxBytes: number
  readonly columns: readonly ItemColumn[]
}

export function wanted(
  args: s.FieldsOf<typeof contentArgs> & { readonly properties: readonly string[] | null },
  defaults: readonly string[] = defaultEmailProperties,
  withId = true,
): Wanted {
  const properties = [...new Set([...(withId ? ['id'] : []), ...(args.properties ?? defaults)])]
  const headers = new Map<string, HeaderProperty>()
  for (const name of properties) {
    if (conveniences.includes(name)) {
      const { field, form } = convenience[name] as (typeof convenience)[string]
      headers.set(name, { property: name, field, name: field.toLowerCase(), form, all: false })
    } else if (
      !isExtra(name) &&
      !isSmime(name) &&
      !([...metadata, ...bodies, 'headers'] as readonly string[]).includes(name)
    )
      headers.set(name, neededHeaderProperty(name))
  }
  const has = (...names: readonly string[]): boolean => names.some((name) => properties.includes(name))
  const body = has('bodyStructure', 'bodyValues', 'textBody', 'htmlBody', 'attachments')
  const columns: ItemColumn[] = []
  if (has('threadId', 'hasAttachment', 'preview')) columns.push('promoted')
  if (properties.some(isExtra)) columns.push('props')
  const smime = properties.some(isSmime)
  if (body || smime || has('headers') || headers.size > 0) columns.push('index')
  if (body || smime || has('blobId', 'headers') || headers.size > 0) columns.push('original')
  return {
    properties,
    headers,
    fields: has('headers') ? undefined : [...new Set([...headers.values()].map((one) => one.name))],
    bodyProperties: checkedPartProperties(args.bodyProperties),
    fetchText: args.fetchTextBodyValues,
    fetchHtml: args.fetchHTMLBodyValues,
    fetchAll: args.fetchAllBodyValues,
    maxBytes: args.maxBodyValueBytes,
    columns,
  }
}

/** What comes from the row of the mail. */
export function metadataOf(mail: Mail, item: Item, snoozed?: FolderId): Record<string, unknown> {
  const first = mail.places[0]
  const thread = item.promoted?.conversation ?? mail.thread ?? ''
  return {
    id: emailIdOf(mail.id),
    blobId: blobIdOf(item),
    threadId: threadIdOf(thread),
    mailboxIds: record(mail.places.map((one) => [mailboxIdOf(one.folder), true] as const)),
    keywords: keywordsOf(mail),
    size: first?.size ?? 0,
    receivedAt: writeUtcDate(first?.received ?? 0),
    hasAttachment: item.promoted?.hasAttachments ?? false,
    preview: item.promoted?.preview ?? '',
    ...(item.props === undefined ? {} : extrasOf(mail, item, snoozed)),
  }
}

/** The properties a message itself has; `known` are those that are known without it. */
export async function emailObject(
  call: Call,
  message: Message,
  known: Readonly<Record<string, unknown>>,
  want: Wanted,
): Promise<Record<string, unknown>> {
  const out = record<unknown>()
  const header =
    want.headers.size > 0 || want.properties.includes('headers') ? await message.ownHeader(want.fields) : undefined
  let tree: Part | undefined
  const structure = (): Part => {
    tree ??= partTree(message.parts, message.root)
    return tree
  }
  let lists: ReturnType<typeof bodyLists> | undefined
  const body = (): ReturnType<typeof bodyLists> => {
    lists ??= bodyLists(structure())
    return lists
  }
  for (const name of want.properties) {
    const property = want.headers.get(name)
    if (property !== undefined && header !== undefined) out[name] = headerValue(header, property)
    else if (name === 'headers' && header !== undefined) out.headers = headerList(header)
    else if (name === 'bodyStructure')
      out.bodyStructure = await partObject(message, structure(), want.bodyProperties, true)
    else if (name === 'textBody' || name === 'htmlBody' || name === 'attachments')
      out[name] = await Promise.all(body()[name].map((part) => partObject(message, part, want.bodyProperties, false)))
    else if (name === 'bodyValues') out.bodyValues = await bodyValues(call, message, structure(), body(), want)
    else if (name === 'hasAttachment') out.hasAttachment = known.hasAttachment ?? message.hasAttachments
    else if (name === 'preview') out.preview = known.preview ?? message.preview
    else out[name] = known[name] ?? null
  }
  return out
}

async function bodyValues(
  call: Call,
  message: Message,
  tree: Part,
  { textBody, htmlBody }: ReturnType<typeof bodyLists>,
  want: Wanted,
): Promise<Record<string, unknown>> {
  const parts = new Set<Part>()
  const isText = (part: Part): boolean => part.mime.type === 'text'
  if (want.fetchText) for (const part of textBody.filter(isText)) parts.add(part)
  if (want.fetchHtml) for (const part of htmlBody.filter(isText)) parts.add(part)
  if (want.fetchAll) for (const part of leaves(tree)) if (isText(part)) parts.add(part)
  const out = record<unknown>()
  let left = MAX_BODY_VALUE_BYTES
  for (const { mime } of parts) {
    const limit = want.maxBytes === 0 ? left : Math.min(left, want.maxBytes)
    const value = await message.value(mime, limit)
    left = Math.max(1, left - value.value.length)
    call.spend(value.value.length)
    out[partIdOf(mime)] = value
  }
  return out
}

export function* leaves(part: Part): Generator<Part> {
  if (part.subParts === undefined) yield part
  else for (const one of part.subParts) yield* leaves(one)
}
