/** This device: what is kept on it, what waits on it, and when all that goes. One object a page. */
import type { App } from '../app.ts'
import { compose } from '../compose/open.ts'
import type { Beginning } from '../compose/open.ts'
import { followPush } from '../store/push.ts'
import { settings } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { type KeptStart, OUTBOX_SYNC } from './kept.ts'
import { Keeper } from './keeper.ts'
import { LocalJmap } from './local.ts'
import { Outbox, type Waiting } from './outbox.ts'
import type { Vault } from './vault.ts'

const FIRST_MS = 3_000
const EVERY_MS = 60_000
const TRY_MS = 15_000

export class Device {
  readonly outbox: Outbox
  readonly local: LocalJmap
  readonly #vault: Vault
  readonly #app: App
  readonly #keeper: Keeper

  constructor(vault: Vault, app: App) {
    this.#vault = vault
    this.#app = app
    this.local = new LocalJmap(vault, () => app.acts.queued())
    this.#keeper = new Keeper(vault, app.client, app.contents, () => settings.peek().offlineDays)
    this.outbox = new Outbox(vault, app.client, {
      sent: ({ answers }) => {
        if (answers !== undefined)
          app.acts.change([answers.id], ({ mailboxIds, keywords }) => ({
            mailboxIds,
            keywords: { ...keywords, [answers.keyword]: true },
          }))
        app.tell(t('outboxSent'))
        void app.sync.run()
      },
      waits: () => void askForSync(),
      refused: (one, problem) =>
        app.tell(t('sendFailed', { problem }), { label: t('open'), run: () => void this.edit(one.id) }),
    })
  }

  start(): void {
    const send = (): void => {
      if (this.outbox.count.peek() > 0) void this.outbox.flush()
    }
    const keep = (): void => {
      if (!navigator.onLine || !this.#app.reached.peek()) return
      void this.#keepStart()
      void this.#keeper.run()
    }
    setTimeout(() => {
      send()
      keep()
    }, FIRST_MS)
    setInterval(send, TRY_MS)
    setInterval(keep, EVERY_MS)
    addEventListener('online', send)
    followPush()
    navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'object' && data !== null && 'outbox' in data) void this.outbox.refresh()
    })
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') void this.#keepStart()
    })
    this.#app.reached.subscribe((reached) => {
      if (reached) queueMicrotask(send)
    })
  }

  /** Keeps it all now: tests, and “keep now” of the settings. */
  keepNow(): Promise<void> {
    return this.#keepStart().then(() => this.#keeper.run())
  }

  async #keepStart(): Promise<void> {
    const { responses: _responses, offlineKey: _key, ...start } = this.#app.start
    const kept: KeptStart = { start, lastAct: this.#app.lastAct }
    await this.#vault.put('meta', [['start', kept]])
  }

  /** Back into the composer. */
  async edit(id?: string): Promise<void> {
    const all = await this.outbox.list()
    const one = id === undefined ? all.at(-1) : all.find((each) => each.id === id)
    if (one === undefined) return
    await this.outbox.take(one.id)
    compose(one.beginning as Omit<Beginning, 'key'>)
  }
  put(one: Waiting): Promise<void> {
    return this.outbox.put(one)
  }
  /** Keys of S/MIME, and certificates of people, sealed like all that is kept; the setting of how much mail is kept does not touch them. */
  own<T>(name: 'keys' | 'people'): Promise<T | undefined> {
    return this.#vault.get<T>('own', name)
  }
  keepOwn(name: 'keys' | 'people', value: unknown): Promise<void> {
    return this.#vault.put('own', [[name, value]])
  }
  forgetOwn(): Promise<void> {
    return this.#vault.clear('own')
  }
  lock(): Promise<void> {
    return this.#vault.lock()
  }
}

/** One-shot background sync, where the browser has it: the service worker sends when the network is back, with no page open. */
async function askForSync(): Promise<void> {
  const registration = (await navigator.serviceWorker?.ready) as
    | (ServiceWorkerRegistration & { readonly sync?: { register(tag: string): Promise<void> } })
    | undefined
  // Refused (a setting of the browser): the next page sends.
  await registration?.sync?.register(OUTBOX_SYNC).catch(() => {})
}
