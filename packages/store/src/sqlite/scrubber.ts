import { Worker } from 'node:worker_threads'
import type { Logger, Meter } from '@postrider/domain'
import type { ScrubbedDatabase, ScrubNews } from './scrub.ts'

/** What the thread is started with. */
export interface ScrubStart {
  readonly databases: readonly ScrubbedDatabase[]
  /** Bytes a second; 0: none. */
  readonly rate: number
  /** One Int32: calls committed so far. */
  readonly activity: SharedArrayBuffer
}
export type ScrubOrder = { readonly kind: 'rate'; readonly rate: number } | { readonly kind: 'stop' }
type News = ScrubNews | { readonly kind: 'failed'; readonly detail: string }

/** The thread that reads everything through, seen from the store: what it finds goes into the log and the metrics. */
export class Scrubber {
  readonly #worker: Worker
  readonly #activity = new SharedArrayBuffer(4)
  readonly #calls = new Int32Array(this.#activity)
  readonly #log: Logger
  readonly #meter: Meter
  readonly #ended: Promise<void>

  constructor(databases: readonly ScrubbedDatabase[], rate: number, log: Logger, meter: Meter) {
    this.#log = log
    this.#meter = meter
    const workerData: ScrubStart = { databases, rate, activity: this.#activity }
    this.#worker = new Worker(new URL('./scrub-worker.ts', import.meta.url), { workerData, name: 'store-scrub' })
    this.#worker.unref()
    this.#worker.on('message', (news: News) => this.#take(news))
    this.#worker.on('error', (error) => log.error({ error: String(error) }, 'the scrubber fell over'))
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
  }

  /** After a commit: while there are many, the scrubber rests. */
  committed(calls: number): void {
    Atomics.add(this.#calls, 0, calls)
  }

  #take(news: News): void {
    if (news.kind === 'failed') {
      this.#log.warn({ error: news.detail }, 'the scrubber could not go on: it tries again')
      return
    }
    const labels = { database: news.database }
    if (news.kind === 'read') this.#meter.count('store_scrub_bytes_total', labels, news.bytes)
    else if (news.kind === 'found') {
      this.#meter.gauge('store_scrub_damage', news.found, labels)
      this.#log.error({ database: news.database, damage: news.detail }, 'damage found: run postrider store check')
    } else {
      const { bytes, found, ms } = news
      this.#meter.gauge('store_scrub_damage', found, labels)
      this.#meter.gauge('store_scrub_round_seconds', ms / 1_000, labels)
      this.#log.info({ database: news.database, bytes, found, ms }, 'everything was read through')
    }
  }

  /** Other bytes a second, from now on. */
  setRate(rate: number): void {
    this.#worker.postMessage({ kind: 'rate', rate } satisfies ScrubOrder)
  }

  async close(): Promise<void> {
    this.#worker.ref()
    this.#worker.postMessage({ kind: 'stop' } satisfies ScrubOrder)
    await this.#ended
  }
}
