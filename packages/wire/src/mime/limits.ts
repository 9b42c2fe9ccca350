/**
 * Named limits of the MIME readers. A limit never rejects a message: what lies beyond it stays in the message as opaque bytes,
 * so that every mail can be delivered. Counts are totals per message unless said otherwise.
 */

/** Deepest nesting of multiparts and embedded messages; a part below is an opaque leaf. */
export const MAX_DEPTH = 100
/** Most parts in one message; what follows belongs to the last part. */
export const MAX_PARTS = 10_000
/** Bytes of one header block that are looked at; later fields are skipped, the body still starts after the blank line. */
export const MAX_HEADER_BYTES = 256 * 1024
/** Fields of one header block that are looked at. */
export const MAX_HEADER_FIELDS = 5_000
/** Parameters of one Content-Type or Content-Disposition field. */
export const MAX_PARAMETERS = 200
/** Characters of one parameter value after joining its continuations. */
export const MAX_PARAMETER_LENGTH = 16 * 1024
/** Characters of a boundary; RFC 2046 §5.1.1 allows 70. */
export const MAX_BOUNDARY_LENGTH = 256
/** Mailboxes of one address list (members of groups included). */
export const MAX_ADDRESSES = 20_000
/** Words of one mailbox or group name; an item with more is no address. */
export const MAX_MAILBOX_WORDS = 2_000
/** Characters of one address list that are looked at. */
export const MAX_ADDRESS_TEXT = 2 * 1024 * 1024
/** Encoded-words decoded in one text; the rest stays as it is. */
export const MAX_ENCODED_WORDS = 5_000
/** Message identifiers kept from one References field: the first and the newest. */
export const MAX_REFERENCES = 500
/** Characters of a preview: RFC 8970 §3.2 allows 200 to 256. */
export const MAX_PREVIEW = 255
/** Bytes of verbatim header fields kept in a message index. */
export const MAX_INDEXED_FIELDS = 16 * 1024
/** Bytes of one verbatim header field kept in a message index. */
export const MAX_INDEXED_FIELD = 4 * 1024
/** Characters of body text handed to the search index. */
export const MAX_SEARCH_TEXT = 256 * 1024

/** The limits a caller of scanMessage may lower (tests do). */
export interface ScanLimits {
  readonly depth: number
  readonly parts: number
  readonly headerBytes: number
}

export const SCAN_LIMITS: ScanLimits = { depth: MAX_DEPTH, parts: MAX_PARTS, headerBytes: MAX_HEADER_BYTES }
