/** SMTP commands: RFC 5321 §4.1.1, RFC 3030 (BDAT), RFC 3207 (STARTTLS), RFC 4954 (AUTH). A line in, a typed command or a refusal out. */
import { MAX_BDAT_CHUNK } from './limits.ts'
import {
  isParameterError,
  type MailParameters,
  type ParameterError,
  parseMailParameters,
  parseRcptParameters,
  type RcptParameters,
} from './parameters.ts'
import { isDomain, parsePath, type SmtpMailbox } from './path.ts'
import { type SmtpReply, smtpReply } from './reply.ts'

export type SmtpCommand =
  | { verb: 'EHLO' | 'HELO'; domain: string }
  /** `from` is null for the null reverse-path. */
  | { verb: 'MAIL'; from: SmtpMailbox | null; parameters: MailParameters }
  | { verb: 'RCPT'; to: SmtpMailbox; sourceRoute: boolean; parameters: RcptParameters }
  | { verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' }
  | { verb: 'NOOP' | 'HELP' | 'VRFY' | 'EXPN'; argument: string }
  | { verb: 'BDAT'; size: number; last: boolean }
  /** `initial` is the initial response as sent: base64, or "=" for an empty one (RFC 4954 §4). */
  | { verb: 'AUTH'; mechanism: string; initial: string | undefined }

/** A line that is no command we can act on, with the reply it earns. */
export interface SmtpRefusal {
  verb: 'error'
  /** The first word of the line, upper-cased; empty when it is not even a word. */
  word: string
  reply: SmtpReply
  /** The stream cannot be followed from here: reply and close. */
  fatal: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads one command line (without its CRLF). */
export function parseCommand(line: Buffer): SmtpCommand | SmtpRefusal {
  if (line.includes(0) || line.includes(13)) return refusal('', smtpReply(500, '5.5.2', 'Control character in command'))
  let text: string
  try {
    text = utf8.decode(line)
  } catch {
    return refusal('', smtpReply(500, '5.5.2', 'Command is not valid UTF-8'))
  }
  // Spaces at the end are a common slip and carry no meaning (RFC 5321 §4.1.1).
  text = text.trimEnd()
  const space = text.indexOf(' ')
  const verb = (space < 0 ? text : text.slice(0, space)).toUpperCase()
  const argument = space < 0 ? '' : text.slice(space + 1).replace(/^ {1,4096}/, '')
  if (!/^[A-Z0-9-]{1,32}$/.test(verb)) return refusal('', smtpReply(500, '5.5.2', 'Command not recognised'))
  const read = VERBS.get(verb)
  if (read === undefined) return refusal(verb, smtpReply(500, '5.5.1', 'Command not recognised'))
  return read(argument, verb)
}

type Read = (argument: string, verb: string) => SmtpCommand | SmtpRefusal

const VERBS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['EHLO', hello('EHLO')],
  ['HELO', hello('HELO')],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', bare('DATA')],
  ['RSET', bare('RSET')],
  ['QUIT', bare('QUIT')],
  ['STARTTLS', bare('STARTTLS')],
  ['NOOP', (argument) => ({ verb: 'NOOP', argument })],
  ['HELP', (argument) => ({ verb: 'HELP', argument })],
  ['VRFY', withArgument('VRFY')],
  ['EXPN', withArgument('EXPN')],
  ['BDAT', bdat],
  ['AUTH', auth],
])

function refusal(word: string, reply: SmtpReply, fatal = false): SmtpRefusal {
  return { verb: 'error', word, reply, fatal }
}

function syntax(verb: string, text: string): SmtpRefusal {
  return refusal(verb, smtpReply(501, '5.5.4', text))
}

function hello(verb: 'EHLO' | 'HELO'): Read {
  return (argument) => {
    // Phones and printers send host names no grammar allows; the name is only recorded, so any printable word will do.
    const domain = argument.split(' ')[0]!
    if (domain === '' || domain.length > 255 || !/^[\x21-\x7e\u0080-\u{10ffff}]+$/u.test(domain))
      return syntax(verb, `Syntax: ${verb} hostname`)
    return { verb, domain }
  }
}

