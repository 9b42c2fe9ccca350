/** POP3 responses: RFC 1939 §3, response codes of RFC 2449 §8 and RFC 3206. */

/** Extended response codes we send. */
export type Pop3ResponseCode = 'AUTH' | 'IN-USE' | 'LOGIN-DELAY' | 'SYS/TEMP' | 'SYS/PERM' | 'UTF8'

/** A positive status line. Whatever the text holds, it stays one line of at most 512 octets. */
export function ok(text = ''): string {
  return text === '' ? '+OK\r\n' : `+OK ${clean(text)}\r\n`
}

/** A negative status line, with its code when it has one. */
export function err(text: string, code?: Pop3ResponseCode): string {
  return code === undefined ? `-ERR ${clean(text)}\r\n` : `-ERR [${code}] ${clean(text)}\r\n`
}

/** The continuation of AUTH: a challenge in base64 (RFC 5034 §4). */
export function challenge(base64: string): string {
  return `+ ${base64}\r\n`
}

/** A multi-line response of lines we made ourselves, stuffed and ended. */
export function listing(text: string, lines: Iterable<string>): string {
  let out = ok(text)
  for (const line of lines) {
    const safe = line.replace(/[\x00-\x1f\x7f]/g, '?')
    out += safe.startsWith('.') ? `.${safe}\r\n` : `${safe}\r\n`
  }
  return `${out}.\r\n`
}

function clean(text: string): string {
  return text.slice(0, 450).replace(/[\x00-\x1f\x7f]/g, '?')
}
