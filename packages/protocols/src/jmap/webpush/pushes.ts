/**
 * Pushes for whoever subscribed: RFC 8620 §7.2. A mailbox with subscriptions waits among all who wait; a hint wakes it, and its new states go
 * out, sealed, to every subscription that was verified. A push service that is slow or away costs a few tries and nothing else; one that
 * says the browser is gone ends the subscription.
 */
import {
  type Hint,
  HintKind,
  type MailboxEntry,
  type MailboxHandle,
  type MailboxId,
  type Waiter,
} from '@postrider/domain'
import { accountIdOf } from '../core/ids.ts'
import { MAX_PUSHES_AT_ONCE, PUSH_GAP_MS, PUSH_TRIES } from '../limits.ts'
import { mailState, mailTypes, pushTypes, recordTypes } from '../push/states.ts'
import type { Jmap } from '../service.ts'
import type { Stored } from '../store/records.ts'
import { MAX_PUSHED, seal } from './seal.ts'
import { principalOf, PUSH, type SubscriptionValue } from './subscription.ts'

/** How a push leaves; the server gives one that does not lead inside. */
export interface PushSender {
  /** POSTs; answers the status, and how long to wait where that was said (ms). Rejects when nobody could be reached. */
  post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
  ): Promise<{ readonly status: number; readonly retryAfterMs?: number }>
}

const TTL_SECONDS = 24 * 60 * 60
const LONGEST_WAIT_MS = 10 * 60_000
const FIRST_WAIT_MS = 2_000

interface Watched {
  readonly entry: MailboxEntry
  readonly waiter: Waiter
  readonly types: Set<string>
  told: string | undefined
  last: number
  timer: NodeJS.Timeout | undefined
}

export class Pushes {
  readonly #jmap: Jmap
  readonly #watched = new Map<MailboxId, Watched>()
  #running = 0
  #stopped = false
  #unlisten: (() => void) | undefined

  constructor(jmap: Jmap) {
    this.#jmap = jmap
  }

