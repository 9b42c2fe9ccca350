/** DELE: RFC 1939 §5. Only a mark; QUIT removes (R34). */
import type { Maildrop } from '../maildrop.ts'
import type { Answer, Pop3Session } from '../session.ts'

export function dele(session: Pop3Session, maildrop: Maildrop, number: number): Answer {
  const message = maildrop.at(number)
  if (message === undefined) return session.err('noSuchMessage')
  if (message.deleted) return session.err('messageDeleted')
  message.deleted = true
  return session.ok('markedDeleted')
}
