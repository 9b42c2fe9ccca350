/** QUIT: RFC 1939 §6. The one place where anything is deleted; the answer comes after the commit. */
import { DomainError } from '@postrider/domain'
import type { Answer, Pop3Session } from '../session.ts'

export async function quit(session: Pop3Session): Promise<Answer> {
  try {
    await session.maildrop?.update()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    session.log.warn({ err: error }, 'pop3 update failed')
    return { ...session.err('notRemoved', 'SYS/TEMP'), close: true }
  }
  return { ...session.ok('bye'), close: true }
}
