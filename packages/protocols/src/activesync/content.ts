/**
 * The contract between the commands and the item classes (items/email.ts, later items/calendar.ts…): how an item becomes
 * the children of ApplicationData or Properties, and how a client's ApplicationData becomes operations.
 */
import type { ApplyResult, Folder, Item, ItemColumn, Operation, Submission } from '@postrider/domain'
import type { Child, Element, Tag } from '@postrider/wire/wbxml'
import { children, flag, has, integer, knowsTag, text } from '@postrider/wire/wbxml'
import type { Context } from './context.ts'
import type { EasVersion } from './version.ts'

/** airsyncbase:BodyPreference and BodyPartPreference: [MS-ASAIRS] §2.2.2.12, §2.2.2.11. */
export interface BodyPreference {
  /** 1 plain text, 2 HTML, 3 RTF, 4 MIME: [MS-ASAIRS] §2.2.2.41.4. */
  readonly type: number
  /** Bytes; undefined is no truncation. */
  readonly truncationSize: number | undefined
  readonly allOrNone: boolean
  /** Characters of Preview, 1 to 255; undefined without one. */
  readonly preview: number | undefined
}

/** What of an item a client wants: the Options of Sync, ItemOperations and Search. */
export interface ContentOptions {
  /** In the client's order; at most one of each type. */
  readonly bodyPreferences: readonly BodyPreference[]
  readonly bodyPartPreference: BodyPreference | undefined
  /** 0 never MIME, 1 only for S/MIME, 2 always: [MS-ASCMD] §2.2.3.110. */
  readonly mimeSupport: 0 | 1 | 2
  /** 0 to 8: [MS-ASCMD] §2.2.3.111. */
  readonly mimeTruncation: number | undefined
  readonly rightsManagementSupport: boolean
}

export const defaultContent: ContentOptions = {
  bodyPreferences: [],
  bodyPartPreference: undefined,
  mimeSupport: 0,
  mimeTruncation: undefined,
  rightsManagementSupport: false,
}

/** Bytes behind each MIMETruncation value; undefined is the whole: [MS-ASCMD] §2.2.3.111. */
export const mimeTruncationSizes = [0, 4096, 5120, 7168, 10240, 20480, 51200, 102400, undefined] as const

export type ContentOptionsResult =
  | { readonly ok: true; readonly options: ContentOptions }
  /**
   * A value that is none: 103 in a Sync. Of an element of AirSyncBase it is 2 for ItemOperations and Search, and for Sync 4
   * where the table of [MS-ASAIRS] §3.2.5.1 names it (`listed`), else 6.
   */
  | { readonly ok: false; readonly element: string; readonly listed?: boolean }
  /** BodyPartPreference of another type than HTML: [MS-ASCMD] §2.2.2, status 164. */
  | { readonly ok: false; readonly element: 'BodyPartPreference'; readonly status: 164 }

/**
 * Reads the content part of an Options element (Sync's, ItemOperations', Search's: MIMESupport and MIMETruncation are
 * AirSync elements in all three). What the version does not know (BodyPartPreference before 14.1) is passed over.
 */
export function parseContentOptions(options: Element | undefined, version: EasVersion): ContentOptionsResult {
  if (options === undefined) return { ok: true, options: defaultContent }
  const bodyPreferences: BodyPreference[] = []
  for (const element of children(options, 'AirSyncBase:BodyPreference')) {
    const preference = parsePreference(element)
    if (typeof preference === 'string') return wrong('BodyPreference', preference)
    // MS-ASAIRS_R349.
    if (bodyPreferences.some((other) => other.type === preference.type)) return wrong('BodyPreference', 'listed')
    bodyPreferences.push(preference)
  }
  const parts = knowsTag(version, 'AirSyncBase:BodyPartPreference')
  const [part, another] = parts ? children(options, 'AirSyncBase:BodyPartPreference') : []
  const bodyPartPreference = part === undefined ? undefined : parsePreference(part)
  if (another !== undefined) return wrong('BodyPartPreference', 'other')
  if (typeof bodyPartPreference === 'string') return wrong('BodyPartPreference', 'other')
  if (bodyPartPreference !== undefined && bodyPartPreference.type !== 2) {
    return { ok: false, element: 'BodyPartPreference', status: 164 }
  }
  const mimeSupport = integer(options, 'AirSync:MIMESupport') ?? 0
  if (mimeSupport !== 0 && mimeSupport !== 1 && mimeSupport !== 2) return { ok: false, element: 'MIMESupport' }
  const mimeTruncation = integer(options, 'AirSync:MIMETruncation')
  if (mimeTruncation !== undefined && !(mimeTruncation >= 0 && mimeTruncation <= 8)) {
    return { ok: false, element: 'MIMETruncation' }
  }
  const rightsManagementSupport = flag(options, 'RightsManagement:RightsManagementSupport') ?? false
  return {
    ok: true,
    options: { bodyPreferences, bodyPartPreference, mimeSupport, mimeTruncation, rightsManagementSupport },
  }
}

/** Children of a preference, each at most once and in this order: MS-ASAIRS_R348, R351. */
const preferenceOrder: readonly Tag[] = [
  'AirSyncBase:Type',
  'AirSyncBase:TruncationSize',
  'AirSyncBase:AllOrNone',
  'AirSyncBase:Preview',
]

/** What is wrong with a preference: named by the table of [MS-ASAIRS] §3.2.5.1, or another fault. */
type Fault = 'listed' | 'other'

