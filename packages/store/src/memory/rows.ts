import type {
  Attachment,
  BlobRef,
  ChangeNumber,
  FolderClass,
  FolderId,
  FolderRole,
  ItemId,
  Mid,
  Promoted,
  PropertyBag,
  Recipient,
  Uid,
} from '@postrider/domain'

/** What is in an item; never changed in place, so copies share it. */
export interface Content {
  readonly promoted: Promoted
  readonly index: Uint8Array
  readonly original: BlobRef | undefined
  readonly props: PropertyBag
  readonly recipients: readonly Recipient[]
  readonly attachments: readonly Attachment[]
}

/** One placement. */
export interface Row {
  readonly mid: Mid
  readonly itemId: ItemId
  readonly folder: FolderId
  uid: Uid
  flags: number
  keywords: readonly string[]
  change: ChangeNumber
  cn: ChangeNumber
  readCn: ChangeNumber
  readonly createdCn: ChangeNumber
  size: number
  received: number
  associated: boolean
  content: Content
}

export interface FolderRow {
  readonly id: FolderId
  parent: FolderId | 0
  name: string
  readonly class: FolderClass
  readonly role: FolderRole | undefined
  readonly kind: 'generic' | 'search'
  cn: ChangeNumber
  readonly createdCn: ChangeNumber
  contentChange: ChangeNumber
  uidValidity: number
  uidNext: number
  total: number
  unread: number
  deleted: number
  hidden: number
  bytes: number
  subscribed: boolean
  specialUse: string | undefined
  props: PropertyBag
  /** By UID; in ascending order, because UIDs are given in ascending order. */
  readonly rows: Map<Uid, Row>
  /** Ready answers by block and kind. */
  readonly ready: Map<string, KeptReady>
  /** Subfolders by `folderNameKey`. */
  readonly children: Map<string, FolderRow>
}

export interface KeptReady {
  readonly block: number
  readonly kind: string
  readonly at: number
  readonly bytes: Uint8Array
}

export interface Gone {
  readonly change: ChangeNumber
  readonly folder: FolderId
  readonly uid: Uid
  readonly mid: Mid
  readonly itemId: ItemId
  /** Index into `goneReasons`. */
  readonly why: number
}

/** One line of the change log. A row or folder that changed again has a later line, and the earlier one is stale. */
export type LogEntry =
  | { readonly change: ChangeNumber; readonly kind: 'row'; readonly row: Row }
  | { readonly change: ChangeNumber; readonly kind: 'gone'; readonly gone: Gone }
  | { readonly change: ChangeNumber; readonly kind: 'folder'; readonly folder: FolderRow }
  | { readonly change: ChangeNumber; readonly kind: 'goneFolder'; readonly folder: FolderId }
