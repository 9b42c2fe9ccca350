import type { Folder } from './folder.ts'
import type { Listing, Overview } from './hierarchies.ts'
import type { BlobRef, FolderId, MailboxId } from './ids.ts'
import type { Item } from './item.ts'
import type { ApplyResult, Operation } from './operations.ts'
import type { ScanColumn, Packed } from './packed.ts'
import type { Principal } from './credentials.ts'
import type { SearchRequest, SearchResult } from './search.ts'
import type {
  Changes,
  ChangesRequest,
  FolderOriginals,
  GetRequest,
  Hint,
  MailboxInfo,
  OriginalsRequest,
  ScanRequest,
  StateEntry,
  Subscription,
} from './service.ts'
import type { Permission } from './rights.ts'
import type { ReadyBlock, ReadyRequest } from './ready.ts'

/**
 * The one door. An id is an address, never authority: protocols reach mailboxes only through a handle that `open` gave them for one
 * principal and one mailbox, and the handle checks the folder right of every single call, by what is stored, never by what was asked.
 */
export interface Door {
  /** Rejects with `accessDenied` when the principal has no right in it at all, `mailboxNotFound` when it does not exist (to those who may know). */
  open(principal: Principal, mailbox: MailboxId): Promise<MailboxHandle>
}

/** The service, bound to one mailbox and one principal. The same semantics; every call may also reject with `accessDenied`. */
export interface MailboxHandle {
  readonly mailbox: MailboxId
  readonly principal: Principal
  /** True when the principal owns the mailbox or has FullAccess: nothing is filtered. */
  readonly full: boolean
  info(): Promise<MailboxInfo>
  apply(operations: readonly Operation[]): Promise<ApplyResult>
  stage(bytes: Uint8Array): Promise<BlobRef>
  /** Only folders the principal may see. */
  folders(): Promise<readonly Folder[]>
  /**
   * The same folders, names, places and classes as now, but counters and subscriptions of any earlier moment: for those who look a folder up.
   * The list is shared between all who ask, and the very same object as long as nothing changed; it costs one look at the mailbox.
   */
  hierarchy(): Promise<readonly Folder[]>
  /** `hierarchy` and `info` in one look. */
  overview(): Promise<Overview>
  /** Folders with their counters as now, and the change number they are right at; subscriptions may be of an earlier moment. `moved`: they have probably changed. */
  listing(moved?: boolean): Promise<Listing>
  /** A list of folders of any earlier moment, if one is at hand; no question is asked, so it may be wrong in everything. */
  remembered(): readonly Folder[] | undefined
  /** The principal's right bits on a folder. */
  rights(folder: FolderId): Promise<number>
  /** Who has which rights, of the folders whose list the principal may change ([MS-OXCPERM] §3.1.1: their owners). */
  permissions(): Promise<readonly Permission[]>
  scan<C extends ScanColumn>(request: ScanRequest<C>): Promise<Packed<C>>
  get(request: GetRequest): Promise<readonly Item[]>
  /** The original of an item, by the item (so that the right of its folder is checked), `start` to `end`, whole if neither is given. */
  original(
    item: { readonly folder: FolderId; readonly original?: BlobRef },
    start?: number,
    end?: number,
  ): Promise<Uint8Array>
  /** Originals of mails of a folder, each whole: see `MailboxService.originals`. */
  originals(request: OriginalsRequest): Promise<FolderOriginals>
  changes(request: ChangesRequest): Promise<Changes>
  subscribe(listener: (hint: Hint) => void): Promise<Subscription>
  search(request: SearchRequest): Promise<SearchResult>
  state(client: string, keyPrefix?: string): Promise<readonly StateEntry[]>
  /** Ready answers of a folder; only for who may read everything. */
  ready(request: ReadyRequest): Promise<readonly ReadyBlock[]>
}
