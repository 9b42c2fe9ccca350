import type { ChangeNumber, Hint, MailboxId, MailboxService, Subscription } from '@postrider/domain'

interface Followed {
  readonly mailbox: MailboxId
  readonly listener: (hint: Hint) => void
  database: string | undefined
  subscription: Subscription | undefined
  closed: boolean
  moving: boolean
}

/** How long to wait before a new home is asked again. */
const AGAIN_MS = 200

/** Subscriptions that go along when their mailbox moves: registered anew at its new home, and woken once, for what happened in between had no hint. */
export class FollowedFeeds {
  readonly #service: Pick<MailboxService, 'subscribe' | 'info'>
  readonly #databaseOf: (mailbox: MailboxId) => string | undefined
  readonly #feeds = new Set<Followed>()

  constructor(
    service: Pick<MailboxService, 'subscribe' | 'info'>,
    databaseOf: (mailbox: MailboxId) => string | undefined,
  ) {
    this.#service = service
    this.#databaseOf = databaseOf
  }

  async subscribe(mailbox: MailboxId, listener: (hint: Hint) => void): Promise<Subscription> {
    const database = this.#databaseOf(mailbox)
    const feed: Followed = { mailbox, listener, database, subscription: undefined, closed: false, moving: false }
    feed.subscription = await this.#service.subscribe(mailbox, listener)
    this.#feeds.add(feed)
    // It may have moved while this was registered.
    this.#check(feed)
    return {
      close: () => {
        feed.closed = true
        this.#feeds.delete(feed)
        feed.subscription?.close()
      },
    }
  }

  /** Some mailbox may live elsewhere now. */
  look(): void {
    for (const feed of this.#feeds) this.#check(feed)
  }

  #check(feed: Followed): void {
    const database = this.#databaseOf(feed.mailbox)
    if (feed.closed || feed.moving || database === undefined || database === feed.database) return
    feed.moving = true
    void this.#follow(feed)
  }

  async #follow(feed: Followed): Promise<void> {
    const { mailbox, listener } = feed
    while (!feed.closed) {
      const database = this.#databaseOf(mailbox)
      // It is gone for good: the hint of its end has come, or comes.
      if (database === undefined) break
      try {
        const next = await this.#service.subscribe(mailbox, listener)
        feed.subscription?.close()
        feed.subscription = next
        feed.database = database
        if (feed.closed) next.close()
        else listener({ mailbox, change: await this.#change(mailbox), folders: [] })
        if (this.#databaseOf(mailbox) === database) break
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref())
      }
    }
    feed.moving = false
  }

  /** A waiter looks itself; the number only says that there may be something. */
  async #change(mailbox: MailboxId): Promise<ChangeNumber> {
    return (await this.#service.info(mailbox)).change
  }
}
