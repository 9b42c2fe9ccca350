/**
 * A mailbox as JMAP sees it: every mail with its places, every folder's mails newest first, conversations. Built from the folders' packed
 * columns, then kept true by the change feed; whoever looks first refreshes, so an answer never is older than the question.
 */
import {
  allColumns,
  type ChangeNumber,
  type Changes,
  type Column,
  type ColumnTypes,
  type Folder,
  type FolderId,
  goneReasons,
  type ItemId,
  MAX_GET,
  type MailboxHandle,
  type Mid,
  Right,
  type Uid,
} from '@postrider/domain'
import { MAX_DEPARTED } from '../limits.ts'
import type { MailState } from '../core/state.ts'

/** One copy of a mail in one folder. */
export interface Place {
  readonly mid: Mid
  readonly folder: FolderId
  uid: Uid
  flags: number
  keywords: readonly string[]
  size: number
  received: number
  change: number
}

/** What sorting by text needs, read when first asked for. */
export interface SortKeys {
  readonly subject: string
  readonly from: string
  readonly to: string
  readonly sent: number
}

/** A mail: JMAP's Email. Its copies in several folders are its places, the oldest first. */
export interface Mail {
  readonly id: ItemId
  places: Place[]
  /** Undefined until somebody asks for conversations. */
  thread: string | undefined
  keys: SortKeys | undefined
  /** Whether it is of S/MIME, as it was at a change. */
  smime?: { readonly change: number; readonly is: boolean }
  /** Categories and inference as they were at a change; undefined until a filter asked. */
  marks?: { readonly change: number; readonly categories: readonly string[]; readonly other: boolean }
}

/** A mail that left while the view looked on. */
export interface Departed {
  readonly change: number
  readonly id: ItemId
  readonly thread: string | undefined
}

const FEED_PAGE = 5_000
const SCAN_PAGE = 10_000
const MAX_UID = 0xffff_ffff
/** More mails than this have their conversations read folder by folder. */
const MANY_UNTHREADED = 500
/** Query results kept. */
const MAX_ANSWERS = 8
const NEWEST = (a: Mail, b: Mail): number => received(b) - received(a) || b.id - a.id
export const received = (mail: Mail): number => (mail.places[0] as Place).received

/** Mail folders: what IMAP shows as mailboxes, too. */
export const isMailFolder = (folder: Folder): boolean =>
  folder.kind === 'generic' && /^IPF\.Note(?:\.OutlookHomepage)?$/i.test(folder.class) && !hidden.has(folder.role ?? '')
const hidden: ReadonlySet<string> = new Set([
  'outbox',
  'conversationhistory',
  'rssfeeds',
  'syncissues',
  'conflicts',
  'localfailures',
  'serverfailures',
  'recoverableitemsroot',
  'recoverableitemsdeletions',
  'recoverableitemsversions',
  'recoverableitemspurges',
])

type Packed = { readonly count: number; readonly keywordSets: readonly (readonly string[])[] } & {
  readonly [C in Column]?: ColumnTypes[C]
}

export class View {
  readonly #handle: MailboxHandle
  readonly #mails = new Map<ItemId, Mail>()
  readonly #byMid = new Map<Mid, Mail>()
  readonly #sorted = new Map<FolderId, Mail[]>()
  readonly #threads = new Map<string, Set<Mail>>()
  #unthreaded = new Set<Mail>()
  #folders: readonly Folder[] = []
  #mailFolders = new Map<FolderId, Folder>()
  readonly #answers = new Map<string, { readonly change: number; readonly mails: readonly Mail[] }>()
  #departed: Departed[] = []
  readonly #departedThreads = new Map<ItemId, string>()
  #departedSince = 0
  /** Mails whose conversation is being read again, with what it was; and what others turned out to have left. */
  readonly #former = new Map<Mail, { readonly change: number; readonly thread: string }>()
  #left: { readonly change: number; readonly thread: string }[] = []
  #cursor = 0
  #highest = 0
  #built = false
  #working: Promise<void> = Promise.resolve()
  /** When it was last used; the cache's. */
  used = 0

