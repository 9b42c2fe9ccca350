import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { noteCopied } from '../ship/log.ts'
import type { Connection } from './connection.ts'

/**
 * Checksums of the pages of a mailbox database, in a file beside it: SQLite keeps none. A page comes into the database file only out of the
 * write-ahead log, so whoever copies the log first writes down the sums of the pages in it, synced, and only then copies. Invariant: a page
 * that is not in the log is in the file as its sum says. Integers little endian:
 *
 *      0  u32   magic 'PRS1'
 *      4  u32   bytes of a page
 *      8  u32   the two salts of the log
 *     12  u32   that was copied last
 *     16  u32   1: the log was copied whole and removed since
 *     32  for each page u32 crc32 of it, and u32 the same with all bits turned: an entry that rotted itself says nothing about its page
 */
const MAGIC = 0x31535250
const HEAD_BYTES = 32
const ENTRY_BYTES = 8
/** The log: sqlite.org/fileformat2.html §4.1. */
const LOG_HEAD_BYTES = 32
const FRAME_HEAD_BYTES = 24
/** Frames read at once. */
const FRAMES = 128
/** Pages read at once. */
const PAGES = 128
/** A page that does not fit may just be on its way from the log: it is looked at again so often. */
const LOOKS = 4
const LOOK_PAUSE_MS = 50

export const sumsPath = (database: string): string => `${database}-sums`
const logPath = (database: string): string => `${database}-wal`
/** The redo log: redo.ts. */
export const redoPath = (database: string): string => `${database}-redo`

interface LogHead {
  readonly pageBytes: number
  readonly salt1: number
  readonly salt2: number
}

function withFile<T>(path: string, flags: number, work: (fd: number) => T): T {
  const fd = openSync(path, flags, 0o600)
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}

function readAt(fd: number, length: number, position: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let got = 0
  while (got < length) {
    const n = readSync(fd, bytes, got, length - got, position + got)
    if (n === 0) break
    got += n
  }
  return bytes.subarray(0, got)
}

function logHead(fd: number): LogHead | undefined {
  const head = readAt(fd, LOG_HEAD_BYTES, 0)
  if (head.length < LOG_HEAD_BYTES) return undefined
  return { pageBytes: head.readUInt32BE(8), salt1: head.readUInt32BE(16), salt2: head.readUInt32BE(20) }
}

/** Frames `from` to `to` (counted from 0) of the log, as far as they are of its newest beginning. */
function* frames(
  fd: number,
  { pageBytes, salt1, salt2 }: LogHead,
  from: number,
  to: number,
): Generator<{ readonly page: number; readonly content: Buffer }> {
  const frameBytes = FRAME_HEAD_BYTES + pageBytes
  for (let at = from; at < to; at += FRAMES) {
    const count = Math.min(FRAMES, to - at)
    const bytes = readAt(fd, count * frameBytes, LOG_HEAD_BYTES + at * frameBytes)
    for (let start = 0; start + frameBytes <= bytes.length; start += frameBytes) {
      if (bytes.readUInt32BE(start + 8) !== salt1 || bytes.readUInt32BE(start + 12) !== salt2) return
      yield {
        page: bytes.readUInt32BE(start),
        content: bytes.subarray(start + FRAME_HEAD_BYTES, start + frameBytes),
      }
    }
    if (bytes.length < count * frameBytes) return
  }
}

function entryOf(crc: number): Buffer {
  const entry = Buffer.allocUnsafe(ENTRY_BYTES)
  entry.writeUInt32LE(crc, 0)
  entry.writeUInt32LE(~crc >>> 0, 4)
  return entry
}

function writeHead(fd: number, pageBytes: number, log: LogHead | undefined, clean: boolean): void {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(MAGIC, 0)
  head.writeUInt32LE(pageBytes, 4)
  head.writeUInt32LE(log?.salt1 ?? 0, 8)
  head.writeUInt32LE(log?.salt2 ?? 0, 12)
  head.writeUInt32LE(clean ? 1 : 0, 16)
  writeSync(fd, head, 0, HEAD_BYTES, 0)
}

const position = (page: number): number => HEAD_BYTES + (page - 1) * ENTRY_BYTES

/** What copying a log needs of a connection. */
export interface LoggedConnection {
  readonly database: DatabaseSync
  pragma(text: string): readonly (readonly unknown[])[]
}

/**
 * Copies a log into its database, sums first. Answers how many frames are left. Only the one writer may call it without a `pin`: what is
 * committed between the look at the log and the copy would be copied without a sum. A pin is a connection of its own, which holds the
 * log's end where it is.
 */
