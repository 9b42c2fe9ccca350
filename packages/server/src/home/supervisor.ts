import { DomainError, type Logger, type MailboxService, type Meter } from '@postrider/domain'
import { Caller } from '@postrider/link'
import type { CheckReport, Confirmed } from '@postrider/store/sqlite'
import { type OwnerData, type OwnerNews, replay } from './side-channel.ts'
import type { StartedOwner, StartOwner } from './starters.ts'

/** An owner that fell is started again after this; twice as long each time, up to the second. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 30_000
/** Up for so long, it is well again. */
const WELL_MS = 60_000
/** Opening means recovering: a large journal takes its time. */
const OPEN_MS = 300_000

const OWNER = new URL('./owner.ts', import.meta.url)

/**
 * One owner, kept alive: when its thread or process ends unasked, or when one of its databases had to stop after a failed sync, it is started
 * anew, and opening recovers from the journal. Callers see `unavailable` meanwhile and go on afterwards.
 */
export class SupervisedOwner {
  readonly #module: URL
  readonly #start: StartOwner
  #data: OwnerData
  readonly #log: Logger
  readonly #meter: Meter
  readonly #caller: Caller
  readonly #logged: ((database: string, seq: number, degraded: boolean) => void) | undefined
  #owner: StartedOwner | undefined
  #starting: StartedOwner | undefined
  #retryMs = FIRST_RETRY_MS
  #retry: NodeJS.Timeout | undefined
  #stopping = false
  #lastCheck = 0
  readonly #checks = new Map<number, PromiseWithResolvers<readonly CheckReport[]>>()
  /** Why it does not work now, if so. */
  problem: string | undefined = 'starting'
  /** Why the server of its databases does not answer, if so: nothing to be done here. */
  away: string | undefined
  /** Memory of its own, bytes: 0 for a thread. */
  memoryBytes = 0

  /** `module`: what the owner runs; tests give their own. */
  constructor(
    start: StartOwner,
    data: OwnerData,
    log: Logger,
    meter: Meter,
    module = OWNER,
    logged?: (database: string, seq: number, degraded: boolean) => void,
  ) {
    this.#logged = logged
    this.#start = start
    this.#module = module
    this.#data = data
    this.#log = log
    this.#meter = meter
    this.#caller = new Caller({ log })
  }

  get service(): MailboxService {
    return this.#caller.service
  }
  get databases(): readonly string[] {
    return this.#data.databases
  }

  /** Resolves when the databases are open. Rejects with DomainError `unavailable` when they cannot be opened. */
  async start(): Promise<void> {
    const opened = Promise.withResolvers<void>()
    const owner = this.#start(this.#module, this.#data, (news) => {
      if (news.kind === 'open') opened.resolve()
      else if (news.kind === 'failed') opened.reject(new DomainError('unavailable', news.message))
      else if (news.kind === 'checked') this.#checked(news)
      else if (news.kind === 'logged') this.#logged?.(news.database, news.seq, news.degraded)
      else this.#pulse(news)
    })
    this.#starting = owner
    const timer = setTimeout(() => opened.reject(new DomainError('unavailable', 'it does not open')), OPEN_MS)
    owner.ended.then((code) => opened.reject(new DomainError('unavailable', `the owner ended with code ${code}`)))
    try {
      await opened.promise
      this.#caller.attach(await owner.connect())
    } catch (error) {
      await owner.stop()
      throw error
    } finally {
      clearTimeout(timer)
      this.#starting = undefined
    }
    this.#owner = owner
    this.problem = undefined
    const began = performance.now()
    void owner.ended.then((code) => this.#ended(owner, code, began))
  }

  setLogLevel(level: OwnerData['logLevel']): void {
    this.#data = { ...this.#data, logLevel: level }
    this.#owner?.order({ kind: 'logLevel', level })
  }

  confirm(database: string, confirmed: Confirmed): void {
    ;(this.#owner ?? this.#starting)?.order({ kind: 'confirmed', database, confirmed })
  }

  setScrubRate(rate: number): void {
    this.#data = { ...this.#data, scrubRate: rate }
    this.#owner?.order({ kind: 'scrubRate', rate })
  }

  /** Reads its databases from end to end. Rejects with `unavailable` when the owner is away or falls meanwhile. */
  check(originals: boolean): Promise<readonly CheckReport[]> {
    const owner = this.#owner
    if (owner === undefined || this.problem !== undefined)
      return Promise.reject(new DomainError('unavailable', this.problem ?? 'stopped'))
    const id = ++this.#lastCheck
    const waiting = Promise.withResolvers<readonly CheckReport[]>()
    this.#checks.set(id, waiting)
    owner.order({ kind: 'check', id, originals })
    return waiting.promise
  }
  #checked({ id, reports, error }: Extract<OwnerNews, { kind: 'checked' }>): void {
    const waiting = this.#checks.get(id)
    this.#checks.delete(id)
    if (reports === undefined) waiting?.reject(new DomainError('unavailable', error))
    else waiting?.resolve(reports)
  }

  #pulse(news: Extract<OwnerNews, { kind: 'pulse' }>): void {
    replay(news.measured, this.#meter)
    this.away = news.away
    this.memoryBytes = news.memoryBytes
    if (news.memoryBytes > 0) this.#meter.gauge('owner_memory_bytes', news.memoryBytes, { thread: this.#data.thread })
    if (news.stopped === undefined || this.problem !== undefined) return
    this.problem = news.stopped
    this.#log.error({ reason: news.stopped }, 'a mailbox database stopped: its owner starts anew')
    void this.#owner?.stop()
  }

  #ended(owner: StartedOwner, code: number, began: number): void {
    for (const [id] of this.#checks)
      this.#checked({ kind: 'checked', id, reports: undefined, error: 'the owner ended' })
    if (this.#owner !== owner || this.#stopping) return
    this.#owner = undefined
    this.memoryBytes = 0
    this.problem ??= `the owner ended with code ${code}`
    this.#meter.count('owner_restarts_total', { thread: this.#data.thread })
    this.#log.error({ thread: this.#data.thread, code, reason: this.problem }, 'the owner of the mailboxes ended')
    if (performance.now() - began > WELL_MS) this.#retryMs = FIRST_RETRY_MS
    this.#again()
  }
  #again(): void {
    if (this.#stopping) return
    this.#retry = setTimeout(() => {
      this.start().then(
        () => this.#log.info({ thread: this.#data.thread }, 'the owner of the mailboxes works again'),
        (error: unknown) => {
          this.problem = error instanceof Error ? error.message : String(error)
          this.#log.error({ thread: this.#data.thread, err: error }, 'the owner of the mailboxes does not start')
          this.#again()
        },
      )
    }, this.#retryMs)
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }

  /** Finishes what is under way, closes the databases, ends the thread or process. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#retry)
    this.problem = 'stopping'
    const owner = this.#owner ?? this.#starting
    this.#caller.close()
    await owner?.stop()
  }
}
