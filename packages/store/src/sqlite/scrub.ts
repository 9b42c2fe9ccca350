import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { BlobReader, realFiles } from '../blobs/index.ts'
import { DomainError } from '@postrider/domain'
import { check as sql } from '../engine/sql/check.ts'
import { read } from '../engine/sql/read.ts'
import { Connection } from './connection.ts'
import { PageReader } from './page-sums.ts'
import { namesOfPages, placesOfBlobs } from './whereabouts.ts'

/** One database as the scrubber sees it. */
export interface ScrubbedDatabase {
  readonly name: string
  readonly path: string
  readonly segments: string
  /** Where it keeps how far it is. */
  readonly state: string
}

/** How far a round is; kept over restarts. */
interface State {
  /** When the round began, ms since 1970; when it ended, 0 while it runs. */
  began: number
  ended: number
  /** The next page, and the last original that was read. */
  page: number
  blob: number
  bytes: number
  /** What did not fit in this round. */
  found: number
}

export type ScrubNews =
  | { readonly kind: 'read'; readonly database: string; readonly bytes: number }
  | { readonly kind: 'found'; readonly database: string; readonly detail: string; readonly found: number }
  | {
      readonly kind: 'round'
      readonly database: string
      readonly bytes: number
      readonly found: number
      readonly ms: number
    }

export interface ScrubParts {
  readonly tell: (news: ScrubNews) => void
  readonly now: () => number
  /** Resolves when so many bytes more may be read: the limit, and the load. Rejects when it is time to end. */
  readonly pace: (bytes: number) => Promise<void>
}

/** A round a day. */
export const ROUND_MS = 86_400_000
const PAGES = 64
const BLOBS = 64
/** Bytes between two notes of how far it is. */
const NOTE_BYTES = 8 * 1024 * 1024

/**
 * Reads one database through, slowly: every page and every original against its checksum. It changes nothing, and goes on after a restart
 * where it was.
 */
export class Scrub {
  readonly #database: ScrubbedDatabase
  readonly #parts: ScrubParts
  readonly #state: State
  #noted = 0

  constructor(database: ScrubbedDatabase, parts: ScrubParts) {
    this.#database = database
    this.#parts = parts
    this.#state = readState(database.state)
  }

  /** Whether a round is under way or due. */
  get due(): boolean {
    const { began, ended } = this.#state
    const now = this.#parts.now()
    // A clock that went back must not put the next round off.
    return ended === 0 || now - began >= ROUND_MS || now < began
  }

  /** What is left of a round. */
  async round(): Promise<void> {
    const state = this.#state
    if (state.ended !== 0 || state.began === 0) {
      Object.assign(state, { began: this.#parts.now(), ended: 0, page: 1, blob: 0, bytes: 0, found: 0 })
    }
    try {
      await this.#pages()
      await this.#originals()
      state.ended = this.#parts.now()
      const { name: database } = this.#database
      this.#parts.tell({
        kind: 'round',
        database,
        bytes: state.bytes,
        found: state.found,
        ms: state.ended - state.began,
      })
    } finally {
      this.#note()
    }
  }

  #note(): void {
    const path = this.#database.state
    writeFileSync(`${path}.part`, JSON.stringify(this.#state), { mode: 0o600 })
    renameSync(`${path}.part`, path)
    this.#noted = this.#state.bytes
  }

  async #read(bytes: number): Promise<void> {
    this.#state.bytes += bytes
    this.#parts.tell({ kind: 'read', database: this.#database.name, bytes })
    if (this.#state.bytes - this.#noted >= NOTE_BYTES) this.#note()
    await this.#parts.pace(bytes)
  }

  #found(detail: string): void {
    this.#state.found++
    this.#parts.tell({ kind: 'found', database: this.#database.name, detail, found: this.#state.found })
  }

  async #pages(): Promise<void> {
    const state = this.#state
    const reader = new PageReader(this.#database.path)
    try {
      while (state.page <= reader.pages) {
        const damaged = await reader.damaged(state.page, PAGES)
        if (damaged.length > 0) this.#name(damaged)
        state.page += PAGES
        await this.#read(PAGES * reader.pageBytes)
      }
    } finally {
      reader.close()
    }
  }

  #name(pages: readonly number[]): void {
    this.#with((connection) => {
      const names = namesOfPages(connection, pages)
      for (const page of pages) this.#found(`page ${page} of ${names.get(page) ?? 'no table'}`)
    })
  }

  async #originals(): Promise<void> {
    const state = this.#state
    for (;;) {
      const rows = this.#with((connection) => connection.all(sql.blobs, state.blob, BLOBS)) as unknown as readonly [
        number,
        number,
        number,
        number,
        number,
        number,
      ][]
      const reader = new BlobReader(this.#database.segments, realFiles)
      try {
        for (const [id, segment, offset, stored, size, crc] of rows) {
          this.#original(reader, { id, segment, offset, stored, size, crc })
          state.blob = id
          await this.#read(stored)
        }
      } finally {
        reader.close()
      }
      if (rows.length < BLOBS) return
    }
  }

  #original(reader: BlobReader, place: Parameters<BlobReader['record']>[0]): void {
    try {
      reader.record(place)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      this.#with((connection) => {
        const now = connection.get(read.blob, place.id)
        // Deleted or moved meanwhile.
        if (now === undefined || now[0] !== place.segment || now[1] !== place.offset) return
        const places = placesOfBlobs(connection, new Set([place.id])).get(place.id) ?? [`blob ${place.id}`]
        this.#found(`original of ${places.join('; ')}: ${error.message}`)
      })
    }
  }

  /** Briefly open: a reader that stays holds the log up. */
  #with<T>(work: (connection: Connection) => T): T {
    const connection = new Connection(this.#database.path, { readOnly: true })
    try {
      return work(connection)
    } finally {
      connection.close()
    }
  }
}

function readState(path: string): State {
  const fresh: State = { began: 0, ended: 0, page: 1, blob: 0, bytes: 0, found: 0 }
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof State, unknown>>
    for (const key of Object.keys(fresh) as (keyof State)[]) {
      const value = kept[key]
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return fresh
      fresh[key] = value
    }
    return { ...fresh, page: Math.max(1, fresh.page) }
  } catch {
    // Not there yet, or damaged: the round begins again.
    return { began: 0, ended: 0, page: 1, blob: 0, bytes: 0, found: 0 }
  }
}
