import type { Operation, OperationResult, OriginalSource } from '@postrider/domain'
import type { Place } from '../../blobs/index.ts'
import type { Books } from '../books.ts'
import type { Statements } from '../statements.ts'
import type { Journal } from '../journal.ts'
import type { MailboxState } from '../mailbox-state.ts'
import type { NamedOriginals } from '../originals.ts'

/** What one operation works on. */
export interface Context {
  readonly connection: Statements
  readonly books: Books
  readonly originals: NamedOriginals
  readonly mailbox: MailboxState
  readonly journal: Journal
  readonly now: number
  /** Number of the database: low digits of queue ids. */
  readonly database: number
  /** Where the new bytes of this call were appended. */
  readonly places: ReadonlyMap<OriginalSource, Place>
  /** Those of them that a row names already: one object may stand in several operations. */
  readonly named: Set<OriginalSource>
  /** Answers of the operations before this one. */
  readonly results: readonly OperationResult[]
}

export type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>
