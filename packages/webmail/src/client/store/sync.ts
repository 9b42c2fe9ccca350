/** Follows the server: RFC 8620 §5.2 (changes), §7.3 (EventSource). A push says only that something changed; what, is asked from our own state. */
import { type Signal, signal } from '@preact/signals'
import { mailboxProperties, rowProperties } from '../../start.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { Store } from './store.ts'

const PING_SECONDS = 60
const POLL_MS = 60_000
const MOST_CHANGES = 200

export interface SyncEvents {
  /** Submissions changed: the outbox looks again. */
  readonly submissions?: () => void
}

export class Sync {
  readonly #store: Store
  readonly #events: SyncEvents
  readonly live: Signal<boolean> = signal(false)
  #source: EventSource | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #running: Promise<void> | undefined
  #again = false

  constructor(store: Store, events: SyncEvents = {}) {
    this.#store = store
    this.#events = events
  }

  start(): void {
    this.#listen()
    this.#timer = setInterval(() => {
      if (!this.live.peek() && navigator.onLine) {
        void this.run()
        if (this.#source?.readyState === EventSource.CLOSED) this.#listen()
      }
    }, POLL_MS)
    addEventListener('online', () => {
      this.#listen()
      void this.run()
    })
  }

  stop(): void {
    this.#source?.close()
    clearInterval(this.#timer)
  }

  #listen(): void {
    this.#source?.close()
    const { client } = this.#store
    const source = new EventSource(client.eventSourceUrl(['*'], PING_SECONDS))
    this.#source = source
    let opened = false
    source.onopen = () => {
      this.live.value = true
      // What happened while we did not listen.
      if (opened) void this.run()
      opened = true
    }
    source.onerror = () => {
      this.live.value = false
    }
    source.addEventListener('state', (event) => {
      const { changed } = JSON.parse((event as MessageEvent<string>).data) as {
        readonly changed: Readonly<Record<string, Readonly<Record<string, string>>>>
      }
      const types = changed[client.accountId] ?? {}
      if (types.EmailSubmission !== undefined) this.#events.submissions?.()
      if (
        (types.Email !== undefined && types.Email !== this.#store.emailState) ||
        (types.Mailbox !== undefined && types.Mailbox !== this.#store.mailboxState)
      )
        void this.run()
    })
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
        properties: ['id', 'threadId', 'mailboxIds', 'keywords', 'receivedAt'],
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
