import {
  type BlobRef,
  type Clock,
  DomainError,
  type FolderOriginals,
  isDomainError,
  type OriginalsRequest,
} from '@postrider/domain'
import {
  type BlobName,
  BlobReader,
  checkOriginals,
  type Files,
  fitting,
  MAX_BLOB_BYTES,
  type Place,
  parseRef,
  type RecordHead,
  type SegmentWriter,
  together,
  writeRef,
} from '../blobs/index.ts'
import type { Books } from '../engine/books.ts'
import type { Statements } from '../engine/statements.ts'
import {
  COMPRESS_FROM_BYTES,
  type NamedOriginals,
  referBlobs,
  releaseBlobs,
  UNNAMED_BLOB_MS,
} from '../engine/originals.ts'
import type { Journal } from '../engine/journal.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import { stretches } from '../engine/stretches.ts'

interface Staged {
  readonly place: Place
  readonly at: number
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
    this.referIds([name.id])
    return name.id
  }

  referIds(ids: readonly number[]): void {
    referBlobs(this.#connection, ids)
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
    return placeOf(id, row as readonly number[])
  }

  refOfId(id: number): BlobRef {
    const place = this.placeOf(id)
    if (place === undefined) throw new DomainError('corrupt', `blob ${id} has no row`)
    return this.refOf(place)
  }

  read(ref: BlobRef, start: number, end: number): Uint8Array {
    const place = this.#place(ref)
    return named(() => this.#reader.read(place, start, end))
  }

  /** Originals of mails of a folder: see `MailboxService.originals`. */
  readFolder(mailbox: number, request: OriginalsRequest): FolderOriginals {
    checkOriginals(request)
    const rows = this.#connection.every(
      read.originals,
      stretches(Array.from(request.uids)).map(({ first, last }) => [mailbox, request.folder, first, last]),
    ) as readonly (readonly number[])[]
    const found = rows.map((row) => ({ uid: row[0] as number, ...placeOf(row[1] as number, row.slice(2)) }))
    const { taken, rest } = fitting(found, request)
    return together(
      taken,
      named(() => this.#reader.readAll(taken)),
      rest,
    )
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

function placeOf(id: number, row: readonly number[]): Place {
  const [segment, offset, stored, size, crc] = row as [number, number, number, number, number]
  return { id, segment, offset, stored, size, crc }
}

/** Reads what a row names: if it is not there it is not gone but lost. */
function named<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (isDomainError(cause, 'blobGone')) throw new DomainError('corrupt', cause.message, { cause })
    throw cause
  }
}

const fits = (place: Place, name: BlobName): boolean => place.size === name.size && place.crc === name.crc
