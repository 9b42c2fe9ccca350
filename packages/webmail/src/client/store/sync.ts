/**
 * Follows the server: RFC 8620 §5.2 (changes), §7.3 (EventSource). A push says only that something changed; what, is asked from our own
 * state. One tab listens for all (a browser opens few connections to one server), the others hear it from that one.
 */
import { type Signal, signal } from '@preact/signals'
import { mailboxProperties, markProperties, rowProperties } from '../../start.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { Store } from './store.ts'

const PING_SECONDS = 60
const POLL_MS = 60_000
const MOST_CHANGES = 200

/** RFC 8620 §7.1. */
interface StateChange {
  readonly changed: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export class Sync {
  readonly #store: Store
  readonly #tabs = new BroadcastChannel('postrider-state')
  readonly live: Signal<boolean> = signal(false)
  #source: EventSource | undefined
  #running: Promise<void> | undefined
  #again = false

  constructor(store: Store) {
    this.#store = store
  }

  start(): void {
    this.#tabs.onmessage = ({ data }) => this.#hear(data as StateChange)
    this.#lead()
    setInterval(() => {
      if (!navigator.onLine) return
      if (this.#source?.readyState === EventSource.CLOSED) this.#listen()
      if (this.#source !== undefined && !this.live.peek()) void this.run()
    }, POLL_MS)
    // What was missed in the background, or while the machine slept.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.run()
    })
    addEventListener('online', () => {
      if (this.#source !== undefined) this.#listen()
      void this.run()
    })
  }

  /** The tab that has the lock listens; when it closes, the next one gets it. */
  #lead(): void {
    if (navigator.locks === undefined) {
      this.#listen()
      return
    }
    navigator.locks
      .request('postrider-events', () => {
        this.#listen()
        return new Promise(() => {})
      })
      .catch(() => this.#listen())
  }

  #listen(): void {
    this.#source?.close()
    const source = new EventSource(this.#store.client.eventSourceUrl(['*'], PING_SECONDS))
    this.#source = source
    source.onopen = () => {
      this.live.value = true
      // What happened while we did not listen, also between the page's first answers and now.
      void this.run()
    }
    source.onerror = () => {
      this.live.value = false
      // Refused, not cut off: whether the session is over is told by the next request.
      if (source.readyState === EventSource.CLOSED) void this.run()
    }
    source.addEventListener('state', (event) => {
      const change = JSON.parse((event as MessageEvent<string>).data) as StateChange
      this.#tabs.postMessage(change)
      this.#hear(change)
    })
  }

  #hear({ changed }: StateChange): void {
    const types = changed[this.#store.client.accountId] ?? {}
    const records = Object.keys(types).filter((type) => !/^(?:Email|Mailbox|Thread|EmailDelivery)$/.test(type))
    if (records.length > 0) this.#store.onRecords(records)
    if (
      (types.Email !== undefined && types.Email !== this.#store.emailState) ||
      (types.Mailbox !== undefined && types.Mailbox !== this.#store.mailboxState)
    )
      void this.run()
  }

  /** Signing out: nothing is to be heard any more, and nothing cut off. */
  stop(): void {
    this.#source?.close()
    this.#source = undefined
  }

  /** One round at a time; a call during a round leads to one more after it. */
  run(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true
      return this.#running
    }
    this.#running = this.#round().finally(() => {
      this.#running = undefined
      if (this.#again) {
        this.#again = false
        void this.run()
      }
    })
    return this.#running
  }

  async #round(): Promise<void> {
    const store = this.#store
    const { client } = store
    try {
      const mailboxes = client.call('Mailbox/get', { ids: null, properties: mailboxProperties })
      if (store.emailState === undefined) {
        const { list, state } = await mailboxes
        store.putMailboxes(list, state)
        return
      }
      const changes = client.call('Email/changes', { sinceState: store.emailState, maxChanges: MOST_CHANGES })
      const created = client.call('Email/get', { ids: changes.ref('/created'), properties: rowProperties })
      const updated = client.call('Email/get', {
        ids: changes.ref('/updated'),
        properties: markProperties,
      })
      const threads = client.call('Thread/get', { ids: created.ref('/list/*/threadId') })
      const got = await mailboxes
      const changed = await changes
      const fresh = await created
      const touched = await updated
      store.putThreads((await threads).list)
      store.putEmails(fresh.list, undefined)
      store.putEmails(
        touched.list.filter((one) => store.email(one.id).peek() !== undefined),
        undefined,
      )
      store.drop(changed.destroyed)
      if (store.pending.size === 0) store.putMailboxes(got.list, got.state)
      store.emailState = changed.newState
      if (fresh.list.length > 0) store.onArrived(fresh.list)
      if (changed.hasMoreChanges) this.#again = true
    } catch (error) {
      if (error instanceof OfflineError) return
      if (!(error instanceof JmapError) || error.type !== 'cannotCalculateChanges') console.error(error)
      // Too long ago: everything looked at is read again.
      store.emailState = undefined
      for (const list of store.lists()) list.forget()
    }
    for (const list of store.lists())
      if (list === store.active) void list.refresh()
      else list.stale()
  }
}