  constructor(handle: MailboxHandle) {
    this.#handle = handle
  }

  get size(): number {
    return this.#mails.size
  }
  get state(): MailState {
    return { change: this.#cursor, highest: this.#highest, partial: undefined }
  }
  /** Folders that are mailboxes of JMAP, by id. */
  get folders(): ReadonlyMap<FolderId, Folder> {
    return this.#mailFolders
  }
  get allFolders(): readonly Folder[] {
    return this.#folders
  }

  /** Brings it up to now. Calls at the same time are done one after the other. */
  refresh(handle: MailboxHandle): Promise<this> {
    const work = this.#working.then(() => (this.#built ? this.#follow(handle) : this.#build(handle)))
    this.#working = work.catch(() => {})
    return work.then(() => this)
  }

  mail(id: ItemId): Mail | undefined {
    return this.#mails.get(id)
  }
  byMid(mid: number): Mail | undefined {
    return this.#byMid.get(mid as Mid)
  }
  all(): Iterable<Mail> {
    return this.#mails.values()
  }

  /** The mails of a folder, newest first. Not to be changed. */
  inFolder(folder: FolderId): readonly Mail[] {
    const known = this.#sorted.get(folder)
    if (known === undefined) return []
    return known
  }
  /** Every mail, newest first. */
  newest(): readonly Mail[] {
    return [...this.#mails.values()].sort(NEWEST)
  }

  /** Mails of one conversation, oldest first. Conversations must have been read. */
  thread(conversation: string): readonly Mail[] {
    const mails = this.#threads.get(conversation)
    return mails === undefined ? [] : [...mails].sort((a, b) => received(a) - received(b) || a.id - b.id)
  }
  threadSet(conversation: string): ReadonlySet<Mail> {
    return this.#threads.get(conversation) ?? new Set()
  }

  /** The results of a query that were found at the change number the view is still at. */
  answered(key: string): readonly Mail[] | undefined {
    const found = this.#answers.get(key)
    return found?.change === this.#cursor ? found.mails : undefined
  }
  /** Keeps results found at `change`, a few. */
  keep(key: string, change: number, mails: readonly Mail[]): void {
    if (change !== this.#cursor) return
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear()
    this.#answers.set(key, { change, mails })
  }

  /** All conversations. They must have been read. */
  conversations(): Iterable<ReadonlySet<Mail>> {
    return this.#threads.values()
  }

  /** What left after `change`; undefined when that cannot be known any more. */
  departedAfter(change: number): readonly Departed[] | undefined {
    if (change < this.#departedSince) return undefined
    return this.#departed.filter((one) => one.change > change)
  }

  /** Conversations that mails left for another one after `change`, while the view looked on; the newest. */
  leftAfter(change: number): readonly string[] {
    return this.#left.filter((one) => one.change > change).map((one) => one.thread)
  }

  /** The conversation of a mail that left while the view looked on. */
  departedThread(id: ItemId): string | undefined {
    return this.#departedThreads.get(id)
  }

  async #build(handle: MailboxHandle): Promise<void> {
    const info = await handle.info()
    await this.#readFolders(handle)
    for (const folder of this.#mailFolders.values()) {
      // In pages, so that a large folder never holds the event loop.
      for (let from = 1; from <= MAX_UID; ) {
        const rows = await handle.scan({
          folder: folder.id,
          columns: allColumns,
          uids: [from, MAX_UID],
          limit: SCAN_PAGE,
        })
        this.#take(rows, false)
        if (rows.count < SCAN_PAGE) break
        from = (rows.uid[rows.count - 1] as number) + 1
      }
    }
    for (const [folder, mails] of this.#sorted) this.#sorted.set(folder, mails.sort(NEWEST))
    this.#cursor = info.change
    this.#departedSince = info.change
    this.#built = true
    // What was written between the number and the rows comes again, and is the same.
    if (handle.full) await this.#follow(handle)
  }

  async #readFolders(handle: MailboxHandle): Promise<void> {
    this.#folders = await handle.folders()
    const mailFolders = this.#folders.filter(isMailFolder)
    // A folder one sees and may not read shows nothing here.
    const readable = await Promise.all(
      mailFolders.map(async ({ id }) => handle.full || ((await handle.rights(id)) & Right.readAny) !== 0),
    )
    this.#mailFolders = new Map(mailFolders.flatMap((folder, i) => (readable[i] ? [[folder.id, folder] as const] : [])))
    for (const folder of this.#folders) this.#highest = Math.max(this.#highest, folder.id)
    for (const id of this.#mailFolders.keys()) if (!this.#sorted.has(id)) this.#sorted.set(id, [])
  }

  async #follow(handle: MailboxHandle): Promise<void> {
    if (!handle.full) {
      // Rights come and go without a change number.
      const before = [...this.#mailFolders.keys()].join()
      await this.#readFolders(handle)
      if ([...this.#mailFolders.keys()].join() !== before) {
        this.#forget()
        return this.#build(handle)
      }
    }
    for (;;) {
      const feed = await readFeed(handle, this.#cursor, FEED_PAGE, [...this.#mailFolders.keys()])
      if (feed.resync) {
        this.#forget()
        return this.#build(handle)
      }
      // Counters and names of folders move with every change.
      if (feed.upTo > this.#cursor) await this.#readFolders(handle)
      this.#take(feed.items, true)
      const { gone } = feed
      for (let i = 0; i < gone.count; i++) {
        this.#highest = Math.max(this.#highest, gone.mid[i] as number)
        if (goneReasons[gone.why[i] as number] === 'renumbered') continue
        this.#leave(gone.mid[i] as Mid, gone.change[i] as number)
      }
      this.#cursor = Math.max(this.#cursor, feed.upTo)
      if (!feed.more) return
    }
  }

  #forget(): void {
    this.#mails.clear()
    this.#byMid.clear()
    this.#sorted.clear()
    this.#threads.clear()
    this.#unthreaded = new Set()
    this.#departed = []
    this.#departedThreads.clear()
    this.#former.clear()
    this.#left = []
    this.#built = false
  }

  #take(rows: Packed, ordered: boolean): void {
    const { mid, itemId, folder, uid, flags, keywords, size, received, change, associated } = rows
    for (let i = 0; i < rows.count; i++) {
      const id = itemId?.[i] as ItemId
      const at = mid?.[i] as Mid
      this.#highest = Math.max(this.#highest, at, id)
      if (associated?.[i] === 1 || !this.#mailFolders.has(folder?.[i] as FolderId)) continue
      const place: Place = {
        mid: at,
        folder: folder?.[i] as FolderId,
        uid: uid?.[i] as Uid,
        flags: flags?.[i] as number,
        keywords: rows.keywordSets[keywords?.[i] as number] ?? [],
        size: size?.[i] as number,
        received: received?.[i] as number,
        change: change?.[i] as number,
      }
      this.#put(id, place, ordered)
    }
  }

  #put(id: ItemId, place: Place, ordered: boolean): void {
    const mail = this.#mails.get(id)
    if (mail === undefined) {
      const made: Mail = { id, places: [place], thread: undefined, keys: undefined }
      this.#mails.set(id, made)
      this.#byMid.set(place.mid, made)
      this.#unthreaded.add(made)
      this.#shelve(made, place.folder, ordered)
      return
    }
    const known = mail.places.find((one) => one.mid === place.mid)
    if (known !== undefined) {
      // A new UID in place: the content is another one.
      if (known.uid !== place.uid) this.#unread(mail, place.change)
      const moved = known.received !== place.received && ordered
      if (moved) for (const one of mail.places) this.#unshelve(mail, one.folder)
      Object.assign(known, place)
      if (moved) for (const one of mail.places) this.#shelve(mail, one.folder, true)
      return
    }
    const first = mail.places[0] as Place
    const reorder = place.mid < first.mid && place.received !== first.received && ordered
    if (reorder) for (const one of mail.places) this.#unshelve(mail, one.folder)
    const here = mail.places.some((one) => one.folder === place.folder)
    mail.places = [...mail.places, place].sort((a, b) => a.mid - b.mid)
    this.#byMid.set(place.mid, mail)
    if (reorder) for (const folder of new Set(mail.places.map((one) => one.folder))) this.#shelve(mail, folder, true)
    else if (!here) this.#shelve(mail, place.folder, ordered)
  }

  #unread(mail: Mail, change: number): void {
    if (mail.thread !== undefined) {
      this.#former.set(mail, { change, thread: mail.thread })
      this.#unthread(mail)
    }
    mail.thread = undefined
    mail.keys = undefined
    this.#unthreaded.add(mail)
  }

  #unthread(mail: Mail): void {
    const set = this.#threads.get(mail.thread as string)
    set?.delete(mail)
    if (set?.size === 0) this.#threads.delete(mail.thread as string)
  }

  #leave(mid: Mid, change: number): void {
    const mail = this.#byMid.get(mid)
    if (mail === undefined) return
    this.#byMid.delete(mid)
    const place = mail.places.find((one) => one.mid === mid) as Place
    const rest = mail.places.filter((one) => one !== place)
    const folders = new Set(mail.places.map((one) => one.folder))
    for (const folder of folders) this.#unshelve(mail, folder)
    if (rest.length > 0) {
      mail.places = rest
      for (const folder of new Set(rest.map((one) => one.folder))) this.#shelve(mail, folder, true)
      return
    }
    this.#mails.delete(mail.id)
    this.#unthreaded.delete(mail)
    if (mail.thread !== undefined) this.#unthread(mail)
    this.#former.delete(mail)
    this.#departed.push({ change, id: mail.id, thread: mail.thread })
    if (mail.thread !== undefined) this.#departedThreads.set(mail.id, mail.thread)
    if (this.#departed.length <= MAX_DEPARTED) return
    const dropped = this.#departed.splice(0, MAX_DEPARTED / 2)
    for (const one of dropped) this.#departedThreads.delete(one.id)
    this.#departedSince = (dropped.at(-1) as Departed).change
  }

  #shelve(mail: Mail, folder: FolderId, ordered: boolean): void {
    let shelf = this.#sorted.get(folder)
    if (shelf === undefined) {
      shelf = []
      this.#sorted.set(folder, shelf)
    }
    if (ordered) shelf.splice(placeIn(shelf, mail), 0, mail)
    else shelf.push(mail)
  }

  #unshelve(mail: Mail, folder: FolderId): void {
    const shelf = this.#sorted.get(folder)
    if (shelf === undefined) return
    const at = placeIn(shelf, mail)
    if (shelf[at] === mail) shelf.splice(at, 1)
  }

  /** Reads the conversations of mails whose one is not known yet. */
  async readThreads(): Promise<void> {
    if (this.#unthreaded.size === 0) return
    if (this.#unthreaded.size > MANY_UNTHREADED) await this.#scanThreads()
    await this.#readPromoted([...this.#unthreaded])
  }

  /** Those of whole folders, as a column: no item is read. */
  async #scanThreads(): Promise<void> {
    const folders = new Set([...this.#unthreaded].map((mail) => (mail.places[0] as Place).folder))
    for (const folder of folders)
      for (let from = 1; from <= MAX_UID; ) {
        const { count, uid, mid, conversation, conversations } = await this.#handle.scan({
          folder,
          columns: ['uid', 'mid', 'conversation'],
          uids: [from, MAX_UID],
          limit: SCAN_PAGE,
        })
        for (let i = 0; i < count; i++) {
          const mail = this.#byMid.get(mid[i] as Mid)
          const name = conversations?.[conversation[i] as number]
          if (mail !== undefined && mail.thread === undefined && name !== undefined) this.#thread(mail, name)
        }
        if (count < SCAN_PAGE) break
        from = (uid[count - 1] as number) + 1
      }
  }

  #thread(mail: Mail, conversation: string): void {
    mail.thread = conversation
    this.#unthreaded.delete(mail)
    const former = this.#former.get(mail)
    if (former !== undefined) {
      this.#former.delete(mail)
      if (former.thread !== conversation) this.#left = [...this.#left.slice(1 - MAX_DEPARTED), former]
    }
    const set = this.#threads.get(conversation)
    if (set === undefined) this.#threads.set(conversation, new Set([mail]))
    else set.add(mail)
  }

  /** Reads what sorting by text needs. */
  async readKeys(mails: readonly Mail[]): Promise<void> {
    await this.#readPromoted(
      mails.filter((mail) => mail.keys === undefined),
      true,
    )
  }

  async #readPromoted(mails: readonly Mail[], keys = false): Promise<void> {
    const byMid = [...mails].sort((a, b) => a.id - b.id)
    for (let at = 0; at < byMid.length; at += MAX_GET) {
      const some = byMid.slice(at, at + MAX_GET)
      const mids = some.map((mail) => (mail.places[0] as Place).mid)
      for (const item of await this.#handle.get({ by: { mids }, columns: ['promoted'] })) {
        const mail = this.#mails.get(item.itemId)
        if (mail === undefined || item.promoted === undefined) continue
        const { conversation, subject, fromName, fromAddress, displayTo, sent } = item.promoted
        if (keys) {
          mail.keys = { subject, from: fromName || fromAddress, to: displayTo, sent: sent ?? item.received }
        }
        if (mail.thread !== undefined) continue
        this.#thread(mail, conversation)
      }
    }
    // A mail that went meanwhile: the feed will say so.
    for (const mail of mails) if (mail.thread === undefined) mail.thread = ''
  }
}

