/**
 * BDAT: RFC 3030 §2. Its bytes follow at once and are read whatever we think of them; so a refusal is noted here and told after them, and
 * the message stays refused until RSET.
 */
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'

export function bdat(session: SmtpSession, size: number): Answer {
  const { transaction, connector } = session
  const incoming = session.beginIncoming()
  if (incoming.failed !== undefined) {
    incoming.failed = replies.chunkSequence
    return {}
  }
  if (!connector.chunking || !session.extended) incoming.failed = replies.notImplemented
  else if (transaction === undefined) incoming.failed = replies.needMail
  else if (transaction.recipients.length === 0) incoming.failed = replies.needRcpt
  else if (incoming.text.length + size > connector.maxMessageSize) incoming.failed = replies.messageTooLarge
  return {}
}
