/** STLS: RFC 2595 §4. */
import type { Answer, Pop3Session } from '../session.ts'

export async function stls(session: Pop3Session): Promise<Answer> {
  if (session.connection.secure) return session.err('tlsActive')
  if (!session.settings.startTls) return session.err('tlsNotOffered')
  await session.upgrade()
  return { text: '' }
}
