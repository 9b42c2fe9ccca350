/**
 * MIME: RFC 5322, 2045-2047, 2231, 6532, and the IMAP view of a message (RFC 9051 §7.5.2). In: the bytes of a message. Out: its
 * parts by offsets, decoded names and texts, the prepared bytes IMAP answers with, and new messages from structured input.
 * Pure functions, linear in their input, within the limits of limits.ts; input never makes them throw: what cannot be
 * understood stays an opaque part. Invariant: text inside quotes, comments or encoded-words never becomes an address.
 * Read next: scan.ts (the tree), index-format.ts (the stored form), build.ts (new messages).
 */
export type { HeaderField } from './headers.ts'
export { bodyStartOf, HeaderFields, parseHeaderFields, unfoldValue } from './headers.ts'
export * from './limits.ts'
export type {
  AddressGroup,
  AddressItem,
  AddressLike,
  MailAddress,
  MessageBodies,
  MessageIndex,
  MessageSummary,
  MimePart,
  MimeTree,
  RawParameter,
} from './types.ts'
export { decodeText, decodeUnknown, isKnownCharset } from './charset.ts'
export { formatDate, parseDate, parseDateTime } from './date.ts'
export type { DateTime } from './date.ts'
export type { Parameterized } from './parameters.ts'
export { decodeParameters, encodeParameter, formatParameterized, parseParameterized } from './parameters.ts'
export {
  decodeBase64,
  decodeQuotedPrintable,
  decodeTransfer,
  decodeUuencode,
  encodeBase64,
  encodeQuotedPrintable,
  isKnownEncoding,
} from './transfer.ts'
export { decodeWords, encodeWord, encodeWords } from './words.ts'
export { mailboxesOf, parseAddress, parseAddressList } from './address.ts'
export { cleanAddress, formatAddress, formatAddressList, formatPhrase } from './address-format.ts'
export { isEmbedded, partBySection, scanMessage } from './scan.ts'
export { findBodies, partBytes, partRaw, partText } from './bodies.ts'
export { imapBody, imapBodyStructure } from './bodystructure.ts'
export { COVERED_FIELDS } from './covered-fields.ts'
export type { ImapTextOptions } from './envelope.ts'
export { imapEnvelope } from './envelope.ts'
export type { HtmlTextOptions } from './html.ts'
export { decodeEntities, escapeHtml, htmlToText, textToHtml } from './html.ts'
export { imapString, nstring } from './imap-string.ts'
export type { FieldSelection } from './index-format.ts'
export { headerFields, MessageIndexError, readMessageIndex, selectFields } from './index-format.ts'
export type { PreparedMessage } from './prepare.ts'
export { packMessageIndex, prepareMessage, summarize } from './prepare.ts'
export type { SearchText } from './search-text.ts'
export { searchText, searchValue } from './search-text.ts'
export type { BaseSubject } from './subject.ts'
export { baseSubject, conversationKey, conversationTopic, messageIds, readSubject, subjectPrefix } from './subject.ts'
export type { MessageInput } from './build.ts'
export { buildMessage, newMessageId } from './build.ts'
export { toCrlf } from './crlf.ts'
export { headerField, textField } from './fold.ts'
export type { AttachmentInput, MimeNode } from './multipart.ts'
export {
  attachmentPart,
  buildMultipart,
  calendarPart,
  messagePart,
  newBoundary,
  renderNode,
  textPart,
} from './multipart.ts'
export type { HeaderChanges } from './rewrite.ts'
export { rewriteHeaders } from './rewrite.ts'
