import { type BlobRef, type Clock, DomainError } from '@postrider/domain'
import {
  type BlobName,
  BlobReader,
  type Files,
  MAX_BLOB_BYTES,
  type Place,
  parseRef,
  type RecordHead,
  type SegmentWriter,
  writeRef,
} from '../blobs/index.ts'
import type { Books } from './books.ts'
import type { Statements } from './connection.ts'
import type { Journal } from './journal.ts'
import { read } from './sql/read.ts'
import { write } from './sql/write.ts'

/** How long bytes that no row names stay readable: `MailboxService.stage`. */
export const UNNAMED_BLOB_MS = 3_600_000
/** From this size on originals are packed: below, unpacking 4 KB costs 40 µs at every read and packing 47 µs at every delivery. */
export const COMPRESS_FROM_BYTES = 16 * 1024

interface Staged {
  readonly place: Place
  readonly at: number
}

/** The originals of a database as operations see them: what is named, by how many. */
export interface NamedOriginals {
  refOf(name: BlobName): BlobRef
  /** Gives appended bytes their row, named once. */
  add(journal: Journal, place: Place): void
  /** One more row names the blob behind a reference; answers its number. Throws `blobGone`. */
  refer(journal: Journal, ref: BlobRef): number
  /** One more row names a blob that another row names. */
  referId(id: number): void
  /** One row less names each of them (as often as it is listed); the last one takes the row along and the bytes become garbage. */
  release(journal: Journal, ids: readonly number[]): void
  /** The reference of a named blob. */
  refOfId(id: number): BlobRef
}

/**
 * The originals of one database: bytes in segments, one row each with the number of rows and queue entries that name it. A blob nobody named
 * yet (`stage`, or the bytes of an apply that is on its way) is known here only.
 */
export class Originals implements NamedOriginals {
  readonly #connection: Statements
  readonly #books: Books
  readonly #writer: SegmentWriter
  readonly #reader: BlobReader
  readonly #number: number
  readonly #clock: Clock
  readonly #maxBytes: number
  /** Oldest first. */
  readonly #staged = new Map<number, Staged>()

  constructor(options: {
    connection: Statements
    books: Books
    writer: SegmentWriter
    folder: string
    files: Files
    number: number
    clock: Clock
    maxBytes: number
  }) {
    this.#connection = options.connection
    this.#books = options.books
    this.#writer = options.writer
    this.#reader = new BlobReader(options.folder, options.files)
    this.#number = options.number
    this.#clock = options.clock
    this.#maxBytes = Math.min(options.maxBytes, MAX_BLOB_BYTES)
  }

  /** Appends bytes to a segment; nobody names them yet. Throws `tooLarge` or what the disk throws. */
  append(bytes: Uint8Array, busy: boolean): Place {
    if (bytes.length > this.#maxBytes) throw new DomainError('tooLarge', `${bytes.length} of ${this.#maxBytes} bytes`)
    const id = this.#books.next('blob')
    return this.#writer.append(id, bytes, bytes.length >= COMPRESS_FROM_BYTES && !busy)
  }

  stage(bytes: Uint8Array): BlobRef {
    this.collect()
    const place = this.append(bytes, false)
    this.#staged.set(place.id, { place, at: this.#clock.now() })
    return this.refOf(place)
  }

  refOf(name: BlobName): BlobRef {
    return writeRef(this.#number, name)
  }

  add(journal: Journal, place: Place): void {
    const { id, segment, offset, stored, size, crc } = place
    this.#connection.run(write.addBlob, id, segment, offset, stored, size, crc)
    this.#books.live(journal, segment, stored)
  }

  refer(journal: Journal, ref: BlobRef): number {
    const name = parseRef(this.#number, ref)
    const staged = this.#staged.get(name.id)
    if (staged !== undefined && fits(staged.place, name)) {
      journal.delete(this.#staged, name.id)
      this.add(journal, staged.place)
      return name.id
    }
    this.#row(name)
    this.referId(name.id)
    return name.id
  }

  referId(id: number): void {
    this.#connection.run(write.referBlob, id)
  }

  release(journal: Journal, ids: readonly number[]): void {
    releaseBlobs(this.#connection, ids, (segment, stored) => this.#books.live(journal, segment, -stored))
  }

  /** Throws `blobGone` when the reference names nothing here. */
  #place(ref: BlobRef): Place {
    const name = parseRef(this.#number, ref)
    const staged = this.#staged.get(name.id)
    return staged !== undefined && fits(staged.place, name) ? staged.place : this.#row(name)
  }

  #row(name: BlobName): Place {
    const place = this.placeOf(name.id)
    if (place === undefined || !fits(place, name)) throw new DomainError('blobGone', `blob ${name.id}`)
    return place
  }

  /** Where a named blob lies; undefined when no row names it. */
  placeOf(id: number): Place | undefined {
    const row = this.#connection.get(read.blob, id)
    if (row === undefined) return undefined
    const [segment, offset, stored, size, crc] = row as number[] as [number, number, number, number, number]
    return { id, segment, offset, stored, size, crc }
  }

  refOfId(id: number): BlobRef {
    const place = this.placeOf(id)
    if (place === undefined) throw new DomainError('corrupt', `blob ${id} has no row`)
    return this.refOf(place)
  }

  read(ref: BlobRef, start: number, end: number): Uint8Array {
    return this.#reader.read(this.#place(ref), start, end)
  }

  /** The record as it is stored, verified. */
  record(place: Place): Uint8Array {
    return this.#reader.record(place)
  }

  /** Appends a stored record to the segment being written. */
  appendRecord(place: Place, record: Uint8Array): Place {
    return this.#writer.appendRecord(place, record)
  }

  /** The head of the record at a place in a segment; undefined when there is none. */
  headAt(segment: number, offset: number): RecordHead | undefined {
    return this.#reader.headAt(segment, offset)
  }

  /** Whether a segment holds bytes that somebody staged and may still name. */
  holdsStaged(segment: number): boolean {
    for (const { place } of this.#staged.values()) if (place.segment === segment) return true
    return false
  }

  /** Forgets staged bytes nobody named for an hour; the bytes themselves go when their segment is compacted. */
  collect(): void {
    const oldest = this.#clock.now() - UNNAMED_BLOB_MS
    for (const [id, { at }] of this.#staged) {
      if (at > oldest) return
      this.#staged.delete(id)
    }
  }

  /** Forgets all that was staged: the disk was full and the tails were cut off. */
  dropStaged(): void {
    this.#staged.clear()
  }

  forgetSegment(segment: number): void {
    this.#reader.forget(segment)
  }

  close(): void {
    this.#reader.close()
  }
}

/** Lets go of blobs, `gone` hears of each that nothing names any more. Ids listed twice are let go of twice: first each once, then again. */
export function releaseBlobs(
  connection: Statements,
  ids: readonly number[],
  gone: (segment: number, stored: number, id: number) => void,
): void {
  for (let left: readonly number[] = ids; left.length > 0; ) {
    const once = [...new Set(left)]
    const rows = connection.many(
      write.removeBlob,
      once.map((id) => [id]),
    )
    for (const [i, id] of once.entries()) {
      const last = rows[i]
      if (last === undefined) connection.run(write.releaseBlob, id)
      else gone(last[0] as number, last[1] as number, id)
    }
    if (once.length === left.length) return
    const seen = new Set<number>()
    left = left.filter((id) => seen.has(id) || !seen.add(id))
  }
}

const fits = (place: Place, name: BlobName): boolean => place.size === name.size && place.crc === name.crc
