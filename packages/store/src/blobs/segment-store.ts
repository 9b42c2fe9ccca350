import type { Place } from './reader.ts'
import type { RecordHead } from './record.ts'
import type { SegmentRow } from './segments.ts'

/** Records on their way to a segment. */
export interface Outgoing {
  readonly place: Place
  readonly record: Uint8Array
}

/** How much should gather before it goes on. */
export interface Gather {
  readonly count: number
  readonly bytes: number
  /** What is less goes after this time, ms. */
  readonly ms: number
}

/** Where originals go that were staged in a database, and where they are read again. */
export interface SegmentStore {
  readonly gather: Gather
  /** Closed segments below this are better put together, bytes. */
  readonly small: number
  /** Answers where the records lie once that is durable; the caller's next commit names them and writes `lengths`. */
  write(records: readonly Outgoing[]): Promise<readonly Place[]>
  /** Rows of the segments that are written to or were written since `closeSealed`. */
  lengths(): readonly SegmentRow[]
  /** These rows are committed. */
  closeSealed(rows: readonly SegmentRow[]): void
  /** Bytes `start` to `end` (exclusive, cut to the content), checked. Rejects with `corrupt`, `blobGone`, `unavailable`. */
  read(place: Place, start: number, end: number): Promise<Uint8Array>
  /** The head of whatever record begins at `offset`; undefined when none does. Rejects with `blobGone`. */
  head(segment: number, offset: number): Promise<RecordHead | undefined>
  /** The record as it is stored, checked. Rejects with `corrupt`, `blobGone`. */
  record(place: Place): Promise<Uint8Array>
  /** The row is gone and committed so: the bytes go too. */
  remove(segment: number): Promise<void>
  /** What is being written ends soon, with an error if need be: it is written another time. */
  interrupt(): void
  close(): void
}

/** Numbers of segments from here on are in an object store: the owner's epoch and a count, so that no two owners ever write the same object. */
export const FIRST_REMOTE = 2 ** 20
export const objectKey = (segment: number): string => `${String(segment).padStart(16, '0')}.seg`
/** The number in an object's key; undefined for anything else. */
export const segmentOfKey = (key: string): number | undefined => {
  const digits = /^(\d{16})\.seg$/.exec(key)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
