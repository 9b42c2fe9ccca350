import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Logger } from '@postrider/domain'
import { type Files, isFull, segmentPath } from '../blobs/index.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import type { Value } from '../engine/statements.ts'
import { type Connection, isSqliteCorrupt, isSqliteFull, isSqliteIoError } from './connection.ts'
import { redoPath } from './page-sums.ts'
import { ALIGNMENT, FrameWriter, frameAt, readFrame } from './redo-frames.ts'

/**
 * The redo log of a mailbox database: what makes small changes durable with one sync. Statements and small originals of a batch are one frame;
 * once it is synced the batch is answered, while the database's own transaction stays open and its segments unsynced. Now and then the
 * committer folds: segments synced, COMMIT, and with it a new generation, for which the log begins at the front again. After a crash the
 * frames of the generation that the database names are carried out again, in their order. Invariants: the open transaction is always what the
 * frames make of the last commit; no frame is written behind one whose sync failed.
 */
/** The file has its blocks from the beginning, so that a sync writes no more than data. */
const REDO_BYTES = 4 * 1024 * 1024
/** From here on a fold is due: it keeps everybody waiting for two syncs, and what is left has room for the frames until then. */
const FOLD_BYTES = 3 * 1024 * 1024
/** Larger originals go to their segment alone, synced before the commit: twice their bytes would cost more than a second sync. */
const MAX_RECORD_BYTES = 64 * 1024
/** What is appended to segments between two frames; more is not worth a frame. */
const MAX_FRAME_RECORDS = 1024 * 1024

const SETTING = 'redo'
const newGeneration = (): number => randomBytes(6).readUIntLE(0, 6) + 1

const generationOf = (connection: Connection): number => {
  const row = connection.all(read.settings).find(([name]) => name === SETTING)
  return row === undefined ? 0 : Number(row[1])
}

interface Record {
  readonly segment: number
  readonly offset: number
  readonly parts: readonly Uint8Array[]
  readonly stored: number
}

export class RedoLog {
  readonly #files: Files
  readonly #fd: number
  readonly #path: string
  readonly #frame = new FrameWriter()
  #generation = 0
  #frames = 0
  #at = 0
  /** Appended to segments and in no frame yet. */
  #records: Record[] = []
  #recordBytes = 0
  /** Something was appended that no frame can hold. */
  #beyond = false

  private constructor(path: string, fd: number, files: Files) {
    this.#path = path
    this.#fd = fd
    this.#files = files
  }

  /** Opens the file, made with all its blocks if need be; undefined when there is no room for it: then every batch is a commit. */
  static open(database: string, files: Files, log: Logger): RedoLog | undefined {
    const path = redoPath(database)
    try {
      const fresh = !existsSync(path)
      const fd = files.open(path, fresh ? 'wx+' : 'r+')
      try {
        if (files.size(fd) < REDO_BYTES) {
          // Page by page: what is written in larger pieces the kernel keeps in large ones, and counts as written whole with every frame.
          const zeros = new Uint8Array(4096)
          for (let at = 0; at < REDO_BYTES; at += zeros.length) files.write(fd, [zeros], at)
        }
        files.syncNow(fd)
        // What it will hold is only as durable as its name.
        if (fresh) files.syncDirectory(dirname(path))
        return new RedoLog(path, fd, files)
      } catch (error) {
        files.close(fd)
        if (fresh) files.remove(path)
        throw error
      }
    } catch (error) {
      if (!isFull(error)) throw error
      log.warn({ path, error: String(error) }, 'no room for the redo log: every batch is a commit')
      return undefined
    }
  }

  /** A statement that was carried out in the open transaction. */
  statement(text: string, values: readonly Value[]): void {
    this.#frame.statement(text, values)
  }

  /** Statements from here on can be taken back. */
  mark(): () => void {
    return this.#frame.mark()
  }

  /** Bytes that were appended to a segment. */
  record(segment: number, offset: number, parts: readonly Uint8Array[], stored: number): void {
    this.#recordBytes += stored
    if (this.#beyond || stored > MAX_RECORD_BYTES || this.#recordBytes > MAX_FRAME_RECORDS) {
      this.#beyond = true
      this.#records = []
    } else this.#records.push({ segment, offset, parts, stored })
  }

