import { DomainError, type MailboxId } from '@postrider/domain'

/** How long a call waits for a mailbox that is just changing its home. */
const PATIENCE_MS = 15_000

/** Calls for mailboxes that change their home at this moment: they wait until it is decided where. */
export class Gates {
  readonly #closed = new Map<MailboxId, PromiseWithResolvers<void>>()

  /** From now on calls wait. */
  close(id: MailboxId): void {
    if (this.#closed.has(id)) return
    const gate = Promise.withResolvers<void>()
    // Nobody may be waiting.
    gate.promise.catch(() => {})
    this.#closed.set(id, gate)
  }

  /** They go on, or with an error are told so. */
  open(id: MailboxId, error?: DomainError): void {
    const gate = this.#closed.get(id)
    this.#closed.delete(id)
    if (error === undefined) gate?.resolve()
    else gate?.reject(error)
  }

  isClosed(id: MailboxId): boolean {
    return this.#closed.has(id)
  }

  /** Resolves when the way is free. Rejects with what was decided, or `unavailable` when nothing is for long. */
  async pass(id: MailboxId): Promise<void> {
    const gate = this.#closed.get(id)
    if (gate === undefined) return
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new DomainError('unavailable', `mailbox ${id} is being moved`)),
      PATIENCE_MS,
    )
    try {
      await Promise.race([gate.promise, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** The store closes. */
  shut(): void {
    for (const id of [...this.#closed.keys()]) this.open(id, new DomainError('unavailable', 'the store is closed'))
  }
}
