import type { ChangeNumber, FolderId, Hint, Logger, MailboxId, Subscription } from '@postrider/domain'

/** Who wants to hear of commits, by mailbox; and who wants to hear of the queue. Listeners are called after the commit, each in a turn of its own. */
export class Hints {
  readonly #log: Logger
  readonly #mailboxes = new Map<MailboxId, Set<(hint: Hint) => void>>()
  readonly #queue = new Set<() => void>()

  constructor(log: Logger) {
    this.#log = log
  }

  subscribe(mailbox: MailboxId, listener: (hint: Hint) => void): Subscription {
    const own = (hint: Hint): void => listener(hint)
    let listeners = this.#mailboxes.get(mailbox)
    if (listeners === undefined) {
      listeners = new Set()
      this.#mailboxes.set(mailbox, listeners)
    }
    listeners.add(own)
    return {
      close: () => {
        listeners.delete(own)
        if (listeners.size === 0 && this.#mailboxes.get(mailbox) === listeners) this.#mailboxes.delete(mailbox)
      },
    }
  }

  subscribeQueue(listener: () => void): Subscription {
    const own = (): void => listener()
    this.#queue.add(own)
    return { close: () => void this.#queue.delete(own) }
  }

  send(mailbox: MailboxId, change: ChangeNumber, touched: ReadonlyMap<FolderId, number>): void {
    const listeners = this.#mailboxes.get(mailbox)
    if (listeners === undefined) return
    const folders = [...touched].map(([id, kinds]) => ({ id, kinds }))
    for (const listener of listeners) {
      queueMicrotask(() => {
        if (listeners.has(listener)) this.#call(() => listener({ mailbox, change, folders }))
      })
    }
  }

  sendQueue(): void {
    for (const listener of this.#queue) {
      queueMicrotask(() => {
        if (this.#queue.has(listener)) this.#call(listener)
      })
    }
  }

  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#log.error({ error: String(error) }, 'a hint listener failed')
    }
  }

  close(): void {
    this.#mailboxes.clear()
    this.#queue.clear()
  }
}