export function copyLog(connection: LoggedConnection, mode: 'PASSIVE' | 'TRUNCATE', pin?: Connection): number {
  const database = connection.database.location()
  if (database === null) return 0
  pin?.execute('BEGIN')
  try {
    pin?.get('SELECT 1 FROM sqlite_master LIMIT 1')
    const [, to = 0, from = 0] = (connection.pragma('wal_checkpoint(NOOP)')[0] ?? []) as number[]
    sumLog(database, Math.max(0, from), to)
    noteCopied(database, to)
    const [, log = 0, copied = 0] = (connection.pragma(`wal_checkpoint(${mode})`)[0] ?? []) as number[]
    return log - copied
  } finally {
    pin?.execute('COMMIT')
  }
}

/** Writes down the sums of the frames `from` to `to` of the log, synced: to be called before they are copied. */
function sumLog(database: string, from: number, to: number): void {
  if (to <= from || !existsSync(sumsPath(database))) return
  withFile(logPath(database), constants.O_RDONLY, (log) => {
    const head = logHead(log)
    if (head === undefined) return
    const sums = new Map<number, number>()
    // From the end: of a page that was written many times only the last writing counts.
    for (let end = to; end > from; end -= FRAMES) {
      const batch = [...frames(log, head, Math.max(from, end - FRAMES), end)]
      for (const { page, content } of batch.reverse()) if (!sums.has(page)) sums.set(page, crc32(content))
    }
    withFile(sumsPath(database), constants.O_RDWR, (fd) => {
      writeHead(fd, head.pageBytes, head, false)
      let run: Buffer[] = []
      let first = 0
      const flush = (): void => {
        if (run.length > 0) writeSync(fd, Buffer.concat(run), 0, run.length * ENTRY_BYTES, position(first))
        run = []
      }
      for (const [page, crc] of [...sums].sort(([a], [b]) => a - b)) {
        if (page !== first + run.length) {
          flush()
          first = page
        }
        run.push(entryOf(crc))
      }
      flush()
      fdatasyncSync(fd)
    })
  })
}

export const logIsEmpty = (database: string): boolean =>
  !existsSync(logPath(database)) || statSync(logPath(database)).size === 0

/** The log was copied whole, and is about to go. */
export function sumsClean(database: string): void {
  if (!existsSync(sumsPath(database))) return
  withFile(sumsPath(database), constants.O_RDWR, (fd) => {
    writeHead(fd, readAt(fd, 4, 4).readUInt32LE(0), undefined, true)
    fdatasyncSync(fd)
  })
}

/** Whether the sums are those of this database: nobody else has copied its log since. */
export function sumsFit(database: string): boolean {
  if (!existsSync(sumsPath(database))) return false
  const head = withFile(sumsPath(database), constants.O_RDONLY, (fd) => readAt(fd, HEAD_BYTES, 0))
  if (head.length < HEAD_BYTES || head.readUInt32LE(0) !== MAGIC) return false
  if (head.readUInt32LE(16) === 1) return true
  if (!existsSync(logPath(database))) return false
  const log = withFile(logPath(database), constants.O_RDONLY, logHead)
  if (log === undefined) return true
  const [salt1, salt2] = [head.readUInt32LE(8), head.readUInt32LE(12)]
  // Each new beginning of a log counts the first salt up by one.
  return (log.salt1 === salt1 && log.salt2 === salt2) || log.salt1 === (salt1 + 1) >>> 0
}

/** Takes the sums of the database file as it is now; its log is copied, and nobody writes. Of some pages it is `known` what they should be. */
export function sumAnew(database: string, pageBytes: number, known: ReadonlyMap<number, number> = new Map()): void {
  const path = sumsPath(database)
  rmSync(path, { force: true })
  withFile(path, constants.O_RDWR | constants.O_CREAT, (fd) => {
    writeHead(fd, pageBytes, undefined, true)
    const pages = Math.floor(statSync(database).size / pageBytes)
    withFile(database, constants.O_RDONLY, (source) => {
      for (let page = 1; page <= pages; page += PAGES) {
        const bytes = readAt(source, Math.min(PAGES, pages - page + 1) * pageBytes, (page - 1) * pageBytes)
        const entries: Buffer[] = []
        for (let at = 0; at < bytes.length; at += pageBytes)
          entries.push(entryOf(crc32(bytes.subarray(at, at + pageBytes))))
        writeSync(fd, Buffer.concat(entries), 0, entries.length * ENTRY_BYTES, position(page))
      }
    })
    for (const [page, crc] of known) if (page <= pages) writeSync(fd, entryOf(crc), 0, ENTRY_BYTES, position(page))
    fdatasyncSync(fd)
  })
}

/**
 * Transactions that stand in the log behind the `known` frames SQLite took over, less the newest: that one a power cut may have torn. Each was synced
 * before the next began, so a frame before them is damaged.
 */
