import { DomainError, type Logger } from '@postrider/domain'
import { Link, type Outage } from './link.ts'
import { upgrade } from './schema.ts'
import type { Session, Step } from './session.ts'
import type { Upgrade } from '../engine/upgrades.ts'

/** How long to wait for an owner that is just going away, ms. */
const LOCK_PATIENCE_MS = 10_000
const LOCK_PAUSE_MS = 50

const plain = (text: string, ...values: Step['values']): Step => ({ text, values })
const key = `hashtextextended('postrider:' || $1::text, 0)`

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

/**
 * The right to be the one writer of a database. A lock of the session keeps two owners apart while the server stands; the epoch in the
 * database, one more with each owner and checked by every transaction, shuts out a former owner for good, also after a failover that knows no
 * locks of the old server. Invariant: the session it gives holds the lock, and no transaction of an earlier session of ours is under way.
 */
export class Ownership {
  readonly #schema: string
  readonly #link: Link
  readonly #steps: { log: Logger; now: number; steps?: readonly Upgrade[] }
  #epoch: number | undefined
  #batch = 0
  #process: number | undefined

  constructor(options: {
    urls: readonly string[]
    schema: string
    patienceMs: number
    outage?: Outage
    log: Logger
    now: number
    upgrades?: readonly Upgrade[]
  }) {
    const { schema, log, now, upgrades } = options
    this.#schema = schema
    this.#steps = { log, now, ...(upgrades === undefined ? {} : { steps: upgrades }) }
    this.#link = new Link({ ...options, searchPath: `"${schema}"`, prepare: (session) => this.#take(session) })
  }

  /** The connection that writes; every transaction begins with `fence`. Rejects with `unavailable` or `moved`. */
  session(): Promise<Session> {
    return this.#link.session()
  }

  get trouble(): string | undefined {
    return this.#link.trouble
  }

  get epoch(): number {
    return this.#epoch ?? 0
  }

  /** The first statement of a transaction: fails when somebody else is the owner. */
  fence(batch: number): Step {
    return plain('SELECT owned($1, $2)', this.epoch, batch)
  }

  /** Number of the last transaction that was committed, as the database said when the connection was made. */
  get committedBatch(): number {
    return this.#batch
  }

  async #take(session: Session): Promise<void> {
    await this.#lock(session)
    // Rows are found by their keys, also while a table is so small that the planner would rather read it through.
    await session.run(
      ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'].map((name) =>
        plain(`SELECT set_config($1, 'off', false)`, name),
      ),
    )
    await session.run([plain(`SELECT set_config('plan_cache_mode', 'force_generic_plan', false)`)])
    if (this.#epoch === undefined) {
      await upgrade(session, this.#schema, this.#steps)
      const [row] = await session.run([plain('UPDATE owner SET epoch = epoch + 1, batch = 0 RETURNING epoch')])
      this.#epoch = row?.[0]?.[0] as number
      const [settings] = await session.run([
        plain(`SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'`),
      ])
      for (const [name] of settings ?? []) {
        this.#steps.log.error(
          { setting: name },
          'the server may lose acknowledged mail in a power cut: a setting is off',
        )
      }
    }
    const [row] = await session.run([plain('SELECT epoch, batch FROM owner')])
    const [epoch, batch] = (row?.[0] ?? []) as readonly number[]
    if (epoch !== this.#epoch) throw new DomainError('moved', `epoch ${epoch}: another owner has taken over`)
    this.#batch = batch ?? 0
  }

  async #lock(session: Session): Promise<void> {
    const until = performance.now() + LOCK_PATIENCE_MS
    for (;;) {
      const [own, taken] = await session.run([
        plain('SELECT pg_backend_pid()'),
        plain(`SELECT pg_try_advisory_lock(${key})`, this.#schema),
      ])
      if (taken?.[0]?.[0] === 1) {
        this.#process = own?.[0]?.[0] as number
        return
      }
      // Our own last connection may still be finishing a transaction that nobody listens to any more.
      if (this.#process !== undefined) {
        await session.run([
          plain(
            `SELECT pg_terminate_backend(pid) FROM pg_locks, (SELECT ${key} AS k) AS wanted
             WHERE locktype = 'advisory' AND granted AND pid = $2
               AND classid::bigint = ((k >> 32) & 4294967295) AND objid::bigint = (k & 4294967295)`,
            this.#schema,
            this.#process,
          ),
        ])
      }
      if (performance.now() > until) throw new DomainError('unavailable', `another process owns ${this.#schema}`)
      await pause(LOCK_PAUSE_MS)
    }
  }

  close(): void {
    this.#link.close()
  }
}
