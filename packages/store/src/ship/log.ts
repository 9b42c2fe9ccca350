import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Logger } from '@postrider/domain'
import { type SegmentRow, segmentPath } from '../blobs/index.ts'
import { decodeEntry, encodeEntry, type LogPoint, MAX_ENTRY_PAGES, type Piece } from './entry.ts'
import { lastEntry, logFile, logFiles, logFolder, readFile, STREAM, streamOf } from './read.ts'

/** A file of the log is closed at this size. */
const FILE_BYTES = 32 * 1024 * 1024
/** The write-ahead log: sqlite.org/fileformat2.html §4.1. */
const WAL_HEAD_BYTES = 32
const FRAME_HEAD_BYTES = 24
/** Segments that one transaction may write to. */
const GROWING = 3
/** How far the write-ahead log was last copied: `salt1 salt2 frames`. */
const COPIED = 'copied'
/** Removed segments stay here until nobody follows from before their removal. */
export const HELD = 'held'

interface Wal {
  readonly salt1: number
  readonly salt2: number
  readonly pageBytes: number
}

/**
 * Notes how far a write-ahead log is copied, before it is. A log that begins anew without the commit log knowing all of the last one shows there.
 */
export function noteCopied(database: string, frames: number): void {
  const folder = logFolder(dirname(database))
  const wal = existsSync(folder) ? readWal(database) : undefined
  if (wal === undefined) return
  const fd = openSync(join(folder, COPIED), 'w', 0o600)
  try {
    writeSync(fd, `${wal.salt1} ${wal.salt2} ${frames}`)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function readWal(database: string): Wal | undefined {
  const path = `${database}-wal`
  if (!existsSync(path)) return undefined
  const fd = openSync(path, 'r')
  try {
    const head = Buffer.alloc(WAL_HEAD_BYTES)
    if (readSync(fd, head, 0, WAL_HEAD_BYTES, 0) < WAL_HEAD_BYTES) return undefined
    return { pageBytes: head.readUInt32BE(8), salt1: head.readUInt32BE(16), salt2: head.readUInt32BE(20) }
  } finally {
    closeSync(fd)
  }
}

/** Ends a log: what is written to the database from now on is in no entry. */
export function endLog(folder: string): void {
  rmSync(logFolder(folder), { recursive: true, force: true })
}

/**
 * The commit log of one database, for those who follow it (a standby, an archive): after every commit its frames are read from SQLite's write-ahead log
 * and appended here, one entry a transaction. Written by the database's one writer. Invariants: entries of one stream miss nothing; the
 * write-ahead log is not begun anew before what was in it is here, synced. Where that may not hold, a new stream begins.
 */
export class CommitLog {
  readonly #database: string
  readonly #folder: string
  readonly #log: Logger
  #last: LogPoint
  #fd: number
  #offset: number
  #synced = true
  /** Committed lengths of segments as the entries tell them. */
  readonly #lengths = new Map<number, number>()
  #removed: number[] = []

  /** Opens (or makes) the log of a database whose own log has not been copied yet. */
  constructor(folder: string, log: Logger) {
    this.#database = join(folder, 'mailbox.sqlite')
    this.#folder = logFolder(folder)
    this.#log = log
    const last = lastEntry(this.#folder)
    const sound = streamOf(this.#folder) !== undefined && this.#joins(last)
    if (!sound) {
      if (last !== undefined) log.warn({ folder }, 'the commit log may miss something: those who follow it begin anew')
      rmSync(this.#folder, { recursive: true, force: true })
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      writeFileSync(join(this.#folder, STREAM), randomBytes(12).toString('hex'), { mode: 0o600, flush: true })
    }
    const from = sound ? last : undefined
    this.#last = from ?? { seq: 0, salt1: 0, salt2: 0, frames: 0 }
    const file = from?.file ?? 1
    this.#fd = openSync(logFile(this.#folder, file), from === undefined ? 'wx+' : 'r+', 0o600)
    this.#offset = from?.end ?? 0
    ftruncateSync(this.#fd, this.#offset)
    // A torn file behind the last sound entry.
    for (const later of logFiles(this.#folder)) if (later > file) rmSync(logFile(this.#folder, later))
    this.#syncFolder()
  }

  /** Whether the write-ahead log goes on where the last entry ends. */
  #joins(last: LogPoint | undefined): boolean {
    const wal = readWal(this.#database)
    if (last === undefined) return false
    if (wal !== undefined && wal.salt1 === last.salt1 && wal.salt2 === last.salt2) return true
    // Another beginning, or none: all of the last one must be here.
    const path = join(this.#folder, COPIED)
    if (!existsSync(path)) return false
    const [salt1, salt2, frames] = readFileSync(path, 'utf8').split(' ').map(Number)
    const next = wal === undefined || wal.salt1 === (last.salt1 + 1) >>> 0
    return next && salt1 === last.salt1 && salt2 === last.salt2 && frames === last.frames
  }

  get seq(): number {
    return this.#last.seq
  }

  /** Whether the write-ahead log holds what no entry has yet, up to this frame. */
  lacks(frames: number): boolean {
    const wal = readWal(this.#database)
    if (wal === undefined || frames <= 0) return false
    const { salt1, salt2, frames: known } = this.#last
    return wal.salt1 !== salt1 || wal.salt2 !== salt2 || known < frames
  }

  /** Segments as rows name them, all of it in entries already. */
  knows(rows: readonly SegmentRow[]): void {
    for (const { segment, bytes } of rows) this.#lengths.set(segment, bytes)
  }

  /**
   * Takes over what was committed when there was no time to: a transaction grows the newest segments only, and what of them no entry of late
   * tells is sent from the start.
   */
  recover(frames: number, rows: readonly SegmentRow[], now: number): void {
    const told = new Map<number, number>()
    for (const file of logFiles(this.#folder).slice(-2))
      for (const { bytes } of readFile(logFile(this.#folder, file)))
        for (const { segment, to } of decodeEntry(bytes).pieces) told.set(segment, to)
    const newest = [...rows].sort((a, b) => b.segment - a.segment).slice(0, GROWING)
    this.knows(rows)
    for (const { segment, bytes } of newest) this.#lengths.set(segment, Math.min(told.get(segment) ?? 0, bytes))
    this.capture(frames, newest, now)
    this.knows(rows)
  }

  /** A segment is about to be removed: who follows may still have to read it. */
  removed(segment: number): void {
    const held = join(this.#folder, HELD)
    mkdirSync(held, { recursive: true, mode: 0o700 })
    try {
      linkSync(segmentPath(join(dirname(this.#database), 'segments'), segment), segmentPath(held, segment))
    } catch (error) {
      if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
    this.#removed.push(segment)
    this.#lengths.delete(segment)
  }

  /**
   * Takes over what was committed: frames up to `frames` of the write-ahead log, and what `lengths` says of segments. Throws what the disk throws: then the
   * log must be ended.
   */
  capture(frames: number, lengths: readonly SegmentRow[], now: number): void {
    const wal = readWal(this.#database)
    if (wal === undefined || frames <= 0) return
    const same = wal.salt1 === this.#last.salt1 && wal.salt2 === this.#last.salt2
    const from = same ? this.#last.frames : 0
    if (from >= frames) return
    const { pages, size } = readPages(this.#database, wal.pageBytes, from, frames)
    const pieces: Piece[] = []
    for (const { segment, bytes } of lengths) {
      const before = this.#lengths.get(segment) ?? 0
      if (bytes > before) pieces.push({ segment, from: before, to: bytes })
      this.#lengths.set(segment, bytes)
    }
    const list = [...pages]
    for (let at = 0; at < list.length; at += MAX_ENTRY_PAGES) {
      const ends = at + MAX_ENTRY_PAGES >= list.length
      this.#append({
        seq: this.#last.seq + 1,
        time: now,
        salt1: wal.salt1,
        salt2: wal.salt2,
        // A part of a transaction is no place to go on from.
        frames: ends ? frames : from,
        pageBytes: wal.pageBytes,
        size,
        ends,
        pieces: ends ? pieces : [],
        removed: ends ? this.#removed : [],
        pages: list.slice(at, at + MAX_ENTRY_PAGES).map(([page, content]) => ({ page, content })),
      })
    }
    this.#removed = []
  }

  #append(entry: Parameters<typeof encodeEntry>[0]): void {
    if (this.#offset >= FILE_BYTES) this.#turn(entry.seq)
    const bytes = encodeEntry(entry)
    let done = 0
    while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#offset + done)
    this.#offset += bytes.length
    this.#synced = false
    const { seq, salt1, salt2, frames } = entry
    this.#last = { seq, salt1, salt2, frames }
  }

  #turn(first: number): void {
    this.sync()
    closeSync(this.#fd)
    this.#fd = openSync(logFile(this.#folder, first), 'wx+', 0o600)
    this.#offset = 0
    this.#syncFolder()
  }

  /** Before the write-ahead log is copied. */
  sync(): void {
    if (this.#synced) return
    fdatasyncSync(this.#fd)
    this.#synced = true
  }

  #syncFolder(): void {
    const fd = openSync(this.#folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }

  close(): void {
    try {
      this.sync()
    } catch (error) {
      this.#log.warn({ error: String(error) }, 'the commit log was not synced')
    }
    closeSync(this.#fd)
  }
}

/** The last writing of each page in frames `from` to `to`, and how many pages the database has then. */
function readPages(
  database: string,
  pageBytes: number,
  from: number,
  to: number,
): { readonly pages: ReadonlyMap<number, Buffer>; readonly size: number } {
  const frameBytes = FRAME_HEAD_BYTES + pageBytes
  const fd = openSync(`${database}-wal`, 'r')
  try {
    const pages = new Map<number, Buffer>()
    let size = 0
    for (let first = from; first < to; first += MAX_ENTRY_PAGES) {
      const count = Math.min(MAX_ENTRY_PAGES, to - first)
      const bytes = Buffer.allocUnsafeSlow(count * frameBytes)
      const got = readSync(fd, bytes, 0, bytes.length, WAL_HEAD_BYTES + first * frameBytes)
      if (got < bytes.length) throw new Error(`the write-ahead log ends before frame ${to}`)
      for (let at = 0; at < bytes.length; at += frameBytes) {
        pages.set(bytes.readUInt32BE(at), bytes.subarray(at + FRAME_HEAD_BYTES, at + frameBytes))
        size = bytes.readUInt32BE(at + 4) || size
      }
    }
    return { pages, size }
  } finally {
    closeSync(fd)
  }
}
