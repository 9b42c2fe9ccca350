/** The event source: RFC 8620 §7.3. What it tells comes from the feed of states. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Principal, type Timed, timed } from '@postrider/domain'
import { sendHead, sendStatus } from '../http/respond.ts'
import { MAX_EVENT_SOURCES, MAX_PING_SECONDS, MIN_PING_SECONDS } from '../limits.ts'
import type { Jmap } from '../service.ts'
import { Feed } from './feed.ts'
import { pushTypes } from './states.ts'

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
  readonly #response: ServerResponse
  readonly #wishes: Wishes
  readonly #leave: () => void
  readonly #feed: Feed
  #ping: Timed | undefined
  #closed = false

  constructor(jmap: Jmap, principal: Principal, response: ServerResponse, wishes: Wishes, leave: () => void) {
    this.#jmap = jmap
    this.#response = response
    this.#wishes = wishes
    this.#leave = leave
    this.#feed = new Feed(jmap, principal, wishes.types, {
      changed: (change, position) => this.#send(change, position),
      failed: () => this.close(),
    })
  }

  async open(lastEventId: string): Promise<void> {
    this.#response.once('close', () => this.close())
    if (this.#response.destroyed) return this.close()
    this.#jmap.sources.add(this)
    const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
    if (!sendHead(this.#response, 200, headers)) return this.close()
    this.#response.flushHeaders()
    await this.#feed.open(lastEventId)
    this.#setPing()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#feed.close()
    if (this.#ping !== undefined) this.#jmap.parts.wheel.remove(this.#ping)
    this.#jmap.sources.delete(this)
    this.#leave()
    if (!this.#response.writableEnded) this.#response.end()
  }

  #send(change: unknown, position: string): void {
    if (this.#response.destroyed) return void this.close()
    this.#response.write(`event: state\nid: ${position}\ndata: ${JSON.stringify(change)}\n\n`)
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
