import { type Clock, DomainError, type Logger, type Meter } from '@postrider/domain'
import { isFull, type SegmentRow, type SegmentWriter } from '../blobs/index.ts'
import type { Books } from '../engine/books.ts'
import { copyLog } from './page-sums.ts'
import { asDomainError, type Connection, isSqliteFull, isSqliteIoError } from './connection.ts'
import { Journal } from '../engine/journal.ts'
import type { Originals } from './originals.ts'
import type { Reserve } from './reserve.ts'
import type { Shipping } from './shipping.ts'
import {
  type Call,
  MAX_BATCH_BYTES,
  MAX_BATCH_CALLS,
  MAX_BATCH_MS,
  MAX_WAITING_BYTES,
  MAX_WAITING_CALLS,
} from '../engine/call.ts'

/** With this many waiting, nothing is packed: processor time is what is short. */
const BUSY_CALLS = 32

/** A call that may bring bytes. */
export interface AppendingCall<T> extends Call<T> {
  /** Appends its bytes; once, before the transaction. */
  append?(originals: Pick<Originals, 'append' | 'appendRecord'>, busy: boolean): void
}

interface Waiting {
  readonly call: AppendingCall<unknown>
  appended: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}
interface Outcome {
  readonly waiting: Waiting
  readonly journal: Journal
  readonly result: { readonly value: unknown } | { readonly error: unknown }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Group commit. Every call that arrives while a commit runs joins the next one: bytes appended and synced, each call in a savepoint of its
 * own, one COMMIT, then all answers. A call that fails takes back its own changes only. When a sync or a commit fails, nothing is tried
 * again: all in flight are told `unavailable` and the database is stopped until it is opened anew. A full disk passes: those calls are told
 * `diskFull`, and calls that free something go on.
 */
export class Committer {
  readonly #connection: Connection
  readonly #books: Books
  readonly #originals: Originals
  readonly #segments: SegmentWriter
  readonly #reserve: Reserve
  readonly #shipping: Shipping | undefined
  readonly #clock: Clock
  readonly #log: Logger
  readonly #meter: Meter
  readonly #labels: Readonly<Record<string, string>>
  /** Hears after each commit how many calls it held. */
  onCommit: (calls: number) => void = () => {}
  #queue: Waiting[] = []
  #queuedBytes = 0
  #working: Promise<void> | undefined
  #stopped: DomainError | undefined
  /** Committed here, and waiting for another machine. */
  #held = 0
  readonly #holding = new Set<Promise<void>>()

  constructor(options: {
    connection: Connection
    books: Books
    originals: Originals
    segments: SegmentWriter
    reserve: Reserve
    clock: Clock
    log: Logger
    meter: Meter
    name: string
    shipping?: Shipping | undefined
  }) {
    this.#shipping = options.shipping
    this.#connection = options.connection
    this.#books = options.books
    this.#originals = options.originals
    this.#segments = options.segments
    this.#reserve = options.reserve
    this.#clock = options.clock
    this.#log = options.log
    this.#meter = options.meter
    this.#labels = { database: options.name }
  }

  /** Why nothing works any more, if so. */
  get stopped(): DomainError | undefined {
    return this.#stopped
  }

  /** The disk is full: only what frees something is written. */
  get diskFull(): boolean {
    return this.#reserve.full
  }

  /** Calls that wait or are being written. */
  get waiting(): number {
    return this.#queue.length + this.#held
  }

