/**
 * The queue runner: claims due rows, one lane a destination, and settles each row with what came of it. Claims are leases: a row whose
 * runner died comes back when its lease ends, to any runner of the same home.
 */
import { isDomainError, mailItem, type QueueEntry, type Subscription } from '@postrider/domain'
import { queuedMessage, type TransportCore } from '../core.ts'
import { commitJob } from '../intake/commit.ts'
import { LOCAL, planRecipients, ROUTE } from '../intake/plan.ts'
import { returnPathField, withoutReturnPath } from '../intake/trace.ts'
import { DestinationSession, type OutboundWorld } from '../outbound/attempt.ts'
import { type DeliveryHook, deliverToMailboxes, onceKeyOf } from './local.ts'
import { type RecipientResult, settle } from './settle.ts'

/** Rows claimed at a time. */
const CLAIM = 100
/** Rows held in memory, waiting for a connection to be free. */
const MAX_WAITING = 1000
/** Rows inside the organisation worked on at the same time. */
const MAX_INTERNAL = 32
/** How often the queue is counted for the metrics, ms, and how far. */
const COUNT_INTERVAL = 30_000
const MAX_COUNTED = 10_000
/** Attempts to write an outcome: a delivery that is not written down happens again. */
const SETTLE_TRIES = 5

interface Lane {
  readonly waiting: QueueEntry[]
  workers: number
}

export class QueueRunner {
  readonly #core: TransportCore
  readonly #world: OutboundWorld
  readonly #hook: DeliveryHook
  readonly #lanes = new Map<string, Lane>()
  readonly #active = new Set<Promise<void>>()
  #connections = 0
  #internal = 0
  #waiting = 0
  #claiming = false
  #again = false
  #stopped = true
  #timer: NodeJS.Timeout | undefined
  #counter: NodeJS.Timeout | undefined
  #subscription: Subscription | undefined

  constructor(core: TransportCore, world: OutboundWorld, hook: DeliveryHook) {
    this.#core = core
    this.#world = world
    this.#hook = hook
  }

  /**
   * Begins to work. `sole` says that no other runner can be alive (one process, just started): claims that a crash left behind are
   * given back at once instead of when their leases end.
   */
  async start(options: { sole?: boolean } = {}): Promise<void> {
    this.#stopped = false
    if (options.sole) await this.#releaseAll()
    this.#subscription = await this.#core.service.subscribeQueue(() => void this.claim())
    this.#timer = setInterval(() => void this.claim(), this.#core.settings.pollInterval)
    this.#timer.unref()
    const count = (): void =>
      void this.#count().catch((error: unknown) => this.#core.log.warn({ err: error }, 'queue could not be counted'))
    this.#counter = setInterval(count, COUNT_INTERVAL)
    this.#counter.unref()
    count()
    await this.claim()
  }

  /** Claims no more, waits for what is under way (at most `graceMs`), gives back what is not. */
  async stop(graceMs = 10_000): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    clearInterval(this.#counter)
    this.#subscription?.close()
    const waiting = [...this.#lanes.values()].flatMap((lane) => lane.waiting.splice(0))
    this.#waiting = 0
    for (const entry of waiting) await this.#release(entry)
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([this.idle(), grace])
    clearTimeout(timer)
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active)
  }

