/** MAIL: RFC 5321 §4.1.1.2. Who may send at all is decided here, and from which address. */
import type { MailParameters, SmtpMailbox } from '@postrider/wire/smtp'
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'

export function mail(session: SmtpSession, from: SmtpMailbox | null, parameters: MailParameters): Answer {
  const { connector, connection, principal, services } = session
  if (session.hello === undefined) return { reply: replies.helloFirst, protocolError: true }
  if (session.transaction !== undefined) return { reply: replies.nestedMail, protocolError: true }
  if (connector.requireTls && !connection.secure) return { reply: replies.needTls }
  if (connector.requireAuthentication && principal === undefined) return { reply: replies.needAuth }
  const unsupported = unsupportedParameter(session, parameters)
  if (unsupported !== undefined) return unsupported
  if ((parameters.size ?? 0) > connector.maxMessageSize) return { reply: replies.messageTooLarge }
  if (principal !== undefined && from !== null) {
    const right = services.directory.maySendAs(principal.account, from.address)
    if (right === 'no') return { reply: replies.senderNotAllowed }
  }
  const condition = services.intake.condition()
  if (condition !== 'ready') return { reply: condition === 'diskFull' ? replies.storageFull : replies.busy }
  session.endTransaction()
  session.transaction = { from, parameters, recipients: [] }
  return { reply: replies.senderOk }
}

function unsupportedParameter(session: SmtpSession, parameters: MailParameters): Answer | undefined {
  const { connector } = session
  const dsn = parameters.ret !== undefined || parameters.envid !== undefined
  const refused =
    (!session.extended && Object.keys(parameters).length > 0) ||
    (dsn && !connector.deliveryStatusNotification) ||
    (parameters.smtpUtf8 === true && !connector.smtpUtf8) ||
    (parameters.body !== undefined && !connector.eightBitMime) ||
    (parameters.auth !== undefined && connector.authMechanisms.length === 0)
  if (refused) return { reply: replies.parameterNotOffered, protocolError: true }
  if (parameters.body === 'BINARYMIME') return { reply: replies.binaryMimeNotOffered, protocolError: true }
  return undefined
}
