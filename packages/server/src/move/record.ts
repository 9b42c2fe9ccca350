import type { MailboxId } from '@postrider/domain'

/**
 * A move as the directory keeps it, until a day after its end. `moving`: the source is the home, all may be done again. `finishing`: the directory
 * names the target, what is left is to tell both.
 */
export interface MoveRecord {
  readonly mailbox: MailboxId
  readonly from: string
  readonly to: string
  /** Of the mailbox after the move. */
  readonly epoch: number
  readonly state: 'moving' | 'finishing' | 'done' | 'cancelled' | 'failed'
  /** ms since 1970 */
  readonly started: number
  readonly ended?: number
  /** How long writes had to wait, ms. */
  readonly lockedMs?: number
  readonly problem?: string
}

export const MOVES = 'move.'
export const moveSetting = (mailbox: MailboxId): string => `${MOVES}${mailbox}`
export const isUnderWay = ({ state }: Pick<MoveRecord, 'state'>): boolean => state === 'moving' || state === 'finishing'
