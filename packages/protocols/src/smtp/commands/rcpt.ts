/**
 * RCPT: RFC 5321 §4.1.1.3. The one place that decides whether mail for an address is taken, and so the one that keeps us from being an open
 * relay (R29, R30, P10): what counts is the domain behind the last "@" of the parsed path and nothing inside the local part.
 */
import type { MailboxEntry } from '@postrider/domain'
import { formatMailbox, type RcptParameters, type SmtpMailbox, type SmtpReply } from '@postrider/wire/smtp'
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'

export function rcpt(session: SmtpSession, to: SmtpMailbox, parameters: RcptParameters): Answer | Promise<Answer> {
  const { transaction, connector } = session
  if (transaction === undefined) return { reply: replies.needMail, protocolError: true }
  // RFC 3030 §2: the message has begun; who came late would be told of a mail that others refused already.
  if (session.incoming !== undefined) return { reply: replies.notAfterBdat, protocolError: true }
  if (Object.keys(parameters).length > 0 && (!session.extended || !connector.deliveryStatusNotification))
    return { reply: replies.parameterNotOffered, protocolError: true }
  if (transaction.recipients.length >= connector.maxRecipientsPerMessage) return { reply: replies.tooManyRecipients }
  if (to.utf8 && !transaction.parameters.smtpUtf8) return { reply: replies.recipientNeedsUtf8 }
  const decision = decide(session, to)
  if ('refused' in decision) return guessed(session, decision.refused)
  const { address } = decision
  const take = (room: boolean): Answer => {
    if (!room) return { reply: replies.mailboxFull }
    const key = address.toLowerCase()
    if (!transaction.recipients.some((one) => one.address.toLowerCase() === key))
      transaction.recipients.push({ path: to, address, parameters })
    return { reply: replies.recipientOk }
  }
  // A colleague's full mailbox must not stop a user's mail to everybody else: that one becomes a report.
  if (decision.mailbox === undefined || session.principal !== undefined) return take(true)
  const room = session.services.intake.hasRoom(decision.mailbox, transaction.parameters.size ?? 0)
  return room instanceof Promise ? room.then(take) : take(room)
}

type Decision = { refused: SmtpReply } | { address: string; mailbox: MailboxEntry | undefined }

function decide(session: SmtpSession, to: SmtpMailbox): Decision {
  const { directory } = session.services
  // RFC 5321 §4.5.1: <Postmaster> without a domain is ours.
  const domain = to.domain === '' ? directory.domains().find((one) => one.isDefault)?.name : to.domain
  if (domain === undefined) return { refused: replies.recipientUnknown }
  const address = formatMailbox(to.localPart, domain)
  const trusted = session.principal !== undefined || session.connector.relay
  const resolution = directory.resolve(address)
  switch (resolution.kind) {
    case 'mailbox':
      if (resolution.entry.type === 'system') return { refused: replies.recipientUnknown }
      return { address, mailbox: resolution.entry }
    case 'group':
      if (resolution.entry.requireSenderAuthentication && !trusted) return { refused: replies.groupNeedsAuth }
      return { address, mailbox: undefined }
    case 'outside':
      return trusted || resolution.relay ? { address, mailbox: undefined } : { refused: replies.relayDenied }
    case 'unknown':
      return { refused: replies.recipientUnknown }
  }
}

/** Who tries many wrong addresses waits for each further answer (TarpitInterval). */
function guessed(session: SmtpSession, reply: SmtpReply): Answer {
  session.refusedRecipients++
  const delay = session.refusedRecipients > session.connector.tarpitAfter ? session.connector.tarpitInterval : 0
  return { reply, delay }
}