const wrong = (element: string, fault: Fault): ContentOptionsResult => ({
  ok: false,
  element,
  listed: fault === 'listed',
})

function parsePreference(element: Element): BodyPreference | Fault {
  const places = children(element).map(({ tag }) => preferenceOrder.indexOf(tag))
  if (places.includes(-1)) return 'other'
  if (places.some((place, index) => place < (places[index - 1] ?? -1))) return 'listed'
  // MS-ASAIRS_R350, R351; another element that comes twice is R10027.
  if (children(element, 'AirSyncBase:AllOrNone').length > 1) return 'listed'
  if (new Set(places).size < places.length) return 'other'
  const allOrNone = flag(element, 'AirSyncBase:AllOrNone')
  if (has(element, 'AirSyncBase:AllOrNone') && allOrNone === undefined) return 'listed'
  const type = integer(element, 'AirSyncBase:Type')
  if (type === undefined || !(type >= 1 && type <= 4)) return 'other'
  const size = text(element, 'AirSyncBase:TruncationSize')?.trim()
  if (size !== undefined && !/^\d{1,10}$/.test(size)) return 'other'
  const truncationSize = size === undefined ? undefined : Number(size)
  // 4294967295 is how phones say "no truncation": [MS-ASAIRS] §2.2.2.40.2 allows the whole unsigned range.
  if (truncationSize !== undefined && truncationSize > 0xffff_ffff) return 'other'
  const preview = integer(element, 'AirSyncBase:Preview')
  if (preview !== undefined && !(preview >= 0 && preview <= 255)) return 'other'
  return {
    type,
    truncationSize: truncationSize === 0xffff_ffff ? undefined : truncationSize,
    allOrNone: allOrNone ?? false,
    preview: preview === 0 ? undefined : preview,
  }
}

/** What writing a client's Add or Change takes. */
export interface ItemWrite {
  /** Applied in one transaction; `{ operation: n }` counts within this list. */
  readonly operations: readonly Operation[]
  /**
   * After the commit: the children of ApplicationData in the response (16.x: ConversationId, attachments' FileReferences),
   * none by default. `results` holds the results of `operations`, index for index.
   */
  respond?(results: ApplyResult['results']): readonly Child[] | Promise<readonly Child[]>
  /**
   * The item leaves this folder by the write (a draft that was sent, email2:Send): Status 1 and no ServerId in the response.
   * A draft that had a ServerId is gone from the folder: its Delete goes to the client as usual.
   */
  readonly leaves?: boolean
  /**
   * Instead of `mailbox.apply(operations)`: `submitter.submit({ ...submission, also: [...operations, …] })`, one commit. A refusal
   * of the submitter becomes the response's status by `submitStatus` of compose/status.ts; `duplicate` counts as success.
   */
  readonly submission?: Omit<Submission, 'also'>
}

/** A write that cannot be done: the status of the command's response (6 conversion error, 8 not found…), or a common one. */
export interface ItemRefusal {
  readonly status: number
}

export const isRefusal = (write: ItemWrite | ItemRefusal): write is ItemRefusal => 'status' in write

/** What stood in a client's Add or Change. */
export interface ClientWrite {
  /** ApplicationData. */
  readonly data: Element
  /** email2:Send beside ApplicationData (MS-ASEMAIL_R1386): the draft is to be sent. */
  readonly send: boolean
  /**
   * What makes a send idempotent over lost replies: one string per client command, the same when the request is repeated (SyncKey
   * and ClientId or ServerId).
   */
  readonly once: string
}

/**
 * What a state change touched: [MS-ASEMAIL] §3.2.5.4.1. Only these elements go to the client when nothing else changed
 * (MS-ASEMAIL_R75, R76, R96); with `all` the whole item goes.
 */
export type StatePart = 'read' | 'flag' | 'categories' | 'verb'

/** An item class on the wire. `items/email.ts` exports `emailClass`. */
export interface ItemClass {
  /** airsync:Class: [MS-ASCMD] §2.2.3.27.5. */
  readonly name: 'Email' | 'Calendar' | 'Contacts' | 'Tasks' | 'Notes' | 'SMS'
  /** The columns of `get` that `render` reads. */
  readonly columns: readonly ItemColumn[]
  /**
   * The children of ApplicationData (Sync) or Properties (ItemOperations, Search) in the schema's terms.
   * `part` 'state' gives only what a change of flags touches (Read, Flag, Categories, LastVerb…): the server-to-client
   * Change of a mail whose content stayed; a list of parts gives just those (from `changedParts`).
   * Throws on an item that cannot be shown; the caller isolates it.
   */
  render(
    context: Context,
    item: Item,
    options: ContentOptions,
    part: 'all' | 'state' | readonly StatePart[],
  ): Promise<readonly Child[]>
  /**
   * A number (below 2^53) to keep per item in the sync state: a digest of each state part and of the content. Needs columns `props` and `promoted`.
   * `changedParts` of two marks says what to send: nothing ([]), some state parts, or the whole item.
   */
  marks?(item: Item): number
  changedParts?(before: number, after: number): 'all' | readonly StatePart[]
  /** A client's Add into `folder`. */
  add(context: Context, folder: Folder, write: ClientWrite): Promise<ItemWrite | ItemRefusal>
  /** A client's Change of `item` (read with `columns`). */
  change(context: Context, folder: Folder, item: Item, write: ClientWrite): Promise<ItemWrite | ItemRefusal>
}
