/** The dispatcher: which handler a verb has. A handler gets the session and its typed command and answers; it never writes by itself. */
import type { SmtpCommand } from '@postrider/wire/smtp'
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'
import { auth } from './auth.ts'
import { bdat } from './bdat.ts'
import { data } from './data.ts'
import { ehlo, helo } from './ehlo.ts'
import { mail } from './mail.ts'
import { rcpt } from './rcpt.ts'
import { starttls } from './starttls.ts'

export function commands(session: SmtpSession, command: SmtpCommand): Answer | Promise<Answer> {
  switch (command.verb) {
    case 'EHLO':
      return ehlo(session, command.domain)
    case 'HELO':
      return helo(session, command.domain)
    case 'MAIL':
      return mail(session, command.from, command.parameters)
    case 'RCPT':
      return rcpt(session, command.to, command.parameters)
    case 'DATA':
      return data(session)
    case 'BDAT':
      return bdat(session, command.size)
    case 'RSET':
      session.endTransaction()
      return { reply: replies.ok }
    case 'NOOP':
      return { reply: replies.ok }
    case 'HELP':
      return { reply: replies.help }
    case 'VRFY':
      // RFC 5321 §7.3: telling who exists helps nobody but those who guess.
      return { reply: replies.cannotVerify }
    case 'EXPN':
      return { reply: replies.notImplemented }
    case 'QUIT':
      return { reply: replies.bye, close: true }
    case 'STARTTLS':
      return starttls(session)
    case 'AUTH':
      return auth(session, command.mechanism, command.initial)
  }
}
