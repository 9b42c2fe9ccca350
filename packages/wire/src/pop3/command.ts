/**
 * POP3 commands: RFC 1939 §5-§7, RFC 2449 (CAPA), RFC 2595 (STLS), RFC 5034 (AUTH), RFC 6856 (UTF8, LANG). A line in, a typed command or
 * the reason why it is none out.
 */

type Bare = 'CAPA' | 'STLS' | 'STAT' | 'NOOP' | 'RSET' | 'QUIT' | 'UTF8'

export type Pop3Command =
  | { [V in Bare]: { verb: V } }[Bare]
  | { verb: 'USER'; argument: string }
  | { verb: 'PASS'; argument: string }
  | { verb: 'LIST'; message: number | undefined }
  | { verb: 'UIDL'; message: number | undefined }
  | { verb: 'RETR'; message: number }
  | { verb: 'DELE'; message: number }
  | { verb: 'TOP'; message: number; lines: number }
  /** `mechanism` undefined asks for the list; `initial` is base64 as sent, "=" for an empty one. */
  | { verb: 'AUTH'; mechanism: string | undefined; initial: string | undefined }
  /** `tag` undefined asks for the list. */
  | { verb: 'LANG'; tag: string | undefined }

/** A line that is no command, with what is wrong with it. */
export interface Pop3Refusal {
  verb: 'error'
  /** The verb when it was a known one. */
  word: string
  text: string
  /** What follows cannot be a command: answer, then close. */
  fatal?: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads one command line (without its line end). */
export function parsePop3Command(line: Buffer): Pop3Command | Pop3Refusal {
  if (line.includes(0) || line.includes(13)) return refusal('', 'Control character in command')
  let text: string
  try {
    text = utf8.decode(line)
  } catch {
    return refusal('', 'Command is not valid UTF-8')
  }
  const space = text.indexOf(' ')
  const verb = (space < 0 ? text : text.slice(0, space)).toUpperCase()
  const argument = space < 0 ? '' : text.slice(space + 1)
  const read = VERBS.get(verb)
  return read === undefined ? refusal('', 'Unknown command') : read(argument)
}

type Read = (argument: string) => Pop3Command | Pop3Refusal

const VERBS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['USER', (argument) => (argument === '' ? refusal('USER', 'Syntax: USER name') : { verb: 'USER', argument })],
  // RFC 1939 §7: spaces belong to the password.
  ['PASS', (argument) => (argument === '' ? refusal('PASS', 'Syntax: PASS password') : { verb: 'PASS', argument })],
  ['CAPA', bare('CAPA')],
  ['STLS', bare('STLS')],
  ['STAT', bare('STAT')],
  ['NOOP', bare('NOOP')],
  ['RSET', bare('RSET')],
  ['QUIT', bare('QUIT')],
  ['UTF8', bare('UTF8')],
  ['LIST', listing('LIST')],
  ['UIDL', listing('UIDL')],
  ['RETR', single('RETR')],
  ['DELE', single('DELE')],
  ['TOP', top],
  ['AUTH', auth],
  ['LANG', lang],
])

function refusal(word: string, text: string): Pop3Refusal {
  return { verb: 'error', word, text }
}

function bare(verb: Bare): Read {
  return (argument) => (argument.trim() === '' ? { verb } : refusal(verb, `${verb} takes no argument`))
}

function listing(verb: 'LIST' | 'UIDL'): Read {
  return (argument) => {
    if (argument.trim() === '') return { verb, message: undefined }
    const message = messageNumber(argument.trim())
    return message === undefined ? refusal(verb, `Syntax: ${verb} [message]`) : { verb, message }
  }
}

function single(verb: 'RETR' | 'DELE'): Read {
  return (argument) => {
    const message = messageNumber(argument.trim())
    return message === undefined ? refusal(verb, `Syntax: ${verb} message`) : { verb, message }
  }
}

function top(argument: string): Pop3Command | Pop3Refusal {
  const words = argument.split(' ').filter((word) => word !== '')
  const message = messageNumber(words[0] ?? '')
  const lines = /^\d{1,10}$/.test(words[1] ?? '') ? Number(words[1]) : undefined
  if (message === undefined || lines === undefined || words.length !== 2)
    return refusal('TOP', 'Syntax: TOP message lines')
  return { verb: 'TOP', message, lines }
}

function auth(argument: string): Pop3Command | Pop3Refusal {
  if (argument.trim() === '') return { verb: 'AUTH', mechanism: undefined, initial: undefined }
  const [, mechanism, initial] = /^([A-Za-z0-9_-]{1,20})(?: ([A-Za-z0-9+/=]+))?$/.exec(argument) ?? []
  if (mechanism === undefined) return refusal('AUTH', 'Syntax: AUTH mechanism [initial-response]')
  return { verb: 'AUTH', mechanism: mechanism.toUpperCase(), initial }
}

function lang(argument: string): Pop3Command | Pop3Refusal {
  const tag = argument.trim()
  if (tag === '') return { verb: 'LANG', tag: undefined }
  return /^(?:[A-Za-z0-9-]{1,64}|\*)$/.test(tag) ? { verb: 'LANG', tag } : refusal('LANG', 'Syntax: LANG [tag]')
}

function messageNumber(word: string): number | undefined {
  return /^\d{1,10}$/.test(word) && Number(word) > 0 ? Number(word) : undefined
}
