import { originalsOf } from '../blobs/index.ts'
import {
  type ApplyResult,
  type BlobRef,
  type Changes,
  type ChangesRequest,
  type ChangeNumber,
  type ClaimRequest,
  type Clock,
  type ScanColumn,
  DomainError,
  type Folder,
  type FolderOriginals,
  type GetRequest,
  type Hint,
  type Item,
  MAX_BLOB_CHUNK,
  type MailboxId,
  type MailboxInfo,
  type MailboxInit,
  type MailboxService,
  type Operation,
  type OriginalsRequest,
  type Packed,
  type Permission,
  type QueueEntry,
  type ScanRequest,
  type SearchRequest,
  type SearchResult,
  type ReadyBlock,
  type ReadyRequest,
  type StateEntry,
  type Subscription,
  systemClock,
} from '@postrider/domain'
import { applyAll } from './apply/index.ts'
import { Database } from './database.ts'
import { Mailbox } from './mailbox.ts'
import { copyOf } from './plain.ts'
import { changes, folderOf } from './read/changes.ts'
import { get } from './read/get.ts'
import { ready } from './read/ready.ts'
import { scan } from './read/scan.ts'
import { search } from './read/search.ts'
import { Transaction } from './transaction.ts'

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** Stores that can be one home. */
const MAX_STORES = 64

export interface MemoryStoreOptions {
  /** Decides what is remembered how long (`once`, unnamed blobs) and the `created` of queue entries. */
  readonly clock?: Clock
  /** Below MAX_STORES; several stores with different numbers never give the same queue id. */
  readonly number?: number
}

/** The mailbox service over plain maps. Nothing of it survives the process; everything else is as the interface says. */
export class MemoryStore implements MailboxService {
  readonly #clock: Clock
  readonly #mailboxes = new Map<MailboxId, Mailbox>()
  readonly #databases = new Map<string, Database>()
  readonly #queueListeners = new Set<() => void>()
  readonly #number: number
  #queued = 0
  #closed = false

  constructor({ clock = systemClock, number = 0 }: MemoryStoreOptions) {
    this.#clock = clock
    this.#number = number
  }

