import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import {
  copyLog,
  type LoggedConnection,
  logIsEmpty,
  PageReader,
  sumAnew,
  sumsClean,
  sumsFit,
} from '../sqlite/page-sums.ts'
import { settleLog } from '../sqlite/settle-log.ts'

/** Frames of the write-ahead log at which it is copied. */
const COPY_FRAMES = 256
/** Pages read at once. */
const PAGES = 128

/**
 * The checksums of the directory's pages, as mailbox databases have them (sqlite/page-sums.ts): SQLite keeps none. Only this class copies the write-ahead log, sums
 * first. Invariant: a page that is not in the log is in the file as its sum says.
 */
export class SummedPages implements LoggedConnection {
  readonly database: DatabaseSync
  readonly #file: string
  readonly #fresh: boolean
  readonly #summed: boolean
  readonly #found: readonly string[]

  /** Before the database is opened. `file` is no `:memory:`. */
  static before(file: string): { readonly fresh: boolean; readonly summed: boolean } {
    const fresh = !existsSync(file)
    if (!fresh) settleLog(file)
    return { fresh, summed: !fresh && sumsFit(file) }
  }

  constructor(database: DatabaseSync, file: string, before: { readonly fresh: boolean; readonly summed: boolean }) {
    this.database = database
    this.#file = file
    this.#fresh = before.fresh
    this.#summed = before.summed
    database.exec('PRAGMA wal_autocheckpoint = 0')
    // What a log holds goes into the file at once: after a sync that failed, the kernel may show frames that no disk has.
    copyLog(this, 'TRUNCATE')
    if (!this.#summed) this.#anew()
    // A damaged page that is written to gets a sum of its damage: so they are all looked at first.
    this.#found = this.#look()
  }

  pragma(text: string): readonly (readonly unknown[])[] {
    const statement = this.database.prepare(`PRAGMA ${text}`)
    statement.setReturnArrays(true)
    return statement.all() as unknown as readonly (readonly unknown[])[]
  }

  #anew(): void {
    sumAnew(this.#file, Number(this.pragma('page_size')[0]?.[0]))
  }

  /** After the tables were made or upgraded. */
  ready(): void {
    copyLog(this, 'TRUNCATE')
    if (this.#fresh) this.#anew()
  }

  /** After a transaction. */
  committed(): void {
    const [, frames = 0] = (this.pragma('wal_checkpoint(NOOP)')[0] ?? []) as readonly number[]
    if (frames >= COPY_FRAMES) copyLog(this, 'PASSIVE')
  }

  /** Before the database is closed. */
  leave(): void {
    if (copyLog(this, 'TRUNCATE') === 0 && logIsEmpty(this.#file)) sumsClean(this.#file)
  }

  /** Pages that are not as they were written, or were not when it was opened; one line each. */
  damage(): string[] {
    // What is in the log is looked at, too, once it is in the file.
    copyLog(this, 'TRUNCATE')
    return [...new Set([...this.#found, ...this.#look()])]
  }

  #look(): string[] {
    const reader = new PageReader(this.#file)
    try {
      const lines: string[] = []
      for (let page = 1; page <= reader.pages; page += PAGES)
        for (const wrong of reader.damagedNow(page, PAGES)) lines.push(`page ${wrong} is not what was written`)
      return lines
    } finally {
      reader.close()
    }
  }
}
