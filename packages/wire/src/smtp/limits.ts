/** Named limits of the SMTP codecs. Every one is a bound on memory or work that a stranger may cause. */

/** Longest command line with its CRLF: RFC 5321 §4.5.3.1.4 asks for 512 and extensions add to it; we allow for all of them. */
export const MAX_COMMAND_LINE = 4096
/** Longest line of an AUTH exchange with its CRLF: RFC 4954 §4 ("at least 12288 octets"). */
export const MAX_AUTH_LINE = 12_288
/** Default bound of a message's header section (Exchange: MaxHeaderSize 256 KB). */
export const MAX_HEADER_BYTES = 256 * 1024
/** Default bound of a message (Exchange: MaxMessageSize 36 MB). */
export const MAX_MESSAGE_BYTES = 36 * 1024 * 1024
/** Longest local part we take. RFC 5321 §4.5.3.1.1 says 64 and asks not to insist; VERP senders do exceed it. */
export const MAX_LOCAL_PART = 256
/** Longest domain: RFC 5321 §4.5.3.1.2. */
export const MAX_DOMAIN = 255
/** Longest label of a domain: RFC 1035 §2.3.4. */
export const MAX_LABEL = 63
/** Most ESMTP parameters on one MAIL or RCPT; there are eight known ones. */
export const MAX_PARAMETERS = 16
/** Longest ENVID value, encoded: RFC 3461 §4.4. */
export const MAX_ENVID = 100
/** Longest ORCPT value, encoded: RFC 3461 §4.2. */
export const MAX_ORCPT = 500
/** Largest chunk a BDAT may announce; beyond it the stream cannot be followed sensibly. */
export const MAX_BDAT_CHUNK = 2 ** 31
/** Longest line of a reply that a client takes (RFC 5321 §4.5.3.1.5 says 512; peers are generous). */
export const MAX_REPLY_LINE = 4096
/** Most lines of one reply that a client takes. */
export const MAX_REPLY_LINES = 256
