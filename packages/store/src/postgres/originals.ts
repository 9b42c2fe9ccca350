import { type BlobRef, type Clock, DomainError } from '@postrider/domain'
import { type BlobName, encodeRecord, type Place, parseRef, readStored, writeRef } from '../blobs/index.ts'
import type { Books } from '../engine/books.ts'
import type { Statements } from '../engine/statements.ts'
import type { Journal } from '../engine/journal.ts'
import {
  COMPRESS_FROM_BYTES,
  type NamedOriginals,
  referBlobs,
  releaseBlobs,
  UNNAMED_BLOB_MS,
} from '../engine/originals.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import { STAGED, stagedSql } from './staged.ts'

/** Bytes of one staged row. */
const PART_BYTES = 1024 * 1024
/** Records kept in memory between their commit and their segment. */
const RECENT_BYTES = 32 * 1024 * 1024

const fits = (place: Place, name: BlobName): boolean => place.size === name.size && place.crc === name.crc

/**
 * The originals of one database. New ones are rows of `staged`, written by the transaction that names them, and go on to a segment behind it
 * (packer.ts); the rest lies in segments, as with SQLite. Bytes staged for several deliveries (`MailboxService.stage`) are rows too, and are
 * known here until somebody names them.
 */
export class StagedOriginals implements NamedOriginals {
  readonly #statements: Statements
  readonly #books: Books
  readonly #number: number
  readonly #clock: Clock
  readonly #maxBytes: number
  /** Bytes that are on their way into the transaction. */
  readonly #records = new WeakMap<Place, Uint8Array>()
  readonly #named = new WeakMap<Journal, Place[]>()
  /** Least recently written first. */
  readonly #recent = new Map<number, Uint8Array>()
  #recentBytes = 0
  /** Staged and not named yet, oldest first. */
  readonly #unnamed = new Map<number, { readonly place: Place; readonly at: number }>()

  constructor(options: {
    statements: Statements
    books: Books
    number: number
    clock: Clock
    maxBytes: number
  }) {
    this.#statements = options.statements
    this.#books = options.books
    this.#number = options.number
    this.#clock = options.clock
    this.#maxBytes = options.maxBytes
  }

