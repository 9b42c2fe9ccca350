import type { MailboxId } from '@postrider/domain'
import type { Books } from './books.ts'
import type { Call } from './call.ts'
import type { Statements } from './statements.ts'
import type { MailboxState } from './mailbox-state.ts'
import type { NamedOriginals } from './originals.ts'

/** A database as its own work on it sees it, whatever engine it has: statements inside of `run` only. */
export interface OwnedDatabase {
  readonly connection: Statements
  readonly books: Books
  readonly originals: NamedOriginals
  /** Throws `mailboxNotFound`. */
  state(id: MailboxId): MailboxState
  submit<T>(call: Call<T>): Promise<T>
}
