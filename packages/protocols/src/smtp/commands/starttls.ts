/** STARTTLS: RFC 3207. Everything known or received before the handshake is forgotten. */
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'

export async function starttls(session: SmtpSession): Promise<Answer> {
  if (session.connection.secure) return { reply: replies.alreadyTls, protocolError: true }
  if (!session.connector.startTls) return { reply: replies.notImplemented, protocolError: true }
  if (session.transaction !== undefined) session.endTransaction()
  await session.upgrade()
  return {}
}
