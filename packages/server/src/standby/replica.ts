import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  DatabaseCopy,
  decodeEntry,
  type Entry,
  endLog,
  lastEntry,
  logFile,
  logFiles,
  logFolder,
  promoteCopy,
  readFile,
  STREAM,
  streamOf,
} from '@postrider/store/ship'
import { writeAtomically } from '../transfer/write-file.ts'
import type { HeldSegment, StandbyPoint } from './stream.ts'

/** A file of received entries is closed at this size; then the database file is synced, and older ones go. */
const FILE_BYTES = 32 * 1024 * 1024
const MAX_WRITE = 1024 * 1024

/** What a base is worth: from which entry it goes on, and with which it is whole. */
interface Base {
  readonly from: number
  /** Undefined while it is on its way. */
  readonly until?: number
  /** Pages that did not arrive as their checksums say, and were in no entry since: number and checksum. */
  readonly suspects?: readonly (readonly [number, number])[]
}
const BASE = 'base.json'

function syncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * A database of the standby. What arrives is written and synced as entries first, and only then applied to the copy: whatever stops this machine, the
 * copy plus the entries here are the database as of the last whole transaction. Invariant: what `sync` has returned for survives a power cut.
 */
export class Replica {
  readonly name: string
  readonly #folder: string
  readonly #log: string
  #copy: DatabaseCopy
  #fd: number | undefined
  #offset = 0
  #base: Base | undefined
  readonly #suspects: Map<number, number>
  /** The last entry that is here, and the last that is synced. */
  #last: StandbyPoint | undefined
  #synced = 0
  /** When the last one was committed over there, ms. */
  time = 0
  /** Here and not applied yet. */
  #open: Entry[] = []
  #dirty = false

  constructor(home: string, name: string) {
    this.name = name
    this.#folder = join(home, name)
    this.#log = logFolder(this.#folder)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#log, BASE)
    this.#base = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Base) : undefined
    this.#suspects = new Map(this.#base?.suspects)
    this.#copy = new DatabaseCopy(this.#folder)
    this.#replay()
  }

