import type { MailboxId } from '@postrider/domain'
import type { PendingMailbox } from './tables.ts'

/** Which database a mailbox goes to, and what the mailbox service still has to do about mailboxes, as the directory remembers it. */
export class Assignment {
  readonly #databases: readonly string[]
  readonly #mailboxes = new Map<string, number>()
  readonly #pending = new Map<MailboxId, PendingMailbox>()

  constructor(databases: readonly string[], pending: Iterable<PendingMailbox>) {
    this.#databases = databases
    for (const one of pending) this.await(one)
  }

  /** So many mailboxes more (or fewer) are in a database. */
  count(database: string, by: number): void {
    this.#mailboxes.set(database, (this.#mailboxes.get(database) ?? 0) + by)
  }
  /** For a new mailbox. */
  leastFilled(): string {
    let best = this.#databases[0] ?? 'mailboxes-1'
    for (const name of this.#databases)
      if ((this.#mailboxes.get(name) ?? 0) < (this.#mailboxes.get(best) ?? 0)) best = name
    return best
  }

  await(pending: PendingMailbox): void {
    this.#pending.set(pending.mailbox, pending)
  }
  pending(): readonly PendingMailbox[] {
    return [...this.#pending.values()]
  }
  awaited(mailbox: MailboxId): PendingMailbox | undefined {
    return this.#pending.get(mailbox)
  }
  done(mailbox: MailboxId): void {
    this.#pending.delete(mailbox)
  }
}