  /** Only a commit can make durable what was appended. */
  get beyond(): boolean {
    return this.#beyond
  }

  /** Whether what was done since the last frame fits into one. */
  get fits(): boolean {
    const bytes = this.#frame.bytes + this.#recordBytes + this.#records.length * ALIGNMENT
    return !this.#beyond && this.#at + bytes + ALIGNMENT <= REDO_BYTES
  }

  /** There are frames that the database has not committed. */
  get holds(): boolean {
    return this.#frames > 0
  }

  get foldDue(): boolean {
    return this.#at >= FOLD_BYTES
  }

  /** Writes what was done since the last frame, synced. Throws what the disk throws, and then it must not be used until `begin` or `resume`. */
  write(): void {
    for (const { segment, offset, parts, stored } of this.#records) this.#frame.record(segment, offset, parts, stored)
    const frame = this.#frame.finish(this.#generation, this.#frames)
    try {
      this.#files.write(this.#fd, [frame], this.#at)
      this.#files.syncNow(this.#fd)
    } catch (error) {
      this.#spoil()
      throw error
    }
    this.#at += frame.length
    this.#frames++
    this.#dropRecords()
  }

  /** What was not answered must not come back: as far as the disk lets us. */
  #spoil(): void {
    try {
      this.#files.write(this.#fd, [new Uint8Array(ALIGNMENT)], this.#at)
    } catch {
      // The first error is told.
    }
  }

