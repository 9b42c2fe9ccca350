import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import type { Logger } from '@postrider/domain'
import type { Files } from './files.ts'
import { type Place, segmentPath } from './reader.ts'
import { type EncodedRecord, encodeRecord } from './record.ts'

/** A segment as the database knows it. */
export interface SegmentRow {
  readonly segment: number
  /** Committed length of the file. */
  readonly bytes: number
  readonly sealed: boolean
}

export const SEGMENT_BYTES = 64 * 1024 * 1024

interface OpenSegment {
  readonly segment: number
  readonly fd: number
  length: number
  synced: number
  sealed: boolean
}

/**
 * The writing end of the segments of one database: appends records, syncs them, starts a new file when one is full. It knows no rows: the
 * caller commits them after `sync`. Invariant: bytes behind the last committed record are garbage, and cut off at the next start.
 */
export class SegmentWriter {
  readonly #folder: string
  readonly #files: Files
  readonly #limit: number
  /** The last one is written to; earlier ones are full and wait for their sync. */
  #open: OpenSegment[] = []
  #next = 1
  /** Hears of everything that is appended. */
  onAppend: (segment: number, offset: number, record: EncodedRecord) => void = () => {}

  private constructor(folder: string, files: Files, limit: number) {
    this.#folder = folder
    this.#files = files
    this.#limit = limit
  }

  /** Opens the folder: cuts tails, removes files that no row names, goes on in the last unsealed segment. */
  static open(
    folder: string,
    rows: readonly SegmentRow[],
    options: { files: Files; log: Logger; limit?: number; keepTails?: boolean },
  ): SegmentWriter {
    const { files, log, limit = SEGMENT_BYTES } = options
    mkdirSync(folder, { recursive: true })
    const writer = new SegmentWriter(folder, files, limit)
    const known = new Set(rows.map((row) => row.segment))
    for (const name of readdirSync(folder)) {
      const segment = /^(\d+)\.seg$/.exec(name)?.[1]
      if (segment === undefined || known.has(Number(segment))) continue
      writer.#next = Math.max(writer.#next, Number(segment) + 1)
      if (options.keepTails) continue
      log.info({ segment: Number(segment) }, 'segment without a row removed')
      files.remove(segmentPath(folder, Number(segment)))
    }
    const current = rows.filter((row) => !row.sealed).sort((a, b) => b.segment - a.segment)[0]
    for (const row of rows) {
      writer.#next = Math.max(writer.#next, row.segment + 1)
      if (row.sealed) continue
      const fd = writer.#reopen(row, log, options.keepTails ?? false)
      if (fd === undefined) continue
      if (row === current) {
        writer.#open = [{ segment: row.segment, fd, length: row.bytes, synced: row.bytes, sealed: false }]
      } else files.close(fd)
    }
    return writer
  }