  /** What a stop left: entries that may not be in the copy yet. */
  #replay(): void {
    const stream = streamOf(this.#log)
    if (this.#base?.until === undefined || stream === undefined) return
    this.#last = { stream, seq: this.#base.from - 1 }
    this.#synced = this.#last.seq
    for (const file of logFiles(this.#log))
      for (const { bytes } of readFile(logFile(this.#log, file))) this.#note(decodeEntry(bytes))
    this.#apply()
    const last = lastEntry(this.#log)
    if (last === undefined) return
    this.#offset = last.end
    truncateSync(logFile(this.#log, last.file), last.end)
    this.#fd = openSync(logFile(this.#log, last.file), 'r+')
    fsyncSync(this.#fd)
    this.#synced = last.seq
  }

  /** Where it is in the log of the primary; undefined: it needs a base. */
  get point(): StandbyPoint | undefined {
    return this.#last
  }
  get synced(): number {
    return this.#synced
  }
  /** Whether it is a database, and not only a part of one. */
  get whole(): boolean {
    return this.#base?.until !== undefined && (this.#last?.seq ?? 0) >= this.#base.until
  }
  /**
   * Pages of the base that are not as their checksums say, though all entries that might have brought them are here. They do not stand in the way
   * of a promotion, when nothing else may be left; the database goes on to say of them that they are damaged.
   */
  get damaged(): readonly number[] {
    return this.whole ? [...this.#suspects.keys()] : []
  }

  /** A base begins to arrive: what is here may be overwritten with anything. */
  begin(stream: string, from: number): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    this.#open = []
    this.#last = undefined
    this.#synced = 0
    rmSync(this.#log, { recursive: true, force: true })
    mkdirSync(this.#log, { mode: 0o700 })
    this.#suspects.clear()
    this.#keepBase({ from })
    writeFileSync(join(this.#log, STREAM), stream, { flush: true })
    syncPath(this.#log)
  }

  #keepBase(base: Base): void {
    this.#base = this.#suspects.size === 0 ? base : { ...base, suspects: [...this.#suspects] }
    writeAtomically(join(this.#log, BASE), JSON.stringify(this.#base))
  }

  /** Pages of the base. One that is not as its sum says is kept all the same: it may be in an entry to come. */
  page(offset: number, bytes: Buffer, pageBytes: number, sums: readonly (number | null)[]): void {
    this.#copy.write(offset, bytes)
    for (const [n, sum] of sums.entries())
      if (sum !== null && crc32(bytes.subarray(n * pageBytes, (n + 1) * pageBytes)) !== sum)
        this.#suspects.set(offset / pageBytes + n + 1, sum)
  }
  /** A page that was asked for. What an entry brought meanwhile is newer. */
  again(offset: number, bytes: Buffer, pageBytes: number, sum: number | null): void {
    const page = offset / pageBytes + 1
    if (!this.#suspects.has(page) || sum === null || crc32(bytes) !== sum) return
    this.#copy.write(offset, bytes)
    this.#copy.sync()
    this.#suspects.delete(page)
  }
  /** All that was asked for has come. */
  mended(until: number): void {
    if (this.#base?.until !== undefined)
      this.#keepBase({ from: this.#base.from, until: Math.max(until, this.#base.until) })
  }
  piece(segment: number, offset: number, bytes: Uint8Array): void {
    this.#copy.writeSegment(segment, offset, bytes)
    this.#dirty = true
  }

  /** All of the base has arrived. */
  end(until: number, size: number): void {
    const stream = streamOf(this.#log)
    if (this.#base === undefined || stream === undefined) throw new Error('the end of a base that did not begin')
    this.#copy.truncate(size)
    this.#copy.sync()
    this.#keepBase({ from: this.#base.from, until })
    syncPath(this.#log)
    this.#last = { stream, seq: this.#base.from - 1 }
    this.#synced = this.#last.seq
  }

  /** Takes an entry, verified. Throws `corrupt`, or when it is not the next one. */
  entry(bytes: Buffer): void {
    const entry = decodeEntry(bytes)
    const next = (this.#last?.seq ?? 0) + 1
    if (this.#last === undefined || entry.seq !== next) throw new Error(`entry ${entry.seq} instead of ${next}`)
    if (this.#fd === undefined || this.#offset >= FILE_BYTES) this.#turn(entry.seq)
    const fd = this.#fd as number
    for (let done = 0; done < bytes.length; )
      done += writeSync(fd, bytes, done, Math.min(MAX_WRITE, bytes.length - done), this.#offset + done)
    this.#offset += bytes.length
    this.#note(entry)
    this.#dirty = true
  }

  #note(entry: Entry): void {
    const { seq, salt1, salt2, frames } = entry
    this.#last = { stream: this.#last?.stream ?? '', seq, salt1, salt2, frames }
    this.time = entry.time
    this.#open.push(entry)
  }

  #turn(first: number): void {
    if (this.#fd !== undefined) {
      this.sync()
      closeSync(this.#fd)
      // All that the older files hold is in the copy, synced.
      if (this.#open.length === 0) {
        this.#copy.sync()
        for (const file of logFiles(this.#log).slice(0, -1)) rmSync(logFile(this.#log, file))
      }
    }
    this.#fd = openSync(logFile(this.#log, first), 'wx+', 0o600)
    this.#offset = 0
    syncPath(this.#log)
  }

  /** What was taken is on the disk when it returns, and then it is applied. */
  sync(): void {
    if (!this.#dirty) return
    this.#copy.syncSegments()
    if (this.#fd !== undefined) fdatasyncSync(this.#fd)
    this.#dirty = false
    this.#synced = this.#last?.seq ?? 0
    this.#apply()
  }

  /** Whole transactions only. */
  #apply(): void {
    const end = this.#open.findLastIndex(({ ends }) => ends)
    const before = this.#suspects.size
    for (const entry of this.#open.splice(0, end + 1)) {
      this.#copy.apply(entry)
      for (const { page } of entry.pages) this.#suspects.delete(page)
      if (entry.ends) for (const page of this.#suspects.keys()) if (page > entry.size) this.#suspects.delete(page)
    }
    // The entries stay until the copy is synced, so what is noted here holds after a power cut.
    if (this.#suspects.size < before && this.#base?.until !== undefined)
      this.#keepBase({ from: this.#base.from, until: this.#base.until })
  }

  /** Segments that are here, so that a base need not bring them again. */
  segments(): HeldSegment[] {
    const folder = join(this.#folder, 'segments')
    return readdirSync(folder).flatMap((name) => {
      const segment = /^(\d+)\.seg$/.exec(name)?.[1]
      if (segment === undefined) return []
      return [{ segment: Number(segment), ...digestOf(join(folder, name)) }]
    })
  }

  /** It is nobody's copy from now on, but a database. */
  promote(): void {
    this.close()
    endLog(this.#folder)
    promoteCopy(this.#folder, this.#suspects)
  }

  close(): void {
    this.sync()
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    this.#copy.close()
  }
}

/** Of the first `limit` bytes of a file. */
export function digestOf(path: string, limit = Number.MAX_SAFE_INTEGER): { bytes: number; digest: string } {
  const hash = createHash('sha256')
  let bytes = 0
  for (const part of fileParts(path, 0, limit)) {
    hash.update(part)
    bytes += part.length
  }
  return { bytes, digest: hash.digest('hex') }
}

/** A file piece by piece. */
export function* fileParts(path: string, from: number, to: number): Generator<Buffer> {
  const fd = openSync(path, 'r')
  try {
    for (let at = from; at < to; ) {
      const part = Buffer.allocUnsafeSlow(Math.min(MAX_WRITE, to - at))
      const got = readSync(fd, part, 0, part.length, at)
      if (got === 0) return
      yield part.subarray(0, got)
      at += got
    }
  } finally {
    closeSync(fd)
  }
}
