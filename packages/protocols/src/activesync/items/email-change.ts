/** A client's Add and Change of mail as operations: [MS-ASEMAIL] §3.1.5.4 and §3.2.5.4. Everything forbidden is Status 6. */
import {
  Flag,
  type Folder,
  type Item,
  type Mid,
  namedProperties,
  type NewItem,
  type Operation,
} from '@postrider/domain'
import { type AddressItem, htmlToText, toCrlf } from '@postrider/wire/mime'
import { child, type Child, type Element, el, has, isElement, ownText, type Tag } from '@postrider/wire/wbxml'
import { prepareOutgoing } from '../compose/outgoing.ts'
import { identity } from '../compose/sender.ts'
import { submissionOf } from '../compose/submit.ts'
import type { ClientWrite, ItemRefusal, ItemWrite } from '../content.ts'
import type { Context } from '../context.ts'
import { fileReference, parseFileReference } from '../ids.ts'
import { Status } from '../status.ts'
import { parseCategories } from './categories.ts'
import { conversationId, conversationIndex } from './conversation.ts'
import { type Draft, draftItem, newDraft, readDraft, readMimeDraft, writeDraft } from './draft.ts'
import { type DraftChange, isEmpty, parseDraftChange } from './draft-change.ts'
import { type FlagChange, parseFlag } from './flag.ts'
import { crlf } from './text.ts'

/** Sync's "error in client/server conversion": [MS-ASCMD] §2.2.3.177.17. */
const CONVERSION_ERROR = 6
const refused: ItemRefusal = { status: CONVERSION_ERROR }

/** What a client may change of a mail that is no draft: MS-ASEMAIL_R41. */
const stateTags: ReadonlySet<Tag> = new Set<Tag>(['Email:Read', 'Email:Flag', 'Email:Categories'])

interface StateChange {
  readonly read: boolean | undefined
  readonly flag: FlagChange | undefined
  readonly categories: readonly string[] | undefined
}

/** Read, Flag and Categories; undefined is Status 6. */
function parseState(data: Element, item: Pick<Item, 'flags' | 'props'>): StateChange | undefined {
  const read = child(data, 'Email:Read')
  // MS-ASEMAIL_R643: nothing but a boolean. MS-ASDTYPE_R6: a missing value is TRUE.
  const value = read === undefined ? undefined : ownText(read).trim()
  if (value !== undefined && !/^[01]?$/.test(value)) return undefined
  const flagElement = child(data, 'Email:Flag')
  const flag = flagElement === undefined ? undefined : parseFlag(flagElement, item)
  if (flagElement !== undefined && flag === undefined) return undefined
  const categoriesElement = child(data, 'Email:Categories')
  const categories = categoriesElement === undefined ? undefined : parseCategories(categoriesElement)
  if (categoriesElement !== undefined && categories === undefined) return undefined
  return { read: value === undefined ? undefined : value !== '0', flag, categories }
}

/** Bits to set and to clear. */
function bitsOf({ read, flag }: StateChange): { set: number; clear: number } {
  const flagged = flag?.flagged
  return {
    set: (read === true ? Flag.seen : 0) | (flagged === true ? Flag.flagged : 0),
    clear: (read === false ? Flag.seen : 0) | (flagged === false ? Flag.flagged : 0),
  }
}

/** Properties to set and to take away. */
function propsOf({ flag, categories }: StateChange): { set: Map<number, NewValue>; remove: number[] } {
  const set = new Map<number, NewValue>(flag?.set)
  const remove = [...(flag?.remove ?? [])]
  const { tag } = namedProperties.keywords
  if (categories !== undefined && categories.length > 0) set.set(tag, categories)
  else if (categories !== undefined) remove.push(tag)
  return { set, remove }
}
type NewValue = NewItem['props'] extends ReadonlyMap<number, infer Value> ? Value : never