export function strandedCommits(database: string, known: number): number {
  if (!existsSync(logPath(database))) return 0
  return withFile(logPath(database), constants.O_RDONLY, (fd) => {
    const head = logHead(fd)
    if (head === undefined) return 0
    const frameBytes = FRAME_HEAD_BYTES + head.pageBytes
    let commits = 0
    const frame = Buffer.alloc(FRAME_HEAD_BYTES)
    for (
      let n = known;
      readSync(fd, frame, 0, FRAME_HEAD_BYTES, LOG_HEAD_BYTES + n * frameBytes) === FRAME_HEAD_BYTES;
      n++
    ) {
      const own = frame.readUInt32BE(8) === head.salt1 && frame.readUInt32BE(12) === head.salt2
      if (own && frame.readUInt32BE(4) !== 0) commits++
    }
    return Math.max(0, commits - 1)
  })
}

/** Keeps a copy of a damaged log, for a person to look at. Answers its name. */
export function setLogAside(database: string, now: number, log = logPath(database)): string {
  const kept = `${log}${DAMAGED}${now}`
  copyFileSync(log, kept)
  return kept
}
const DAMAGED = '.damaged-'
/** Names of damaged logs that were kept beside a database. */
export const logsSetAside = (database: string): string[] =>
  readdirSync(dirname(database)).filter((name) =>
    [logPath(database), redoPath(database)].some((log) => name.startsWith(`${basename(log)}${DAMAGED}`)),
  )

/** Pages that are in the log: what the file has of them does not count. */
function loggedPages(database: string): ReadonlySet<number> {
  if (!existsSync(logPath(database))) return new Set()
  return withFile(logPath(database), constants.O_RDONLY, (fd) => {
    const head = logHead(fd)
    const pages = new Set<number>()
    if (head !== undefined) for (const { page } of frames(fd, head, 0, Number.MAX_SAFE_INTEGER)) pages.add(page)
    return pages
  })
}

/** The file, its pages and their sums; open while they are read. */
export class PageReader {
  readonly #database: string
  readonly #file: number
  readonly #sums: number | undefined
  readonly pageBytes: number

  constructor(database: string) {
    this.#database = database
    this.#file = openSync(database, 'r')
    this.#sums = existsSync(sumsPath(database)) ? openSync(sumsPath(database), 'r') : undefined
    // sqlite.org/fileformat2.html §1.3.2: 1 stands for 65,536.
    const bytes = readAt(this.#file, 18, 0)
    const told = bytes.length < 18 ? 0 : bytes.readUInt16BE(16)
    const summed = this.#sums === undefined ? 0 : readAt(this.#sums, 8, 0).readUInt32LE(4)
    this.pageBytes = summed || (told === 1 ? 65_536 : told) || 4_096
  }

  get pages(): number {
    return Math.floor(fstatSync(this.#file).size / this.pageBytes)
  }

  /** The same, of a database that nobody writes while this looks, and whose log is copied. */
  damagedNow(first: number, count: number): number[] {
    return this.#sums === undefined ? [] : this.#wrong(first, count)
  }

  /** Pages from `first` on, at most `count`, that are not what their sums say. */
  async damaged(first: number, count: number): Promise<number[]> {
    if (this.#sums === undefined) return []
    let wrong = this.#wrong(first, count)
    for (let look = 0; look < LOOKS && wrong.length > 0; look++) {
      if (look > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS))
      const logged = loggedPages(this.#database)
      wrong = wrong.filter((page) => !logged.has(page) && this.#wrong(page, 1).length > 0)
    }
    return wrong
  }

  #wrong(first: number, count: number): number[] {
    const sums = this.sums(first, count)
    const bytes = readAt(this.#file, count * this.pageBytes, (first - 1) * this.pageBytes)
    const wrong: number[] = []
    for (let n = 0; (n + 1) * this.pageBytes <= bytes.length; n++) {
      // Null: never written down, or the entry itself is damaged.
      const crc = sums[n] ?? null
      if (crc !== null && crc32(bytes.subarray(n * this.pageBytes, (n + 1) * this.pageBytes)) !== crc)
        wrong.push(first + n)
    }
    return wrong
  }

  /** What the pages from `first` on must be; null where nobody wrote it down. */
  sums(first: number, count: number): (number | null)[] {
    const sums = this.#sums === undefined ? Buffer.alloc(0) : readAt(this.#sums, count * ENTRY_BYTES, position(first))
    return Array.from({ length: count }, (_, n) => {
      if ((n + 1) * ENTRY_BYTES > sums.length) return null
      const crc = sums.readUInt32LE(n * ENTRY_BYTES)
      return sums.readUInt32LE(n * ENTRY_BYTES + 4) === ~crc >>> 0 ? crc : null
    })
  }
  /** One page as the file has it. */
  page(number: number): Buffer {
    return readAt(this.#file, this.pageBytes, (number - 1) * this.pageBytes)
  }

  close(): void {
    closeSync(this.#file)
    if (this.#sums !== undefined) closeSync(this.#sums)
  }
}
