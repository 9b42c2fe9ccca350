/** DATA: RFC 5321 §4.1.1.4. What follows the 354 is the message, up to CRLF.CRLF. */
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'

export function data(session: SmtpSession): Answer {
  if (session.transaction === undefined) return { reply: replies.needMail, protocolError: true }
  if (session.incoming !== undefined) return { reply: replies.noDataAfterBdat, protocolError: true }
  if (session.transaction.recipients.length === 0) return { reply: replies.needRcpt }
  session.beginIncoming()
  session.receiver.beginData()
  return { reply: replies.startMail }
}
