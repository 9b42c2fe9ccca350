import type { MailboxId } from '@postrider/domain'
import type { Journal } from './journal.ts'

/** One call to be written, whatever it is. */
export interface Call<T> {
  /** Whose counters it changes: an engine that answers later keeps the readers of that mailbox away meanwhile. */
  readonly mailbox?: MailboxId
  /** Bytes it holds while it waits. */
  readonly bytes: number
  /** It goes on while the disk is full. */
  readonly freeing: boolean
  /** Names bytes in segments: they must be synced before the commit, where it is not the commit that takes bytes. */
  readonly namesBytes: boolean
  /** Writes its rows; throws DomainError, and then leaves nothing. */
  run(journal: Journal, now: number): T
  /** After the commit. */
  committed?(journal: Journal): void
}

/** Bounds of one batch, and of what waits for the next. */
export const MAX_BATCH_CALLS = 256
export const MAX_BATCH_BYTES = 8 * 1024 * 1024
export const MAX_BATCH_MS = 40
export const MAX_WAITING_CALLS = 20_000
export const MAX_WAITING_BYTES = 128 * 1024 * 1024
