/**
 * Commands as a client writes them. Values come from stored envelopes and configuration; whatever they hold, one command stays
 * one line (CRLF injection: CVE-2026-82853 and others in other people's clients).
 */
import type { MailParameters, RcptParameters } from './parameters.ts'
import { encodeUtf8Address, encodeXtext } from './xtext.ts'

/** A value that cannot be put into a command: it holds a control character or breaks out of its brackets. */
export class SmtpValueError extends Error {
  override readonly name = 'SmtpValueError'
}

/** One command line without its parameters checked by meaning, only by safety. */
export function commandLine(verb: string, ...words: string[]): string {
  const line = [verb, ...words].join(' ')
  if (/[\x00-\x1f\x7f]/.test(line)) throw new SmtpValueError('control character in an SMTP command')
  return `${line}\r\n`
}

/** MAIL; `from` is null or empty for the null reverse-path. */
export function mailCommand(from: string | null, parameters: MailParameters): string {
  const words = [`FROM:${bracket(from ?? '')}`]
  if (parameters.size !== undefined) words.push(`SIZE=${parameters.size}`)
  if (parameters.body !== undefined) words.push(`BODY=${parameters.body}`)
  if (parameters.smtpUtf8) words.push('SMTPUTF8')
  if (parameters.ret !== undefined) words.push(`RET=${parameters.ret}`)
  if (parameters.envid !== undefined) words.push(`ENVID=${encodeXtext(parameters.envid)}`)
  if (parameters.auth !== undefined) words.push(`AUTH=${encodeXtext(parameters.auth ?? '<>')}`)
  return commandLine('MAIL', ...words)
}

/** RCPT. */
export function rcptCommand(to: string, parameters: RcptParameters): string {
  const words = [`TO:${bracket(to)}`]
  if (parameters.notify !== undefined) words.push(`NOTIFY=${parameters.notify.join(',') || 'NEVER'}`)
  if (parameters.orcpt !== undefined) {
    const { addressType, address } = parameters.orcpt
    const encoded = addressType.toLowerCase() === 'utf-8' ? encodeUtf8Address(address) : encodeXtext(address)
    words.push(`ORCPT=${addressType};${encoded}`)
  }
  return commandLine('RCPT', ...words)
}

/** BDAT's own line; exactly `size` bytes follow it. */
export function bdatCommand(size: number, last: boolean): string {
  return commandLine('BDAT', String(size), ...(last ? ['LAST'] : []))
}

function bracket(address: string): string {
  // Outside a quoted local part an angle bracket or a space would end the path.
  const unquoted = address.replace(/"(?:[^"\\]|\\.)*"/g, '')
  if (/[<>\s"]/.test(unquoted)) throw new SmtpValueError('an address cannot hold that character')
  return `<${address}>`
}
