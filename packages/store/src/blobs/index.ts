/**
 * Originals in append-only segment files. In: bytes, once. Out: their place, and any range of them again, checksum verified. It knows no
 * database: the driver keeps the rows (place, references, live bytes). Invariant: what a committed row names was synced before that
 * commit; bytes behind the last committed record are garbage. Read next: record.ts (the format), segments.ts (writing), reader.ts;
 * segment-store.ts: what a database server's packer writes to, a folder or an object store.
 */
export { type Files, isFull, realFiles } from './files.ts'
export { BlobReader, type Place, readStored, segmentPath } from './reader.ts'
export { encodeRecord, MAX_BLOB_BYTES, readHead, type RecordHead } from './record.ts'
export { checkOriginals, fitting, originalsOf, together } from './together.ts'
export { FolderStore } from './folder-store.ts'
export { segmentFiles } from './remote-files.ts'
export { type ObjectStoreOptions, S3Store } from './s3-store.ts'
export { FIRST_REMOTE, objectKey, type SegmentStore, segmentOfKey } from './segment-store.ts'
export { type BlobName, parseRef, writeRef } from './ref.ts'
export { type SegmentRow, SegmentWriter } from './segments.ts'