  /** Makes the record of new bytes; `add` or `keep` writes it. Throws `tooLarge`. */
  append(bytes: Uint8Array, busy: boolean): Place {
    if (bytes.length > this.#maxBytes) throw new DomainError('tooLarge', `${bytes.length} of ${this.#maxBytes} bytes`)
    const id = this.#books.next('blob')
    const { parts, stored, crc } = encodeRecord(id, bytes, bytes.length >= COMPRESS_FROM_BYTES && !busy)
    const place: Place = { id, segment: STAGED, offset: 0, stored, size: bytes.length, crc }
    this.#records.set(place, Buffer.concat(parts, stored))
    return place
  }

  refOf(name: BlobName): BlobRef {
    return writeRef(this.#number, name)
  }

  add(journal: Journal, place: Place): void {
    this.#write(journal, place)
    this.#name(journal, place)
  }

  /** What got its first name in a call: once that is committed, it may go on to a segment. */
  namedBy(journal: Journal): readonly Place[] {
    return this.#named.get(journal) ?? []
  }

  /** Writes bytes that nobody names yet. */
  keep(journal: Journal, place: Place): void {
    this.#write(journal, place)
    journal.set(this.#unnamed, place.id, { place, at: this.#clock.now() })
  }

  #write(journal: Journal, place: Place): void {
    const record = this.#records.get(place)
    if (record === undefined) throw new DomainError('invalid', 'the bytes were not appended')
    this.restage(place.id, record)
    if (this.#recent.has(place.id)) return
    this.#recent.set(place.id, record)
    this.#recentBytes += record.length
    journal.undo(() => this.forgetRecent(place.id))
    for (const id of this.#recent.keys()) {
      if (this.#recentBytes <= RECENT_BYTES || id === place.id) break
      this.forgetRecent(id)
    }
  }

  /** Writes a record into `staged`; also one that had a segment before. */
  restage(id: number, record: Uint8Array): void {
    for (let at = 0, part = 0; at < record.length; at += PART_BYTES, part++)
      this.#statements.run(stagedSql.add, id, part, this.#clock.now(), record.subarray(at, at + PART_BYTES))
  }

  #name(journal: Journal, place: Place): void {
    const { id, segment, offset, stored, size, crc } = place
    const named = this.#named.get(journal)
    if (named === undefined) this.#named.set(journal, [place])
    else named.push(place)
    this.#statements.run(write.addBlob, id, segment, offset, stored, size, crc)
  }

  forgetRecent(id: number): void {
    const record = this.#recent.get(id)
    if (record === undefined) return
    this.#recent.delete(id)
    this.#recentBytes -= record.length
  }

  refer(journal: Journal, ref: BlobRef): number {
    const name = parseRef(this.#number, ref)
    const unnamed = this.#unnamed.get(name.id)
    if (unnamed !== undefined && fits(unnamed.place, name)) {
      journal.delete(this.#unnamed, name.id)
      this.#name(journal, unnamed.place)
      return name.id
    }
    const place = this.placeOf(name.id)
    if (place === undefined || !fits(place, name)) throw new DomainError('blobGone', `blob ${name.id}`)
    this.referIds([name.id])
    return name.id
  }

  referIds(ids: readonly number[]): void {
    referBlobs(this.#statements, ids)
  }

  release(journal: Journal, ids: readonly number[]): void {
    releaseBlobs(this.#statements, ids, (segment, stored, id) => {
      if (segment === STAGED) this.#statements.run(stagedSql.remove, id)
      else this.#books.live(journal, segment, -stored)
    })
  }

  /** Where a named blob lies; undefined when no row names it. */
  placeOf(id: number): Place | undefined {
    return this.placesOf([id])[0]
  }

  /** Where named blobs lie, in the order of `ids`. */
  placesOf(ids: readonly number[]): readonly (Place | undefined)[] {
    const rows = this.#statements.many(
      read.blob,
      ids.map((id) => [id]),
    )
    return rows.map((row, i) => {
      if (row === undefined) return undefined
      const [segment, offset, stored, size, crc] = row as number[] as [number, number, number, number, number]
      return { id: ids[i] as number, segment, offset, stored, size, crc }
    })
  }

  refOfId(id: number): BlobRef {
    const place = this.placeOf(id)
    if (place === undefined) throw new DomainError('corrupt', `blob ${id} has no row`)
    return this.refOf(place)
  }

  /** Bytes of what is staged, the place of what is in a segment. Throws `blobGone` also when a blob has just moved on: then look again. */
  look(ref: BlobRef, start: number, end: number): Uint8Array | Place {
    const name = parseRef(this.#number, ref)
    const unnamed = this.#unnamed.get(name.id)
    const place = unnamed !== undefined && fits(unnamed.place, name) ? unnamed.place : this.placeOf(name.id)
    if (place === undefined || !fits(place, name)) throw new DomainError('blobGone', `blob ${name.id}`)
    if (place.segment !== STAGED) return place
    // A copy: the record itself is still on its way.
    return readStored(place, this.recordsOf([place])[0] ?? gone(place), start, end).slice()
  }

  /** The records of staged blobs, undefined for those that have gone on. */
  recordsOf(places: readonly Place[]): readonly (Uint8Array | undefined)[] {
    const asked = places.filter(({ id }) => !this.#recent.has(id)).map(({ id }) => id)
    const rows = asked.length === 0 ? [] : this.#statements.all(stagedSql.parts, `{${asked.join()}}`)
    const parts = Map.groupBy(rows, ([id]) => id as number)
    return places.map(({ id }) => {
      const recent = this.#recent.get(id)
      const found = parts.get(id)?.map(([, bytes]) => bytes as Uint8Array) ?? []
      return recent ?? (found.length < 2 ? found[0] : Buffer.concat(found))
    })
  }

  /** Forgets staged bytes nobody named for an hour; answers up to which time. */
  collect(): number {
    const oldest = this.#clock.now() - UNNAMED_BLOB_MS
    for (const [id, { at }] of this.#unnamed) {
      if (at > oldest) break
      this.#unnamed.delete(id)
    }
    return oldest
  }
}

function gone(place: Place): never {
  throw new DomainError('blobGone', `blob ${place.id}`)
}