function stateOperations(item: Item, state: StateChange): Operation[] {
  const operations: Operation[] = []
  const bits = bitsOf(state)
  if (bits.set !== 0 || bits.clear !== 0) {
    operations.push({ op: 'flag', folder: item.folder, items: { mids: [item.mid] }, ...bits })
  }
  const { set, remove } = propsOf(state)
  const gone = remove.filter((tag) => item.props?.has(tag) === true)
  if (set.size > 0 || gone.length > 0) operations.push({ op: 'update', mid: item.mid, set, remove: gone })
  return operations
}

/** Send stands beside ApplicationData (MS-ASEMAIL_R1386); the schema of Email2 lets it stand inside as well. */
const isSend = ({ data, send }: ClientWrite): boolean => send || has(data, 'Email2:Send')

/** Whether the content of an item can be changed by its owner's phone. */
const isDraft = (context: Context, folder: Folder, item: Pick<Item, 'flags'>): boolean =>
  context.since('16.0') && (folder.role === 'drafts' || (item.flags & Flag.draft) !== 0)

export async function changeEmail(
  context: Context,
  folder: Folder,
  item: Item,
  write: ClientWrite,
): Promise<ItemWrite | ItemRefusal> {
  const { data } = write
  const sending = isSend(write)
  const state = parseState(data, item)
  if (state === undefined) return refused
  if (!isDraft(context, folder, item)) {
    const other = data.children.some((content) => isElement(content) && !stateTags.has(content.tag))
    return other || sending ? refused : { operations: stateOperations(item, state) }
  }
  const change = parseDraftChange(data)
  if (change === undefined) return refused
  if (isEmpty(change) && !sending) return { operations: stateOperations(item, state) }
  const before = await readDraft(context.mailbox, item, identity(context))
  const draft = await changed(context, folder, before, change, item)
  if (draft === undefined) return refused
  if (sending) {
    const sent = send(context, draft, change, write.once)
    if ('status' in sent) return sent
    return { ...sent, operations: [{ op: 'remove', folder: item.folder, items: { mids: [item.mid] } }] }
  }
  return replace(context, item, draft, change, state)
}

export async function addEmail(context: Context, folder: Folder, write: ClientWrite): Promise<ItemWrite | ItemRefusal> {
  // Only drafts, and only from 16.0 on: MS-ASEMAIL_R1488.
  if (!context.since('16.0') || folder.role !== 'drafts') return refused
  const state = parseState(write.data, { flags: 0, props: new Map() })
  const change = parseDraftChange(write.data)
  if (state === undefined || change === undefined) return refused
  const draft = await changed(context, folder, newDraft(identity(context)), change, undefined)
  if (draft === undefined) return refused
  if (isSend(write)) return send(context, draft, change, write.once)
  const now = context.deps.clock.now()
  const item = withState(itemOf(draft, change, now, Flag.draft | Flag.seen), state)
  return {
    operations: [{ op: 'add', folder: folder.id, item }],
    respond: async ([result]) => (result?.op === 'add' ? respondTo(context, result.mid, item, draft) : []),
  }
}

/** The draft with the change in it; undefined is Status 6: a FileReference that is none of its own. */
async function changed(
  context: Context,
  folder: Folder,
  before: Draft,
  change: DraftChange,
  item: Item | undefined,
): Promise<Draft | undefined> {
  const { mailbox } = context
  const base =
    change.mime === undefined ? before : await readMimeDraft(mailbox, folder.id, change.mime, identity(context))
  const removed = new Set<number>()
  for (const reference of change.remove) {
    const parsed = parseFileReference(mailbox.mailbox, reference)
    if (parsed === undefined || parsed.mid !== item?.mid) return undefined
    if (!before.attachments.some((one) => one.n === parsed.attachment)) return undefined
    removed.add(parsed.attachment)
  }
  // Numbers go on from the highest there was, so that an old FileReference never names a new file.
  let next = Math.max(-1, ...before.attachments.map((one) => one.n), ...base.attachments.map((one) => one.n)) + 1
  const kept = base.attachments.filter((one) => change.mime !== undefined || !removed.has(one.n))
  return {
    ...base,
    ...change.fields,
    ...(change.body === undefined
      ? {}
      : change.body.type === 1
        ? { text: change.body.data, html: undefined }
        : { text: undefined, html: change.body.data }),
    attachments: [...kept, ...change.add.map((one) => ({ ...one, n: next++ }))],
  }
}

