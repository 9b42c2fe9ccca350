import { type Clock, DomainError, type Logger, type Meter } from '@postrider/domain'
import { isFull, type SegmentRow, type SegmentStore } from '../blobs/index.ts'
import type { Books } from '../engine/books.ts'
import { MAX_BATCH_BYTES, MAX_BATCH_CALLS, MAX_BATCH_MS, MAX_WAITING_BYTES, MAX_WAITING_CALLS } from '../engine/call.ts'
import { Journal } from '../engine/journal.ts'
import { asDomainError, isLost, isNotOwner, isPassing } from './errors.ts'
import type { StagedOriginals } from './originals.ts'
import type { Ownership } from './owner.ts'
import type { Reader } from './reader.ts'
import type { Replay } from './replay.ts'
import { Transaction } from './transaction.ts'
import type { Turns } from './turns.ts'

/** What a call works with: pieces of work that are run until all they ask is answered. */
export interface Unit {
  readonly journal: Journal
  readonly now: number
  do<T>(work: () => T): Promise<T>
}

/** One call to be written, whatever it is. */
export interface WriteCall<T> {
  /** Whose rows and counters it changes; undefined: none that anybody keeps. */
  readonly mailbox?: number
  /** Bytes it holds while it waits. */
  readonly bytes: number
  /** Once, before the transaction. */
  append?(originals: StagedOriginals, busy: boolean): void
  run(unit: Unit): Promise<T>
  /** After the commit. */
  committed?(journal: Journal): void
}

interface Waiting {
  readonly call: WriteCall<unknown>
  readonly since: number
  appended: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}
interface Outcome {
  readonly waiting: Waiting
  readonly journal: Journal
  readonly result: { readonly value: unknown } | { readonly error: unknown }
}

/** With this many waiting, nothing is packed: processor time is what is short. */
const BUSY_CALLS = 32
/** How often a transaction that ran into a passing hindrance is tried again. */
const MAX_TRIES = 5

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Group commit over one connection. Every call that arrives while a transaction is under way joins the next one; all are answered after its
 * COMMIT. When the connection is lost, the owner connects anew and asks the database whether that transaction is in it (its number is):
 * if so the answers are given, if not it is run again, so nothing is lost and nothing happens twice. Callers that have waited too long are
 * told `unavailable`: try again. When somebody else has become the owner, nothing is written ever again.
 */
export class Committer {
  readonly #statements: Replay
  readonly #owner: Ownership
  readonly #reader: Reader
  readonly #books: Books
  readonly #originals: StagedOriginals
  readonly #segments: SegmentStore
  readonly #turns: Turns
  readonly #clock: Clock
  readonly #log: Logger
  readonly #meter: Meter
  readonly #patienceMs: number
  readonly #labels: Readonly<Record<string, string>>
  /** Hears after each commit how many calls it held. */
  onCommit: (calls: number) => void = () => {}
  #queue: Waiting[] = []
  #queuedBytes = 0
  #working: Promise<void> | undefined
  #stopped: DomainError | undefined
  #batch = 0
  /** Of the segments, as the transaction under way writes them. */
  #lengths: readonly SegmentRow[] = []
  /** What is kept in memory was dropped, and has not been loaded again. */
  #dropped = false

  constructor(options: {
    statements: Replay
    owner: Ownership
    reader: Reader
    books: Books
    originals: StagedOriginals
    segments: SegmentStore
    turns: Turns
    clock: Clock
    log: Logger
    meter: Meter
    patienceMs: number
    name: string
  }) {
    this.#statements = options.statements
    this.#owner = options.owner
    this.#reader = options.reader
    this.#books = options.books
    this.#originals = options.originals
    this.#segments = options.segments
    this.#turns = options.turns
    this.#clock = options.clock
    this.#log = options.log
    this.#meter = options.meter
    this.#patienceMs = options.patienceMs
    this.#labels = { database: options.name }
  }

