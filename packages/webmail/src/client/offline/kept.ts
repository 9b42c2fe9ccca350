/** The shapes of what is kept on the device. */
import type { StartData } from '../../start.ts'
import type { Email, EmailContent, Id, Identity, Mailbox } from '../jmap/types.ts'

/** Enough to start without a network. */
export interface KeptStart {
  readonly start: Omit<StartData, 'responses' | 'offlineKey'>
  /** When the user did something last, ms. */
  readonly lastAct: number
}
export interface KeptMailboxes {
  readonly mailboxes: readonly Mailbox[]
  readonly identities: readonly Identity[]
  /** State of Email all that is kept is of. */
  readonly state: string
}
export interface KeptBody {
  readonly content: EmailContent
  /** Sanitised by the server; undefined: the mail has no HTML. */
  readonly html: { readonly html: string; readonly pictures: number } | undefined
}
export interface KeptThread {
  readonly id: Id
  readonly emailIds: readonly Id[]
}
/** The tag of the background sync that sends the outbox. */
export const OUTBOX_SYNC = 'outbox'
/** Where the bytes of a blob lie among the files. */
export const blobKey = (blobId: Id): string => `blob-${blobId}`
export type KeptRow = Email
