import type { BlobRef } from '@postrider/domain'
import type { BlobName, Place } from '../blobs/index.ts'
import type { Journal } from './journal.ts'
import { write } from './sql/write.ts'
import type { Statements } from './statements.ts'
import { rounds, stretches } from './stretches.ts'

/** How long bytes that no row names stay readable: `MailboxService.stage`. */
export const UNNAMED_BLOB_MS = 3_600_000
/** From this size on originals are packed: below, unpacking 4 KB costs 40 µs at every read and packing 47 µs at every delivery. */
export const COMPRESS_FROM_BYTES = 16 * 1024

/** The originals of a database as operations see them: what is named, by how many. */
export interface NamedOriginals {
  refOf(name: BlobName): BlobRef
  /** Gives appended bytes their row, named once. */
  add(journal: Journal, place: Place): void
  /** One more row names the blob behind a reference; answers its number. Throws `blobGone`. */
  refer(journal: Journal, ref: BlobRef): number
  /** One more row names each of these blobs (as often as it is listed), which other rows name. */
  referIds(ids: readonly number[]): void
  /** One row less names each of them (as often as it is listed); the last one takes the row along and the bytes become garbage. */
  release(journal: Journal, ids: readonly number[]): void
  /** The reference of a named blob. */
  refOfId(id: number): BlobRef
}

/** One more row names each of them, as often as it is listed. */
export function referBlobs(connection: Statements, ids: readonly number[]): void {
  for (const round of rounds(ids)) {
    for (const { first, last } of stretches(round)) connection.run(write.referBlobs, first, last)
  }
}

/** Lets go of blobs, as often as each is listed; `gone` hears of each that nothing names any more. */
export function releaseBlobs(
  connection: Statements,
  ids: readonly number[],
  gone: (segment: number, stored: number, id: number) => void,
): void {
  for (const round of rounds(ids)) {
    const ranges = stretches(round).map(({ first, last }) => [first, last] as const)
    const removed = connection.every(write.removeBlobs, ranges)
    for (const [segment, stored, id] of removed) gone(segment as number, stored as number, id as number)
    if (removed.length === round.length) continue
    for (const range of ranges) connection.run(write.releaseBlobs, ...range)
  }
}
