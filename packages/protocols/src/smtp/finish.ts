/** The end of a message: what a clean one must be, then the hand-over. The 250 is the promise that it is durable. */
import type { QueueRecipient } from '@postrider/domain'
import { bodyStartOf, parseAddressList, parseHeaderFields, unfoldValue } from '@postrider/wire/mime'
import { type MessageNotes, type SmtpReply, smtpReply } from '@postrider/wire/smtp'
import type { InboundMail, SmtpTrace } from './ports.ts'
import { intakeReplies, replies } from './replies.ts'
import type { Answer, SmtpSession, Transaction } from './session.ts'

/** Takes the message that has just ended; the transaction is over whatever comes of it. */
export async function finishMessage(session: SmtpSession, notes: MessageNotes, how: 'data' | 'bdat'): Promise<Answer> {
  const { transaction, incoming } = session
  if (transaction === undefined || incoming === undefined) return { reply: replies.needMail, protocolError: true }
  try {
    const refused = unclean(notes, how) ?? (incoming.overflow ? replies.storageFull : undefined)
    if (refused !== undefined) return { reply: refused }
    const message = incoming.text.whole()
    const objection = headerObjection(session, message)
    if (objection !== undefined) return { reply: objection }
    const mail = inboundMail(session, transaction, message)
    const result = await session.services.intake.accept(mail)
    session.services.meter.count('smtp_messages_total', { result: result.outcome })
    const fields = {
      id: mail.trace.id,
      size: message.length,
      recipients: mail.recipients.length,
      outcome: result.outcome,
    }
    session.log.info(fields, 'message received')
    if (result.outcome !== 'accepted') return { reply: intakeReplies[result.outcome] }
    return { reply: smtpReply(250, '2.6.0', `<${mail.trace.id}@${session.connector.fqdn}> Queued mail for delivery`) }
  } finally {
    session.endTransaction()
  }
}

/** What the bytes themselves forbid: RFC 5321 §2.3.8, §4.5.3.1. A bare CR or LF may travel by BDAT only (Exchange: 5.6.11). */
function unclean(notes: MessageNotes, how: 'data' | 'bdat'): SmtpReply | undefined {
  if (notes.tooLarge) return replies.messageTooLarge
  if (notes.headerTooLarge) return replies.headerTooLarge
  if (how === 'data' && (notes.bareCr || notes.bareLf)) return replies.bareLineEnd
  if (notes.nul) return replies.nulByte
  return undefined
}

/** What the header section forbids: a loop, and for our own users a From that is not theirs. */
function headerObjection(session: SmtpSession, message: Buffer): SmtpReply | undefined {
  const header = message.subarray(0, bodyStartOf(message, 0, message.length))
  if (hopsOf(header) > session.connector.maxHopCount) return replies.hopCount
  const { principal } = session
  if (principal === undefined) return undefined
  // Every field is looked at, however many there are: one that is passed over would be one that is not checked.
  const limits = { bytes: header.length, fields: Number.POSITIVE_INFINITY }
  for (const field of parseHeaderFields(header, 0, header.length, limits)) {
    if (field.name !== 'from' && field.name !== 'sender') continue
    for (const item of parseAddressList(unfoldValue(header, field.valueStart, field.end))) {
      const mailboxes = item.kind === 'group' ? item.members : [item]
      for (const { address } of mailboxes) {
        // P10: an author nobody can check is no author of ours.
        if (address === '' || session.services.directory.maySendAs(principal.account, address) === 'no')
          return replies.senderNotAllowed
      }
    }
  }
  return undefined
}

function hopsOf(header: Buffer): number {
  let hops = 0
  for (const _ of header.toString('latin1').matchAll(/^received[ \t]*:/gim)) hops++
  return hops
}

function inboundMail(session: SmtpSession, transaction: Transaction, message: Buffer): InboundMail {
  const { parameters } = transaction
  const ret = parameters.ret === undefined ? undefined : parameters.ret === 'FULL' ? 'full' : 'hdrs'
  return {
    principal: session.principal,
    from: transaction.from?.address ?? '',
    recipients: transaction.recipients.map(queueRecipient),
    message,
    envelopeId: parameters.envid,
    ret,
    smtpUtf8: parameters.smtpUtf8 === true,
    trace: traceOf(session, parameters.smtpUtf8 === true),
  }
}

const notifyNames = { SUCCESS: 'success', FAILURE: 'failure', DELAY: 'delay' } as const

function queueRecipient({ address, parameters }: Transaction['recipients'][number]): QueueRecipient {
  const { notify, orcpt } = parameters
  return {
    address,
    notify: notify === undefined ? undefined : notify.length === 0 ? ['never'] : notify.map((one) => notifyNames[one]),
    originalRecipient: orcpt === undefined ? undefined : `${orcpt.addressType};${orcpt.address}`,
  }
}

function traceOf(session: SmtpSession, utf8: boolean): SmtpTrace {
  const secure = session.connection.secure ? 'S' : ''
  const authenticated = session.principal === undefined ? '' : 'A'
  const protocol = !session.extended
    ? 'SMTP'
    : (`${utf8 ? 'UTF8SMTP' : 'ESMTP'}${secure}${authenticated}` as SmtpTrace['protocol'])
  return {
    hello: session.hello ?? '',
    remoteAddress: session.connection.remoteAddress,
    by: session.connector.fqdn,
    protocol,
    id: session.nextMessageId(),
  }
}
