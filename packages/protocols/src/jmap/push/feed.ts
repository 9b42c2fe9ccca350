/**
 * The states of a user's accounts as they change: what the event source (RFC 8620 §7.3) and the socket (RFC 8887 §4.3.5) tell. It waits among all
 * who wait; a hint wakes it, it looks, and tells new states. Register, check, sleep: what happens between two looks is told by the next.
 */
import { type Hint, HintKind, type MailboxId, type Principal, type Waiter } from '@postrider/domain'
import { accountIdOf } from '../core/ids.ts'
import { record } from '../core/json.ts'
import { readState } from '../core/state.ts'
import { PUSH_COALESCE_MS } from '../limits.ts'
import { lookOn } from '../looking-on.ts'
import type { Jmap } from '../service.ts'
import { mailState, mailTypes, recordTypes } from './states.ts'

/** RFC 8620 §7.1. */
export interface StateChange {
  readonly '@type': 'StateChange'
  readonly changed: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Listener {
  /** `position`: what `open` takes to go on from here. */
  changed(change: StateChange, position: string): void
  /** It cannot go on; the client comes again with the last position it saw. */
  failed(): void
}

export class Feed {
  readonly #jmap: Jmap
  readonly #principal: Principal
  readonly #types: ReadonlySet<string>
  readonly #listener: Listener
  readonly #waiters = new Map<MailboxId, Waiter>()
  /** The last mail state told, by account. */
  readonly #told = new Map<string, string>()
  readonly #pending = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined
  #unlisten: (() => void) | undefined
  #looking = false
  #closed = false

  constructor(jmap: Jmap, principal: Principal, types: ReadonlySet<string>, listener: Listener) {
    this.#jmap = jmap
    this.#principal = principal
    this.#types = types
    this.#listener = listener
  }

  async open(position: string): Promise<void> {
    const { held } = this.#jmap.parts
    this.#unlisten = this.#jmap.listen((mailbox, type) => {
      if (this.#waiters.has(mailbox)) this.#note(accountIdOf(mailbox), [type])
    })
    const seen = new Map(position.split('/').map((one) => one.split(':') as [string, string]))
    for (const { mailbox } of await this.#jmap.given.listed(this.#principal)) {
      const waiter: Waiter = { hint: (hint) => this.#hint(hint) }
      this.#waiters.set(mailbox, waiter)
      await held.hold(mailbox, waiter)
      if (this.#closed) return held.release(mailbox, waiter)
      const id = accountIdOf(mailbox)
      const now = await mailState(this.#jmap, this.#principal, id)
      if (now === undefined) continue
      const before = seen.get(id)
      this.#told.set(id, before ?? now)
      // What happened while nobody was connected.
      if (before !== undefined && readState(before)?.change !== readState(now)?.change) this.#note(id, [...mailTypes])
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const [mailbox, waiter] of this.#waiters) this.#jmap.parts.held.release(mailbox, waiter)
    clearTimeout(this.#timer)
    this.#unlisten?.()
  }

  #hint({ mailbox, folders }: Hint): void {
    const added = folders.length === 0 || folders.some((one) => (one.kinds & HintKind.added) !== 0)
    this.#note(accountIdOf(mailbox), added ? [...mailTypes, 'EmailDelivery'] : mailTypes)
  }

  #note(accountId: string, types: readonly string[]): void {
    if (this.#closed) return
    const set = this.#pending.get(accountId) ?? new Set()
    for (const type of types) if (this.#types.has(type)) set.add(type)
    if (set.size === 0) return
    this.#pending.set(accountId, set)
    if (this.#timer === undefined && !this.#looking) this.#timer = setTimeout(() => void this.#look(), PUSH_COALESCE_MS)
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    this.#looking = true
    const pending = new Map(this.#pending)
    this.#pending.clear()
    try {
      const changed = record<Record<string, string>>()
      for (const [accountId, types] of pending) {
        const states = record<string>()
        const now = await mailState(this.#jmap, this.#principal, accountId)
        if (now === undefined) continue
        const news = readState(this.#told.get(accountId) ?? '')?.change !== readState(now)?.change
        for (const type of types) {
          if (recordTypes.includes(type)) states[type] = `${type}-${this.#jmap.told}`
          else if (news) states[type] = now
        }
        this.#told.set(accountId, now)
        if (Object.keys(states).length > 0) changed[accountId] = states
      }
      if (Object.keys(changed).length > 0 && !this.#closed) {
        const position = [...this.#told].map(([account, state]) => `${account}:${state}`).join('/')
        lookOn(this.#jmap.parts.traces, this.#principal.address)?.('server', ['StateChange', { changed }, 'push'])
        this.#listener.changed({ '@type': 'StateChange', changed }, position)
      }
    } catch (error) {
      this.#jmap.parts.log.debug({ err: error }, 'a feed of states ended')
      this.#listener.failed()
      return
    } finally {
      this.#looking = false
    }
    if (this.#pending.size > 0 && !this.#closed) this.#timer = setTimeout(() => void this.#look(), PUSH_COALESCE_MS)
  }
}