  /** Watches a mailbox that has subscriptions; answers how many. */
  async takeUp(entry: MailboxEntry, handle: MailboxHandle): Promise<number> {
    if (this.#jmap.parts.push === undefined) return 0
    const { records } = await this.#jmap.records.read<SubscriptionValue>(handle, PUSH)
    const alive = records.filter(({ value }) => value.expires > this.#jmap.parts.clock.now())
    if (alive.some(({ value }) => value.verified)) await this.#watch(entry)
    return alive.length
  }

  /** After a set: new ones are asked to prove themselves, and the mailbox is watched or no longer. */
  async changed(entry: MailboxEntry, handle: MailboxHandle, fresh: readonly string[]): Promise<void> {
    const { push, agenda } = this.#jmap.parts
    if (push === undefined) return
    const { records } = await this.#jmap.records.read<SubscriptionValue>(handle, PUSH)
    for (const one of records)
      if (fresh.includes(one.id))
        void this.#send(entry, one, {
          '@type': 'PushVerification',
          pushSubscriptionId: one.id,
          verificationCode: one.value.code,
        })
    if (records.length > 0) await agenda?.add(entry.mailbox)
    // Another process may be the one that watches.
    if (this.#jmap.leavesToAnother(entry.mailbox)) return
    if (records.some(({ value }) => value.verified)) await this.#watch(entry)
    else this.#leave(entry.mailbox)
  }

  stop(): void {
    this.#stopped = true
    this.#unlisten?.()
    for (const mailbox of [...this.#watched.keys()]) this.#leave(mailbox)
  }

  async #watch(entry: MailboxEntry): Promise<void> {
    if (this.#watched.has(entry.mailbox) || this.#stopped) return
    const watched: Watched = {
      entry,
      waiter: { hint: (hint) => this.#hint(watched, hint) },
      types: new Set(),
      told: undefined,
      last: 0,
      timer: undefined,
    }
    this.#watched.set(entry.mailbox, watched)
    this.#unlisten ??= this.#jmap.listen((mailbox, type) => {
      const one = this.#watched.get(mailbox)
      if (one !== undefined) this.#note(one, [type])
    })
    // Register, then look: what happens between is told by the next look.
    await this.#jmap.parts.held.hold(entry.mailbox, watched.waiter)
    watched.told = await mailState(this.#jmap, principalOf(entry), accountIdOf(entry.mailbox))
  }

  #leave(mailbox: MailboxId): void {
    const watched = this.#watched.get(mailbox)
    if (watched === undefined) return
    this.#watched.delete(mailbox)
    clearTimeout(watched.timer)
    this.#jmap.parts.held.release(mailbox, watched.waiter)
  }

  #hint(watched: Watched, { folders }: Hint): void {
    const added = folders.length === 0 || folders.some((one) => (one.kinds & HintKind.added) !== 0)
    this.#note(watched, added ? [...mailTypes, 'EmailDelivery'] : mailTypes)
  }

  #note(watched: Watched, types: readonly string[]): void {
    for (const type of types) watched.types.add(type)
    if (watched.timer !== undefined || this.#stopped) return
    // Not more often than PUSH_GAP_MS: a phone's battery pays for each.
    const wait = Math.max(100, watched.last + PUSH_GAP_MS - this.#jmap.parts.clock.now())
    watched.timer = setTimeout(() => void this.#tell(watched), Math.min(wait, PUSH_GAP_MS))
    watched.timer.unref()
  }

  async #tell(watched: Watched): Promise<void> {
    watched.timer = undefined
    const types = [...watched.types]
    watched.types.clear()
    const { clock, directory, log } = this.#jmap.parts
    watched.last = clock.now()
    const entry = directory.mailbox(watched.entry.mailbox)
    if (entry === undefined || !entry.enabled) return this.#leave(watched.entry.mailbox)
    try {
      const accountId = accountIdOf(entry.mailbox)
      const now = await mailState(this.#jmap, principalOf(entry), accountId)
      if (now === undefined) return
      const news = now !== watched.told
      watched.told = now
      const states = Object.fromEntries(
        types.flatMap((type) =>
          recordTypes.includes(type) ? [[type, `${type}-${this.#jmap.told}`]] : news ? [[type, now]] : [],
        ),
      )
      if (Object.keys(states).length === 0) return
      const handle = await this.#jmap.openAs(entry)
      const { records } = await this.#jmap.records.read<SubscriptionValue>(handle, PUSH)
      const alive = records.filter(({ value }) => value.verified && value.expires > clock.now())
      if (alive.length === 0) return this.#leave(entry.mailbox)
      for (const one of alive) {
        const wanted = Object.entries(states).filter(([type]) => (one.value.types ?? pushTypes).includes(type))
        if (wanted.length === 0) continue
        const changed = { [accountId]: Object.fromEntries(wanted) }
        void this.#send(entry, one, { '@type': 'StateChange', changed })
      }
    } catch (error) {
      log.debug({ account: entry.account, err: error }, 'a push was not made')
    }
  }

  async #send(entry: MailboxEntry, { id, value }: Stored<SubscriptionValue>, message: unknown): Promise<void> {
    const { push, clock, log, meter } = this.#jmap.parts
    if (push === undefined || this.#running >= MAX_PUSHES_AT_ONCE) return
    this.#running++
    try {
      const text = Buffer.from(JSON.stringify(message))
      if (value.keys !== null && text.length > MAX_PUSHED) return
      const sealed = value.keys === null ? text : seal(text, value.keys)
      for (let turn = 0, wait = FIRST_WAIT_MS; turn < PUSH_TRIES && !this.#stopped; turn++, wait *= 4) {
        const headers = {
          'Content-Type': value.keys === null ? 'application/json' : 'application/octet-stream',
          ...(value.keys === null ? {} : { 'Content-Encoding': 'aes128gcm' }),
          TTL: String(TTL_SECONDS),
          Urgency: 'normal',
          Authorization: push.vapid.authorization(value.url, clock.now()),
        }
        let answer: Awaited<ReturnType<PushSender['post']>> | undefined
        try {
          answer = await push.sender.post(value.url, headers, sealed)
        } catch (error) {
          log.debug({ account: entry.account, err: error }, 'a push service could not be reached')
        }
        const status = answer?.status ?? 0
        meter.count('jmap_pushes_total', { status: status === 0 ? 'unreachable' : `${Math.floor(status / 100)}xx` })
        if (status >= 200 && status < 300) return
        // RFC 8030 §7.3: the browser unsubscribed.
        if (status === 404 || status === 410) return await this.#gone(entry, id)
        if (status !== 0 && status !== 429 && status < 500) {
          log.info({ account: entry.account, status }, 'a push service refused a push')
          return
        }
        await later(Math.min(answer?.retryAfterMs ?? wait, LONGEST_WAIT_MS))
      }
    } finally {
      this.#running--
    }
  }

  async #gone(entry: MailboxEntry, id: string): Promise<void> {
    const handle = await this.#jmap.openAs(entry)
    await this.#jmap.records.write<SubscriptionValue, void>(handle, PUSH, ({ remove }) => remove(id))
  }
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())
