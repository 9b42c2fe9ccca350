import type { FolderClass, FolderRole } from './folder.ts'
import type { BlobRef, ChangeNumber, FolderId, ItemId, Mid, Uid } from './ids.ts'
import type { NewItem, OriginalSource, Recipient } from './item.ts'
import type { PropertyBag } from './props/bag.ts'
import type { NewQueueEntry, QueueChange } from './queue.ts'
import type { NewReadyBlock } from './ready.ts'

/** Items of one folder, by placement id or by UID. Unknown ones are passed over; the result says which were done. */
export type Selection =
  | { readonly mids: readonly Mid[] | Float64Array }
  | { readonly uids: readonly Uid[] | Uint32Array }

/**
 * Everything that can be written. `apply` runs a list of these in one transaction: all or none. Where an operation needs the id
 * that an earlier one of the same list makes, it says `{ operation: index }`.
 */
export type Operation =
  | {
      readonly op: 'createFolder'
      readonly parent: FolderId | { operation: number }
      readonly name: string
      readonly class: FolderClass
      readonly kind?: 'generic' | 'search'
      readonly role?: FolderRole
      readonly specialUse?: string
      readonly subscribed?: boolean
      readonly props?: PropertyBag
    }
  | {
      /** Rename and/or move. Distinguished folders: `folderSpecial`, except `subscribed`, `specialUse` and props. */
      readonly op: 'updateFolder'
      readonly folder: FolderId
      readonly name?: string
      readonly parent?: FolderId
      readonly subscribed?: boolean
      readonly specialUse?: string
      readonly props?: PropertyBag
      /** UIDVALIDITY and UIDNEXT of another server, for an import that keeps UIDs. The folder must be empty (else `folderNotEmpty`), unless UIDVALIDITY stays; UIDNEXT then only rises (else `conflict`). */
      readonly uids?: { readonly validity: number; readonly next: Uid }
    }
  | {
      /**
       * Deletes the folder, its items (tombstones `deleted`) and, with `recursive`, its subfolders (else `folderNotEmpty` when it has some).
       * With `ifEmpty` items keep it, too: `folderNotEmpty`.
       */
      readonly op: 'deleteFolder'
      readonly folder: FolderId
      readonly recursive: boolean
      readonly ifEmpty?: boolean
    }
  | {
      readonly op: 'add'
      readonly folder: FolderId | { operation: number }
      readonly item: NewItem
      /** For an import that keeps UIDs: not below the folder's UIDNEXT (else `conflict`), which goes on behind it. */
      readonly uid?: Uid
    }
  | { readonly op: 'copy'; readonly from: FolderId; readonly items: Selection; readonly to: FolderId }
  | { readonly op: 'move'; readonly from: FolderId; readonly items: Selection; readonly to: FolderId }
  | {
      /** Removes items for good (tombstones). Moving to Deleted Items is `move`. */
      readonly op: 'remove'
      readonly folder: FolderId
      readonly items: Selection
    }
  | {
      /** Sets, clears bits and keywords. A change of `seen` alone counts as read change (readCn), anything else as content change (cn). Rows that stay as they are take no change number. */
      readonly op: 'flag'
      readonly folder: FolderId
      readonly items: Selection
      readonly set?: number
      readonly clear?: number
      readonly addKeywords?: readonly string[]
      readonly removeKeywords?: readonly string[]
      /** Replaces the whole keyword set. */
      readonly keywords?: readonly string[]
      /** RFC 7162 §3.1.3: rows with a higher change number are left alone and answered in `conflicts`. */
      readonly unchangedSince?: ChangeNumber
    }
  | {
      /** Changes properties of one item: set and remove in the bag; promoted columns and recipients as given. UID stays. */
      readonly op: 'update'
      readonly mid: Mid
      readonly set?: PropertyBag
      readonly remove?: readonly number[]
      readonly promoted?: Partial<NewItem['promoted']>
      readonly recipients?: readonly Recipient[]
      /** `conflict` when the item changed after this. */
      readonly unchangedSince?: ChangeNumber
    }
  | {
      /** New content for one item (a draft): it keeps mid and itemId, its UID is new (tombstone `renumbered`). */
      readonly op: 'replace'
      readonly mid: Mid
      readonly item: NewItem
      readonly unchangedSince?: ChangeNumber
    }
  | {
      /** A small value kept for a client: sync states, device partnerships, Oof. No change number, no hint. */
      readonly op: 'putState'
      readonly client: string
      readonly key: string
      readonly value: Uint8Array
      /** Only if there is a value already: what was deleted meanwhile does not come back. */
      readonly existing?: true
    }
  | { readonly op: 'deleteState'; readonly client: string; readonly key?: string; readonly prefix?: string }
  | {
      /** Fails the whole apply with `duplicate` when the key was used within `keepMs`. Else remembers it. */
      readonly op: 'once'
      readonly key: string
      readonly keepMs: number
    }
  | {
      readonly op: 'setPermission'
      readonly folder: FolderId
      readonly member: string
      readonly rights: number | undefined
    }
  | {
      /** Puts a message on the outbound queue; `original` may be that of an `add` of the same list. */
      readonly op: 'enqueue'
      readonly entry: NewQueueEntry
      readonly original: OriginalSource | { readonly operation: number }
    }
  | { readonly op: 'queueChange'; readonly change: QueueChange }
  | { readonly op: 'setQuota'; readonly quota: number | undefined }
  | {
      /** Keeps ready answers (ready.ts); blocks that are not as they say are passed over. No change number, no hint. */
      readonly op: 'keepReady'
      readonly folder: FolderId
      readonly kind: string
      readonly blocks: readonly NewReadyBlock[]
    }