/** The bytes of a draft: a MIME message that came whole and is not changed further stays as it is. */
function bytesOf(draft: Draft, change: DraftChange, now: number): Uint8Array {
  const asItIs = change.mime !== undefined && change.add.length === 0 && Object.keys(change.fields).length === 0
  return asItIs ? toCrlf(change.mime as Uint8Array) : writeDraft(draft, now)
}

const itemOf = (draft: Draft, change: DraftChange, now: number, flags: number): NewItem =>
  draftItem(draft, bytesOf(draft, change, now), { received: now, flags })

function withState(item: NewItem, state: StateChange): NewItem {
  const { set, clear } = bitsOf(state)
  const props = propsOf(state)
  const bag = new Map([...item.props, ...props.set])
  for (const tag of props.remove) bag.delete(tag)
  return { ...item, flags: (item.flags | set) & ~clear, props: bag }
}

function replace(context: Context, item: Item, draft: Draft, change: DraftChange, state: StateChange): ItemWrite {
  const made = itemOf(draft, change, context.deps.clock.now(), item.flags | Flag.draft)
  // What others keep on the item stays: flags, categories, properties of Outlook.
  const props = new Map([...(item.props ?? []), ...made.props])
  const next = withState({ ...made, keywords: item.keywords, props }, state)
  const operation: Operation = { op: 'replace', mid: item.mid, item: next }
  return {
    operations: [operation],
    respond: async () => (change.add.length === 0 ? [] : respondTo(context, item.mid, next, draft)),
  }
}

/** ConversationId, ConversationIndex and the FileReferences of new attachments: MS-ASEMAIL_R1184, R1190, MS-ASAIRS_R1082. */
function respondTo(context: Context, mid: Mid, item: NewItem, draft: Draft): Child[] {
  const id = conversationId(item)
  const added = draft.attachments.filter((one) => one.clientId !== undefined)
  return [
    added.length > 0 &&
      el(
        'AirSyncBase:Attachments',
        added.map(({ n, clientId }) =>
          el(
            'AirSyncBase:Attachment',
            el('AirSyncBase:FileReference', fileReference(context.mailbox.mailbox, mid, n)),
            el('AirSyncBase:ClientId', clientId),
          ),
        ),
      ),
    id !== undefined && el('Email2:ConversationId', id),
    el('Email2:ConversationIndex', conversationIndex(item)),
  ]
}

/** A name that never became an address stands in a draft as a group without members. */
const unresolved = (items: readonly (AddressItem | { readonly address: string })[]): boolean =>
  items.some((one) =>
    'kind' in one && one.kind === 'group'
      ? one.members.length === 0 && !/^undisclosed[ -]recipients$/i.test(one.name)
      : false,
  )

/** Sends a draft: MS-ASEMAIL_R1389. No recipient, or one that is no address: 183 (MS-ASCMD_R7472). */
function send(context: Context, draft: Draft, change: DraftChange, once: string): ItemWrite | ItemRefusal {
  const people = [...draft.to, ...draft.cc, ...draft.bcc]
  if (unresolved(people)) return { status: Status.InvalidRecipients }
  // What leaves in HTML has a text for those who cannot show it.
  const text = draft.text ?? (draft.html === undefined ? undefined : crlf(htmlToText(draft.html)))
  const prepared = prepareOutgoing(context, bytesOf({ ...draft, text }, change, context.deps.clock.now()))
  if (!prepared.ok) {
    const recipients: readonly number[] = [Status.MessageHasNoRecipient, Status.MessageRecipientUnresolved]
    return { status: recipients.includes(prepared.status) ? Status.InvalidRecipients : prepared.status }
  }
  return {
    operations: [],
    leaves: true,
    submission: submissionOf(context, prepared.outgoing, { save: true, once: `eas/draft/${once}` }),
  }
}
