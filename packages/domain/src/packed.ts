/** Columns of many rows as typed arrays: row objects are the cost, not the database (`Packed.count` rows, index by row). */
export interface ColumnTypes {
  uid: Uint32Array
  mid: Float64Array
  itemId: Float64Array
  folder: Float64Array
  flags: Uint32Array
  /** Index into `keywordSets`. */
  keywords: Uint32Array
  /** max(cn, readCn): IMAP MODSEQ. */
  change: Float64Array
  cn: Float64Array
  readCn: Float64Array
  createdCn: Float64Array
  size: Float64Array
  /** ms since 1970. */
  received: Float64Array
  /** 1 for associated (hidden) items. */
  associated: Uint8Array
  /** Index into `conversations`. Only a scan has it. */
  conversation: Uint32Array
}
/** What a scan can be asked for. */
export type ScanColumn = keyof ColumnTypes
/** What every list of rows can have, changes too. */
export type Column = Exclude<ScanColumn, 'conversation'>
export const allColumns: readonly Column[] = [
  'uid',
  'mid',
  'itemId',
  'folder',
  'flags',
  'keywords',
  'change',
  'cn',
  'readCn',
  'createdCn',
  'size',
  'received',
  'associated',
]

export type Packed<C extends ScanColumn> = {
  readonly count: number
  /** The distinct keyword sets that occur; entry 0 is always the empty set. Filled when column `keywords` was asked for. */
  readonly keywordSets: readonly (readonly string[])[]
  /** The distinct conversations that occur ({@link Promoted.conversation}). There when column `conversation` was asked for. */
  readonly conversations?: readonly string[]
} & { readonly [K in C]: ColumnTypes[K] }

/** Rows that left a folder: deleted, moved away, or given a new UID in place (`why`). */
export interface PackedGone {
  readonly count: number
  readonly change: Float64Array
  readonly folder: Float64Array
  readonly uid: Uint32Array
  readonly mid: Float64Array
  readonly itemId: Float64Array
  /** Index into `goneReasons`. */
  readonly why: Uint8Array
}
/** `renumbered`: the content was replaced, the item keeps its mid and has a new UID: IMAP sees VANISHED + EXISTS, others see a change. */
export const goneReasons = ['deleted', 'moved', 'renumbered'] as const
export type GoneReason = (typeof goneReasons)[number]
