/** What a refusal of the submitter means to a phone: [MS-ASCMD] §2.2.2. A new refusal does not compile until it has a status. */
import type { SubmitRefusal } from '@postrider/domain'
import { Status } from '../status.ts'

const statusOf = {
  duplicate: Status.MessagePreviouslySent,
  noRecipient: Status.MessageHasNoRecipient,
  recipientInvalid: Status.MessageRecipientUnresolved,
  senderRefused: Status.MailSubmissionFailed,
  tooLarge: Status.AttachmentIsTooLarge,
  tooManyRecipients: Status.SendQuotaExceeded,
  mailboxFull: Status.MailboxQuotaExceeded,
  throttled: Status.SendQuotaExceeded,
  sourceGone: Status.ItemNotFound,
  later: Status.ServerErrorRetryLater,
} as const satisfies Record<SubmitRefusal, number>

export const submitStatus = (refusal: SubmitRefusal): number => statusOf[refusal]
