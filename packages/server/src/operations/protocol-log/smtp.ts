import { LineCutter, type Transcript } from './transcript.ts'

const commands: ReadonlySet<string> = new Set([
  'EHLO',
  'HELO',
  'MAIL',
  'RCPT',
  'DATA',
  'BDAT',
  'RSET',
  'VRFY',
  'EXPN',
  'NOOP',
  'HELP',
  'QUIT',
  'STARTTLS',
  'AUTH',
])

/** Commands and replies; of AUTH the mechanism only, of messages nothing. */
export function smtpTranscript(): Transcript {
  const client = new LineCutter()
  const server = new LineCutter()
  let authenticating = false
  let message = false
  return {
    received(chunk) {
      const lines: string[] = []
      client.push(chunk, (line) => {
        if (message) {
          if (line === '.') message = false
          return
        }
        if (authenticating) return
        const verb = (/^[A-Za-z]{4,8}/.exec(line)?.[0] ?? '').toUpperCase()
        if (!commands.has(verb)) return
        if (verb === 'AUTH') authenticating = true
        const chunkSize = verb === 'BDAT' ? /^BDAT +(\d{1,12})/i.exec(line)?.[1] : undefined
        if (chunkSize !== undefined) client.skip(Number(chunkSize))
        lines.push(verb === 'AUTH' ? line.split(/ +/).slice(0, 2).join(' ') : line)
      })
      return lines
    },
    sent(chunk) {
      const lines: string[] = []
      server.push(chunk, (line) => {
        if (!/^\d{3}[ -]/.test(line)) return
        // After 354 everything up to the dot is the message; a pipelining client may have begun it already.
        if (line.startsWith('354')) message = true
        if (!line.startsWith('334')) authenticating = false
        // A challenge of SCRAM is no secret, but nobody needs it either.
        if (!line.startsWith('334')) lines.push(line)
      })
      return lines
    },
  }
}