  /** Answers after the synced commit. Rejects with the call's own error, `busy`, `diskFull` or `unavailable`. */
  submit<T>(call: AppendingCall<T>): Promise<T> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped)
    if (this.#queue.length + this.#held >= MAX_WAITING_CALLS || this.#queuedBytes + call.bytes > MAX_WAITING_BYTES) {
      return Promise.reject(new DomainError('busy', `${this.#queue.length} calls wait`))
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ call, appended: false, resolve: resolve as (value: unknown) => void, reject })
      this.#queuedBytes += call.bytes
      this.#working ??= this.#work()
    })
  }

  /** What a caller is told whose bytes could not be appended outside a batch. */
  appendFailed(error: unknown): DomainError {
    if (error instanceof DomainError) return error
    if (isFull(error)) {
      this.#reserve.release(error)
      return new DomainError('diskFull', String(error), { cause: error })
    }
    this.#fatal([], error)
    return this.#stopped as DomainError
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
    await Promise.all(this.#holding)
  }

  /** No further calls; those in flight are told `error`. */
  stop(error: DomainError): void {
    this.#stopped ??= error
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    for (const { reject } of queue) reject(error)
  }

  async #work(): Promise<void> {
    await nextTurn()
    try {
      while (this.#queue.length > 0 && this.#stopped === undefined) {
        const synced = await this.#batch(this.#take())
        if (!synced) await nextTurn()
      }
    } finally {
      this.#working = undefined
    }
  }

  #take(): Waiting[] {
    const batch: Waiting[] = []
    let bytes = 0
    for (const waiting of this.#queue) {
      if (batch.length >= MAX_BATCH_CALLS || (batch.length > 0 && bytes + waiting.call.bytes > MAX_BATCH_BYTES)) break
      batch.push(waiting)
      bytes += waiting.call.bytes
    }
    this.#queue = this.#queue.slice(batch.length)
    this.#queuedBytes -= bytes
    return batch
  }

  /** Puts calls back to the front of the queue. */
  #putBack(batch: readonly Waiting[]): void {
    this.#queue = [...batch, ...this.#queue]
    for (const { call } of batch) this.#queuedBytes += call.bytes
  }

  /** Writes one batch; answers whether it waited for the disk on the way. */
  async #batch(taken: readonly Waiting[]): Promise<boolean> {
    const batch = this.#append(taken.filter((one) => this.#admit(one)))
    const sync = batch.some(({ call }) => call.namesBytes) && this.#segments.dirty
    if (sync) {
      const started = this.#clock.monotonic()
      try {
        await this.#segments.sync()
      } catch (error) {
        this.#syncFailed(batch, error)
        return true
      }
      this.#meter.observe('store_segment_sync_seconds', (this.#clock.monotonic() - started) / 1000, this.#labels)
    }
    if (this.#stopped !== undefined) for (const { reject } of batch) reject(this.#stopped)
    else if (batch.length > 0) this.#commit(batch)
    return sync
  }

  /** While the disk is full, only calls that free something come in. */
  #admit(waiting: Waiting): boolean {
    if (waiting.call.freeing || this.#reserve.available()) return true
    waiting.reject(new DomainError('diskFull', 'no space'))
    return false
  }

  #append(batch: readonly Waiting[]): Waiting[] {
    const busy = batch.length >= BUSY_CALLS || this.#queue.length >= BUSY_CALLS
    return batch.filter((waiting) => {
      if (waiting.appended) return true
      try {
        waiting.call.append?.(this.#originals, busy)
        waiting.appended = true
        return true
      } catch (error) {
        if (isFull(error)) {
          this.#reserve.release(error)
          waiting.reject(new DomainError('diskFull', String(error), { cause: error }))
        } else if (error instanceof DomainError) waiting.reject(error)
        else this.#fatal([waiting], error)
        return false
      }
    })
  }

  #syncFailed(batch: readonly Waiting[], error: unknown): void {
    if (!isFull(error)) {
      this.#fatal(batch, error)
      return
    }
    // What the file system could not place is lost: cut it off, and everything staged with it.
    this.#reserve.release(error)
    try {
      this.#segments.cut(new Map(this.#books.segments().map(({ segment, bytes }) => [segment, bytes])))
      this.#originals.dropStaged()
    } catch (cause) {
      this.#fatal(batch, cause)
      return
    }
    const free = batch.filter(({ call }) => call.freeing && !call.namesBytes)
    for (const waiting of batch) {
      if (!free.includes(waiting)) waiting.reject(new DomainError('diskFull', String(error), { cause: error }))
    }
    this.#putBack(free)
  }

  /** The transaction: nothing else runs on this thread until it is over. */
  #commit(batch: readonly Waiting[]): void {
    const started = this.#clock.monotonic()
    const now = this.#clock.now()
    const outcomes: Outcome[] = []
    let done = 0
    let lengths: readonly SegmentRow[] = []
    try {
      this.#connection.execute('BEGIN IMMEDIATE')
      for (const waiting of batch) {
        outcomes.push(this.#run(waiting, now))
        done++
        if (this.#clock.monotonic() - started > MAX_BATCH_MS) break
      }
      lengths = this.#segments.lengths()
      this.#books.flush(lengths)
      this.#connection.execute('COMMIT')
    } catch (error) {
      this.#commitFailed(batch, error)
      return
    }
    this.#books.settled()
    this.#segments.closeSealed(lengths)
    this.#putBack(batch.slice(done))
    this.#meter.observe('store_commit_seconds', (this.#clock.monotonic() - started) / 1000, this.#labels)
    this.#meter.count('store_commits_total', this.#labels)
    this.#meter.count('store_calls_total', this.#labels, done)
    this.onCommit(done)
    const elsewhere = this.#shipping?.committed(lengths)
    if (elsewhere === undefined) this.#answer(outcomes)
    else {
      this.#held += outcomes.length
      const settled = elsewhere
        .then(
          () => this.#answer(outcomes),
          (error: unknown) => {
            for (const { waiting } of outcomes) waiting.reject(asDomainError(error))
          },
        )
        .finally(() => {
          this.#held -= outcomes.length
          this.#holding.delete(settled)
        })
      this.#holding.add(settled)
    }
  }

  /** Nobody hears of it before. */
  #answer(outcomes: readonly Outcome[]): void {
    for (const { waiting, journal, result } of outcomes) {
      if ('error' in result) waiting.reject(result.error)
      else {
        waiting.call.committed?.(journal)
        waiting.resolve(result.value)
      }
    }
  }

  /** One call in its savepoint. Throws only what ends the whole transaction. */
  #run(waiting: Waiting, now: number): Outcome {
    const journal = new Journal()
    this.#connection.run('SAVEPOINT call')
    try {
      const value = waiting.call.run(journal, now)
      this.#connection.run('RELEASE call')
      return { waiting, journal, result: { value } }
    } catch (error) {
      if (isSqliteFull(error) || isSqliteIoError(error) || !this.#connection.database.isTransaction) throw error
      this.#connection.run('ROLLBACK TO call')
      this.#connection.run('RELEASE call')
      journal.rollback()
      if (!(error instanceof DomainError)) this.#log.error({ error: String(error), ...this.#labels }, 'call failed')
      return { waiting, journal, result: { error: asDomainError(error) } }
    }
  }

  #commitFailed(batch: readonly Waiting[], error: unknown): void {
    if (!isSqliteFull(error)) {
      this.#fatal(batch, error)
      return
    }
    const again = this.#reserve.release(error)
    try {
      if (this.#connection.database.isTransaction) this.#connection.execute('ROLLBACK')
      this.#books.forget()
      this.#recycleLog()
    } catch (cause) {
      this.#fatal(batch, cause)
      return
    }
    for (const waiting of batch) {
      if (!(again && waiting.call.freeing)) waiting.reject(asDomainError(error))
    }
    if (again) this.#putBack(batch.filter(({ call }) => call.freeing))
  }

  /** The log's own blocks can be written over once it is copied: that much room there is even on a full disk. */
  #recycleLog(): void {
    try {
      this.#shipping?.sync()
      copyLog(this.#connection, 'PASSIVE')
    } catch (error) {
      if (!isSqliteFull(error) && !isFull(error)) throw error
    }
  }

  /** The files can no longer be trusted: rule 1, never try a failed sync again. */
  #fatal(batch: readonly Waiting[], cause: unknown): void {
    const error = new DomainError('unavailable', `the database is stopped: ${String(cause)}`, { cause })
    this.#log.error({ error: String(cause), ...this.#labels }, 'database stopped: a write or sync failed')
    this.#meter.gauge('store_stopped', 1, this.#labels)
    for (const { reject } of batch) reject(error)
    this.stop(error)
  }
}
