import type { BlobRef, ChangeNumber, FolderId, ItemId, Mid, Uid } from './ids.ts'
import type { PropertyBag } from './props/bag.ts'

/** One recipient of an item. `type` as in [MS-OXOMSG]: 1 To, 2 Cc, 3 Bcc; 0 originator. */
export interface Recipient {
  readonly type: 0 | 1 | 2 | 3
  readonly name: string
  readonly address: string
  readonly props?: PropertyBag
}

/**
 * One attachment of an item. For mail with an original it points into the original's MIME tree (`part`, the section number);
 * for items made by property protocols it has bytes of its own (`blob`) or is an embedded item (`embedded`).
 */
export interface Attachment {
  readonly n: number
  readonly method: 'byValue' | 'embedded' | 'ole' | 'reference'
  readonly name: string
  readonly type: string
  readonly contentId?: string
  readonly size: number
  readonly inline: boolean
  readonly source: { part: string } | { blob: BlobRef } | { embedded: Mid }
  readonly props?: PropertyBag
}

/** The columns that lists, sorts and syncs need without opening the bag. All strings decoded Unicode, cut to 255 characters. */
export interface Promoted {
  readonly class: string
  readonly subject: string
  /** First From mailbox: bare address, lower case; and its display name (or the address). */
  readonly fromAddress: string
  readonly fromName: string
  /** Display names of To / Cc joined by '; ' as Exchange shows them. */
  readonly displayTo: string
  readonly displayCc: string
  /** Date header in ms since 1970, or undefined when there is none. */
  readonly sent: number | undefined
  readonly messageId: string
  readonly preview: string
  readonly hasAttachments: boolean
  /** 0 low, 1 normal, 2 high. */
  readonly importance: 0 | 1 | 2
  /** 16 bytes, hex: equal for all items of one conversation (References and normalised subject). */
  readonly conversation: string
}

/** The bytes of a new original, or a reference staged before (one original for many recipients of the same database). */
export type OriginalSource = { readonly bytes: Uint8Array } | { readonly ref: BlobRef }

/** A new item as the edge prepares it: nothing is parsed behind it. `mail.ts` makes one from RFC 5322 bytes. */
export interface NewItem {
  readonly flags: number
  readonly keywords: readonly string[]
  /** INTERNALDATE / PidTagMessageDeliveryTime, ms since 1970. */
  readonly received: number
  readonly associated: boolean
  /** Bytes of the original as IMAP counts them (RFC822.SIZE). 0 when there is none. */
  readonly size: number
  readonly original: OriginalSource | undefined
  /** `packMessageIndex` of @postrider/wire/mime: part tree and prepared IMAP answers. Empty when there is no original. */
  readonly index: Uint8Array
  readonly promoted: Promoted
  readonly props: PropertyBag
  readonly recipients: readonly Recipient[]
  readonly attachments: readonly Attachment[]
  /** Of an answer: the keys of its conversation (threads.ts). The mailbox then says which conversation it is, whatever `promoted` says. */
  readonly thread?: readonly string[]
}

/** Columns that `get` reads; ask only for what is needed: each costs. */
export const itemColumns = ['promoted', 'index', 'original', 'props', 'recipients', 'attachments', 'keys'] as const
export type ItemColumn = (typeof itemColumns)[number]

/** One item as `get` answers it. Placement fields are always there, the others when asked for. */
export interface Item {
  readonly mid: Mid
  readonly itemId: ItemId
  readonly folder: FolderId
  readonly uid: Uid
  readonly flags: number
  readonly keywords: readonly string[]
  readonly change: ChangeNumber
  readonly cn: ChangeNumber
  readonly readCn: ChangeNumber
  readonly createdCn: ChangeNumber
  readonly size: number
  readonly received: number
  readonly associated: boolean
  readonly promoted?: Promoted
  readonly index?: Uint8Array
  readonly original?: BlobRef
  readonly props?: PropertyBag
  readonly recipients?: readonly Recipient[]
  readonly attachments?: readonly Attachment[]
  /** Replication keys: [MS-OXCFXICS] change key, predecessor change list, source key. */
  readonly keys?: ItemKeys
}

export interface ItemKeys {
  readonly changeKey: Uint8Array
  readonly predecessors: Uint8Array
  readonly sourceKey: Uint8Array
}
