import { isDomainError, type Logger } from '@postrider/domain'
import type { Place } from '../blobs/index.ts'
import { write } from '../engine/sql/write.ts'
import type { PostgresDatabase } from './database.ts'
import { STAGED } from './staged.ts'

/** One slice of work: originals and bytes that go in one commit. */
const SLICE_COUNT = 256
const SLICE_BYTES = 2 * 1024 * 1024
/** A closed segment is emptied when less than this share of it is live. */
const LIVE_SHARE = 0.5
/** Segments of one round. */
const SEGMENTS_A_ROUND = 64
/** So many small ones are put together. */
const SMALL_SEGMENTS = 32

/**
 * Gives the room of deleted originals back, wherever segments are. What is live in a segment that is less than half live is staged again, in
 * the transaction that takes its row out of the segment, and goes on to a new one as any new original does; so are many small segments. A segment that nothing names any more
 * goes after the commit that removed its row. A crash at any point leaves every row with its bytes.
 */
export class Compaction {
  readonly #database: PostgresDatabase
  readonly #log: Logger
  readonly #closed: () => boolean
  /** Segments with a record that cannot be read: kept as they are, for a person to look at. */
  readonly #damaged = new Set<number>()

  constructor(database: PostgresDatabase, log: Logger, closed: () => boolean) {
    this.#database = database
    this.#log = log
    this.#closed = closed
  }

  /** Empties the emptiest segments, and removes the empty ones. */
  async round(): Promise<void> {
    const { books, packer, segments } = this.#database
    const closed = books
      .segments()
      .filter(({ segment, sealed }) => sealed && !this.#damaged.has(segment) && !packer.holds(segment))
    const small = closed.filter(({ bytes, live }) => live > 0 && bytes < segments.small)
    const sparse = closed
      .filter((one) => one.live < one.bytes * LIVE_SHARE || (small.length >= SMALL_SEGMENTS && small.includes(one)))
      .sort((a, b) => a.live / a.bytes - b.live / b.bytes)
      .slice(0, SEGMENTS_A_ROUND)
      .map(({ segment }) => segment)
    for (const segment of sparse) {
      if (this.#closed()) return
      try {
        await this.#empty(segment)
      } catch (error) {
        if (!isDomainError(error, 'corrupt') && !isDomainError(error, 'blobGone')) throw error
        this.#damaged.add(segment)
        this.#log.error(
          { segment, reason: error.message, database: this.#database.name },
          'segment is damaged and stays',
        )
      }
    }
    for (const { segment, live, sealed, bytes } of [...books.segments()])
      if (sealed && live === 0 && bytes > 0 && !this.#closed()) await this.#drop(segment)
  }

  async #empty(segment: number): Promise<void> {
    const { books, originals, reader, segments } = this.#database
    const row = books.segments().find((one) => one.segment === segment)
    const end = row?.bytes ?? 0
    for (let offset = 0; offset < end && !this.#closed(); ) {
      const found = new Map<number, number>()
      for (let bytes = 0; offset < end && found.size < SLICE_COUNT && bytes < SLICE_BYTES; ) {
        const head = await segments.head(segment, offset)
        if (head === undefined) {
          this.#damaged.add(segment)
          this.#log.error({ segment, offset, database: this.#database.name }, 'segment is damaged and stays')
          return
        }
        found.set(head.id, offset)
        bytes += head.stored
        offset += head.stored
      }
      const places = await reader.unit(() => originals.placesOf([...found.keys()]))
      const live = places.filter(
        (place): place is Place => place?.segment === segment && found.get(place.id) === place.offset,
      )
      if (live.length > 0) await this.#restage(live)
    }
  }

  async #restage(places: readonly Place[]): Promise<void> {
    const { books, connection, originals, packer, segments } = this.#database
    const records: Uint8Array[] = []
    for (const place of places) records.push(await segments.record(place))
    const staged = await this.#database.write({
      bytes: records.reduce((sum, { length }) => sum + length, 0),
      run: (unit) =>
        unit.do(() => {
          const rows = connection.many(
            write.moveBlob,
            places.map(({ id, segment, offset }) => [STAGED, 0, id, segment, offset]),
          )
          // Those without an answer were deleted since.
          return places.filter((place, i) => {
            if (rows[i] === undefined) return false
            originals.restage(place.id, records[i] as Uint8Array)
            books.live(unit.journal, place.segment, -place.stored)
            return true
          })
        }),
    })
    packer.grew(staged.map((place) => ({ ...place, segment: STAGED, offset: 0 })))
  }

  async #drop(segment: number): Promise<void> {
    const { books, connection, packer, segments } = this.#database
    const done = await this.#database.write({
      bytes: 0,
      run: (unit) =>
        unit.do(() => {
          if (packer.holds(segment) || books.segments().find((one) => one.segment === segment)?.live !== 0) return false
          books.dropSegment(unit.journal, segment)
          connection.run(write.removeSegment, segment)
          return true
        }),
    })
    if (done) await segments.remove(segment)
  }
}
