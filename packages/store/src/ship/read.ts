import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { ENTRY_HEAD_BYTES, type EntryHead, entryBytes, entryHead, entrySound, type LogPoint } from './entry.ts'

/** The commit log of a database: a folder beside it. */
export const logFolder = (database: string): string => join(database, 'log')
/** Name of the log's one past: another one begins when entries may be missing. */
export const STREAM = 'stream'
const DIGITS = 15
export const logFile = (folder: string, first: number): string =>
  join(folder, `${String(first).padStart(DIGITS, '0')}.log`)

/** First numbers of the files of a log, ascending. */
export function logFiles(folder: string): number[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^\d+\.log$/.test(name))
    .map((name) => Number(name.slice(0, -4)))
    .sort((a, b) => a - b)
}

export function streamOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, STREAM), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** An entry as it lies in a file, verified. */
export interface RawEntry {
  readonly head: EntryHead
  readonly bytes: Buffer
}

/** Reads the entries of one file from `offset` on, as far as they are whole. */
export function* readFile(path: string, offset = 0): Generator<RawEntry> {
  const fd = openSync(path, 'r')
  try {
    for (let at = offset; ; ) {
      const head = Buffer.allocUnsafe(ENTRY_HEAD_BYTES)
      if (readSync(fd, head, 0, ENTRY_HEAD_BYTES, at) < ENTRY_HEAD_BYTES) return
      const length = entryBytes(head)
      if (length === undefined || length === 0) return
      const bytes = Buffer.allocUnsafeSlow(length)
      if (readSync(fd, bytes, 0, length, at) < length || !entrySound(bytes)) return
      yield { head: entryHead(bytes), bytes }
      at += length
    }
  } finally {
    closeSync(fd)
  }
}

/** Heads of the entries of one file, not verified. */
function* heads(path: string): Generator<EntryHead> {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const head = Buffer.allocUnsafe(ENTRY_HEAD_BYTES)
    for (let at = 0; readSync(fd, head, 0, ENTRY_HEAD_BYTES, at) === ENTRY_HEAD_BYTES; ) {
      const length = entryBytes(head)
      if (length === undefined || length === 0 || at + length > size) return
      yield entryHead(head)
      at += length
    }
  } finally {
    closeSync(fd)
  }
}

/** The newest entry there is. */
export function lastEntry(folder: string): (EntryHead & { readonly file: number; readonly end: number }) | undefined {
  for (const file of logFiles(folder).reverse()) {
    let end = 0
    let last: EntryHead | undefined
    for (const { head } of readFile(logFile(folder, file))) {
      last = head
      end += head.bytes
    }
    if (last !== undefined) return { ...last, file, end }
  }
  return undefined
}

/** The log begins behind what was asked for: whoever follows it has to begin anew. */
export class EntryGone extends Error {
  constructor(seq: number) {
    super(`entry ${seq} is no longer in the commit log`)
  }
}

/** Follows a log: what was appended since it was last asked. */
export class LogTail {
  readonly #folder: string
  #next: number
  #file: number | undefined
  #offset = 0

  /** `next`: the number of the first entry it is to give. */
  constructor(folder: string, next: number) {
    this.#folder = folder
    this.#next = next
  }

  get next(): number {
    return this.#next
  }

  /** Bytes of the log behind what was read. */
  behind(): number {
    const files = logFiles(this.#folder).filter((first) => first >= (this.#file ?? 0))
    return files.reduce((sum, first) => sum + statSync(logFile(this.#folder, first)).size, 0) - this.#offset
  }

  /** The entries there are, until they are `limit` bytes. Throws EntryGone when the next one is no longer there. */
  read(limit: number): RawEntry[] {
    const entries: RawEntry[] = []
    let bytes = 0
    for (;;) {
      this.#file ??= logFiles(this.#folder).findLast((first) => first <= this.#next)
      if (this.#file === undefined) {
        if (logFiles(this.#folder).length > 0) throw new EntryGone(this.#next)
        return entries
      }
      try {
        for (const entry of readFile(logFile(this.#folder, this.#file), this.#offset)) {
          this.#offset += entry.head.bytes
          if (entry.head.seq < this.#next) continue
          if (entry.head.seq > this.#next) throw new EntryGone(this.#next)
          entries.push(entry)
          this.#next = entry.head.seq + 1
          bytes += entry.bytes.length
          if (bytes >= limit) return entries
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        throw new EntryGone(this.#next)
      }
      // A file is finished when the next one begins where it ends.
      const following = logFiles(this.#folder).find((first) => first > (this.#file as number))
      if (following === undefined || following > this.#next) return entries
      this.#file = following
      this.#offset = 0
    }
  }
}

/** Whether the log has this very entry. */
export function logHas(folder: string, { seq, salt1, salt2, frames }: LogPoint): boolean {
  const file = logFiles(folder).findLast((first) => first <= seq)
  if (file === undefined) return false
  for (const head of heads(logFile(folder, file)))
    if (head.seq === seq) return head.salt1 === salt1 && head.salt2 === salt2 && head.frames === frames
  return false
}

/** The first entry that was read from the same beginning of the write-ahead log as the newest. */
export function firstOfGeneration(folder: string): number | undefined {
  let first: EntryHead | undefined
  for (const file of logFiles(folder).reverse()) {
    const list = [...heads(logFile(folder, file))]
    const newest = first ?? list.at(-1)
    if (newest === undefined) continue
    const own = (one: EntryHead): boolean => one.salt1 === newest.salt1 && one.salt2 === newest.salt2
    const begin = list.findIndex(own)
    if (begin < 0) break
    first = list[begin]
    if (begin > 0) break
  }
  return first?.seq
}

/**
 * Removes files of a log with nothing in them that is wanted: entries from `wanted` on, and those of pages that may not be in the database file yet. More
 * than `limit` bytes are kept for nobody.
 */
export function pruneLog(folder: string, wanted: number, limit: number): void {
  const files = logFiles(folder)
  const needed = firstOfGeneration(folder) ?? 0
  let bytes = files.reduce((sum, first) => sum + statSync(logFile(folder, first)).size, 0)
  for (const [n, first] of files.entries()) {
    const next = files[n + 1]
    if (next === undefined || next > needed || (next > wanted && bytes <= limit)) return
    bytes -= statSync(logFile(folder, first)).size
    rmSync(logFile(folder, first))
  }
}