  #dropRecords(): void {
    this.#records = []
    this.#recordBytes = 0
    this.#beyond = false
  }

  /** Writes the generation that follows into the transaction that is about to be committed. */
  turn(connection: Connection): number {
    const generation = newGeneration()
    connection.run(write.putSetting, SETTING, String(generation))
    return generation
  }

  /**
   * Goes on in the generation that the database names: what the log had of it was carried out, and then it names another (`recoverFolder`).
   * Answers false when it names none yet.
   */
  beginAgain(connection: Connection): boolean {
    const generation = generationOf(connection)
    if (generation > 0) this.begin(generation)
    return generation > 0
  }

  /** The commit that named this generation is durable. */
  begin(generation: number): void {
    this.#generation = generation
    this.#frames = 0
    this.#at = 0
    this.#frame.clear()
    this.#dropRecords()
  }

  /**
   * Does again, in the transaction that was just begun, what the frames say; then the log goes on behind them. What was appended since and is in
   * no frame stays known, unless `place` is given: then the segments were cut off at their last commit, and records are written there.
   */
  resume(connection: Connection, place?: PlaceRecord): void {
    const log = Buffer.from(this.#files.read(this.#fd, this.#at, 0))
    const texts: string[] = []
    let at = 0
    for (let number = 0; number < this.#frames; number++) {
      const frame = frameAt(log, at, this.#generation)
      if (frame === undefined) throw new Error(`frame ${number} of ${this.#path} cannot be read again`)
      readFrame(frame.payload, texts, into(connection, place))
      at = frame.end
    }
    this.#frame.clear(texts)
    if (place !== undefined) this.#dropRecords()
  }

  close(): void {
    this.#files.close(this.#fd)
  }
}

type PlaceRecord = (segment: number, offset: number, bytes: Uint8Array) => void

const into = (connection: Connection, place?: PlaceRecord): Parameters<typeof readFrame>[2] => ({
  statement: (text, values) => void connection.all(text, ...values),
  record: place ?? (() => {}),
})

/** The log of a database nobody writes, or as it is at this moment. */
export function readRedo(database: string): Buffer | undefined {
  return existsSync(redoPath(database)) ? readFileSync(redoPath(database)) : undefined
}

/** What makes it senseless to go on with the frames behind. */
const isOfTheDisk = (error: unknown): boolean =>
  [isFull, isSqliteFull, isSqliteIoError, isSqliteCorrupt].some((is) => is(error))

/** Carries out, in the open transaction, what a log says and the database has not committed: frames that were whole, and how many lie behind damage. */
export function carryOut(
  connection: Connection,
  log: Buffer,
  place: PlaceRecord,
): { readonly frames: number; readonly stranded: number } {
  const generation = generationOf(connection)
  if (generation === 0) return { frames: 0, stranded: 0 }
  const texts: string[] = []
  let [at, frames] = [0, 0]
  for (; ; frames++) {
    const frame = frameAt(log, at, generation)
    if (frame === undefined || frame.number !== frames) break
    connection.run('SAVEPOINT frame')
    try {
      readFrame(frame.payload, texts, into(connection, place))
    } catch (error) {
      if (isOfTheDisk(error) || !connection.database.isTransaction) throw error
      connection.run('ROLLBACK TO frame')
      connection.run('RELEASE frame')
      break
    }
    connection.run('RELEASE frame')
    at = frame.end
  }
  return { frames, stranded: strandedFrames(log, at, generation, frames) }
}

/**
 * Carries out what the log of a database says and the database has not committed, in one transaction, and begins a new generation with it. `place`
 * writes originals to their segments, `sync` makes them durable before the commit. Answers how many frames that were. A log that is
 * damaged in the middle is told to `damaged`, with how many whole frames lie behind the damage.
 */
export function recoverRedo(
  connection: Connection,
  log: Buffer | undefined,
  parts: { readonly place: PlaceRecord; readonly sync: () => void; readonly damaged: (frames: number) => void },
): number {
  if (log === undefined) return 0
  connection.execute('BEGIN IMMEDIATE')
  try {
    const { frames, stranded } = carryOut(connection, log, parts.place)
    if (stranded > 0) parts.damaged(stranded)
    if (frames === 0 && stranded === 0) {
      connection.execute('ROLLBACK')
      return 0
    }
    parts.sync()
    connection.run(write.putSetting, SETTING, String(newGeneration()))
    connection.execute('COMMIT')
    return frames
  } catch (error) {
    if (connection.database.isTransaction) connection.execute('ROLLBACK')
    throw error
  }
}

/** Whole frames of a generation behind one that is not: each was durable before the next began, so that one is damaged, not torn. */
function strandedFrames(log: Buffer, from: number, generation: number, next: number): number {
  let frames = 0
  for (let at = from; at + ALIGNMENT <= log.length; at += ALIGNMENT) {
    const frame = frameAt(log, at, generation)
    if (frame !== undefined && (frame.number > next || (at === from && frame.number === next))) frames++
  }
  return frames
}

/** Writes records to the files of segments, before anybody else has them open. */
class RecordPlacer {
  readonly #folder: string
  readonly #files: Files
  readonly #open = new Map<number, number>()

  constructor(folder: string, files: Files) {
    this.#folder = folder
    this.#files = files
  }

  place(segment: number, offset: number, bytes: Uint8Array): void {
    let fd = this.#open.get(segment)
    if (fd === undefined) {
      const path = segmentPath(this.#folder, segment)
      fd = this.#files.open(path, existsSync(path) ? 'r+' : 'wx+')
      this.#open.set(segment, fd)
    }
    this.#files.write(fd, [bytes], offset)
  }

  sync(): void {
    for (const fd of this.#open.values()) this.#files.syncNow(fd)
    if (this.#open.size > 0) this.#files.syncDirectory(this.#folder)
  }

  close(): void {
    for (const fd of this.#open.values()) this.#files.close(fd)
  }
}

/** `recoverRedo` for a database in its folder, which nobody else has open: `damaged` hears how many frames are lost. */
export function recoverFolder(
  connection: Connection,
  database: string,
  files: Files,
  damaged: (frames: number) => void,
): number {
  const placer = new RecordPlacer(join(dirname(database), 'segments'), files)
  try {
    return recoverRedo(connection, readRedo(database), {
      place: (segment, offset, bytes) => placer.place(segment, offset, bytes),
      sync: () => placer.sync(),
      damaged,
    })
  } finally {
    placer.close()
  }
}
