import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger, Meter } from '@postrider/domain'
import {
  decodeEntry,
  EntryGone,
  HELD,
  lastEntry,
  logFile,
  logFiles,
  logFolder,
  logHas,
  LogTail,
  pruneLog,
  streamOf,
} from '@postrider/store/ship'
import type { Shelf } from './shelf.ts'

/** Below the place of the backups: what was committed between them. */
export const LOG = 'log/'
/** Copies of the directory, by the time they were made. */
export const DIRECTORY = `${LOG}directory/`
/** An object holds about so much. */
const PART_BYTES = 16 * 1024 * 1024
const HOUR_MS = 3_600_000
/** Before each block of an object: kind, segment, offset, length. */
const BLOCK_HEAD_BYTES = 24
const ENTRY_BLOCK = 1
const PIECE_BLOCK = 2

/** A name tells what is in it: first and last entry, when they were committed, where the last one lies in SQLite's log. */
export interface Part {
  readonly key: string
  readonly stream: string
  readonly first: number
  readonly last: number
  readonly firstTime: number
  readonly lastTime: number
  readonly salt1: number
  readonly salt2: number
  readonly frames: number
}

const padded = (value: number): string => String(value).padStart(15, '0')
const keyOf = (database: string, part: Omit<Part, 'key'>): string => {
  const { stream, first, last, firstTime, lastTime, salt1, salt2, frames } = part
  return `${LOG}db/${database}/${stream}/${[padded(first), padded(last), firstTime, lastTime, salt1, salt2, frames].join('-')}`
}

/** The parts of a database, in the order of its streams' numbers. */
export async function partsOf(shelf: Shelf, database: string): Promise<readonly Part[]> {
  const prefix = `${LOG}db/${database}/`
  return (await shelf.list(prefix)).flatMap((key) => {
    const [stream = '', name = ''] = key.slice(prefix.length).split('/')
    const numbers = name.split('-').map(Number)
    if (numbers.length !== 7 || numbers.some(Number.isNaN)) return []
    const [first, last, firstTime, lastTime, salt1, salt2, frames] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    return [{ key, stream, first, last, firstTime, lastTime, salt1, salt2, frames }]
  })
}

function block(kind: number, segment: number, offset: number, bytes: Uint8Array): Buffer[] {
  const head = Buffer.alloc(BLOCK_HEAD_BYTES)
  head.writeUInt32LE(kind, 0)
  head.writeUInt32LE(segment, 4)
  head.writeDoubleLE(offset, 8)
  head.writeDoubleLE(bytes.length, 16)
  return [head, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)]
}

/** What a part holds, in order. */
export type Block =
  | { readonly kind: 'entry'; readonly bytes: Buffer }
  | { readonly kind: 'piece'; readonly segment: number; readonly offset: number; readonly bytes: Buffer }

/** Throws when the part is cut short. */
export function* blocksOf(part: Buffer): Generator<Block> {
  for (let at = 0; at < part.length; ) {
    const length = at + BLOCK_HEAD_BYTES <= part.length ? part.readDoubleLE(at + 16) : Number.POSITIVE_INFINITY
    const end = at + BLOCK_HEAD_BYTES + length
    if (!(end <= part.length)) throw new Error('a part of the archive is cut short')
    const bytes = part.subarray(at + BLOCK_HEAD_BYTES, end)
    if (part.readUInt32LE(at) === ENTRY_BLOCK) yield { kind: 'entry', bytes }
    else yield { kind: 'piece', segment: part.readUInt32LE(at + 4), offset: part.readDoubleLE(at + 8), bytes }
    at = end
  }
}

export interface ArchiverOptions {
  readonly dataFolder: string
  readonly shelf: Shelf
  readonly databases: readonly string[]
  readonly everyMs: number
  /** How long parts are kept, ms; 0: for ever. */
  readonly keepMs: number
  readonly keepBytes: number
  /** A copy of the directory when it has changed since the last; undefined when it has not. */
  readonly directory: () => Buffer | undefined
  /** How far others are who follow a database. */
  readonly others: (database: string) => number
  /** How far the archive is. */
  readonly archived: (database: string, seq: number) => void
  readonly log: Logger
  readonly meter: Meter
}

/** Writes what is committed to a folder or a bucket, all the time, so that a backup can be restored to any moment after it. */
export class Archiver {
  readonly #options: ArchiverOptions
  readonly #tails = new Map<string, { readonly stream: string; readonly tail: LogTail }>()
  readonly #done = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #prunedAt = 0
  #failed = false

