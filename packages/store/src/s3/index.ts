/**
 * Objects in any S3-compatible store. In: keys and bytes. Out: the same bytes, also parts of them, and lists. It knows nothing of what they
 * mean. Invariant: what `put` answered is in the store, whole; what `get` gives is whole, or it rejects. Read next: client.ts, sign.ts, url.ts.
 */
export { S3, type S3Options } from './client.ts'
export { parseS3Url, showS3Url } from './url.ts'
