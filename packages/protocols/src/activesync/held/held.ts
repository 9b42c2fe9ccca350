/** A request that waits: what is kept of it, and nothing else. See held/wait.ts for how it is woken. */
import type { FolderId, Hint, MailboxId } from '@postrider/domain'
import type { Answer } from '../command.ts'

export interface Held {
  readonly mailbox: MailboxId
  /** Folders waited for; the hint of another one is passed over. */
  readonly folders: ReadonlySet<FolderId>
  /** HintKind bits that wake it. */
  readonly kinds: number
  /** ms to wait at most. */
  readonly waitMs: number
  /** Looks from its own cursor whether there is something: the answer, or undefined to wait on. */
  check(hint: Hint | undefined): Promise<Answer | undefined>
  /** The time is over, or the server drains. */
  expired(): Answer | Promise<Answer>
  /** A newer held request of the same device took its place. */
  replaced(): Answer | Promise<Answer>
}
