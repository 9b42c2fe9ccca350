/**
 * The event source: RFC 8620 §7.3. A held request is an entry in the table of everybody who waits; a hint wakes it, it looks at the feed
 * from where it was, and tells new states. Register, check, sleep: what happens between two looks is told by the next.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Hint, HintKind, type MailboxId, type Principal, type Timed, timed, type Waiter } from '@postrider/domain'
import { listedMailboxes } from '../core/accounts.ts'
import { accountIdOf } from '../core/ids.ts'
import { record } from '../core/json.ts'
import { readState } from '../core/state.ts'
import { sendHead, sendStatus } from '../http/respond.ts'
import { MAX_EVENT_SOURCES, MAX_PING_SECONDS, MIN_PING_SECONDS, PUSH_COALESCE_MS } from '../limits.ts'
import type { Jmap } from '../service.ts'
import { mailState, mailTypes, pushTypes, recordTypes } from './states.ts'

interface Wishes {
  readonly types: ReadonlySet<string>
  readonly closeAfterState: boolean
  /** Seconds; 0: never. */
  readonly ping: number
}

/** The parameters; undefined for what makes no sense. */
export function readWishes(url: string | undefined): Wishes | undefined {
  const query = new URL(url ?? '/', 'http://localhost').searchParams
  const types = query.get('types') ?? '*'
  const close = query.get('closeafter') ?? 'no'
  const ping = query.get('ping') ?? '0'
  if (!['state', 'no'].includes(close) || !/^\d{1,9}$/.test(ping) || types.length > 1_000) return undefined
  const seconds = Number(ping)
  return {
    types: new Set(types === '*' ? pushTypes : types.split(',')),
    closeAfterState: close === 'state',
    ping: seconds === 0 ? 0 : Math.min(MAX_PING_SECONDS, Math.max(MIN_PING_SECONDS, seconds)),
  }
}

export async function handleEvents(
  jmap: Jmap,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
): Promise<void> {
  if (request.method !== 'GET')
    return sendStatus(request, response, 405, 'Only GET is possible here.', { Allow: 'GET' })
  const wishes = readWishes(request.url)
  if (wishes === undefined) return sendStatus(request, response, 400, 'The parameters make no sense.')
  const leave = jmap.enter('events', principal.account, MAX_EVENT_SOURCES)
  if (leave === undefined) return sendStatus(request, response, 429, 'Too many event sources.')
  const source = new EventSource(jmap, principal, response, wishes, leave)
  await source.open(String(request.headers['last-event-id'] ?? ''))
}

export class EventSource {
  readonly #jmap: Jmap
  readonly #principal: Principal
  readonly #response: ServerResponse
  readonly #wishes: Wishes
  readonly #leave: () => void
  readonly #waiters = new Map<MailboxId, Waiter>()
  /** The last mail state told, by account. */
  readonly #told = new Map<string, string>()
  readonly #pending = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined
  #ping: Timed | undefined
  #unlisten: (() => void) | undefined
  #looking = false
  #closed = false

  constructor(jmap: Jmap, principal: Principal, response: ServerResponse, wishes: Wishes, leave: () => void) {
    this.#jmap = jmap
    this.#principal = principal
    this.#response = response
    this.#wishes = wishes
    this.#leave = leave
  }

  async open(lastEventId: string): Promise<void> {
    const { held, directory } = this.#jmap.parts
    this.#response.once('close', () => this.close())
    if (this.#response.destroyed) return this.close()
    this.#jmap.sources.add(this)
    this.#unlisten = this.#jmap.listen((mailbox, type) => {
      if (this.#waiters.has(mailbox)) this.#note(accountIdOf(mailbox), [type])
    })
    const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
    if (!sendHead(this.#response, 200, headers)) return this.close()
    this.#response.flushHeaders()
    for (const { mailbox } of listedMailboxes(directory, this.#principal)) {
      const waiter: Waiter = { hint: (hint) => this.#hint(hint) }
      this.#waiters.set(mailbox, waiter)
      await held.hold(mailbox, waiter)
      if (this.#closed) return held.release(mailbox, waiter)
      const id = accountIdOf(mailbox)
      const now = await mailState(this.#jmap, this.#principal, id)
      if (now === undefined) continue
      const before = new Map(lastEventId.split('/').map((one) => one.split(':') as [string, string])).get(id)
      this.#told.set(id, before ?? now)
      // What happened while nobody was connected.
      if (before !== undefined && readState(before)?.change !== readState(now)?.change) this.#note(id, [...mailTypes])
    }
    this.#setPing()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { held, wheel } = this.#jmap.parts
    for (const [mailbox, waiter] of this.#waiters) held.release(mailbox, waiter)
    if (this.#ping !== undefined) wheel.remove(this.#ping)
    clearTimeout(this.#timer)
    this.#unlisten?.()
    this.#jmap.sources.delete(this)
    this.#leave()
    if (!this.#response.writableEnded) this.#response.end()
  }

  #hint({ mailbox, folders }: Hint): void {
    const added = folders.length === 0 || folders.some((one) => (one.kinds & HintKind.added) !== 0)
    this.#note(accountIdOf(mailbox), added ? [...mailTypes, 'EmailDelivery'] : mailTypes)
  }

  #note(accountId: string, types: readonly string[]): void {
    if (this.#closed) return
    const set = this.#pending.get(accountId) ?? new Set()
    for (const type of types) if (this.#wishes.types.has(type)) set.add(type)
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
      const changed = record<unknown>()
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
      if (Object.keys(changed).length > 0) this.#send({ '@type': 'StateChange', changed })
    } catch (error) {
      // The client comes again, with the last id it saw.
      this.#jmap.parts.log.debug({ err: error }, 'an event source ended')
      return this.close()
    } finally {
      this.#looking = false
    }
    if (this.#pending.size > 0 && !this.#closed) this.#timer = setTimeout(() => void this.#look(), PUSH_COALESCE_MS)
  }

  #send(change: unknown): void {
    const id = [...this.#told].map(([account, state]) => `${account}:${state}`).join('/')
    if (this.#response.destroyed) return void this.close()
    this.#response.write(`event: state\nid: ${id}\ndata: ${JSON.stringify(change)}\n\n`)
    if (this.#wishes.closeAfterState) this.close()
  }

  /** RFC 8620 §7.3: the interval goes with it, for the client may have asked for another. */
  #setPing(): void {
    const { ping } = this.#wishes
    if (ping === 0 || this.#closed) return
    const { wheel } = this.#jmap.parts
    this.#ping = timed(() => {
      // A client that reads nothing must not fill our memory.
      if (this.#response.writableNeedDrain) return this.close()
      this.#response.write(`event: ping\ndata: ${JSON.stringify({ interval: ping })}\n\n`)
      this.#setPing()
    })
    wheel.add(this.#ping, ping * 1_000)
  }
}