  /** Undefined for a file that is missing or too short: nothing is appended to it, and what it lost is `corrupt` when it is read. */
  #reopen(row: SegmentRow, log: Logger, keepTails: boolean): number | undefined {
    let fd: number
    try {
      fd = this.#files.open(segmentPath(this.#folder, row.segment), 'r+')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      log.error({ segment: row.segment }, 'a segment is missing')
      return undefined
    }
    const size = this.#files.size(fd)
    if (size > row.bytes && keepTails) {
      this.#files.close(fd)
      return undefined
    }
    if (size >= row.bytes) {
      if (size > row.bytes) this.#files.truncate(fd, row.bytes)
      return fd
    }
    this.#files.close(fd)
    log.error({ segment: row.segment, size, bytes: row.bytes }, 'a segment is too short')
    return undefined
  }

  /** Appends one blob; it is in the file, not yet synced. Throws what the disk throws, and then nothing was appended. */
  append(id: number, content: Uint8Array, compress: boolean): Place {
    const record = encodeRecord(id, content, compress)
    const { segment, offset } = this.#write(record)
    return { id, segment, offset, stored: record.stored, size: content.length, crc: record.crc }
  }

  /** Appends a finished record, for compaction. */
  appendRecord(place: Place, record: Uint8Array): Place {
    const { segment, offset } = this.#write({ parts: [record], stored: record.length, crc: place.crc })
    return { ...place, segment, offset }
  }

  #write(record: EncodedRecord): { segment: number; offset: number } {
    const open = this.#current()
    const offset = open.length
    this.#files.write(open.fd, record.parts, offset)
    open.length += record.stored
    this.onAppend(open.segment, offset, record)
    return { segment: open.segment, offset }
  }

  #current(): OpenSegment {
    const last = this.#open.at(-1)
    if (last !== undefined && last.length < this.#limit) return last
    if (last !== undefined) last.sealed = true
    const segment = this.#next
    const fd = this.#files.open(segmentPath(this.#folder, segment), 'wx+')
    this.#files.syncDirectory(this.#folder)
    this.#next = segment + 1
    const open: OpenSegment = { segment, fd, length: 0, synced: 0, sealed: false }
    this.#open.push(open)
    return open
  }

  /** True when something was appended and not yet synced. */
  get dirty(): boolean {
    return this.#open.some((one) => one.synced < one.length)
  }

  /** Syncs all that was appended before the call. After a failure nothing appended since the last sync may be trusted. */
  async sync(): Promise<void> {
    for (const one of [...this.#open]) {
      const { length } = one
      if (one.synced >= length) continue
      await this.#files.sync(one.fd)
      one.synced = length
    }
  }

  /** As `sync`, before anything else happens on this thread. */
  syncNow(): void {
    for (const one of this.#open) {
      if (one.synced >= one.length) continue
      this.#files.syncNow(one.fd)
      one.synced = one.length
    }
  }

  /** Puts bytes back where they were before `cut`: in the last segment, or the one that comes after it. */
  putBack(segment: number, offset: number, bytes: Uint8Array): void {
    let open = this.#open.find((one) => one.segment === segment)
    if (open === undefined) {
      const path = segmentPath(this.#folder, segment)
      open = {
        segment,
        fd: this.#files.open(path, existsSync(path) ? 'r+' : 'wx+'),
        length: 0,
        synced: 0,
        sealed: false,
      }
      this.#open.push(open)
      this.#next = Math.max(this.#next, segment + 1)
    }
    this.#files.write(open.fd, [bytes], offset)
    open.length = Math.max(open.length, offset + bytes.length)
    for (const one of this.#open) if (one.segment < segment) one.sealed = true
  }

  /**
   * Length and state of every segment that is open for writing: what the commit writes to the rows. The synced length, or, for what a log makes
   * durable before the segments are, the length that was `appended`.
   */
  lengths(appended = false): readonly SegmentRow[] {
    return this.#open.map((one) => ({
      segment: one.segment,
      bytes: appended ? one.length : one.synced,
      sealed: one.sealed && one.synced === one.length,
    }))
  }

  /** Closes sealed segments after their rows were committed as such: `rows` is what was committed. */
  closeSealed(rows: readonly SegmentRow[]): void {
    const sealed = new Set(rows.filter((row) => row.sealed).map(({ segment }) => segment))
    const done = this.#open.filter(({ segment }) => sealed.has(segment))
    for (const one of done) this.#files.close(one.fd)
    this.#open = this.#open.filter((one) => !done.includes(one))
  }

  /** Throws away what was appended behind `bytes` of `segment`: the disk was full. */
  cut(committed: ReadonlyMap<number, number>): void {
    for (const one of this.#open) {
      const bytes = committed.get(one.segment) ?? 0
      if (one.length <= bytes) continue
      this.#files.truncate(one.fd, bytes)
      one.length = bytes
      one.synced = Math.min(one.synced, bytes)
      one.sealed = false
    }
  }

  /** Removes the file of a segment whose row is gone. */
  remove(segment: number): void {
    this.#files.remove(segmentPath(this.#folder, segment))
  }

  close(): void {
    for (const one of this.#open) this.#files.close(one.fd)
    this.#open = []
  }
}
