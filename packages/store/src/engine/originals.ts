import type { BlobRef } from '@postrider/domain'
import type { BlobName, Place } from '../blobs/index.ts'
import type { Journal } from './journal.ts'
import { write } from './sql/write.ts'
import type { Statements } from './statements.ts'

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
  /** One more row names a blob that another row names. */
  referId(id: number): void
  /** One row less names each of them (as often as it is listed); the last one takes the row along and the bytes become garbage. */
  release(journal: Journal, ids: readonly number[]): void
  /** The reference of a named blob. */
  refOfId(id: number): BlobRef
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
