/** EHLO and HELO: RFC 5321 §4.1.1.1. Both end a transaction; the list depends on what may be used right now. */
import { ehloReply, smtpReply } from '@postrider/wire/smtp'
import type { Answer, SmtpSession } from '../session.ts'

export function ehlo(session: SmtpSession, domain: string): Answer {
  session.endTransaction()
  session.hello = domain
  session.extended = true
  const greeting = `Hello [${session.connection.remoteAddress}]`
  return { reply: ehloReply(session.connector.fqdn, greeting, keywords(session)) }
}

export function helo(session: SmtpSession, domain: string): Answer {
  session.endTransaction()
  session.hello = domain
  session.extended = false
  return { reply: smtpReply(250, undefined, `${session.connector.fqdn} Hello [${session.connection.remoteAddress}]`) }
}

function keywords(session: SmtpSession): string[] {
  const { connector, connection } = session
  const offered: [boolean, string][] = [
    [true, `SIZE ${connector.maxMessageSize}`],
    [connector.pipelining, 'PIPELINING'],
    [connector.deliveryStatusNotification, 'DSN'],
    [connector.enhancedStatusCodes, 'ENHANCEDSTATUSCODES'],
    [connector.startTls && !connection.secure, 'STARTTLS'],
    // R25: a password is never asked for in the clear, so its mechanisms are not shown there.
    [connector.authMechanisms.length > 0 && connection.secure, `AUTH ${connector.authMechanisms.join(' ')}`],
    [connector.eightBitMime, '8BITMIME'],
    [connector.chunking, 'CHUNKING'],
    [connector.smtpUtf8, 'SMTPUTF8'],
  ]
  return offered.filter(([on]) => on).map(([, keyword]) => keyword)
}
