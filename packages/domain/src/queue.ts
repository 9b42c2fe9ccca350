import type { BlobRef, MailboxId } from './ids.ts'

/** One recipient of a queued message with what RFC 3461 lets the sender ask for. */
export interface QueueRecipient {
  readonly address: string
  /** NOTIFY: RFC 3461 §4.1; undefined is the default (failure, delay). */
  readonly notify?: readonly ('never' | 'success' | 'failure' | 'delay')[] | undefined
  readonly originalRecipient?: string | undefined
  /** Last answer of the remote server about this recipient. */
  readonly lastReply?: string | undefined
}

export interface NewQueueEntry {
  /** '' is the null reverse path. */
  readonly from: string
  /** All of one destination: the runner makes one entry per destination. */
  readonly recipients: readonly QueueRecipient[]
  /** Lower-case domain, or '[smarthost]', or '[local]' for a delivery to be tried again here. */
  readonly destination: string
  readonly envelopeId?: string | undefined
  readonly ret?: 'full' | 'hdrs' | undefined
  readonly size: number
  /** The content needs SMTPUTF8 / has 8-bit bytes: RFC 6531, RFC 6152. */
  readonly smtputf8: boolean
  readonly eightBit: boolean
  readonly due: number
  readonly expires: number
}

export interface QueueEntry extends NewQueueEntry {
  readonly id: number
  /** The mailbox whose database holds it: for `apply` with `queueChange`, and to read the original. */
  readonly mailbox: MailboxId
  readonly original: BlobRef
  readonly created: number
  readonly attempts: number
  readonly lastError: string
  readonly delayNotified: boolean
  readonly held: boolean
  /** Until when a runner has claimed it; 0 when nobody has. */
  readonly leasedUntil: number
}

export type QueueChange =
  | { readonly id: number; readonly kind: 'remove' }
  | {
      readonly id: number
      readonly kind: 'update'
      readonly due?: number
      readonly attempts?: number
      readonly recipients?: readonly QueueRecipient[]
      readonly lastError?: string
      readonly delayNotified?: boolean
      readonly held?: boolean
      /** Gives the claim back. */
      readonly release?: boolean
    }

export interface ClaimRequest {
  readonly now: number
  readonly leaseMs: number
  readonly limit: number
  /** Destinations that have enough connections already. */
  readonly exclude: readonly string[]
}
