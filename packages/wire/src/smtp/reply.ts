/** Replies of a server: RFC 5321 §4.2, enhanced status codes of RFC 3463 and RFC 2034. */

/** One reply. `lines` has at least one line; `status` is repeated on each of them. */
export interface SmtpReply {
  code: number
  status: string | undefined
  lines: readonly string[]
}

/** Longest text of one line; the rest is cut (RFC 5321 §4.5.3.1.5: 512 octets a line). */
const MAX_TEXT = 480

/** Makes a reply. `status` is undefined where RFC 2034 §4 forbids it (greeting, EHLO, 3xx). */
export function smtpReply(code: number, status: string | undefined, ...lines: string[]): SmtpReply {
  return { code, status, lines: lines.length === 0 ? [''] : lines }
}

/** The bytes of a reply. Whatever a text holds, it cannot end the line: controls and non-ASCII become "?". */
export function encodeReply(reply: SmtpReply): string {
  const status = reply.status === undefined ? '' : `${reply.status} `
  const last = reply.lines.length - 1
  let out = ''
  for (const [i, line] of reply.lines.entries()) {
    const text = line.slice(0, MAX_TEXT).replace(/[^\x20-\x7e]/g, '?')
    out += `${reply.code}${i === last ? ' ' : '-'}${status}${text}\r\n`
  }
  return out
}

/** Whether a reply promises that the command worked. */
export function isPositive(reply: SmtpReply): boolean {
  return reply.code < 400
}
