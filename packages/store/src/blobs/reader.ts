import { join } from 'node:path'
import { DomainError } from '@postrider/domain'
import type { Files } from './files.ts'
import { CHUNK_BYTES, HEAD_BYTES, headBytes, headLengthOf, openChunk, type RecordHead, readHead } from './record.ts'

/** Where the record of a blob lies, as its row says. */
export interface Place {
  readonly id: number
  readonly segment: number
  readonly offset: number
  readonly stored: number
  readonly size: number
  readonly crc: number
}

/** Read descriptors kept open. */
const MAX_DESCRIPTORS = 64
/** Records up to this are read with one call, and so are those that lie behind one another in a segment. */
const WHOLE_BYTES = 256 * 1024

export const segmentPath = (folder: string, segment: number): string =>
  join(folder, `${String(segment).padStart(8, '0')}.seg`)

/** Reads originals from segment files: any thread may have its own. Every byte it gives has passed its checksum. */
export class BlobReader {
  readonly #folder: string
  readonly #files: Files
  /** Least recently used first. */
  readonly #descriptors = new Map<number, number>()

  constructor(folder: string, files: Files) {
    this.#folder = folder
    this.#files = files
  }

  /** Bytes `start` to `end` (exclusive, cut to the content). Throws `corrupt` or `blobGone` (the file is not there). */
  read(place: Place, start: number, end: number): Uint8Array {
    const from = Math.min(start, place.size)
    const to = Math.min(end, place.size)
    if (place.stored <= WHOLE_BYTES) {
      return readStored(place, this.#bytes(place, 0, place.stored), from, to)
    }
    const head = headOf(place, this.#bytes(place, 0, Math.min(place.stored, headBytes(place.size))))
    return slice(head, from, to, (at, length) => this.#bytes(place, at, length))
  }

  /** Whole originals, in the order asked. Throws as `read` does. */
  readAll(places: readonly Place[]): readonly Uint8Array[] {
    const all: Uint8Array[] = []
    for (let at = 0, end = 1; at < places.length; at = end++) {
      const first = places[at] as Place
      let stored = first.stored
      for (; end < places.length; end++) {
        const next = places[end] as Place
        if (next.segment !== first.segment || next.offset !== first.offset + stored) break
        if (stored + next.stored > WHOLE_BYTES) break
        stored += next.stored
      }
      if (end === at + 1) all.push(this.read(first, 0, first.size))
      else {
        const records = this.#bytes(first, 0, stored)
        for (const place of places.slice(at, end)) {
          const from = place.offset - first.offset
          all.push(readStored(place, records.subarray(from, from + place.stored), 0, place.size))
        }
      }
    }
    return all
  }

  /** The raw record, head checked: compaction moves it as it is. */
  record(place: Place): Uint8Array {
    const record = this.#bytes(place, 0, place.stored)
    const head = headOf(place, record)
    for (const chunk of head.chunks) openChunk(record.subarray(chunk.at, chunk.at + chunk.length), chunk)
    return record
  }

  /** The head of whatever record begins at `offset`; undefined when none does. */
  headAt(segment: number, offset: number): RecordHead | undefined {
    const fd = this.#descriptor(segment)
    const length = headLengthOf(this.#files.read(fd, HEAD_BYTES, offset))
    return length === 0 ? undefined : readHead(this.#files.read(fd, length, offset))
  }

  /** Closes the descriptor of a segment whose file goes away. */
  forget(segment: number): void {
    const fd = this.#descriptors.get(segment)
    if (fd === undefined) return
    this.#descriptors.delete(segment)
    this.#files.close(fd)
  }

  close(): void {
    for (const segment of [...this.#descriptors.keys()]) this.forget(segment)
  }

  #bytes(place: Place, at: number, length: number): Uint8Array {
    return this.#files.read(this.#descriptor(place.segment), length, place.offset + at)
  }

  #descriptor(segment: number): number {
    const open = this.#descriptors.get(segment)
    if (open !== undefined) {
      this.#descriptors.delete(segment)
      this.#descriptors.set(segment, open)
      return open
    }
    let fd: number
    try {
      fd = this.#files.open(segmentPath(this.#folder, segment), 'r')
    } catch (cause) {
      throw new DomainError('blobGone', `segment ${segment}`, { cause })
    }
    this.#descriptors.set(segment, fd)
    if (this.#descriptors.size > MAX_DESCRIPTORS) this.forget(this.#descriptors.keys().next().value as number)
    return fd
  }
}

/** Bytes `start` to `end` (exclusive, cut to the content) of a record in memory. Throws `corrupt`. */
export function readStored(place: Place, record: Uint8Array, start: number, end: number): Uint8Array {
  const from = Math.min(start, place.size)
  const to = Math.min(end, place.size)
  return slice(headOf(place, record), from, to, (at, length) => record.subarray(at, at + length))
}

/** As `BlobReader.read`, over bytes that come later: `range` gives bytes of the record. */
export async function readRanges(
  place: Place,
  range: (at: number, length: number) => Promise<Uint8Array>,
  start: number,
  end: number,
): Promise<Uint8Array> {
  if (place.stored <= WHOLE_BYTES) return readStored(place, await range(0, place.stored), start, end)
  const head = headOf(place, await range(0, Math.min(place.stored, headBytes(place.size))))
  const from = Math.min(start, place.size)
  const to = Math.min(end, place.size)
  if (to <= from) return new Uint8Array(0)
  const chunks = head.chunks.slice(Math.floor(from / CHUNK_BYTES), Math.floor((to - 1) / CHUNK_BYTES) + 1)
  const [first, last] = [chunks[0], chunks.at(-1)]
  if (first === undefined || last === undefined) throw new DomainError('corrupt', 'chunk missing')
  const bytes = await range(first.at, last.at + last.length - first.at)
  return slice(head, from, to, (at, length) => bytes.subarray(at - first.at, at - first.at + length))
}

function slice(
  head: RecordHead,
  from: number,
  to: number,
  stored: (at: number, length: number) => Uint8Array,
): Uint8Array {
  if (to <= from) return new Uint8Array(0)
  const first = Math.floor(from / CHUNK_BYTES)
  const last = Math.floor((to - 1) / CHUNK_BYTES)
  const parts: Uint8Array[] = []
  for (let i = first; i <= last; i++) {
    const entry = head.chunks[i]
    if (entry === undefined) throw new DomainError('corrupt', 'chunk missing')
    const content = openChunk(stored(entry.at, entry.length), entry)
    const base = i * CHUNK_BYTES
    parts.push(content.subarray(Math.max(0, from - base), to - base))
  }
  const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  if (whole.length !== to - from) throw new DomainError('corrupt', 'chunk too short')
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.length)
}

function headOf(place: Place, bytes: Uint8Array): RecordHead {
  const head = readHead(bytes)
  if (head === undefined || head.id !== place.id || head.size !== place.size || head.crc !== place.crc) {
    throw new DomainError('corrupt', `blob ${place.id} in segment ${place.segment} at ${place.offset}`)
  }
  return head
}
