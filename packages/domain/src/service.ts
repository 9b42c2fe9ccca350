import type { Folder } from './folder.ts'
import type { BlobRef, ChangeNumber, FolderId, MailboxId, Mid, Uid } from './ids.ts'
import type { Item, ItemColumn } from './item.ts'
import type { ApplyResult, Operation } from './operations.ts'
import type { Column, Packed, PackedGone, ScanColumn } from './packed.ts'
import type { ClaimRequest, QueueEntry } from './queue.ts'
import type { ReadyBlock, ReadyRequest } from './ready.ts'
import type { Permission } from './rights.ts'
import type { Relocate } from './relocation.ts'
import type { SearchRequest, SearchResult } from './search.ts'

/**
 * The mailbox service: everything a client-access process can ask of the home of a mailbox. One interface, several carriers
 * (`link`): every argument and answer is plain data that passes through the frame codec, so it works the same in the same thread, in
 * another process and on another machine. Drivers: SQLite and a memory twin, one contract suite over both.
 *
 * Every method may reject with DomainError `mailboxNotFound`, `moved`, `unavailable`, `busy`.
 */
export interface MailboxService {
  /** Makes the mailbox with all distinguished folders, named in `language`. Doing it twice changes nothing. */
  create(mailbox: MailboxId, init: MailboxInit): Promise<void>
  /** Deletes mailbox and contents; its blobs become garbage. */
  destroy(mailbox: MailboxId): Promise<void>
  info(mailbox: MailboxId): Promise<MailboxInfo>

  /**
   * One call = one transaction = all or nothing, answered after the synced commit. Rejects with DomainError; `operation` says which
   * one failed.
   */
  apply(mailbox: MailboxId, operations: readonly Operation[]): Promise<ApplyResult>
  /** Stores an original once in the mailbox's database, for several `apply` of the same database. Durable with the first commit that names it; unnamed ones are collected after an hour. */
  stage(mailbox: MailboxId, bytes: Uint8Array): Promise<BlobRef>

  folders(mailbox: MailboxId): Promise<readonly Folder[]>
  permissions(mailbox: MailboxId): Promise<readonly Permission[]>

  /** Rows of one folder in packed columns. Associated items are left out unless asked for. */
  scan<C extends ScanColumn>(mailbox: MailboxId, request: ScanRequest<C>): Promise<Packed<C>>
  /** Fat columns of some items, in the order asked; ones that are gone are left out. At most MAX_GET a call. */
  get(mailbox: MailboxId, request: GetRequest): Promise<readonly Item[]>
  /** Bytes `start` to `end` (exclusive; default all) of an original, at most MAX_BLOB_CHUNK: read on from where it ended. */
  blob(mailbox: MailboxId, ref: BlobRef, start?: number, end?: number): Promise<Uint8Array>
  /**
   * Originals of mails of a folder, each whole: reading many small mails is one call, without a list of items. Rejects with `tooMany` beyond
   * MAX_GET of them or MAX_BLOB_CHUNK bytes together, `invalid` for UIDs that do not ascend, and as `blob` does when one of them cannot be read.
   */
  originals(mailbox: MailboxId, request: OriginalsRequest): Promise<FolderOriginals>

  /** What happened after `since`, in the order of change numbers. */
  changes(mailbox: MailboxId, request: ChangesRequest): Promise<Changes>
  /** Calls back after commits, maybe merged, maybe late, maybe never (a lost hint costs delay): read `changes` from your own cursor. Resolves when registered. */
  subscribe(mailbox: MailboxId, listener: (hint: Hint) => void): Promise<Subscription>

  search(mailbox: MailboxId, request: SearchRequest): Promise<SearchResult>

  state(mailbox: MailboxId, client: string, keyPrefix?: string): Promise<readonly StateEntry[]>
  /** Ready answers of a folder that were kept, by block, ascending. Rejects with `tooMany` beyond MAX_READY_BLOCKS. */
  ready(mailbox: MailboxId, request: ReadyRequest): Promise<readonly ReadyBlock[]>

  /** Claims due entries of all databases of this home; at most `limit`, oldest due first. */
  queueClaim(request: ClaimRequest): Promise<readonly QueueEntry[]>
  queueList(filter: { destination?: string; limit: number; afterId?: number }): Promise<readonly QueueEntry[]>
  /** Calls back when entries were added or released. */
  subscribeQueue(listener: () => void): Promise<Subscription>

