import type { Logger } from '@postrider/domain'
import type { Place } from '../blobs/index.ts'
import type { PostgresDatabase } from './database.ts'
import { STAGED, stagedSql } from './staged.ts'

/** After something failed, ms. */
const RETRY_MS = 5_000

/** Rows of the originals that have moved; the others were deleted meanwhile. */
const moveSql = `UPDATE blob SET segment = moved.segment, pos = moved.pos
  FROM unnest(?::bigint[], ?::bigint[], ?::bigint[]) AS moved (blob, segment, pos)
  WHERE blob.blob = moved.blob AND blob.segment = 0 RETURNING blob.blob`
const emptySql = `DELETE FROM staged WHERE blob = ANY(?::bigint[])`

const list = (numbers: readonly number[]): string => `{${numbers.join()}}`

/**
 * Takes originals from the database to their segments, behind the deliveries: records are written and durable, then one transaction gives the
 * rows their places and removes the staged copies. A crash at any point leaves each original in the database, in a segment, or in both with
 * the row naming one.
 */
export class Packer {
  readonly #database: PostgresDatabase
  readonly #log: Logger
  /** Staged and named, oldest first. */
  readonly #waiting = new Map<number, Place>()
  #waitingBytes = 0
  /** In a segment for good, by number; their rows do not say so yet. */
  readonly #appended = new Map<number, Place>()
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
    this.grew(
      rows.map((row) => {
        const [id, stored, size, crc] = row as readonly [number, number, number, number]
        return { id, segment: STAGED, offset: 0, stored, size, crc }
      }),
    )
  }

  /** After a commit that named new originals. */
  grew(places: Iterable<Place>): void {
    for (const place of places) {
      this.#waiting.set(place.id, place)
      this.#waitingBytes += place.stored
    }
    this.#schedule(this.#pause())
  }

  /** Packs all that waits now. */
  async drain(): Promise<void> {
    for (;;) {
      await this.#running
      if (this.#waiting.size === 0 || this.#closed) return
      this.#running ??= this.#slice().finally(() => {
        this.#running = undefined
      })
    }
  }

  #pause(): number {
    const { count, bytes, ms } = this.#database.segments.gather
    return this.#waiting.size >= count || this.#waitingBytes >= bytes ? 0 : ms
  }

  #schedule(ms: number): void {
    if (this.#running !== undefined || this.#closed || this.#waiting.size === 0) return
    if (this.#timer !== undefined) {
      if (ms > 0) return
      clearTimeout(this.#timer)
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      let failed = false
      this.#running = this.#slice()
        .catch((error: unknown) => {
          failed = true
          this.#log.warn({ error: String(error), database: this.#database.name }, 'originals stay in the database')
        })
        .finally(() => {
          this.#running = undefined
          this.#schedule(failed ? RETRY_MS : this.#pause())
        })
    }, ms)
    this.#timer.unref()
  }

  #next(): readonly Place[] {
    const { gather } = this.#database.segments
    const places: Place[] = []
    let bytes = 0
    for (const place of this.#waiting.values()) {
      if (places.length >= gather.count || (places.length > 0 && bytes + place.stored > gather.bytes)) break
      places.push(place)
      bytes += place.stored
    }
    return places
  }

  async #slice(): Promise<void> {
    const { originals, books, connection } = this.#database
    const places = this.#next()
    if (places.length === 0) return
    const moved = await this.#append(places)
    await this.#database.write({
      bytes: 0,
      run: (unit) =>
        unit.do(() => {
          const columns = [
            moved.map(({ id }) => id),
            moved.map(({ segment }) => segment),
            moved.map((one) => one.offset),
          ]
          const done = new Set(connection.all(moveSql, ...columns.map(list)).map(([id]) => id))
          for (const { id, segment, stored } of moved) if (done.has(id)) books.live(unit.journal, segment, stored)
          connection.run(emptySql, list(places.map(({ id }) => id)))
        }),
    })
    for (const { id, stored } of places) {
      this.#waiting.delete(id)
      this.#waitingBytes -= stored
      this.#appended.delete(id)
      originals.forgetRecent(id)
    }
  }

  /** Brings records to a segment; those of an attempt whose transaction failed are there already. */
  async #append(places: readonly Place[]): Promise<readonly Place[]> {
    const { originals, reader, segments } = this.#database
    const left = places.filter(({ id }) => !this.#appended.has(id))
    const records = await reader.unit(() => originals.recordsOf(left))
    const found = left.flatMap((place, i) => {
      const record = records[i]
      return record === undefined ? [] : [{ place, record }]
    })
    for (const place of await segments.write(found)) this.#appended.set(place.id, place)
    return places.flatMap(({ id }) => this.#appended.get(id) ?? [])
  }

  /** Whether a segment has records whose rows do not say so yet. */
  holds(segment: number): boolean {
    for (const place of this.#appended.values()) if (place.segment === segment) return true
    return false
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#database.segments.interrupt()
    await this.#running?.catch(() => undefined)
  }
}
