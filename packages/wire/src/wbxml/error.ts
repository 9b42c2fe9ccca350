/** What was wrong with a WBXML document, and where. */

/** The reasons, in words that name the rule that was broken. */
export type WbxmlReason =
  /** The input ended inside a token, a string or an element. */
  | 'truncated'
  /** The header is not one that [MS-ASWBXML] §2.1.1 allows: version, public identifier or charset. */
  | 'header'
  /** A global token that ActiveSync forbids: ENTITY, LITERAL*, EXT*, PI, or a tag with attributes ([MS-ASWBXML] §2.1.1). */
  | 'forbidden'
  /** A switch to a code page that does not exist. */
  | 'page'
  /** A multi-byte integer longer than 32 bits: [WBXML 1.3] §5.1. */
  | 'integer'
  /** A string table reference outside the table, or a table string without its end. */
  | 'stringTable'
  /** Text outside the root element, a second root, or END without an element. */
  | 'structure'
  /** More bytes, elements, depth or text than the limits allow. */
  | 'limit'
  /** Encoding only: a tag the protocol version does not know. */
  | 'version'
  /** Encoding only: a string that is not a tag. */
  | 'tag'

/** The one error of this codec. The decoder returns it, the encoder throws it. */
export class WbxmlError extends Error {
  readonly reason: WbxmlReason
  /** Byte offset in the input; 0 when encoding. */
  readonly offset: number

  constructor(reason: WbxmlReason, message: string, offset = 0) {
    super(message)
    this.name = 'WbxmlError'
    this.reason = reason
    this.offset = offset
  }
}