  constructor(options: ArchiverOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.round(), options.everyMs)
    this.#timer.unref()
  }

  /** The last entry of a database that is archived. */
  position(database: string): number {
    return this.#done.get(database) ?? 0
  }

  /** Archives all that is committed by now. Never rejects: what failed is done in the next round. */
  round(): Promise<void> {
    this.#running = this.#running.then(() => this.#round())
    return this.#running
  }

  async #round(): Promise<void> {
    const { databases, shelf, directory, log, meter } = this.#options
    try {
      const copy = directory()
      if (copy !== undefined) await shelf.put(`${DIRECTORY}${padded(Date.now())}`, copy)
      for (const name of databases) await this.#follow(name)
      await this.#prune()
      if (this.#failed) log.info({}, 'the archive is written again')
      this.#failed = false
      meter.gauge('archive_failed', 0)
      meter.gauge('archive_written_seconds', Math.floor(Date.now() / 1000))
    } catch (error) {
      if (!this.#failed) log.error({ error: String(error) }, 'the archive cannot be written')
      this.#failed = true
      meter.gauge('archive_failed', 1)
    }
  }

  async #follow(name: string): Promise<void> {
    const folder = join(this.#options.dataFolder, 'mailboxes', name)
    const log = logFolder(folder)
    const stream = streamOf(log)
    if (stream === undefined) return
    let known = this.#tails.get(name)
    if (known?.stream !== stream) {
      const last = (await partsOf(this.#options.shelf, name)).filter((one) => one.stream === stream).at(-1)
      const goesOn = last !== undefined && logHas(log, { ...last, seq: last.last })
      const first = logFiles(log)[0] ?? 1
      if (last !== undefined && !goesOn)
        this.#options.log.error({ database: name }, 'the archive has a gap: make a backup now')
      known = { stream, tail: new LogTail(log, goesOn ? last.last + 1 : first) }
      this.#tails.set(name, known)
    }
    try {
      while (await this.#part(name, folder, known)) {}
    } catch (error) {
      if (!(error instanceof EntryGone)) throw error
      this.#tails.delete(name)
      this.#options.log.error({ database: name }, 'the archive was too slow and has a gap: make a backup now')
    }
  }

  /** One part; false when there was nothing. */
  async #part(name: string, folder: string, { stream, tail }: { stream: string; tail: LogTail }): Promise<boolean> {
    const before = tail.next
    const entries = tail.read(PART_BYTES)
    const [first, last] = [entries[0], entries.at(-1)]
    if (first === undefined || last === undefined) return false
    // What is archived must not be lost here in a power cut: the numbers would be given again.
    syncLog(logFolder(folder))
    const blocks: Buffer[] = []
    for (const { bytes } of entries) {
      for (const { segment, from, to } of decodeEntry(bytes).pieces) {
        const content = pieceOf(folder, segment, from, to)
        if (content !== undefined) blocks.push(...block(PIECE_BLOCK, segment, from, content))
      }
      blocks.push(...block(ENTRY_BLOCK, 0, 0, bytes))
    }
    const { salt1, salt2, frames } = last.head
    const part = {
      stream,
      first: first.head.seq,
      last: last.head.seq,
      firstTime: first.head.time,
      lastTime: last.head.time,
      salt1,
      salt2,
      frames,
    }
    try {
      await this.#options.shelf.put(keyOf(name, part), Buffer.concat(blocks))
    } catch (error) {
      this.#tails.set(name, { stream, tail: new LogTail(logFolder(folder), before) })
      throw error
    }
    this.#done.set(name, part.last)
    this.#options.archived(name, part.last)
    pruneLog(logFolder(folder), Math.min(part.last, this.#options.others(name)) + 1, this.#options.keepBytes)
    return true
  }

  async #prune(): Promise<void> {
    const { keepMs, shelf, databases } = this.#options
    if (keepMs === 0 || performance.now() < this.#prunedAt) return
    this.#prunedAt = performance.now() + HOUR_MS
    const oldest = Date.now() - keepMs
    for (const name of databases)
      for (const { key, lastTime } of await partsOf(shelf, name)) if (lastTime < oldest) await shelf.remove(key)
    const copies = await shelf.list(DIRECTORY)
    // The newest copy before is the directory as of then.
    const still = copies.findLastIndex((key) => Number(key.slice(DIRECTORY.length)) < oldest)
    for (const key of copies.slice(0, Math.max(0, still))) await shelf.remove(key)
  }

  /** Archives the rest, then ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.round()
    this.#options.shelf.close()
  }
}

function syncLog(folder: string): void {
  for (const first of logFiles(folder).slice(-2)) {
    const fd = openSync(logFile(folder, first), 'r')
    try {
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

function pieceOf(folder: string, segment: number, from: number, to: number): Buffer | undefined {
  const name = `${String(segment).padStart(8, '0')}.seg`
  const path = [join(folder, 'segments', name), join(logFolder(folder), HELD, name)].find((one) => existsSync(one))
  return path === undefined ? undefined : readFileSync(path).subarray(from, to)
}

/** Where a database's log is at this moment: a copy that is made afterwards has all up to here. */
export function positionOf(folder: string): { readonly stream: string; readonly seq: number } | undefined {
  const stream = streamOf(logFolder(folder))
  return stream === undefined ? undefined : { stream, seq: lastEntry(logFolder(folder))?.seq ?? 0 }
}
