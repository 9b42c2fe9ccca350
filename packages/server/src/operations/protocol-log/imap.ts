import { LineCutter, type Transcript } from './transcript.ts'

/** RFC 9051 §4.3: a line that ends so is followed by that many bytes. */
const LITERAL = /\{(\d{1,10})\+?\}$/
/** Commands whose arguments are mailbox names and sets: shown. Of all others only the name. */
const shown: ReadonlySet<string> = new Set([
  'SELECT',
  'EXAMINE',
  'CREATE',
  'DELETE',
  'STATUS',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'ENABLE',
  'LIST',
  'LSUB',
])

/** Commands by name, and the answers that end them; contents, search words and passwords never. */
export function imapTranscript(): Transcript {
  const client = new LineCutter()
  const server = new LineCutter()
  /** Tags of commands under way; while one is an AUTHENTICATE, lines from the client are its secrets. */
  const tags = new Set<string>()
  let authenticating = ''
  let inLiteral = false
  let off = false
  return {
    received(chunk) {
      const lines: string[] = []
      if (off) return lines
      client.push(chunk, (line) => {
        const continued = inLiteral
        const literal = LITERAL.exec(line)
        inLiteral = literal !== null
        if (literal !== null) client.skip(Number(literal[1]))
        if (continued || authenticating !== '' || off) return
        const [, tag = '', first = '', rest = ''] = /^([^\s(){%*"\\]{1,64}) +([A-Za-z0-9=]{1,24})(.*)$/.exec(line) ?? []
        if (tag === '') return void (line.toUpperCase() === 'DONE' && lines.push('DONE'))
        const command = first.toUpperCase()
        const sub = command === 'UID' ? (/^ +([A-Za-z]{1,16})/.exec(rest)?.[1] ?? '').toUpperCase() : ''
        tags.add(tag)
        if (command === 'AUTHENTICATE') authenticating = tag
        if (command === 'COMPRESS') off = true
        lines.push(
          `${tag} ${command}${sub === '' ? '' : ` ${sub}`}${shown.has(command) && literal === null ? rest : ''}`,
        )
      })
      return lines
    },
    sent(chunk) {
      const lines: string[] = []
      server.push(chunk, (line) => {
        const literal = LITERAL.exec(line)
        if (literal !== null) server.skip(Number(literal[1]))
        const space = line.indexOf(' ')
        const tag = line.slice(0, space)
        if (tags.delete(tag)) {
          if (tag === authenticating) authenticating = ''
          lines.push(line)
        } else if (/^\* (BYE|OK|NO|BAD|PREAUTH|CAPABILITY)\b/.test(line)) lines.push(line)
      })
      return lines
    },
  }
}
