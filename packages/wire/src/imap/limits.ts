/** The size of things a client may send, each named so that a refusal can be traced to its rule. */

/** Bytes of one command (lines and literals together) before login: `Set-ImapSettings -MaxCommandSize`, range 1024 to 16384. */
export const MAX_COMMAND_SIZE_BEFORE_LOGIN = 10_240
/** Bytes of all lines of one command after login: RFC 9051 §4.3 names no limit, RFC 7162 §4 asks for at least 8192. */
export const MAX_LINE_BYTES = 65_536
/** Bytes of all literals of one command that are arguments and not messages. */
export const MAX_ARGUMENT_LITERAL_BYTES = 65_536
/** Literals in one command; a MULTIAPPEND (RFC 3502) may carry one message in each. */
export const MAX_LITERALS = 1_000
/** Bytes of an unwanted non-synchronising literal that are read and thrown away before the connection is given up (RFC 7888 §4). */
export const MAX_SKIPPED_LITERAL_BYTES = 128 * 1024 * 1024
/** Characters of a tag. */
export const MAX_TAG_LENGTH = 128
/** Parentheses inside one another in any argument. */
export const MAX_NESTING_DEPTH = 32
/** NOT, OR and parentheses inside one another in a SEARCH program. */
export const MAX_SEARCH_DEPTH = 256
/** Keys in a SEARCH program. */
export const MAX_SEARCH_KEYS = 4_096
/** Members of any parenthesised list (flags, header fields, status items, patterns). */
export const MAX_LIST_MEMBERS = 2_048
/** Ranges in one sequence set. */
export const MAX_SEQUENCE_RANGES = 32_768
/** Numbers in a body section such as `1.2.3`. */
export const MAX_SECTION_PARTS = 64
/** First allocation for a literal, whatever size was announced; it doubles as bytes really arrive. */
export const LITERAL_FIRST_ALLOCATION = 4_096

/** What a receiver may accept; a listener may lower the numbers, and login raises them. */
export interface ReceiverLimits {
  /** Bytes of all lines of a command. */
  readonly lineBytes: number
  /** Bytes of all argument literals of a command. */
  readonly argumentLiteralBytes: number
  /** Bytes of lines and argument literals together. */
  readonly commandBytes: number
  /** Bytes of a refused non-synchronising literal that are skipped before the receiver gives up. */
  readonly skippedLiteralBytes: number
}

/** Limits before login. `maxCommandSize` in bytes. */
export function limitsBeforeLogin(maxCommandSize: number = MAX_COMMAND_SIZE_BEFORE_LOGIN): ReceiverLimits {
  return {
    lineBytes: maxCommandSize,
    argumentLiteralBytes: maxCommandSize,
    commandBytes: maxCommandSize,
    skippedLiteralBytes: 0,
  }
}

/** Limits after login. */
export const LIMITS_AFTER_LOGIN: ReceiverLimits = {
  lineBytes: MAX_LINE_BYTES,
  argumentLiteralBytes: MAX_ARGUMENT_LITERAL_BYTES,
  commandBytes: MAX_LINE_BYTES + MAX_ARGUMENT_LITERAL_BYTES,
  skippedLiteralBytes: MAX_SKIPPED_LITERAL_BYTES,
}
