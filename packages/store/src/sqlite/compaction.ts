import { type Logger, isDomainError } from '@postrider/domain'
import type { Place, RecordHead } from '../blobs/index.ts'
import type { MailboxDatabase } from './database.ts'
import { write } from '../engine/sql/write.ts'

/** Bytes copied in one slice: other calls get their turn in between. */
const SLICE_BYTES = 2 * 1024 * 1024
/** A sealed segment is written anew when less than this share of it is live. */
const LIVE_SHARE = 0.5

/** Where a compaction is in its segment. */
interface Progress {
  readonly segment: number
  offset: number
}

/**
 * Gives the room of deleted originals back. A sealed segment that is less than half live is read record by record; live records go to the
 * segment being written, and their rows follow in the same commit that syncs them. The old file goes after the commit that names none
 * of its records any more, so a crash at any point leaves every row with its bytes.
 */
export class Compaction {
  readonly #database: MailboxDatabase
  readonly #log: Logger
  #progress: Progress | undefined
  /** Segments with a record that cannot be read: kept as they are, for a person to look at. */
  readonly #damaged = new Set<number>()

  constructor(database: MailboxDatabase, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /** Does one slice of work; false when there is nothing to do. */
  async step(): Promise<boolean> {
    this.#progress ??= this.#choose()
    const progress = this.#progress
    if (progress === undefined) return false
    const places = this.#slice(progress)
    if (places === undefined) return true
    if (places.length > 0) await this.#move(places)
    else await this.#drop(progress.segment)
    return true
  }

  #choose(): Progress | undefined {
    const { books, originals } = this.#database
    const found = books
      .segments()
      .filter(({ segment, sealed, live, bytes }) => {
        return sealed && live < bytes * LIVE_SHARE && !this.#damaged.has(segment) && !originals.holdsStaged(segment)
      })
      .sort((a, b) => a.live / a.bytes - b.live / b.bytes)[0]
    return found === undefined ? undefined : { segment: found.segment, offset: 0 }
  }

  /** Live records from here on, about SLICE_BYTES of them; undefined when the segment cannot be read. */
  #slice(progress: Progress): readonly Place[] | undefined {
    const { books, originals } = this.#database
    const row = books.segments().find(({ segment }) => segment === progress.segment)
    if (row === undefined || row.live === 0) return []
    const places: Place[] = []
    let bytes = 0
    while (bytes < SLICE_BYTES && progress.offset < row.bytes) {
      const head = this.#headAt(progress)
      if (head === undefined) return this.#giveUp(progress, 'no record where one should begin')
      const place = originals.placeOf(head.id)
      if (place?.segment === progress.segment && place.offset === progress.offset) {
        places.push(place)
        bytes += place.stored
      }
      progress.offset += head.stored
    }
    return places
  }

  #headAt({ segment, offset }: Progress): RecordHead | undefined {
    try {
      return this.#database.originals.headAt(segment, offset)
    } catch (error) {
      if (!isDomainError(error, 'blobGone')) throw error
      return undefined
    }
  }

  #giveUp({ segment, offset }: Progress, reason: string): undefined {
    this.#log.error({ segment, offset, reason, database: this.#database.name }, 'segment is damaged and stays')
    this.#damaged.add(segment)
    this.#progress = undefined
  }

  async #move(places: readonly Place[]): Promise<void> {
    const { books, connection, originals } = this.#database
    const moved: { readonly from: Place; readonly to: Place }[] = []
    try {
      await this.#database.submit({
        bytes: places.reduce((sum, { stored }) => sum + stored, 0),
        freeing: true,
        namesBytes: true,
        append: (into) => {
          for (const from of places) moved.push({ from, to: into.appendRecord(from, originals.record(from)) })
        },
        run: (journal) => {
          for (const { from, to } of moved) {
            // It may have been deleted since: then its copy is garbage, and nothing is counted.
            const done = connection.get(write.moveBlob, to.segment, to.offset, from.id, from.segment, from.offset)
            if (done === undefined) continue
            books.live(journal, from.segment, -from.stored)
            books.live(journal, to.segment, to.stored)
          }
        },
      })
    } catch (error) {
      if (!isDomainError(error, 'corrupt') || this.#progress === undefined) throw error
      this.#giveUp(this.#progress, error.message)
    }
  }

  /** Removes a segment that no row names any more. */
  async #drop(segment: number): Promise<void> {
    const { books, connection, originals, segments } = this.#database
    const left = await this.#database.submit({
      bytes: 0,
      freeing: true,
      namesBytes: false,
      run: (journal) => {
        const live = books.segments().find((one) => one.segment === segment)?.live ?? 0
        if (live !== 0) return live
        connection.run(write.removeSegment, segment)
        books.dropSegment(journal, segment)
        return 0
      },
    })
    if (left !== 0) {
      this.#giveUp({ segment, offset: 0 }, `${left} live bytes were not found`)
      return
    }
    // Who reads by another connection still finds its records there until now.
    await this.#database.fold()
    originals.forgetSegment(segment)
    this.#database.shipping?.removed(segment)
    segments.remove(segment)
    this.#progress = undefined
  }
}
