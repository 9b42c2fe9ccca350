/** The dispatcher: which state a verb belongs to (RFC 1939 §4-§6) and which handler it has. */
import type { Pop3Command } from '@postrider/wire/pop3'
import type { Maildrop } from '../maildrop.ts'
import type { Answer, Pop3Session } from '../session.ts'
import { auth, pass, user } from './auth.ts'
import { capa } from './capa.ts'
import { dele } from './dele.ts'
import { lang } from './lang.ts'
import { list } from './list.ts'
import { quit } from './quit.ts'
import { retr } from './retr.ts'
import { stls } from './stls.ts'
import { uidl } from './uidl.ts'

export function commands(session: Pop3Session, command: Pop3Command): Answer | Promise<Answer> {
  switch (command.verb) {
    case 'CAPA':
      return capa(session)
    case 'LANG':
      return lang(session, command.tag)
    case 'QUIT':
      return quit(session)
    case 'UTF8':
      return session.err('unknownCommand')
    case 'USER':
    case 'PASS':
    case 'AUTH':
    case 'STLS':
      return session.maildrop === undefined ? authorization(session, command) : session.err('wrongState')
    default:
      return session.maildrop === undefined
        ? session.err('wrongState')
        : transaction(session, session.maildrop, command)
  }
}

type Authorization = Extract<Pop3Command, { verb: 'USER' | 'PASS' | 'AUTH' | 'STLS' }>
type Transaction = Exclude<Pop3Command, Authorization | { verb: 'CAPA' | 'LANG' | 'QUIT' | 'UTF8' }>

function authorization(session: Pop3Session, command: Authorization): Answer | Promise<Answer> {
  switch (command.verb) {
    case 'STLS':
      return stls(session)
    case 'USER':
      return user(session, command.argument)
    case 'PASS':
      return pass(session, command.argument)
    case 'AUTH':
      return auth(session, command.mechanism, command.initial)
  }
}

function transaction(session: Pop3Session, maildrop: Maildrop, command: Transaction): Answer | Promise<Answer> {
  switch (command.verb) {
    case 'STAT': {
      const { count, octets } = maildrop.status()
      return { text: `+OK ${count} ${octets}\r\n` }
    }
    case 'LIST':
      return list(session, maildrop, command.message)
    case 'UIDL':
      return uidl(session, maildrop, command.message)
    case 'RETR':
      return retr(session, maildrop, command.message, undefined)
    case 'TOP':
      return retr(session, maildrop, command.message, command.lines)
    case 'DELE':
      return dele(session, maildrop, command.message)
    case 'NOOP':
      return session.ok('ok')
    case 'RSET':
      maildrop.unmark()
      return session.ok('ok')
  }
}
