import { type Clock, DomainError, type Logger, type Meter } from '@postrider/domain'
import { isFull, type SegmentRow, type SegmentWriter } from '../blobs/index.ts'
import type { Books } from '../engine/books.ts'
import { copyLog } from './page-sums.ts'
import { asDomainError, type Connection, isSqliteFull, isSqliteIoError } from './connection.ts'
import { Journal } from '../engine/journal.ts'
import type { Originals } from './originals.ts'
import type { RedoLog } from './redo.ts'
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
/** How long answered calls may be in the redo log alone, ms. */
const FOLD_MS = 250

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
 * Group commit. Every call that arrives while a batch is written joins the next one: bytes appended, each call in a savepoint of its own, then
 * one frame of the redo log with all of it, synced, and all answers. The transaction stays open; a fold (segments synced, COMMIT) follows behind:
 * in time, when the log is long, or when somebody wants to read the database from another connection. What is too large for a frame is a
 * fold of its own: segments synced, then the calls, then COMMIT, then the answers. A call that fails takes back its own changes only. When a
 * sync or a commit fails, nothing is tried again: all in flight are told `unavailable` and the database is stopped until it is opened anew. A
 * full disk passes: those calls are told `diskFull`, and calls that free something go on.
 */
export class Committer {
  readonly #connection: Connection
  readonly #books: Books
  readonly #originals: Originals
  readonly #segments: SegmentWriter
  readonly #redo: RedoLog | undefined
  readonly #reserve: Reserve
  readonly #shipping: Shipping | undefined
  readonly #clock: Clock
  readonly #log: Logger
  readonly #meter: Meter
  readonly #foldMs: number
  readonly #labels: Readonly<Record<string, string>>
  /** Hears after each COMMIT how many calls it held. */
  onCommit: (calls: number) => void = () => {}
  /** Calls in the open transaction that were answered. */
  #answered = 0
  #foldTimer: NodeJS.Timeout | undefined
  #foldWaiters: { resolve(): void; work(): void; reject(error: unknown): void }[] = []
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
    redo: RedoLog | undefined
    reserve: Reserve
    clock: Clock
    log: Logger
    meter: Meter
    name: string
    shipping?: Shipping | undefined
    foldMs?: number | undefined
  }) {
    this.#shipping = options.shipping
    this.#connection = options.connection
    this.#books = options.books
    this.#originals = options.originals
    this.#segments = options.segments
    this.#redo = options.redo
    this.#reserve = options.reserve
    this.#clock = options.clock
    this.#log = options.log
    this.#meter = options.meter
    this.#labels = { database: options.name }
    this.#foldMs = options.foldMs ?? FOLD_MS
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

  /**
   * Resolves when everything answered before is in the database itself, where other connections see it, and `work` was done while no transaction was
   * open. When it cannot come there it stays in the redo log, and `work` is left.
   */
  fold(work: () => void = () => {}): Promise<void> {
    if (this.#stopped !== undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#foldWaiters.push({ resolve, work, reject })
      this.#working ??= this.#work()
    })
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
    clearTimeout(this.#foldTimer)
    this.#folded()
  }

  #folded(): void {
    const waiters = this.#foldWaiters
    this.#foldWaiters = []
    for (const { resolve, work, reject } of waiters) {
      try {
        if (this.#stopped === undefined && !this.#connection.database.isTransaction) work()
        resolve()
      } catch (error) {
        reject(error)
      }
    }
  }

  async #work(): Promise<void> {
    await nextTurn()
    try {
      while (this.#stopped === undefined) {
        if (this.#foldWaiters.length > 0 || (this.#redo?.foldDue && !this.#reserve.full)) await this.#fold()
        else if (this.#queue.length === 0) break
        else if (!(await this.#batch(this.#take()))) await nextTurn()
      }
    } finally {
      this.#working = undefined
    }
  }

  /** Brings what was answered into the database. When there is no room it stays in the redo log, until the next time. */
  async #fold(): Promise<void> {
    clearTimeout(this.#foldTimer)
    this.#foldTimer = undefined
    if (this.#redo?.holds && (await this.#syncSegments([]))) {
      try {
        this.#commitNow()
      } catch (error) {
        this.#commitFailed([], error)
      }
    }
    this.#folded()
  }

  #foldSoon(): void {
    if (this.#foldTimer !== undefined || this.#stopped !== undefined) return
    this.#foldTimer = setTimeout(() => {
      this.#foldTimer = undefined
      if (this.#redo?.holds) void this.fold()
    }, this.#foldMs)
    this.#foldTimer.unref()
  }

  /** Answers false when that failed: then the batch was told. */
  async #syncSegments(batch: readonly Waiting[]): Promise<boolean> {
    if (!this.#segments.dirty) return true
    const started = this.#clock.monotonic()
    try {
      await this.#segments.sync()
    } catch (error) {
      this.#syncFailed(batch, error)
      return false
    }
    this.#meter.observe('store_segment_sync_seconds', (this.#clock.monotonic() - started) / 1000, this.#labels)
    return this.#stopped === undefined
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
    const sync = this.#segments.dirty && (this.#redo === undefined || this.#redo.beyond)
    if (sync && !(await this.#syncSegments(batch))) return true
    if (this.#stopped !== undefined) for (const { reject } of batch) reject(this.#stopped)
    else if (batch.length > 0) this.#write(batch)
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
      this.#goBack(true)
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

  /** The calls, and what makes them durable: nothing else runs on this thread until it is over. */
  #write(batch: readonly Waiting[]): void {
    const started = this.#clock.monotonic()
    const now = this.#clock.now()
    const outcomes: Outcome[] = []
    const redo = this.#redo
    const answered = this.#answered
    let committed: readonly SegmentRow[] | undefined
    let done = 0
    try {
      if (!this.#connection.database.isTransaction) this.#connection.execute('BEGIN IMMEDIATE')
      if (redo !== undefined) this.#connection.onWrite = (text, values) => redo.statement(text, values)
      for (const waiting of batch) {
        outcomes.push(this.#run(waiting, now))
        done++
        if (this.#clock.monotonic() - started > MAX_BATCH_MS) break
      }
      this.#books.flush(this.#segments.lengths(true))
      this.#connection.onWrite = undefined
      this.#answered += done
      if (redo?.fits && this.#logged(redo)) {
        this.#books.settled()
        this.#foldSoon()
      } else committed = this.#commitNow()
    } catch (error) {
      this.#answered = answered
      this.#commitFailed(batch, error)
      return
    }
    this.#putBack(batch.slice(done))
    this.#meter.observe('store_commit_seconds', (this.#clock.monotonic() - started) / 1000, this.#labels)
    this.#meter.count('store_commits_total', this.#labels)
    this.#meter.count('store_calls_total', this.#labels, done)
    const elsewhere = committed === undefined ? undefined : this.#shipping?.committed(committed)
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

  /** Writes a frame. False where there is no room for what has its blocks already: file systems that write every block anew. */
  #logged(redo: RedoLog): boolean {
    try {
      redo.write()
      return true
    } catch (error) {
      if (!isFull(error)) throw error
      this.#reserve.release(error)
      return false
    }
  }

  /** COMMIT of the open transaction, segments first; the redo log begins anew. Answers the segments as they are committed. */
  #commitNow(): readonly SegmentRow[] {
    this.#segments.syncNow()
    const lengths = this.#segments.lengths()
    this.#books.flush(lengths)
    const generation = this.#redo?.turn(this.#connection)
    this.#connection.execute('COMMIT')
    if (generation !== undefined) this.#redo?.begin(generation)
    this.#books.settled()
    this.#segments.closeSealed(lengths)
    const answered = this.#answered
    this.#answered = 0
    this.onCommit(answered)
    return lengths
  }

  /**
   * Takes back what was not answered, and only that: the transaction is rolled back to the last COMMIT, and done again from the redo log. With
   * `cut` what was appended to segments since is lost, and comes from there too.
   */
  #goBack(cut: boolean): void {
    const connection = this.#connection
    const redo = this.#redo
    connection.onWrite = undefined
    if (connection.database.isTransaction) connection.execute('ROLLBACK')
    this.#books.forget()
    this.#recycleLog()
    if (cut) this.#segments.cut(new Map(this.#books.segments().map(({ segment, bytes }) => [segment, bytes])))
    if (redo === undefined) return
    if (redo.holds) connection.execute('BEGIN IMMEDIATE')
    redo.resume(
      connection,
      cut ? (segment, offset, bytes) => this.#segments.putBack(segment, offset, bytes) : undefined,
    )
    this.#books.forget()
    if (redo.holds) this.#foldSoon()
  }

  /** One call in its savepoint. Throws only what ends the whole transaction. */
  #run(waiting: Waiting, now: number): Outcome {
    const journal = new Journal()
    const takeBack = this.#redo?.mark()
    this.#connection.run('SAVEPOINT call')
    try {
      const value = waiting.call.run(journal, now)
      this.#connection.run('RELEASE call')
      return { waiting, journal, result: { value } }
    } catch (error) {
      if (isSqliteFull(error) || isSqliteIoError(error) || !this.#connection.database.isTransaction) throw error
      this.#connection.run('ROLLBACK TO call')
      this.#connection.run('RELEASE call')
      takeBack?.()
      journal.rollback()
      if (!(error instanceof DomainError)) this.#log.error({ error: String(error), ...this.#labels }, 'call failed')
      return { waiting, journal, result: { error: asDomainError(error) } }
    }
  }

  #commitFailed(batch: readonly Waiting[], error: unknown): void {
    if (!isSqliteFull(error) && !isFull(error)) {
      this.#fatal(batch, error)
      return
    }
    const again = this.#reserve.release(error)
    const told = new DomainError('diskFull', String(error), { cause: error })
    try {
      // What a file system could not place of a segment is lost.
      this.#goBack(isFull(error))
      if (isFull(error)) this.#originals.dropStaged()
    } catch (cause) {
      this.#fatal(batch, cause)
      return
    }
    for (const waiting of batch) {
      if (!(again && waiting.call.freeing)) waiting.reject(told)
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
    this.#connection.onWrite = undefined
    const error = new DomainError('unavailable', `the database is stopped: ${String(cause)}`, { cause })
    this.#log.error({ error: String(cause), ...this.#labels }, 'database stopped: a write or sync failed')
    this.#meter.gauge('store_stopped', 1, this.#labels)
    for (const { reject } of batch) reject(error)
    this.stop(error)
  }
}
