import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { segmentPath } from '../blobs/index.ts'
import { sumAnew } from '../sqlite/page-sums.ts'
import type { Entry } from './entry.ts'

/** How far numbers jump when a copy goes on alone: what clients may have seen of its original and was not sent must not be given to something else. */
const PROMOTION_GAP = 2 ** 16

function syncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A copy of a mailbox database that entries of its commit log are applied to. It is nobody's database while it is one. */
export class DatabaseCopy {
  readonly #folder: string
  readonly #fd: number
  readonly #segments = new Map<number, number>()

  /** Opens (or makes) the copy in a folder. */
  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(join(folder, 'segments'), { recursive: true, mode: 0o700 })
    const path = join(folder, 'mailbox.sqlite')
    this.#fd = openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600)
    for (const end of ['-wal', '-shm', '-sums']) rmSync(`${path}${end}`, { force: true })
  }

  /** Bytes of the database file, of a copy of it. */
  write(offset: number, bytes: Uint8Array): void {
    writeSync(this.#fd, bytes, 0, bytes.length, offset)
  }

  truncate(bytes: number): void {
    ftruncateSync(this.#fd, bytes)
  }

  /** Bytes of a segment. */
  writeSegment(segment: number, offset: number, bytes: Uint8Array): void {
    let fd = this.#segments.get(segment)
    if (fd === undefined) {
      const path = segmentPath(join(this.#folder, 'segments'), segment)
      fd = openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600)
      this.#segments.set(segment, fd)
    }
    writeSync(fd, bytes, 0, bytes.length, offset)
  }

  /** Applies entries in order. */
  apply(entry: Entry): void {
    for (const { page, content } of entry.pages) this.write((page - 1) * entry.pageBytes, content)
    if (entry.ends) ftruncateSync(this.#fd, entry.size * entry.pageBytes)
    for (const segment of entry.removed) {
      const fd = this.#segments.get(segment)
      if (fd !== undefined) closeSync(fd)
      this.#segments.delete(segment)
      rmSync(segmentPath(join(this.#folder, 'segments'), segment), { force: true })
    }
  }

  syncSegments(): void {
    if (this.#segments.size === 0) return
    for (const fd of this.#segments.values()) {
      fdatasyncSync(fd)
      closeSync(fd)
    }
    this.#segments.clear()
    syncPath(join(this.#folder, 'segments'))
  }

  sync(): void {
    this.syncSegments()
    fdatasyncSync(this.#fd)
    syncPath(this.#folder)
  }

  close(): void {
    this.sync()
    closeSync(this.#fd)
  }
}

/**
 * A copy becomes a database of its own: sums of its pages, and numbers beyond all that its original may have given. `damaged`: pages that are not as
 * they should be, and their sums, which they keep, so that they are found.
 */
export function promoteCopy(folder: string, damaged: ReadonlyMap<number, number> = new Map()): void {
  const path = join(folder, 'mailbox.sqlite')
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    db.exec(`UPDATE mailbox SET chg = chg + ${PROMOTION_GAP}, next_id = next_id + ${PROMOTION_GAP}`)
    db.exec(`UPDATE folder_count SET uidnext = uidnext + ${PROMOTION_GAP}`)
    db.exec(`UPDATE counter SET value = value + ${PROMOTION_GAP}`)
    db.exec('COMMIT')
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.page_size)
    sumAnew(path, pageBytes, damaged)
  } finally {
    db.close()
  }
  syncPath(dirname(path))
}