/** What each operation answers, at the same index. */
export type OperationResult =
  | { readonly op: 'createFolder'; readonly folder: FolderId; readonly uidValidity: number }
  | {
      readonly op:
        | 'updateFolder'
        | 'deleteFolder'
        | 'putState'
        | 'deleteState'
        | 'once'
        | 'setPermission'
        | 'queueChange'
        | 'setQuota'
        | 'keepReady'
    }
  | {
      readonly op: 'add'
      readonly mid: Mid
      readonly itemId: ItemId
      readonly uid: Uid
      readonly uidValidity: number
      readonly change: ChangeNumber
      readonly original: BlobRef | undefined
      /** Where the item went: another than it came with when it answers a mail of that one. */
      readonly conversation: string
    }
  | {
      /** Same order for all arrays: ascending source UID. Target UIDs ascend too. */
      readonly op: 'copy' | 'move'
      readonly uidValidity: number
      readonly sourceMids: Float64Array
      readonly sourceUids: Uint32Array
      readonly mids: Float64Array
      readonly uids: Uint32Array
      /** Change number of each new row. */
      readonly changes: Float64Array
    }
  | { readonly op: 'remove'; readonly mids: Float64Array; readonly uids: Uint32Array; readonly changes: Float64Array }
  | {
      readonly op: 'flag'
      /** Rows that really changed, with their new state. */
      readonly uids: Uint32Array
      readonly mids: Float64Array
      readonly flags: Uint32Array
      readonly changes: Float64Array
      /** UIDs left alone because of `unchangedSince`. */
      readonly conflicts: Uint32Array
    }
  | { readonly op: 'update'; readonly change: ChangeNumber }
  | { readonly op: 'replace'; readonly change: ChangeNumber; readonly uid: Uid; readonly original: BlobRef | undefined }
  | { readonly op: 'enqueue'; readonly ids: readonly number[] }

export interface ApplyResult {
  /** The mailbox's change number after the commit. */
  readonly change: ChangeNumber
  readonly results: readonly OperationResult[]
}

/** What operation `Op` answers. */
export type ResultOf<Op, Result = OperationResult> = Result extends { readonly op: infer Ops }
  ? Op extends Ops
    ? Result
    : never
  : never

/** The result at `index`, checked to be of operation `op`. */
export function resultOf<Op extends OperationResult['op']>(applied: ApplyResult, index: number, op: Op): ResultOf<Op> {
  const result = applied.results[index]
  if (result?.op !== op) throw new TypeError(`operation ${index} answered ${result?.op ?? 'nothing'}, not ${op}`)
  return result as ResultOf<Op>
}

/** Limits of one call: more is `tooMany`. */
export const MAX_OPERATIONS = 10_000
export const MAX_STATE_BYTES = 16 * 1024 * 1024
