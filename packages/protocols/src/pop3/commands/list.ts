/** LIST: RFC 1939 §5. */
import { listing } from '@postrider/wire/pop3'
import type { Maildrop } from '../maildrop.ts'
import type { Answer, Pop3Session } from '../session.ts'
import { say } from '../texts.ts'

export function list(session: Pop3Session, maildrop: Maildrop, number: number | undefined): Answer {
  if (number !== undefined) {
    const message = maildrop.at(number)
    if (message === undefined) return session.err('noSuchMessage')
    return message.deleted ? session.err('messageDeleted') : { text: `+OK ${number} ${message.size}\r\n` }
  }
  const lines: string[] = []
  for (const [i, message] of maildrop.messages.entries()) if (!message.deleted) lines.push(`${i + 1} ${message.size}`)
  return { text: listing(say(session.language, 'count', { ...maildrop.status() }), lines) }
}