  async create(id: MailboxId, init: MailboxInit): Promise<void> {
    this.#open()
    if (this.#mailboxes.has(id)) return
    let database = this.#databases.get(init.database)
    if (database === undefined) {
      database = new Database(init.database)
      this.#databases.set(init.database, database)
    }
    this.#mailboxes.set(id, new Mailbox(id, init, database, new Transaction(this.#clock.now())))
  }

  async destroy(id: MailboxId): Promise<void> {
    const mailbox = this.#mailbox(id)
    const transaction = new Transaction(this.#clock.now())
    for (const row of mailbox.rows.values()) mailbox.refer(transaction, row.content, -1)
    for (const entry of [...mailbox.database.queue.values()]) {
      if (entry.mailbox !== id) continue
      mailbox.database.queue.delete(entry.id)
      mailbox.database.blobs.refer(transaction, entry.original, -1)
    }
    this.#mailboxes.delete(id)
    this.#hint(mailbox, new Transaction(this.#clock.now()))
  }

  async info(id: MailboxId): Promise<MailboxInfo> {
    const mailbox = this.#mailbox(id)
    const { change, lowestChange, hierarchy, usedBytes, quota } = mailbox.counters
    return {
      database: mailbox.database.name,
      guid: mailbox.guid.toString('hex'),
      change: change as ChangeNumber,
      lowestChange: lowestChange as ChangeNumber,
      usedBytes,
      quota,
      items: mailbox.rows.size,
      epoch: 1,
      hierarchy: hierarchy as ChangeNumber,
    }
  }

  async apply(id: MailboxId, operations: readonly Operation[]): Promise<ApplyResult> {
    const mailbox = this.#mailbox(id)
    const transaction = new Transaction(this.#clock.now())
    const before = mailbox.counters.change
    let applied: ApplyResult
    try {
      applied = applyAll(mailbox, transaction, operations, () => ++this.#queued * MAX_STORES + this.#number)
    } catch (error) {
      transaction.rollback()
      throw error
    }
    mailbox.compact()
    mailbox.database.blobs.collect(transaction.now)
    if (mailbox.counters.change !== before) this.#hint(mailbox, transaction)
    if (transaction.queueMoved) for (const listener of this.#queueListeners) queueMicrotask(() => listener())
    return applied
  }

  async stage(id: MailboxId, bytes: Uint8Array): Promise<BlobRef> {
    const { blobs } = this.#mailbox(id).database
    blobs.collect(this.#clock.now())
    return blobs.put(bytes, this.#clock.now())
  }

  async folders(id: MailboxId): Promise<readonly Folder[]> {
    return [...this.#mailbox(id).folders.values()].map(folderOf)
  }

  async permissions(id: MailboxId): Promise<readonly Permission[]> {
    const all = copyOf([...this.#mailbox(id).permissions.values()])
    return all.sort((a, b) => a.folder - b.folder || (a.member < b.member ? -1 : 1))
  }

  async scan<C extends ScanColumn>(id: MailboxId, request: ScanRequest<C>): Promise<Packed<C>> {
    return scan(this.#mailbox(id), request)
  }

  async get(id: MailboxId, request: GetRequest): Promise<readonly Item[]> {
    return get(this.#mailbox(id), request)
  }

  async blob(id: MailboxId, ref: BlobRef, start = 0, end = Number.MAX_SAFE_INTEGER): Promise<Uint8Array> {
    const bytes = this.#mailbox(id).database.blobs.read(ref)
    if (!(start >= 0) || end < start) throw new DomainError('invalid', `bytes ${start} to ${end}`)
    return bytes.slice(start, Math.min(end, start + MAX_BLOB_CHUNK))
  }

  originals(id: MailboxId, request: OriginalsRequest): Promise<FolderOriginals> {
    return originalsOf(this, id, request)
  }

  async changes(id: MailboxId, request: ChangesRequest): Promise<Changes> {
    return changes(this.#mailbox(id), request)
  }

  async subscribe(id: MailboxId, listener: (hint: Hint) => void): Promise<Subscription> {
    const { listeners } = this.#mailbox(id)
    const own = (hint: Hint): void => listener(hint)
    listeners.add(own)
    return { close: () => void listeners.delete(own) }
  }

  async search(id: MailboxId, request: SearchRequest): Promise<SearchResult> {
    return search(this.#mailbox(id), request)
  }

  async ready(id: MailboxId, request: ReadyRequest): Promise<readonly ReadyBlock[]> {
    return ready(this.#mailbox(id), request)
  }

  async state(id: MailboxId, client: string, keyPrefix = ''): Promise<readonly StateEntry[]> {
    const states = this.#mailbox(id).states.get(client) ?? new Map<string, Uint8Array>()
    const entries = [...states].filter(([key]) => key.startsWith(keyPrefix))
    return entries.map(([key, value]) => ({ key, value: new Uint8Array(value) })).sort(byKey)
  }

  async queueClaim({ now, leaseMs, limit, exclude }: ClaimRequest): Promise<readonly QueueEntry[]> {
    this.#open()
    const full = new Set(exclude)
    const free = this.#queue().filter(
      (e) => e.due <= now && !e.held && e.leasedUntil <= now && !full.has(e.destination),
    )
    const claimed = free.sort((a, b) => a.due - b.due || a.id - b.id).slice(0, limit)
    for (const entry of claimed) entry.leasedUntil = now + leaseMs
    return copyOf(claimed)
  }

  async queueList(filter: { destination?: string; limit: number; afterId?: number }): Promise<readonly QueueEntry[]> {
    this.#open()
    const { destination, limit, afterId = 0 } = filter
    const entries = this.#queue().filter(
      (e) => e.id > afterId && (destination === undefined || e.destination === destination),
    )
    return copyOf(entries.sort((a, b) => a.id - b.id).slice(0, limit))
  }

  async subscribeQueue(listener: () => void): Promise<Subscription> {
    this.#open()
    const own = (): void => listener()
    this.#queueListeners.add(own)
    return { close: () => void this.#queueListeners.delete(own) }
  }

  /** Nothing moves between databases of this driver. */
  async relocate(): Promise<never> {
    throw new DomainError('invalid', 'mailboxes of this store do not move')
  }

  /** Drops all tombstones of a mailbox, as age does: cursors from before must start over. */
  async forgetTombstones(id: MailboxId): Promise<void> {
    this.#mailbox(id).forget()
  }

  /** From now on every call rejects with `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queueListeners.clear()
    for (const mailbox of this.#mailboxes.values()) mailbox.listeners.clear()
  }

  #open(): void {
    if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
  }

  #mailbox(id: MailboxId): Mailbox {
    this.#open()
    const mailbox = this.#mailboxes.get(id)
    if (mailbox === undefined) throw new DomainError('mailboxNotFound', `mailbox ${id}`)
    return mailbox
  }

  #queue() {
    return [...this.#databases.values()].flatMap((database) => [...database.queue.values()])
  }

  #hint(mailbox: Mailbox, transaction: Transaction): void {
    const hint = (): Hint => ({
      mailbox: mailbox.id,
      change: mailbox.counters.change as ChangeNumber,
      folders: [...transaction.touched].map(([id, kinds]) => ({ id, kinds })),
    })
    for (const listener of mailbox.listeners) {
      queueMicrotask(() => {
        if (mailbox.listeners.has(listener)) listener(hint())
      })
    }
  }
}