  /** Why nothing works any more, if so. */
  get stopped(): DomainError | undefined {
    return this.#stopped
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Answers after the commit. Rejects with the call's own error, `busy`, `diskFull`, `unavailable` or `moved`. */
  submit<T>(call: WriteCall<T>): Promise<T> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped)
    if (this.#queue.length >= MAX_WAITING_CALLS || this.#queuedBytes + call.bytes > MAX_WAITING_BYTES) {
      return Promise.reject(new DomainError('busy', `${this.#queue.length} calls wait`))
    }
    return new Promise<T>((resolve, reject) => {
      const since = performance.now()
      this.#queue.push({ call, since, appended: false, resolve: resolve as (value: unknown) => void, reject })
      this.#queuedBytes += call.bytes
      this.#working ??= this.#work()
    })
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  /** No further calls; those that wait are told `error`. */
  stop(error: DomainError): void {
    this.#stopped ??= error
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#turns.unwanted()
    for (const { reject } of queue) reject(error)
  }

  async #work(): Promise<void> {
    await nextTurn()
    try {
      while (this.#queue.length > 0 && this.#stopped === undefined) {
        const batch = this.#take()
        if (batch.length === 0) {
          await this.#turns.free()
          continue
        }
        try {
          await this.#write(this.#append(batch))
        } finally {
          this.#turns.written()
        }
      }
    } finally {
      this.#working = undefined
    }
  }

  /** The next calls whose mailboxes nobody reads. */
  #take(): Waiting[] {
    const batch: Waiting[] = []
    const left: Waiting[] = []
    /** Calls of one mailbox stay in order. */
    const passed = new Set<number>()
    let bytes = 0
    for (const waiting of this.#queue) {
      const { call } = waiting
      const full = batch.length >= MAX_BATCH_CALLS || (batch.length > 0 && bytes + call.bytes > MAX_BATCH_BYTES)
      const { mailbox } = call
      if (full || (mailbox !== undefined && (passed.has(mailbox) || !this.#turns.write(mailbox)))) {
        if (mailbox !== undefined) passed.add(mailbox)
        left.push(waiting)
        continue
      }
      batch.push(waiting)
      bytes += call.bytes
    }
    this.#queue = left
    this.#queuedBytes -= bytes
    return batch
  }

  #putBack(batch: readonly Waiting[]): void {
    this.#queue = [...batch, ...this.#queue]
    for (const { call } of batch) this.#queuedBytes += call.bytes
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
        waiting.reject(isFull(error) ? new DomainError('diskFull', String(error), { cause: error }) : error)
        return false
      }
    })
  }

  /** Writes a batch, again if need be, and settles all its calls. */
  async #write(batch: readonly Waiting[]): Promise<void> {
    let open = batch
    for (let tries = 1; open.length > 0; tries++) {
      const number = ++this.#batch
      const outcomes: Outcome[] = []
      const done: { transaction?: Transaction } = {}
      try {
        const left = await this.#transact(open, number, outcomes, done)
        await this.#settle(outcomes)
        this.#putBack(left)
        return
      } catch (error) {
        const next = await this.#failed(error, { open, number, outcomes, tries, transaction: done.transaction })
        if (next === 'done') return
        open = next
      }
    }
  }

  /** One transaction; answers the calls it had no time for. */
  async #transact(
    batch: readonly Waiting[],
    number: number,
    outcomes: Outcome[],
    done: { transaction?: Transaction },
  ): Promise<readonly Waiting[]> {
    const session = await this.#owner.session()
    if (this.#dropped) await this.#forget()
    const started = performance.now()
    const now = this.#clock.now()
    const transaction = new Transaction(session, this.#statements, [
      { text: 'BEGIN', values: [] },
      this.#owner.fence(number),
    ])
    done.transaction = transaction
    let count = 0
    for (const waiting of batch) {
      outcomes.push(await this.#run(transaction, waiting, now))
      count++
      if (performance.now() - started > MAX_BATCH_MS) break
    }
    await transaction.commit(() => {
      this.#lengths = this.#segments.lengths()
      this.#books.flush(this.#lengths)
    })
    this.#meter.observe('store_commit_seconds', (performance.now() - started) / 1000, this.#labels)
    return batch.slice(count)
  }

  /** One call. Throws only what ends the whole transaction. */
  async #run(transaction: Transaction, waiting: Waiting, now: number): Promise<Outcome> {
    const journal = new Journal()
    const numbers = { mark: () => this.#books.markNumbers() }
    transaction.beginCall()
    try {
      const value = await waiting.call.run({ journal, now, do: (work) => transaction.unit(journal, numbers, work) })
      transaction.endCall()
      return { waiting, journal, result: { value } }
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      journal.rollback()
      transaction.undoCall()
      return { waiting, journal, result: { error } }
    }
  }

  async #settle(outcomes: readonly Outcome[]): Promise<void> {
    this.#books.settled()
    this.#segments.closeSealed(this.#lengths)
    this.#meter.count('store_commits_total', this.#labels)
    this.#meter.count('store_calls_total', this.#labels, outcomes.length)
    // The mailboxes are open to readers before anybody hears that something is new.
    this.#turns.written()
    this.onCommit(outcomes.length)
    for (const { waiting, journal, result } of outcomes) {
      if ('error' in result) waiting.reject(result.error)
      else {
        waiting.call.committed?.(journal)
        waiting.resolve(result.value)
      }
    }
  }

  /** What becomes of a batch whose transaction failed: the calls to be tried again, or 'done' when all are settled. */
  async #failed(
    error: unknown,
    batch: {
      readonly open: readonly Waiting[]
      readonly number: number
      readonly outcomes: readonly Outcome[]
      readonly tries: number
      readonly transaction: Transaction | undefined
    },
  ): Promise<readonly Waiting[] | 'done'> {
    const { open, number, outcomes, tries, transaction } = batch
    try {
      // No connection to be had, or no right to one.
      if (error instanceof DomainError) throw error
      if (isNotOwner(error)) throw new DomainError('moved', 'another owner has taken over', { cause: error })
      if (isLost(error)) {
        this.#log.warn({ error: String(error), ...this.#labels }, 'the connection to the database was lost')
        await this.#owner.session()
        if (this.#owner.committedBatch === number) {
          await this.#settle(outcomes)
          this.#putBack(open.slice(outcomes.length))
          return 'done'
        }
      } else await transaction?.rollback()
      await this.#forget()
    } catch (cause) {
      if (isLost(cause) && tries < MAX_TRIES) return this.#failed(cause, { ...batch, tries: tries + 1 })
      return this.#giveUp(open, cause)
    }
    if (isLost(error) || (isPassing(error) && tries < MAX_TRIES)) return this.#patient(open)
    if (open.length === 1) {
      this.#log.error({ error: String(error), ...this.#labels }, 'call failed')
      for (const { reject } of open) reject(asDomainError(error))
      return 'done'
    }
    // One of them is at fault: each in a transaction of its own.
    for (const waiting of open) {
      this.#turns.written()
      if (waiting.call.mailbox !== undefined) while (!this.#turns.write(waiting.call.mailbox)) await this.#turns.free()
      await this.#write([waiting])
    }
    return 'done'
  }

  /** Tells those that have waited too long; answers the others. */
  #patient(open: readonly Waiting[]): readonly Waiting[] {
    const oldest = performance.now() - this.#patienceMs
    for (const { since, reject } of open) {
      if (since < oldest) reject(new DomainError('unavailable', 'the database server was away'))
    }
    return open.filter(({ since }) => since >= oldest)
  }

  /** Nothing can be written at present, or (`moved`) ever again. */
  async #giveUp(open: readonly Waiting[], cause: unknown): Promise<'done'> {
    const error = asDomainError(cause)
    for (const { reject } of open) reject(error)
    if (error.code === 'moved') {
      this.#log.error({ error: error.message, ...this.#labels }, 'database stopped: it has another owner')
      this.#meter.gauge('store_stopped', 1, this.#labels)
      this.stop(error)
      return 'done'
    }
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#turns.unwanted()
    for (const { reject } of queue) reject(error)
    this.#books.drop()
    this.#dropped = true
    return 'done'
  }

  /** Back to what the database says. */
  async #forget(): Promise<void> {
    await this.#reader.unit(() => this.#books.forget())
    this.#dropped = false
  }
}
