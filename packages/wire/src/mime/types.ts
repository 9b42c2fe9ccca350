import type { HeaderFields } from './headers.ts'
import type { FieldSelection } from './index-format.ts'

/** One parameter as it was written: `filename*0*` and its value, quotes removed, nothing decoded. */
export interface RawParameter {
  readonly name: string
  readonly value: string
}

/** What a part's own header says about it: RFC 2045 §5 to §8, RFC 2183, RFC 3282, RFC 2557. */
export interface PartHeader {
  readonly type: string
  readonly subtype: string
  /** Decoded (RFC 2231, and RFC 2047 where mailers misuse it) by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>
  readonly rawParameters: readonly RawParameter[]
  /** Content-Transfer-Encoding, '7bit' when absent. */
  readonly encoding: string
  /** Content-ID with its angle brackets. */
  readonly contentId: string | undefined
  readonly description: string | undefined
  readonly md5: string | undefined
  readonly language: readonly string[]
  readonly location: string | undefined
  readonly disposition: string | undefined
  readonly dispositionParameters: ReadonlyMap<string, string>
  readonly rawDispositionParameters: readonly RawParameter[]
  /** The charset parameter in lower case. */
  readonly charset: string | undefined
  /** The decoded file name: disposition's filename, else type's name. */
  readonly filename: string | undefined
}

/**
 * One part of a message by offsets into the message's bytes. All strings are Unicode text of the header; names that MIME
 * compares without case (type, subtype, encoding, disposition, parameter names) are lower case.
 */
export interface MimePart extends PartHeader {
  /** Position in MimeTree.parts, which is in pre-order; 0 is the message itself. */
  readonly index: number
  /** Index of the enclosing multipart or message/rfc822 part, -1 for the message itself. */
  readonly parent: number
  /** Index of the first child, -1 for a leaf. The single child of message/rfc822 is the embedded message. */
  readonly firstChild: number
  /** Index of the next part with the same parent, -1 for the last. */
  readonly nextSibling: number
  readonly depth: number
  /**
   * The IMAP section that yields this part's body: '1.2'. A multipart that is a message's own body has 'TEXT' or '3.TEXT'
   * (RFC 9051 §6.4.5.1: it has no number).
   */
  readonly section: string
  /** The header block is [headerStart, bodyStart), its blank line included; the body is [bodyStart, bodyEnd). */
  readonly headerStart: number
  readonly bodyStart: number
  readonly bodyEnd: number
  /** Line feeds in the body; counted for text and message parts only, else 0. */
  readonly lines: number
  /** True for what a person would call an attachment: not a body text, not a picture shown inside the HTML. */
  readonly isAttachment: boolean
  /** True where a limit or an illegal encoding kept the scanner from looking inside. */
  readonly opaque: boolean
}

/** What scanMessage returns: every part of a message, and its header fields. */
export interface MimeTree {
  readonly bytes: Uint8Array
  readonly parts: readonly MimePart[]
  /** True if a limit left something out. */
  readonly limited: boolean
  /** True if any header block has octets above 127. */
  readonly eightBit: boolean
  /** The header fields of a part (of the message itself by default). */
  header(part?: number): HeaderFields
}

/** One mailbox. `address` is `local@domain`, quoted where needed, and empty where the text held no valid address. */
export interface MailAddress {
  readonly kind: 'mailbox'
  /** Display name, decoded; empty if none. */
  readonly name: string
  readonly address: string
  /** Local part without quotes. */
  readonly local: string
  readonly domain: string
}

/** A named group: RFC 5322 §3.4. */
export interface AddressGroup {
  readonly kind: 'group'
  readonly name: string
  readonly members: readonly MailAddress[]
}

export type AddressItem = MailAddress | AddressGroup

/** Where the name and address of a mailbox come from a caller: compose windows, directory. */
export interface AddressLike {
  readonly name?: string | undefined
  readonly address: string
}

/** What lists, sorting and sync need to know of a message: decoded, ready to be stored in columns. */
export interface MessageSummary {
  readonly subject: string
  readonly from: readonly MailAddress[]
  readonly sender: readonly MailAddress[]
  readonly replyTo: readonly MailAddress[]
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  readonly bcc: readonly MailAddress[]
  /** With angle brackets, undefined if absent. */
  readonly messageId: string | undefined
  readonly inReplyTo: string | undefined
  readonly references: readonly string[]
  /** Milliseconds since 1970 of the Date field. */
  readonly date: number | undefined
  /** 0 low, 1 normal, 2 high: [MS-OXCMSG] §2.2.1.11. */
  readonly importance: 0 | 1 | 2
  /** 0 normal, 1 personal, 2 private, 3 confidential: [MS-OXCMSG] §2.2.1.13. */
  readonly sensitivity: 0 | 1 | 2 | 3
  readonly preview: string
  readonly hasAttachments: boolean
  /** Message class: 'IPM.Note', 'REPORT.IPM.Note.NDR', … */
  readonly class: string
  readonly size: number
  readonly listId: string | undefined
  readonly autoSubmitted: string | undefined
  readonly threadTopic: string | undefined
  readonly threadIndex: string | undefined
}

/** The stored, prepared form of a message: cheap accessors straight over the packed bytes. */
export interface MessageIndex {
  readonly size: number
  /** Length of the header block with its blank line. */
  readonly headerSize: number
  readonly hasAttachments: boolean
  readonly class: string
  readonly preview: string
  /** ENVELOPE, BODY and BODYSTRUCTURE values, parentheses included, 7-bit only. */
  readonly envelope: Uint8Array
  readonly body: Uint8Array
  readonly bodyStructure: Uint8Array
  /** The same for clients after ENABLE UTF8=ACCEPT or IMAP4rev2; equal to the others where the header is plain ASCII. */
  readonly envelopeUtf8: Uint8Array
  readonly bodyUtf8: Uint8Array
  readonly bodyStructureUtf8: Uint8Array
  /** See headerFields in index-format.ts. */
  headerFields(names: readonly string[] | FieldSelection): Uint8Array | undefined
  readonly partCount: number
  /** Decoded on first use. */
  readonly parts: readonly MimePart[]
}

/** The bodies and attachments of a message. */
export interface MessageBodies {
  readonly text: MimePart | undefined
  readonly html: MimePart | undefined
  readonly calendar: MimePart | undefined
  /** Parts the HTML may refer to by Content-ID or Content-Location. */
  readonly inline: readonly MimePart[]
  /** Text parts that follow the body and are shown below it: list footers, text behind a picture. */
  readonly more: readonly MimePart[]
  /** Everything else a person would want to save, in order; embedded messages are one attachment each. */
  readonly attachments: readonly MimePart[]
}
