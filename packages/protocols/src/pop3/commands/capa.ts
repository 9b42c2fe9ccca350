/** CAPA: RFC 2449 §5. The list depends on what may be used right now: no password, no SASL before TLS (R25). */
import { listing } from '@postrider/wire/pop3'
import type { Answer, Pop3Session } from '../session.ts'
import { say } from '../texts.ts'

export function capa(session: Pop3Session): Answer {
  const { settings, connection } = session
  // RFC 2449 §6.2, §6.3: announced in both states, without a difference.
  const loginPossible = connection.secure
  const offered: [boolean, string][] = [
    [true, 'TOP'],
    [true, 'UIDL'],
    [true, 'PIPELINING'],
    [true, 'RESP-CODES'],
    [true, 'AUTH-RESP-CODE'],
    [true, 'EXPIRE NEVER'],
    [true, 'LANG'],
    [settings.startTls && !connection.secure, 'STLS'],
    [loginPossible, 'USER'],
    [loginPossible && settings.authMechanisms.length > 0, `SASL ${settings.authMechanisms.join(' ')}`],
    [true, 'IMPLEMENTATION Postrider'],
  ]
  const lines = offered.filter(([on]) => on).map(([, line]) => line)
  return { text: listing(say(session.language, 'capabilities'), lines) }
}