  /** One step of a move, asked of one of the two databases. Rejects with `invalid` where the driver moves nothing. */
  relocate: Relocate
}

export interface MailboxInit {
  readonly language: 'en' | 'fr'
  /** Bytes; undefined is unlimited. */
  readonly quota: number | undefined
  /** The database it is to live in; the directory chose it. */
  readonly database: string
}

export interface MailboxInfo {
  readonly database: string
  /** 16 bytes, hex: store GUID; part of source keys and of all ids shown outside. */
  readonly guid: string
  readonly change: ChangeNumber
  /** Older cursors than this must resync: the tombstones are gone. */
  readonly lowestChange: ChangeNumber
  readonly usedBytes: number
  readonly quota: number | undefined
  readonly items: number
  readonly epoch: number
  /** Change number of the newest change of the hierarchy: of a folder made, moved, renamed, changed or deleted. */
  readonly hierarchy: ChangeNumber
}

export interface ScanRequest<C extends ScanColumn> {
  readonly folder: FolderId
  readonly columns: readonly C[]
  /** Inclusive UID range. */
  readonly uids?: readonly [number, number]
  /** Only these UIDs (ascending); for sparse sets. */
  readonly only?: Uint32Array
  /** Only rows changed after this. */
  readonly changedSince?: ChangeNumber
  /** ms: received in [from, before). */
  readonly received?: { readonly from?: number; readonly before?: number }
  /** 'uid' ascending (default), or newest received first with mid as last key. */
  readonly order?: 'uid' | 'newest'
  /** Only with order 'newest': continue after this row. */
  readonly after?: { readonly received: number; readonly mid: Mid }
  readonly associated?: boolean
  readonly limit?: number
}

export interface GetRequest {
  readonly by:
    | { readonly mids: readonly Mid[] }
    | { readonly folder: FolderId; readonly uids: readonly Uid[] | Uint32Array }
  readonly columns: readonly ItemColumn[]
}
export interface OriginalsRequest {
  readonly folder: FolderId
  /** Ascending. */
  readonly uids: Uint32Array
  /** Bytes of one original; a larger one is left out. */
  readonly largest: number
  /** Bytes of all together, at least those of the largest. */
  readonly most: number
}
export interface FolderOriginals {
  /** Ascending. Mails that are gone, that have no original or too large a one are left out. */
  readonly uids: Uint32Array
  /** Bytes of each. */
  readonly sizes: Uint32Array
  /** The originals behind one another. */
  readonly bytes: Uint8Array
  /** The first UID whose original found no room: ask again from there. Undefined when none is left. */
  readonly rest: number | undefined
}
export const MAX_GET = 1_000
export const MAX_BLOB_CHUNK = 4 * 1024 * 1024

export interface ChangesRequest {
  readonly since: ChangeNumber
  /** Only rows and tombstones of this folder; hierarchy changes come always. */
  readonly folder?: FolderId
  readonly limit: number
}
export interface Changes {
  /** The cursor to go on from. Everything up to it is in this answer or earlier ones. */
  readonly upTo: ChangeNumber
  readonly more: boolean
  /** `since` is older than the oldest tombstone: the client must start over. The rest is then empty. Never for 0: who knows nothing misses nothing. */
  readonly resync: boolean
  readonly items: Packed<Column>
  readonly gone: PackedGone
  /** Folders created or changed (name, parent, class) after `since`, and the ids of deleted ones. */
  readonly folders: readonly Folder[]
  readonly goneFolders: readonly { readonly id: FolderId; readonly change: ChangeNumber }[]
}

/** Wakes a waiter. `folders` and `kinds` let it see that the hint is not for it. */
export interface Hint {
  readonly mailbox: MailboxId
  readonly change: ChangeNumber
  /** Folders touched, with what happened there: HintKind bits. Empty: unknown, look yourself. */
  readonly folders: readonly { readonly id: FolderId; readonly kinds: number }[]
}
export const HintKind = { added: 1, changed: 2, removed: 4, hierarchy: 8, readChanged: 16 } as const

export interface Subscription {
  close(): void
}

export interface StateEntry {
  readonly key: string
  readonly value: Uint8Array
}
