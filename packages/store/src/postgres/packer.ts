import type { Logger } from '@postrider/domain'
import type { Place } from '../blobs/index.ts'
import type { PostgresDatabase } from './database.ts'
import { STAGED, stagedSql } from './staged.ts'

/** After a delivery, so that many go together, ms; and after something failed. */
const GATHER_MS = 100
const RETRY_MS = 5_000
/** One slice: originals and bytes that go in one commit. */
const SLICE_COUNT = 256
const SLICE_BYTES = 4 * 1024 * 1024

/** Rows of the originals that have moved; the others were deleted meanwhile. */
const moveSql = `UPDATE blob SET segment = moved.segment, pos = moved.pos
  FROM unnest(?::bigint[], ?::bigint[], ?::bigint[]) AS moved (blob, segment, pos)
  WHERE blob.blob = moved.blob AND blob.segment = 0 RETURNING blob.blob`
const emptySql = `DELETE FROM staged WHERE blob = ANY(?::bigint[])`

const list = (numbers: readonly number[]): string => `{${numbers.join()}}`

/**
 * Takes originals from the database to their segments, behind the deliveries: records are appended and synced, then one transaction gives the
 * rows their places and removes the staged copies. A crash at any point leaves each original in the database, in a segment, or in both with
 * the row naming one.
 */
export class Packer {
  readonly #database: PostgresDatabase
  readonly #log: Logger
  /** Staged and named, oldest first: id and length of the record. */
  readonly #waiting = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(database: PostgresDatabase, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /** Takes up what an earlier run left behind. */
  async resume(): Promise<void> {
    const { reader, connection } = this.#database
    const rows = await reader.unit(() => connection.all(stagedSql.waiting))
    for (const [id, stored] of rows) this.#waiting.set(id as number, stored as number)
    this.#schedule(GATHER_MS)
  }

  /** After a commit that named new originals. */
  grew(places: Iterable<Place>): void {
    for (const { id, stored } of places) this.#waiting.set(id, stored)
    this.#schedule(GATHER_MS)
  }

  /** How many originals wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Packs all that waits now. */
  async drain(): Promise<void> {
    await this.#running
    while (this.#waiting.size > 0 && !this.#closed) await this.#slice()
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined || this.#running !== undefined || this.#closed || this.#waiting.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      let pause = 0
      this.#running = this.#slice()
        .catch((error: unknown) => {
          pause = RETRY_MS
          this.#log.warn({ error: String(error), database: this.#database.name }, 'originals stay in the database')
        })
        .finally(() => {
          this.#running = undefined
          this.#schedule(pause)
        })
    }, ms)
    this.#timer.unref()
  }

  async #slice(): Promise<void> {
    const { originals, reader, books, connection } = this.#database
    const ids: number[] = []
    let bytes = 0
    for (const [id, stored] of this.#waiting) {
      if (ids.length >= SLICE_COUNT || (ids.length > 0 && bytes + stored > SLICE_BYTES)) break
      ids.push(id)
      bytes += stored
    }
    if (ids.length === 0) return
    const found = await reader.unit(() => {
      const places = originals.placesOf(ids).filter((place) => place?.segment === STAGED) as readonly Place[]
      return originals.recordsOf(places).map((record, i) => ({ place: places[i] as Place, record }))
    })
    const moved: Place[] = []
    await this.#database.write({
      bytes: 0,
      namesBytes: true,
      append: (to) => {
        for (const { place, record } of found) if (record !== undefined) moved.push(to.appendRecord(place, record))
      },
      run: (unit) =>
        unit.do(() => {
          const columns = [
            moved.map(({ id }) => id),
            moved.map(({ segment }) => segment),
            moved.map((one) => one.offset),
          ]
          const done = new Set(connection.all(moveSql, ...columns.map(list)).map(([id]) => id))
          for (const { id, segment, stored } of moved) if (done.has(id)) books.live(unit.journal, segment, stored)
          connection.run(emptySql, list(found.map(({ place }) => place.id)))
        }),
    })
    for (const id of ids) {
      this.#waiting.delete(id)
      originals.forgetRecent(id)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running?.catch(() => undefined)
  }
}