  /** What waits and since when, for whoever watches: a queue that grows is the first sign of most troubles. */
  async #count(): Promise<void> {
    const { service, clock, meter } = this.#core
    let messages = 0
    let oldest = clock.now()
    for (let afterId = 0; messages < MAX_COUNTED && !this.#stopped; ) {
      const entries = await service.queueList({ limit: CLAIM, afterId })
      for (const entry of entries) oldest = Math.min(oldest, entry.created)
      messages += entries.length
      const last = entries.at(-1)
      if (last === undefined || entries.length < CLAIM) break
      afterId = last.id
    }
    meter.gauge('queue_messages', messages)
    meter.gauge('queue_oldest_seconds', (clock.now() - oldest) / 1000)
  }

  /** Claims what is due and sets it going. Calls while one is running ask for another round. */
  async claim(): Promise<void> {
    if (this.#claiming) {
      this.#again = true
      return
    }
    this.#claiming = true
    try {
      do {
        this.#again = false
        while (!this.#stopped && (await this.#claimSome())) {}
      } while (this.#again && !this.#stopped)
    } catch (error) {
      this.#core.log.warn({ err: error }, 'queue could not be claimed')
    } finally {
      this.#claiming = false
    }
  }

  /** True when there may be more. */
  async #claimSome(): Promise<boolean> {
    const { service, clock, settings } = this.#core
    const limit = Math.min(CLAIM, MAX_WAITING - this.#waiting)
    if (limit <= 0) return false
    const exclude: string[] = []
    for (const [destination, lane] of this.#lanes)
      if (lane.waiting.length >= settings.maxPerDomainOutboundConnections) exclude.push(destination)
    if (this.#internal >= MAX_INTERNAL) exclude.push(LOCAL, ROUTE)
    const entries = await service.queueClaim({ now: clock.now(), leaseMs: settings.lease, limit, exclude })
    for (const entry of entries) this.#dispatch(entry)
    this.#core.meter.gauge('queue_connections', this.#connections)
    return entries.length === limit
  }

  #dispatch(entry: QueueEntry): void {
    if (entry.destination === LOCAL || entry.destination === ROUTE) {
      this.#internal++
      this.#track(
        this.#inside(entry).finally(() => {
          this.#internal--
          if (this.#internal === MAX_INTERNAL - 1) void this.claim()
        }),
      )
      return
    }
    const lane = this.#lanes.get(entry.destination) ?? { waiting: [], workers: 0 }
    this.#lanes.set(entry.destination, lane)
    lane.waiting.push(entry)
    this.#waiting++
    this.#staff(entry.destination, lane)
  }

  /** A further connection for a lane when its backlog asks for one and the limits allow it. */
  #staff(destination: string, lane: Lane): void {
    const { maxOutboundConnections, maxPerDomainOutboundConnections } = this.#core.settings
    if (lane.waiting.length === 0 || this.#connections >= maxOutboundConnections) return
    if (lane.workers >= maxPerDomainOutboundConnections) return
    if (lane.workers > 0 && lane.waiting.length <= lane.workers) return
    lane.workers++
    this.#connections++
    this.#track(
      this.#work(lane).finally(() => {
        lane.workers--
        this.#connections--
        if (lane.workers === 0 && lane.waiting.length === 0) this.#lanes.delete(destination)
        for (const [other, starved] of this.#lanes) if (starved.workers === 0) this.#staff(other, starved)
        if (!this.#stopped) void this.claim()
      }),
    )
  }

  async #work(lane: Lane): Promise<void> {
    const session = new DestinationSession(this.#core, this.#world)
    try {
      for (let entry = lane.waiting.shift(); entry !== undefined; entry = lane.waiting.shift()) {
        this.#waiting--
        await this.#remote(session, entry)
      }
      await session.close()
    } catch (error) {
      this.#core.log.error({ err: error }, 'delivery lane failed')
    }
  }

  async #remote(session: DestinationSession, entry: QueueEntry): Promise<void> {
    const { clock, settings, log, service } = this.#core
    // It waited here so long that its lease could end during the attempt: another runner might send it too.
    if (clock.now() > entry.leasedUntil - settings.attemptTimeout) return this.#release(entry)
    try {
      const message = withoutReturnPath(await queuedMessage(service, entry))
      const results = tooManyHops(message, settings.maxHopCount)
        ? entry.recipients.map((recipient) => looped(recipient))
        : await session.deliver(entry, message)
      await this.#settle(entry, results, message)
      const outcomes = results.map((one) => one.outcome)
      log.info({ queue: entry.id, destination: entry.destination, outcomes }, 'delivery attempt')
    } catch (error) {
      await this.#failed(entry, error)
    }
  }

  /** Rows that stay in the organisation. */
  async #inside(entry: QueueEntry): Promise<void> {
    try {
      const stored = await queuedMessage(this.#core.service, entry)
      if (entry.destination === LOCAL) await this.#deliver(entry, stored)
      else await this.#route(entry, stored)
    } catch (error) {
      await this.#failed(entry, error)
    }
  }

  async #deliver(entry: QueueEntry, bytes: Buffer): Promise<void> {
    const database = this.#core.directory.mailbox(entry.mailbox)?.database
    const item = mailItem(bytes, { received: entry.created })
    const stored = database === undefined ? undefined : { database, ref: entry.original }
    const key = onceKeyOf(entry.mailbox, entry.id)
    const results = await deliverToMailboxes(
      this.#core,
      entry.recipients,
      { from: entry.from, item, bytes, stored },
      key,
      this.#hook,
    )
    await this.#settle(entry, results, withoutReturnPath(bytes))
  }

  /** Reports and automatic replies: planned like any other mail, in one commit with the end of their row. */
  async #route(entry: QueueEntry, message: Buffer): Promise<void> {
    const plan = planRecipients(entry.recipients, this.#core.directory)
    const bytes = Buffer.concat([Buffer.from(returnPathField(entry.from)), message])
    const { from, envelopeId, ret } = entry
    const job = { from, envelopeId, ret, bytes, received: this.#core.clock.now() }
    const also = [{ op: 'queueChange', change: { id: entry.id, kind: 'remove' } }] as const
    const request = { job, plan, home: entry.mailbox, also }
    try {
      await (await commitJob(this.#core, request, this.#hook)).rest()
    } catch (error) {
      if (!isDomainError(error, 'overQuota')) throw error
      // The home's own Inbox is full: that copy goes by the queue, and from there no further.
      const owner = this.#core.directory.mailbox(entry.mailbox)
      const full = new Set(owner === undefined ? [] : [owner.account])
      await (await commitJob(this.#core, { ...request, full }, this.#hook)).rest()
    }
  }

  async #settle(entry: QueueEntry, results: readonly RecipientResult[], message: Buffer): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await settle(this.#core, entry, results, message)
      } catch (error) {
        if (tries >= SETTLE_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, 200 * tries))
      }
    }
  }

  /** Our own fault, not the destination's: the row is tried again by the schedule. */
  async #failed(entry: QueueEntry, error: unknown): Promise<void> {
    // Removed meanwhile, or its mailbox was: whoever did that took care of it.
    if (isDomainError(error, 'itemGone') || isDomainError(error, 'mailboxNotFound')) return
    this.#core.log.error({ err: error, queue: entry.id, destination: entry.destination }, 'queue entry failed')
    const diagnostic = error instanceof Error ? error.message : String(error)
    const results = entry.recipients.map(
      (recipient): RecipientResult => ({
        recipient,
        outcome: 'transient',
        status: '4.3.0',
        diagnostic,
        remote: undefined,
      }),
    )
    try {
      await settle(this.#core, entry, results, Buffer.alloc(0))
    } catch (again) {
      this.#core.log.error({ err: again, queue: entry.id }, 'queue entry left to its lease')
    }
  }

  async #release(entry: QueueEntry): Promise<void> {
    const change = { id: entry.id, kind: 'update', release: true } as const
    try {
      await this.#core.service.apply(entry.mailbox, [{ op: 'queueChange', change }])
    } catch (error) {
      this.#core.log.warn({ err: error, queue: entry.id }, 'claim not given back; its lease will end')
    }
  }

  async #releaseAll(): Promise<void> {
    const now = this.#core.clock.now()
    for (let afterId = 0; ; ) {
      const entries = await this.#core.service.queueList({ limit: CLAIM, afterId })
      for (const entry of entries) if (entry.leasedUntil > now) await this.#release(entry)
      const last = entries.at(-1)
      if (last === undefined || entries.length < CLAIM) return
      afterId = last.id
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#active.delete(tracked))
    this.#active.add(tracked)
  }
}

function tooManyHops(message: Buffer, limit: number): boolean {
  const header = message
    .subarray(0, 256 * 1024)
    .toString('latin1')
    .split(/\r?\n\r?\n/, 1)[0]!
  let hops = 0
  for (const _ of header.matchAll(/^received[ \t]*:/gim)) hops++
  return hops > limit
}

function looped(recipient: RecipientResult['recipient']): RecipientResult {
  return {
    recipient,
    outcome: 'permanent',
    status: '5.4.6',
    diagnostic: 'hop count exceeded: mail loop',
    remote: undefined,
  }
}