/** Where a mail stands, or would stand, newest first. */
function placeIn(shelf: readonly Mail[], mail: Mail): number {
  let low = 0
  let high = shelf.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (NEWEST(shelf[middle] as Mail, mail) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The change feed: of the whole mailbox for its owner; for a delegate that of the folders, merged. */
export async function readFeed(
  handle: MailboxHandle,
  since: number,
  limit: number,
  folders: readonly FolderId[],
): Promise<Feed> {
  const cursor = since as ChangeNumber
  if (handle.full) return handle.changes({ since: cursor, limit })
  const { change } = await handle.info()
  const parts: Changes[] = []
  for (const folder of folders) parts.push(await handle.changes({ since: cursor, folder, limit: FEED_PAGE * 20 }))
  const items: Packed[] = parts.map((one) => one.items)
  return {
    upTo: change,
    more: false,
    resync: parts.some((one) => one.resync || one.more),
    items: joinItems(items),
    gone: joinGone(parts.map((one) => one.gone)),
    goneFolders: parts[0]?.goneFolders ?? [],
  }
}

export interface Feed extends Pick<Changes, 'more' | 'resync' | 'gone' | 'goneFolders'> {
  readonly upTo: number
  readonly items: Packed
}

function joinItems(parts: readonly Packed[]): Packed {
  const sets: (readonly string[])[] = [[]]
  const columns = new Map<Column, number[]>(allColumns.map((column) => [column, []]))
  let count = 0
  for (const part of parts) {
    const base = sets.length
    sets.push(...part.keywordSets)
    for (let i = 0; i < part.count; i++) {
      count++
      for (const column of allColumns) {
        const value = part[column]?.[i] ?? 0
        columns.get(column)?.push(column === 'keywords' ? base + value : value)
      }
    }
  }
  const packed = Object.fromEntries([...columns].map(([column, values]) => [column, Float64Array.from(values)]))
  return { count, keywordSets: sets, ...packed } as unknown as Packed
}

function joinGone(parts: readonly Changes['gone'][]): Changes['gone'] {
  const all = <K extends 'change' | 'folder' | 'mid' | 'itemId'>(key: K): Float64Array =>
    Float64Array.from(parts.flatMap((one) => Array.from(one[key])))
  return {
    count: parts.reduce((sum, one) => sum + one.count, 0),
    change: all('change'),
    folder: all('folder'),
    mid: all('mid'),
    itemId: all('itemId'),
    uid: Uint32Array.from(parts.flatMap((one) => Array.from(one.uid))),
    why: Uint8Array.from(parts.flatMap((one) => Array.from(one.why))),
  }
}
