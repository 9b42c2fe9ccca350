import type { Clock, Logger, MailboxId } from '@postrider/domain'
import { Compaction } from './compaction.ts'
import type { MailboxDatabase } from './database.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import { forget, hasAged, KEEP_TOMBSTONES_MS } from '../engine/tombstones.ts'

/** Between two rounds, ms, and between two slices of one round. */
export const ROUND_MS = 60_000
const SLICE_PAUSE_MS = 20
/** Mailboxes whose tombstones are looked at in one round. */
const MAILBOXES_A_ROUND = 500
/** Expired idempotency keys dropped at once. */
const ONCE_ROWS = 2_000

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, SLICE_PAUSE_MS).unref()
  })

/** What a database does for itself now and then, in small slices: old tombstones, expired keys, staged bytes nobody named, segments. */
export class Housekeeping {
  readonly #database: MailboxDatabase
  readonly #clock: Clock
  readonly #log: Logger
  readonly #compaction: Compaction
  #timer: NodeJS.Timeout | undefined
  #after = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(database: MailboxDatabase, clock: Clock, log: Logger) {
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#compaction = new Compaction(database, log)
  }

  start(): void {
    this.#timer = setInterval(() => void this.round(), ROUND_MS)
    this.#timer.unref()
  }

  /** One round; a second one that begins meanwhile is the same. */
  round(): Promise<void> {
    this.#running ??= this.#round()
      .catch((error: unknown) =>
        this.#log.warn({ error: String(error), database: this.#database.name }, 'housekeeping'),
      )
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async #round(): Promise<void> {
    this.#database.originals.collect()
    await this.#expire()
    await this.#prune()
    while (!this.#closed && (await this.#compaction.step())) await pause()
  }

  async #expire(): Promise<void> {
    const { connection } = this.#database
    for (let more = true; more && !this.#closed; ) {
      more = await this.#database.submit({
        bytes: 0,
        freeing: true,
        namesBytes: false,
        run: (_, now) => connection.all(write.expireOnce, now, ONCE_ROWS).length >= ONCE_ROWS,
      })
    }
  }

  /** The next mailboxes in turn. */
  async #prune(): Promise<void> {
    const before = this.#clock.now() - KEEP_TOMBSTONES_MS
    const turn = this.#database.connection
      .all(read.mailboxesAfter, this.#after, MAILBOXES_A_ROUND)
      .map(([id]) => id as MailboxId)
    this.#after = turn.length < MAILBOXES_A_ROUND ? 0 : (turn.at(-1) as MailboxId)
    for (const id of turn) {
      if (this.#closed) return
      if (hasAged(this.#database, id, before)) await forget(this.#database, id, before)
    }
  }

  /** Ends the round that runs at its next slice. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running
  }
}
