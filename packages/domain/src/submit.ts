import type { Principal } from './credentials.ts'
import type { FolderId, Mid } from './ids.ts'
import type { ApplyResult, Operation } from './operations.ts'
import type { QueueRecipient } from './queue.ts'

/**
 * Sending, as protocols ask for it (ActiveSync SendMail, later EWS, MAPI, web; SMTP submission may use it too). The transport
 * implements it: expansion of groups, delivery inside the organisation, the outbound queue, the copy in Sent Items.
 *
 * One `submit` is one durable commit: the once key, the queue or delivery entries, the saved copy and the operations of `also`
 * are all there or none is. It answers after that commit, so an `ok` is never taken back; what fails later comes as a DSN.
 */
export interface Submitter {
  /** Never rejects for what the sender did wrong: that is a refusal. Rejects (DomainError or other) only for our own faults. */
  submit(submission: Submission): Promise<SubmitResult>
}

export interface Submission {
  readonly principal: Principal
  /**
   * Envelope sender. The caller has made sure with `Directory.maySendAs` that the principal may use it and the From field of
   * the message; the transport checks the envelope sender once more (`senderRefused`).
   */
  readonly from: string
  /** Envelope recipients, in the order of the message, each once. */
  readonly recipients: readonly QueueRecipient[]
  /** The complete message: CRLF line ends, Date, Message-ID and From present, without Bcc and Resent-Bcc fields. Sent as it is. */
  readonly message: Uint8Array
  /** The copy to keep, flag \Seen, in the principal's Sent Items or another of the principal's own folders; undefined keeps none. */
  readonly save: SavedCopy | undefined
  /** Seen before within `keepMs`: refusal `duplicate`, and nothing at all happens. Kept apart per mailbox. */
  readonly once: { readonly key: string; readonly keepMs: number } | undefined
  /**
   * More to do in the principal's own mailbox in the same commit: mark the original as answered, remove the draft, put a sync
   * state. References `{ operation: n }` count from the start of this list.
   */
  readonly also?: readonly Operation[]
}

export interface SavedCopy {
  readonly folder: FolderId | 'sentitems'
  /** The bytes to keep where they differ from what is sent (they still have their Bcc field). */
  readonly message?: Uint8Array
  /** Flag bits besides \Seen. */
  readonly flags?: number
}

/** Why nothing was sent, in words every protocol has an answer for. */
export const submitRefusals = [
  'duplicate', // the once key was seen: it is on its way already
  'noRecipient',
  'recipientInvalid', // an address that is none: `recipients` names them
  'senderRefused', // the principal may not send from this address
  'tooLarge', // larger than the organisation's limit
  'tooManyRecipients',
  'mailboxFull', // no room for the copy, or over ProhibitSendQuota
  'throttled', // too many messages or recipients in a while
  'sourceGone', // an operation of `also` names what is no longer there
  'later', // disk full, owner starting, back-pressure: the same call may work soon
] as const
export type SubmitRefusal = (typeof submitRefusals)[number]

export type SubmitResult =
  | {
      readonly ok: true /** The saved copy. */
      readonly saved: { readonly folder: FolderId; readonly mid: Mid } | undefined
      /** What the operations of `also` answered, index for index. */
      readonly also: ApplyResult['results']
    }
  | {
      readonly ok: false
      readonly reason: SubmitRefusal
      /** For the log. */
      readonly detail: string
      /** The recipients at fault, for `recipientInvalid`. */
      readonly recipients?: readonly string[]
    }
