import type { Clock, Logger, MailboxId } from '@postrider/domain'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import { forget, hasAged, KEEP_TOMBSTONES_MS } from '../engine/tombstones.ts'
import { Compaction } from './compaction.ts'
import type { PostgresDatabase } from './database.ts'

/** Between two rounds, ms. */
const ROUND_MS = 60_000
/** Mailboxes whose tombstones are looked at in one round. */
const MAILBOXES_A_ROUND = 500
/** Expired idempotency keys dropped at once. */
const ONCE_ROWS = 2_000

/** What a database does for itself now and then, in small slices: old tombstones, expired keys, staged bytes nobody named. */
export class Housekeeping {
  readonly #database: PostgresDatabase
  readonly #clock: Clock
  readonly #log: Logger
  readonly #compaction: Compaction
  #timer: NodeJS.Timeout | undefined
  #after = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(database: PostgresDatabase, clock: Clock, log: Logger) {
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#compaction = new Compaction(database, log, () => this.#closed)
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
    await this.#database.collect()
    await this.#compaction.round()
    await this.#expire()
    await this.#prune()
  }

  async #expire(): Promise<void> {
    const { connection } = this.#database
    for (let more = true; more && !this.#closed; ) {
      more = await this.#database.write({
        bytes: 0,
        run: (unit) => unit.do(() => connection.all(write.expireOnce, unit.now, ONCE_ROWS).length >= ONCE_ROWS),
      })
    }
  }

  /** The next mailboxes in turn. */
  async #prune(): Promise<void> {
    const { connection, reader } = this.#database
    const before = this.#clock.now() - KEEP_TOMBSTONES_MS
    const rows = await reader.unit(() => connection.all(read.mailboxesAfter, this.#after, MAILBOXES_A_ROUND))
    const turn = rows.map(([id]) => id as MailboxId)
    this.#after = turn.length < MAILBOXES_A_ROUND ? 0 : (turn.at(-1) as MailboxId)
    for (const id of turn) {
      if (this.#closed) return
      const aged = await reader.unit(() => hasAged(this.#database, id, before))
      if (aged) await forget(this.#database, id, before)
    }
  }

  /** Ends the round that runs at its next slice. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running
  }
}
