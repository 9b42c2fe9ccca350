import type { FolderId } from './ids.ts'

/**
 * Ready answers: texts that client access made of the mails of a folder (an ENVELOPE, a few header fields) and wants to find again after a
 * restart without reading a row for each mail. They are kept by blocks of consecutive UIDs, many texts in one value, so that a cold look at a
 * large folder reads few pages. What is in a value is the business of who wrote it. A block goes as soon as one of its mails goes, so
 * nothing of a deleted mail stays; it may be missing at any time, and does not move with its mailbox.
 */

/** UIDs of a block: block n has those from n × READY_UIDS on. */
export const READY_UIDS = 256
/** The largest value of a block; what takes more is not kept. */
export const MAX_READY_BYTES = 256 * 1024
/** Blocks a question may be about. */
export const MAX_READY_BLOCKS = 16
/** Kinds of texts kept of one folder: the one written last longest ago goes first. */
export const MAX_READY_KINDS = 8
/** The longest name of a kind. */
export const MAX_READY_KIND = 1_000

/** The block a UID lies in. */
export const readyBlockOf = (uid: number): number => Math.floor(uid / READY_UIDS)

export interface ReadyBlock {
  readonly block: number
  readonly bytes: Uint8Array
}

/** A block that is to be kept, if it has exactly this many mails and no more can come. */
export interface NewReadyBlock extends ReadyBlock {
  readonly mails: number
}

export interface ReadyRequest {
  readonly folder: FolderId
  readonly kind: string
  /** The first and the last block. */
  readonly blocks: readonly [number, number]
}
