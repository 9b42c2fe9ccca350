import { LineCutter, type Transcript } from './transcript.ts'

/** Answers of these may have many lines (RFC 1939 §3, RFC 2449). */
const multiLine = (command: string, argument: string): boolean =>
  command === 'RETR' ||
  command === 'TOP' ||
  command === 'CAPA' ||
  ((command === 'LIST' || command === 'UIDL') && argument === '')

/** Commands without passwords, and the status line of each answer. */
export function pop3Transcript(): Transcript {
  const client = new LineCutter()
  const server = new LineCutter()
  /** Of the commands not answered yet: whether their answer has many lines. */
  const waiting: boolean[] = [false]
  let authenticating = false
  let inside = false
  return {
    received(chunk) {
      const lines: string[] = []
      client.push(chunk, (line) => {
        if (authenticating) return
        const [, verb = '', argument = ''] = /^([A-Za-z]{3,8})(?: +(.*))?$/.exec(line) ?? []
        if (verb === '') return
        const command = verb.toUpperCase()
        waiting.push(multiLine(command, argument.trim()))
        if (command === 'AUTH') authenticating = argument !== ''
        const secret = command === 'PASS' || command === 'APOP' || command === 'AUTH'
        lines.push(secret ? command : `${command}${argument === '' ? '' : ` ${argument}`}`)
      })
      return lines
    },
    sent(chunk) {
      const lines: string[] = []
      server.push(chunk, (line) => {
        if (inside) {
          if (line === '.') inside = false
          return
        }
        if (line.startsWith('+ ') || line === '+') return
        authenticating = false
        inside = (waiting.shift() ?? false) && line.startsWith('+OK')
        if (/^(\+OK|-ERR)\b/.test(line)) lines.push(line)
      })
      return lines
    },
  }
}
