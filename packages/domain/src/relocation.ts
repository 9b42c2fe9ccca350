import type { BlobRef, ChangeNumber, MailboxId } from './ids.ts'

/**
 * Moving a mailbox from one database to another while it is in use: architecture.md §3. Whoever moves it (server/src/move) asks both databases, in
 * small steps that may be repeated: the source answers pages of its change feed with everything that belongs to a row, the target writes them; what
 * has no change number (folders, states, keys, rights, queue) is compared by digests. The source is then locked (`leave`): writes wait, the last
 * changes follow, the directory names the target with an epoch one higher, the target opens, and the source answers "moved, epoch n".
 *
 * Invariants: a mailbox is written in one database only, the one the directory names; a source that has been left takes nothing until the mover says
 * `stay`, and a target nothing before `open`, whoever dies in between.
 */

/** A value of a row on its way: numbers, text, sealed bytes. */
export type MovedValue = number | string | Uint8Array | null

/** One placement with its item. Columns are the store's, in its order: both sides are of one version (`format`). */
export interface MovedRow {
  readonly change: ChangeNumber
  readonly values: readonly MovedValue[]
  /** Bytes of the item, for who cuts pages. */
  readonly size: number
  /** The original, if it has one, and those of its attachments. */
  readonly original: BlobRef | undefined
  readonly attached: readonly BlobRef[]
}
export interface MovedGone {
  readonly change: ChangeNumber
  readonly values: readonly MovedValue[]
}
/** A page of the change feed: rows and tombstones, each in the order of change numbers. */
export interface MovePage {
  readonly rows: readonly MovedRow[]
  readonly gone: readonly MovedGone[]
  /** Everything up to here is in this page or those before. */
  readonly upTo: ChangeNumber
  readonly more: boolean
}

/** A table that has no change numbers, by its name. */
export type MovedTable =
  | 'folder'
  | 'folder_count'
  | 'gone_folder'
  | 'keyword_set'
  | 'perm'
  | 'named_prop'
  | 'receive_folder'
  | 'state'
  | 'once'
  | 'queue'
export interface MovedSmallRow {
  readonly key: readonly MovedValue[]
  readonly values: readonly MovedValue[]
  /** Of a queue entry. */
  readonly original: BlobRef | undefined
}
export interface TableDigest {
  readonly table: MovedTable
  readonly key: readonly MovedValue[]
  readonly digest: string
}

/** A mailbox as a database has it. `arriving`: being written by a move. `leaving`: it takes no writes, the move decides. */
export interface Residence {
  readonly state: 'live' | 'arriving' | 'leaving' | 'dying'
  readonly epoch: number
  /** Of an arriving one: how far it has come. */
  readonly change: ChangeNumber
  /** Of what the rows look like: both sides must have the same. */
  readonly format: number
  readonly guid: string
  readonly items: number
  readonly usedBytes: number
}

/** What both sides of a move are asked, and answer. */
export interface MoveSteps {
  look: { ask: Record<string, never>; answer: Residence | undefined }
  // The source
  page: { ask: { readonly since: ChangeNumber; readonly limit: number }; answer: MovePage }
  rows: {
    ask: { readonly table: MovedTable; readonly keys: readonly (readonly MovedValue[])[] }
    answer: readonly MovedSmallRow[]
  }
  /** The row of the mailbox itself. */
  counters: { ask: Record<string, never>; answer: readonly MovedValue[] }
  /** From now on writes wait, durably: also after a restart. Answers the last change number. */
  leave: { ask: Record<string, never>; answer: ChangeNumber }
  /** The move is off, or put off: writes go on. */
  stay: { ask: Record<string, never>; answer: null }
  /** The directory names the other database, with this epoch: who asks here is told so, and what is here is removed. */
  left: { ask: { readonly epoch: number }; answer: null }
  // Both
  /** Digests of the rows without change numbers, a page of them. */
  digests: {
    ask: { readonly after: { readonly table: MovedTable; readonly key: readonly MovedValue[] } | undefined }
    answer: { readonly digests: readonly TableDigest[]; readonly more: boolean }
  }
  // The target
  /** Makes the arriving mailbox, or finds it; answers how far it has come. */
  prepare: { ask: { readonly epoch: number; readonly guid: string }; answer: ChangeNumber }
  /** Which of these originals of the source are not here yet. */
  missing: { ask: { readonly refs: readonly BlobRef[] }; answer: readonly BlobRef[] }
  receive: {
    ask: {
      readonly page: MovePage
      readonly originals: readonly { readonly ref: BlobRef; readonly bytes: Uint8Array }[]
    }
    answer: null
  }
  put: {
    ask: {
      readonly remove: readonly Omit<TableDigest, 'digest'>[]
      readonly rows: readonly { readonly table: MovedTable; readonly row: MovedSmallRow }[]
      readonly originals: readonly { readonly ref: BlobRef; readonly bytes: Uint8Array }[]
    }
    answer: null
  }
  /** Everything is here: takes the counters, and rejects with `conflict` when the rows are not what they count. */
  settle: { ask: { readonly counters: readonly MovedValue[]; readonly epoch: number }; answer: null }
  /** The directory names this database: from now on it is the mailbox's. */
  open: { ask: { readonly epoch: number }; answer: null }
  /** The move is off: what has arrived goes. */
  discard: { ask: Record<string, never>; answer: null }
  /** Forgets what references of the other database stand for. */
  forget: { ask: Record<string, never>; answer: null }
}
export type MoveStep = keyof MoveSteps

/** Asks one database about a mailbox that moves. */
export type Relocate = <Step extends MoveStep>(
  mailbox: MailboxId,
  database: string,
  step: Step,
  ask: MoveSteps[Step]['ask'],
) => Promise<MoveSteps[Step]['answer']>
