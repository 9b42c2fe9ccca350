import type { ListenerName } from '../config/settings.ts'

/**
 * What a client hears that is one connection too many, in the words of its protocol: RFC 9051 §7.1.5, RFC 3206 §4, RFC 5321 §3.8. Over TLS
 * it hears nothing: the handshake is what the limit saves.
 */
export const refusals: Readonly<Partial<Record<ListenerName, string>>> = {
  imap: '* BYE [UNAVAILABLE] Too many connections, try again later\r\n',
  pop3: '-ERR [SYS/TEMP] Too many connections, try again later\r\n',
  smtp: '421 4.3.2 Too many connections, try again later\r\n',
  submission: '421 4.3.2 Too many connections, try again later\r\n',
}
