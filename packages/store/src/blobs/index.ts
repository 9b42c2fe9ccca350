/**
 * Originals in append-only segment files. In: bytes, once. Out: their place, and any range of them again, checksum verified. It knows no
 * database: the driver keeps the rows (place, references, live bytes). Invariant: what a committed row names was synced before that
 * commit; bytes behind the last committed record are garbage. Read next: record.ts (the format), segments.ts (writing), reader.ts.
 */
export { type Files, isFull, realFiles } from './files.ts'
export { BlobReader, type Place, readStored, segmentPath } from './reader.ts'
export { encodeRecord, MAX_BLOB_BYTES, readHead, type RecordHead } from './record.ts'
export { type BlobName, parseRef, writeRef } from './ref.ts'
export { type SegmentRow, SegmentWriter } from './segments.ts'