function bare(verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS'): Read {
  return (argument) => (argument === '' ? { verb } : syntax(verb, `${verb} takes no argument`))
}

function withArgument(verb: 'VRFY' | 'EXPN'): Read {
  return (argument) => (argument === '' ? syntax(verb, `Syntax: ${verb} name`) : { verb, argument })
}

function mail(argument: string): SmtpCommand | SmtpRefusal {
  const text = afterKeyword(argument, 'FROM:')
  if (text === undefined) return syntax('MAIL', 'Syntax: MAIL FROM:<address>')
  const { path, rest } = parsePath(text)
  if (path.kind === 'error' || (rest !== '' && !rest.startsWith(' ')))
    return refusal('MAIL', smtpReply(501, '5.1.7', 'Bad sender address syntax'))
  if (path.kind === 'mailbox' && path.mailbox.domain === '')
    return refusal('MAIL', smtpReply(501, '5.1.7', 'The sender address needs a domain'))
  const parameters = parseMailParameters(rest)
  if (isParameterError(parameters)) return parameterRefusal('MAIL', parameters)
  const from = path.kind === 'null' ? null : path.mailbox
  if (from?.utf8 && !parameters.smtpUtf8)
    return refusal('MAIL', smtpReply(550, '5.6.7', 'Address needs the SMTPUTF8 parameter'))
  return { verb: 'MAIL', from, parameters }
}

function rcpt(argument: string): SmtpCommand | SmtpRefusal {
  const text = afterKeyword(argument, 'TO:')
  if (text === undefined) return syntax('RCPT', 'Syntax: RCPT TO:<address>')
  const { path, rest } = parsePath(text)
  if (path.kind !== 'mailbox' || (rest !== '' && !rest.startsWith(' ')))
    return refusal('RCPT', smtpReply(501, '5.1.3', 'Bad recipient address syntax'))
  const parameters = parseRcptParameters(rest)
  if (isParameterError(parameters)) return parameterRefusal('RCPT', parameters)
  return { verb: 'RCPT', to: path.mailbox, sourceRoute: path.sourceRoute, parameters }
}

function bdat(argument: string): SmtpCommand | SmtpRefusal {
  const [, digits, last] = /^(\d{1,12})(?: +(LAST))?$/i.exec(argument) ?? []
  const size = Number(digits)
  // Without a size the chunk cannot be told from commands: nothing may be read after it.
  if (digits === undefined || size > MAX_BDAT_CHUNK)
    return refusal('BDAT', smtpReply(501, '5.5.4', 'Syntax: BDAT size [LAST]'), true)
  return { verb: 'BDAT', size, last: last !== undefined }
}

function auth(argument: string): SmtpCommand | SmtpRefusal {
  const [, mechanism, initial] = /^([A-Za-z0-9_-]{1,20})(?: +([A-Za-z0-9+/=]+))?$/.exec(argument) ?? []
  if (mechanism === undefined) return syntax('AUTH', 'Syntax: AUTH mechanism [initial-response]')
  return { verb: 'AUTH', mechanism: mechanism.toUpperCase(), initial }
}

function parameterRefusal(verb: string, error: ParameterError): SmtpRefusal {
  return error.kind === 'unknown'
    ? refusal(verb, smtpReply(555, '5.5.4', `${verb} parameter not recognised: ${error.name}`))
    : refusal(verb, smtpReply(501, '5.5.4', `Bad ${verb} parameter: ${error.name}`))
}

/** What follows `FROM:` or `TO:`, with the space that many clients put after the colon taken away. */
function afterKeyword(argument: string, keyword: string): string | undefined {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return undefined
  return argument.slice(keyword.length).replace(/^ {1,4096}/, '')
}

/** Whether a host name given in EHLO is a proper domain or address literal (for policy and the Received line). */
export function isProperHello(domain: string): boolean {
  return isDomain(domain)
}
