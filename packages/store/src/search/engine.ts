import { Worker } from 'node:worker_threads'
import { DomainError, type Logger, type SearchRequest, type SearchResult } from '@postrider/domain'
import { openIndex, positionOf } from './index-database.ts'
import type { IndexedDatabase } from './indexer.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'

interface Pending {
  resolve(value: never): void
  reject(error: unknown): void
}

type Role = WorkerStart['role']

/** The young generation of these threads' heaps, MB: larger than what the old one may grow by, it would have the whole heap collected again and again. */
const YOUNG_MB = 12
/** How often at most the indexing thread is told that there is more, ms. */
const NUDGE_MS = 50

/**
 * The owner's end of the two search threads. They start with the first work there is for them, are started again when they fall over, and
 * never hold the writer up: the owner only posts messages.
 */
export class SearchEngine {
  readonly #databases: readonly IndexedDatabase[]
  readonly #log: Logger
  readonly #onProgress: (database: string, position: { item: number; dead: number }) => void
  readonly #activity = new SharedArrayBuffer(4)
  readonly #calls = new Int32Array(this.#activity)
  readonly #positions = new Map<string, number>()
  readonly #workers = new Map<Role, Worker>()
  readonly #pending = new Map<number, Pending & { readonly role: Role }>()
  #nextId = 1
  #nudge: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: {
    databases: readonly IndexedDatabase[]
    log: Logger
    onProgress: (database: string, position: { item: number; dead: number }) => void
  }) {
    this.#databases = options.databases
    this.#log = options.log
    this.#onProgress = options.onProgress
    for (const { index, name } of this.#databases) {
      const connection = openIndex(index, (reason) =>
        this.#log.warn({ database: name, reason }, 'search index made anew'),
      )
      this.#positions.set(name, positionOf(connection, 'item'))
      connection.close()
    }
  }

  /** How far the index of a database was when it was opened. */
  position(database: string): number {
    return this.#positions.get(database) ?? 0
  }

  /** After a commit: there may be something to index, and the store is busy. */
  committed(calls: number): void {
    Atomics.add(this.#calls, 0, calls)
    if (this.#nudge !== undefined || this.#closed) return
    this.#nudge = setTimeout(() => {
      this.#nudge = undefined
      if (!this.#closed) this.#post('index', { kind: 'grew' })
    }, NUDGE_MS)
    this.#nudge.unref()
  }

  search(database: string, mailbox: number, request: SearchRequest): Promise<SearchResult> {
    return this.#ask<SearchResult>('search', (id) => ({ kind: 'search', id, database, mailbox, request }))
  }

  /** Copies a mailbox database's log into it, off the owner's thread; answers how many frames are left. */
  checkpoint(database: string): Promise<number> {
    return this.#ask<number>('index', (id) => ({ kind: 'checkpoint', id, database }))
  }

  #ask<T>(role: Role, message: (id: number) => ToWorker): Promise<T> {
    if (this.#closed) return Promise.reject(new DomainError('unavailable', 'the store is closed'))
    return new Promise<T>((resolve, reject) => {
      const id = this.#nextId++
      this.#pending.set(id, { resolve, reject, role })
      this.#post(role, message(id))
    })
  }

  #post(role: Role, message: ToWorker): void {
    this.#worker(role).postMessage(message)
  }

  #worker(role: Role): Worker {
    const running = this.#workers.get(role)
    if (running !== undefined) return running
    const workerData: WorkerStart = { role, databases: this.#databases, activity: this.#activity }
    const worker = new Worker(new URL('./search-worker.ts', import.meta.url), {
      workerData,
      name: `store-${role}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    worker.unref()
    worker.on('message', (message: FromWorker) => this.#take(message))
    worker.on('error', (error) => this.#log.error({ role, error: String(error) }, 'search thread fell over'))
    worker.on('exit', () => this.#gone(role, worker))
    this.#workers.set(role, worker)
    return worker
  }

  #gone(role: Role, worker: Worker): void {
    if (this.#workers.get(role) === worker) this.#workers.delete(role)
    for (const [id, pending] of this.#pending) {
      if (pending.role !== role) continue
      this.#pending.delete(id)
      pending.reject(new DomainError('unavailable', 'the search thread ended'))
    }
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case 'progress':
        this.#onProgress(message.database, message)
        return
      case 'hurry':
        this.#post('index', { kind: 'hurry' })
        return
      case 'reset':
        this.#workers.get('search')?.postMessage({ kind: 'reopen', database: message.database } satisfies ToWorker)
        return
      case 'trouble':
        this.#log.warn({ database: message.database, trouble: message.message }, 'search index')
        return
      case 'checkpointed':
        this.#settle(message.id, (pending) => pending.resolve(message.left as never))
        return
      case 'found':
        this.#settle(message.id, (pending) => pending.resolve(message.result as never))
        return
      case 'failed':
        this.#settle(message.id, (pending) => pending.reject(new DomainError(message.code, message.message)))
    }
  }

  #settle(id: number, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (pending !== undefined) settle(pending)
  }

  /** Ends both threads; what they hold is closed first. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#nudge)
    await Promise.all(
      [...this.#workers.values()].map(async (worker) => {
        const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
        worker.ref()
        worker.postMessage({ kind: 'close' } satisfies ToWorker)
        await ended
      }),
    )
  }
}
