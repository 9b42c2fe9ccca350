/** Which recipients a sender is told about: RFC 3461 §4.1, §5.2, §6.2. */
import type { QueueRecipient } from '@postrider/domain'

type Wish = 'success' | 'failure' | 'delay'

/** Without NOTIFY a sender hears of failures and delays, never of successes. */
export function isWanted(recipient: QueueRecipient, about: Wish): boolean {
  if (recipient.notify === undefined) return about !== 'success'
  return recipient.notify.includes(about)
}
