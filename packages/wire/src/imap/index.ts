/**
 * IMAP4rev1 and rev2 on the wire, server side, without a socket: RFC 3501, RFC 9051 and the extensions listed in
 * docs/conformance/imap.md. In: bytes (`ImapReceiver`), then one command's text (`parseCommand`). Out: typed commands, and bytes
 * built by `ResponseWriter`. Invariants: no input throws or hangs, work is linear in the input, memory follows what has arrived
 * and never what was announced, nothing written can end a line early. Read next: receiver.ts, commands.ts, grammar/.
 */
export {
  COMMAND_NAMES,
  type CommandName,
  type CommandOf,
  commandName,
  type ImapCommand,
  type ParsedCommand,
  parseCommand,
  parsePrefix,
} from './commands.ts'
export { type DayNumber, formatDateTime, parseDateTime } from './grammar/dates.ts'
export { type FetchArguments, type FetchAttribute, formatSection, type Partial, type Section } from './grammar/fetch.ts'
export type { ListArguments } from './grammar/list.ts'
export type { QresyncParameter } from './grammar/mailbox.ts'
export type { AppendMessage } from './grammar/message.ts'
export { partialSlice } from './grammar/partial.ts'
export {
  type ReturnOptions,
  type SearchArguments,
  type SearchKey,
  SORT_KEYS,
  type SortCriterion,
  type SortKey,
  THREAD_ALGORITHMS,
  type ThreadAlgorithm,
} from './grammar/search.ts'
export { STATUS_ITEMS, type StatusItem } from './grammar/status.ts'
export * from './limits.ts'
export { type CommandText, ImapReceiver, type Literal, type ReceiverEvent } from './receiver.ts'
export {
  countRanges,
  formatInOrder,
  formatRanges,
  hasStar,
  inRanges,
  intersectRanges,
  NO_RANGES,
  parseSequenceSet,
  type Ranges,
  rangesOf,
  resolveRanges,
  type SequenceSet,
  sliceRanges,
} from './sequence-set.ts'
export { decodeUtf7, encodeUtf7 } from './utf7.ts'
export { isKeyword, MAX_KEYWORD_LENGTH, ResponseWriter } from './writer.ts'
