import type { MailboxId } from '../ids.ts'
import type { Hint, MailboxService, Subscription } from '../service.ts'

/** A waiter: IDLE, Ping, hanging Sync. `hint` may come early, merged, or too often: read the change feed from your own cursor. */
export interface Waiter {
  hint(hint: Hint): void
}

interface Entry {
  readonly waiters: Set<Waiter>
  subscription: Subscription | undefined
  ready: Promise<void>
}

/**
 * The one table of everybody who waits for a mailbox: however many sessions hold one, the service has one subscription. The order that
 * loses no wake-up: `await hold(…)` (registered), then look at the feed, then sleep.
 */
export class HeldTable {
  readonly #service: Pick<MailboxService, 'subscribe'>
  readonly #entries = new Map<MailboxId, Entry>()
  #count = 0

  constructor(service: Pick<MailboxService, 'subscribe'>) {
    this.#service = service
  }

  /** Waiters now, for the metrics. */
  get size(): number {
    return this.#count
  }

  /** True when hints of a mailbox reach this table already. */
  listens(mailbox: MailboxId): boolean {
    return this.#entries.get(mailbox)?.subscription !== undefined
  }

  /** Registers; resolves when hints of every later commit will reach the waiter. Rejects as `subscribe` does. */
  async hold(mailbox: MailboxId, waiter: Waiter): Promise<void> {
    let entry = this.#entries.get(mailbox)
    if (entry === undefined) {
      entry = this.#open(mailbox)
      this.#entries.set(mailbox, entry)
    }
    if (!entry.waiters.has(waiter)) {
      entry.waiters.add(waiter)
      this.#count++
    }
    try {
      await entry.ready
    } catch (error) {
      this.release(mailbox, waiter)
      throw error
    }
  }

  /** Takes the waiter out; nothing happens when it is not in. */
  release(mailbox: MailboxId, waiter: Waiter): void {
    const entry = this.#entries.get(mailbox)
    if (entry === undefined || !entry.waiters.delete(waiter)) return
    this.#count--
    if (entry.waiters.size > 0) return
    this.#entries.delete(mailbox)
    entry.subscription?.close()
  }

  #open(mailbox: MailboxId): Entry {
    const entry: Entry = { waiters: new Set(), subscription: undefined, ready: Promise.resolve() }
    entry.ready = this.#service
      .subscribe(mailbox, (hint) => {
        for (const waiter of [...entry.waiters]) waiter.hint(hint)
      })
      .then((subscription) => {
        if (this.#entries.get(mailbox) === entry) entry.subscription = subscription
        else subscription.close()
      })
    return entry
  }
}
