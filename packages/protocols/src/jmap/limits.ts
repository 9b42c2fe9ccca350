/** Every limit of JMAP, named: RFC 8620 §2 (core capability), RFC 8621 §1.3, and our own where the RFCs leave them to the server. */

/** Bytes of one upload, also of a Blob/upload. */
export const MAX_SIZE_UPLOAD = 50 * 1024 * 1024
/** Uploads of one account at the same time. */
export const MAX_CONCURRENT_UPLOAD = 4
/** Bytes of one API request. */
export const MAX_SIZE_REQUEST = 10 * 1024 * 1024
/** API requests of one account at the same time. */
export const MAX_CONCURRENT_REQUESTS = 10
export const MAX_CALLS_IN_REQUEST = 64
export const MAX_OBJECTS_IN_GET = 1_000
export const MAX_OBJECTS_IN_SET = 1_000
/** Mails one Bulk/act or Bulk/undo works on before it answers how many are left; and those of one transaction of it. */
export const MAX_BULK = 20_000
export const BULK_CHUNK = 500
/** Acts on many mails that can be undone, the last ones of a mailbox; and for how long, ms. */
export const MAX_BULKS = 5
export const BULK_LIFE_MS = 24 * 60 * 60 * 1000
/** Sweeps of one mailbox that repeat. */
export const MAX_SWEEPS = 200
/** Nesting of arrays and objects in a request. */
export const MAX_JSON_DEPTH = 64
/** Values, keys and brackets of a request. */
export const MAX_JSON_TOKENS = 1_000_000
/** Ids that one result reference may yield. */
export const MAX_REFERENCED = 100_000
/** Creation ids that a request carries on. */
export const MAX_CREATED_IDS = 10_000
/** Conditions of one filter, operators included; and how deep they nest. */
export const MAX_FILTER_NODES = 500
export const MAX_FILTER_DEPTH = 32
export const MAX_SORT = 16
/** Ids of one /query answer; a larger answer says so in `limit`. */
export const MAX_QUERY_LIMIT = 250_000
/** Ids of one /changes answer. */
export const MAX_CHANGES = 5_000
/** Bytes of body values of one Email/get answer. */
export const MAX_BODY_VALUE_BYTES = 20 * 1024 * 1024
/** Bytes of all body values and blob data of one request's answers together. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** Bytes of the attachments of a new email. */
export const MAX_ATTACHMENTS_PER_EMAIL = 36 * 1024 * 1024
/** Parts of a new email, and how deep they nest. */
export const MAX_NEW_PARTS = 1_000
export const MAX_NEW_DEPTH = 20
export const MAX_KEYWORD = 255
/** How long a held submission may be held, seconds. */
export const MAX_DELAYED_SEND = 30 * 24 * 60 * 60
/** Held submissions of one account. */
export const MAX_PENDING = 200
/** Submissions that are remembered. */
export const MAX_SUBMISSIONS = 1_000
export const MAX_IDENTITIES = 200
/** Uploads of one account that are kept until they are used, and their bytes together. */
export const MAX_UPLOADS = 1_000
export const MAX_UPLOADED_BYTES = 500 * 1024 * 1024
/** How long an upload that nothing names is kept, ms: RFC 8620 §6 wants an hour; the store collects what nobody named after that. */
export const UPLOAD_LIFE_MS = 55 * 60 * 1000
/** Parts a Blob/upload is put together from: RFC 9404 §3.1. */
export const MAX_DATA_SOURCES = 64
/** Mail in the views of all accounts together; views used least lately go first. */
export const MAX_VIEWED = 2_000_000
/** Departed mail a view remembers the conversation of. */
export const MAX_DEPARTED = 20_000
/** Least and most seconds between pings of an event source: RFC 8620 §7.3. */
export const MIN_PING_SECONDS = 1
export const MAX_PING_SECONDS = 900
/** Event sources of one account. */
export const MAX_EVENT_SOURCES = 20
/** WebSockets of one account; bytes of answers that one of them does not take. */
export const MAX_SOCKETS = 20
export const MAX_SOCKET_BACKLOG = 32 * 1024 * 1024
/** Changes that follow each other closer than this are told together, ms. */
export const PUSH_COALESCE_MS = 100
/** Push subscriptions of one user; how long one lasts at most, ms (RFC 8620 §7.2: at least 48 hours). */
export const MAX_PUSH_SUBSCRIPTIONS = 20
export const PUSH_LIFE_MS = 7 * 24 * 60 * 60 * 1_000
/** Least time between two pushes of one mailbox, ms; how often one push is tried; pushes under way for all together. */
export const PUSH_GAP_MS = 5_000
export const PUSH_TRIES = 4
export const MAX_PUSHES_AT_ONCE = 500
/** How long a request's body may take, ms. */
export const BODY_MS = 300_000

/** Principals one mailbox is shared with: RFC 9670 §4. */
export const MAX_SHARES = 500
