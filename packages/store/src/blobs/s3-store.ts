import { DomainError, isDomainError, type Logger } from '@postrider/domain'
import { S3, type S3Options } from '../s3/index.ts'
import { type BlockCache, DiskBlocks } from './block-cache.ts'
import { type Files, realFiles } from './files.ts'
import { HEAD_BYTES, headLengthOf, type RecordHead, readHead } from './record.ts'
import { BlobReader, type Place, readRanges, readStored } from './reader.ts'
import {
  FIRST_REMOTE,
  type Gather,
  objectKey,
  type Outgoing,
  type SegmentStore,
  segmentOfKey,
} from './segment-store.ts'
import type { SegmentRow } from './segments.ts'

/** What is fetched and kept at once. */
const BLOCK_BYTES = 256 * 1024
/** A segment is about so long; what is less goes after the time, ms. */
const SEGMENT_BYTES = 8 * 1024 * 1024
const GATHER_MS = 300_000
const MAX_COUNT = 16_384
/** A record is checked in such parts. */
const CHECK_BYTES = 1024 * 1024

export interface ObjectStoreOptions {
  /** The bucket; the prefix is the database's own. */
  readonly objects: S3Options
  /** Where fetched parts are kept, and how much of them, bytes. */
  readonly cache: string
  readonly cacheBytes: number
  readonly segmentBytes?: number
  readonly gatherMs?: number
}

/**
 * Segments as objects: each is one upload, whole and confirmed before any row names it, and never changes. Until then its originals are staged
 * in the database, so nothing that is only here is ever needed. Parts that were read, and what was just uploaded, are kept in a cache of
 * limited size.
 */
export class S3Store implements SegmentStore {
  readonly gather: Gather
  readonly small: number
  readonly #s3: S3
  readonly #cache: BlockCache
  /** Segments from before there was an object store. */
  readonly #local: BlobReader
  readonly #epoch: number
  readonly #log: Logger
  readonly #fetching = new Map<string, Promise<Uint8Array>>()
  #written: readonly SegmentRow[] = []
  #count = 0

  constructor(
    options: ObjectStoreOptions & {
      readonly epoch: number
      readonly folder: string
      readonly log: Logger
      readonly files?: Files
    },
  ) {
    const { objects, cache, cacheBytes, segmentBytes = SEGMENT_BYTES, gatherMs = GATHER_MS } = options
    this.gather = { count: MAX_COUNT, bytes: segmentBytes, ms: gatherMs }
    this.small = segmentBytes / 8
    this.#s3 = new S3(objects)
    this.#cache = new DiskBlocks(cache, cacheBytes)
    this.#local = new BlobReader(options.folder, options.files ?? realFiles)
    this.#epoch = options.epoch
    this.#log = options.log
  }

  async write(records: readonly Outgoing[]): Promise<readonly Place[]> {
    if (records.length === 0) return []
    const segment = this.#epoch * FIRST_REMOTE + this.#count++
    let offset = 0
    const places = records.map(({ place }) => {
      const moved = { ...place, segment, offset }
      offset += place.stored
      return moved
    })
    const bytes = Buffer.concat(
      records.map(({ record }) => record),
      offset,
    )
    await this.#s3.put(objectKey(segment), bytes)
    this.#written = [...this.#written, { segment, bytes: offset, sealed: true }]
    for (let at = 0; at < offset; at += BLOCK_BYTES)
      await this.#cache.put(segment, at / BLOCK_BYTES, bytes.subarray(at, at + BLOCK_BYTES))
    return places
  }

  lengths(): readonly SegmentRow[] {
    return this.#written
  }

  closeSealed(rows: readonly SegmentRow[]): void {
    this.#written = this.#written.filter((row) => !rows.includes(row))
  }

  async read(place: Place, start: number, end: number): Promise<Uint8Array> {
    if (place.segment < FIRST_REMOTE) return this.#local.read(place, start, end)
    const range = (at: number, length: number): Promise<Uint8Array> =>
      this.#range(place.segment, place.offset + at, length)
    try {
      return await readRanges(place, range, start, end)
    } catch (error) {
      if (!isDomainError(error, 'corrupt')) throw error
      // What was kept may be damaged: once more from the store itself.
      await this.#cache.drop(place.segment)
      return readRanges(place, range, start, end)
    }
  }

  async head(segment: number, offset: number): Promise<RecordHead | undefined> {
    if (segment < FIRST_REMOTE) return this.#local.headAt(segment, offset)
    const length = headLengthOf(await this.#range(segment, offset, HEAD_BYTES))
    return length === 0 ? undefined : readHead(await this.#range(segment, offset, length))
  }

  async record(place: Place): Promise<Uint8Array> {
    if (place.segment < FIRST_REMOTE) return this.#local.record(place)
    const record = await this.#range(place.segment, place.offset, place.stored)
    for (let at = 0; at < place.size; at += CHECK_BYTES) readStored(place, record, at, at + CHECK_BYTES)
    return record
  }

  async #range(segment: number, from: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0)
    const first = Math.floor(from / BLOCK_BYTES)
    const last = Math.floor((from + length - 1) / BLOCK_BYTES)
    const blocks = await Promise.all(
      Array.from({ length: last - first + 1 }, (_, i) => this.#block(segment, first + i)),
    )
    const whole = blocks.length === 1 ? (blocks[0] as Uint8Array) : Buffer.concat(blocks)
    const at = from - first * BLOCK_BYTES
    return whole.subarray(at, at + length)
  }

  async #block(segment: number, block: number): Promise<Uint8Array> {
    const kept = await this.#cache.get(segment, block)
    if (kept !== undefined) return kept
    const name = `${segment}-${block}`
    let fetching = this.#fetching.get(name)
    if (fetching === undefined) {
      fetching = this.#fetch(segment, block).finally(() => this.#fetching.delete(name))
      this.#fetching.set(name, fetching)
    }
    return fetching
  }

  async #fetch(segment: number, block: number): Promise<Uint8Array> {
    const range = { from: block * BLOCK_BYTES, length: BLOCK_BYTES }
    const bytes = await this.#s3.get(objectKey(segment), range)
    if (bytes === undefined) throw new DomainError('blobGone', `segment ${segment}`)
    await this.#cache.put(segment, block, bytes)
    return bytes
  }

  async remove(segment: number): Promise<void> {
    if (segment < FIRST_REMOTE) return
    await this.#cache.drop(segment)
    await this.#s3.remove(objectKey(segment))
  }

  /**
   * Removes what earlier owners uploaded and no row names: they ended in between. What is from before `firstEpoch` belongs to a database that a
   * restore moved aside. Answers how many objects.
   */
  async sweep(known: ReadonlySet<number>, firstEpoch: number): Promise<number> {
    let removed = 0
    for await (const { key } of this.#s3.list('')) {
      const segment = segmentOfKey(key)
      if (segment === undefined || known.has(segment)) continue
      if (segment < firstEpoch * FIRST_REMOTE || segment >= this.#epoch * FIRST_REMOTE) continue
      await this.#s3.remove(key)
      removed++
    }
    if (removed > 0) this.#log.info({ removed }, 'objects without a row removed')
    return removed
  }

  interrupt(): void {
    this.#s3.close()
  }

  close(): void {
    this.#s3.close()
    this.#local.close()
  }
}
