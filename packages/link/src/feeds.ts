import {
  type ChangeNumber,
  DomainError,
  type Hint,
  isDomainError,
  type Logger,
  type MailboxId,
  type Subscription,
} from '@postrider/domain'
import { type MethodName, methods } from './methods.ts'

type Listener = (...args: never[]) => void

/** What feeds need of the caller. */
export interface FeedPorts {
  /** Sends a subscription; `id` is its number on the wire. */
  readonly register: (
    name: MethodName,
    args: readonly unknown[],
  ) => { readonly id: number; readonly done: Promise<void> }
  readonly cancel: (id: number) => void
  readonly change: (mailbox: MailboxId) => Promise<ChangeNumber>
  readonly log: Logger
}

/** How long a renewal waits after a refusal before it tries again. */
const RENEW_MS = 200

/** Later than any other: change numbers have 48 bits. */
const LAST_CHANGE = 2 ** 48 - 1

/** One subscription on the wire, for all local listeners of the same thing. */
export class Feed {
  readonly name: MethodName
  readonly args: readonly unknown[]
  readonly register: FeedPorts['register']
  readonly listeners = new Set<Listener>()
  id = 0
  ready: Promise<void>
  /** Registered at least once: it is worth renewing. */
  isRegistered = false

  constructor(name: MethodName, args: readonly unknown[], ports: FeedPorts) {
    this.name = name
    this.args = args
    this.register = ports.register
    this.ready = this.send()
  }

  send(): Promise<void> {
    const { id, done } = this.register(this.name, this.args)
    this.id = id
    this.ready = done.then(() => {
      this.isRegistered = true
    })
    return this.ready
  }
}

/** The subscriptions of a caller: many listeners, one subscription on the wire per mailbox, renewed on every new channel. */
export class Feeds {
  readonly #ports: FeedPorts
  readonly #feeds = new Map<string, Feed>()
  readonly #byId = new Map<number, Feed>()
  #generation = 0

  constructor(ports: FeedPorts) {
    this.#ports = ports
  }

  has(id: number): boolean {
    return this.#byId.has(id)
  }

  async subscribe(name: MethodName, args: readonly unknown[], listener: Listener): Promise<Subscription> {
    const key = JSON.stringify([name, args])
    let feed = this.#feeds.get(key)
    if (feed === undefined) {
      feed = new Feed(name, args, this.#ports)
      this.#feeds.set(key, feed)
      this.#byId.set(feed.id, feed)
    }
    const { listeners } = feed
    const own: Listener = (...hint) => listener(...hint)
    listeners.add(own)
    const joined = feed
    try {
      await feed.ready
    } catch (error) {
      listeners.delete(own)
      this.#dropIfUnused(key, joined)
      throw error
    }
    return {
      close: () => {
        if (listeners.delete(own)) this.#dropIfUnused(key, joined)
      },
    }
  }

  #dropIfUnused(key: string, feed: Feed): void {
    if (feed.listeners.size > 0 || this.#feeds.get(key) !== feed) return
    this.#feeds.delete(key)
    this.#byId.delete(feed.id)
    if (feed.isRegistered) this.#ports.cancel(feed.id)
  }

  /** A hint came from the other side. */
  hint(id: number, args: readonly unknown[]): void {
    const feed = this.#byId.get(id)
    if (feed !== undefined) this.#wake(feed, args)
  }

  #wake(feed: Feed, args: readonly unknown[]): void {
    for (const listener of feed.listeners) {
      try {
        listener(...(args as never[]))
      } catch (error) {
        this.#ports.log.error({ error: String(error) }, 'a listener failed')
      }
    }
  }

  /** There is a new channel: everything is subscribed again. */
  renew(): void {
    const generation = ++this.#generation
    this.#byId.clear()
    for (const [key, feed] of this.#feeds) {
      if (feed.isRegistered) void this.#renewOne(key, feed, generation)
      else this.#feeds.delete(key)
    }
  }

  close(): void {
    this.#generation++
    this.#feeds.clear()
    this.#byId.clear()
  }

  /** Subscribes again and wakes all listeners: what happened meanwhile had no hint. */
  async #renewOne(key: string, feed: Feed, generation: number): Promise<void> {
    const current = (): boolean => this.#generation === generation && this.#feeds.get(key) === feed
    while (current()) {
      try {
        const sent = feed.send()
        this.#byId.set(feed.id, feed)
        await sent
        const hint = await this.#missed(feed)
        if (current()) this.#wake(feed, hint)
        return
      } catch (error) {
        this.#byId.delete(feed.id)
        if (!current()) return
        if (!isDomainError(error, 'busy') && !isDomainError(error, 'unavailable')) {
          this.#abandon(key, feed, error)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RENEW_MS).unref())
      }
    }
  }

  async #missed({ name, args }: Feed): Promise<readonly unknown[]> {
    if (methods[name].scope === 'home') return []
    const mailbox = args[0] as MailboxId
    return [{ mailbox, change: await this.#ports.change(mailbox), folders: [] } satisfies Hint]
  }

  /** The mailbox is not there any more: whoever waits shall look, and will be told so. */
  #abandon(key: string, feed: Feed, error: unknown): void {
    this.#feeds.delete(key)
    const reason = error instanceof DomainError ? error.code : String(error)
    this.#ports.log.warn({ method: feed.name, reason }, 'a subscription ended')
    if (methods[feed.name].scope === 'home') return
    const change = LAST_CHANGE as ChangeNumber
    this.#wake(feed, [{ mailbox: feed.args[0] as MailboxId, change, folders: [] } satisfies Hint])
  }
}
