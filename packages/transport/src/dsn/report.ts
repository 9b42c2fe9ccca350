/** Delivery status notifications: RFC 3461 §6, RFC 3464, RFC 6522; RFC 6533 where the message is internationalised. */
import { isAscii } from 'node:buffer'
import type { Language, QueueRecipient } from '@postrider/domain'
import {
  bodyStartOf,
  buildMessage,
  buildMultipart,
  formatDate,
  HeaderFields,
  headerField,
  type MimeNode,
  messageIds,
  textPart,
  decodeWords,
} from '@postrider/wire/mime'
import { encodeUtf8Address } from '@postrider/wire/smtp'
import { say } from './texts.ts'

export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** One recipient as a report tells of it. */
export interface ReportedRecipient {
  readonly recipient: QueueRecipient
  /** RFC 3463, e.g. `5.1.1`. */
  readonly status: string
  /** What the remote server, or we, said. */
  readonly diagnostic: string
  /** The server that said it; undefined when it was us. */
  readonly remote: string | undefined
}

export interface Report {
  readonly action: ReportAction
  /** The envelope sender of the message reported on; never empty. */
  readonly to: string
  readonly recipients: readonly ReportedRecipient[]
  /** The message as it was to be sent. */
  readonly message: Buffer
  readonly envelopeId: string | undefined
  readonly ret: 'full' | 'hdrs' | undefined
  readonly arrived: number
  readonly now: number
  readonly retryUntil: number
  readonly reportingMta: string
  readonly postmaster: string
  readonly language: Language
  /** The address of the report or its content needs SMTPUTF8 anyway. */
  readonly utf8: boolean
}

/** Delivery time expired: RFC 3463 §3.5. */
export const EXPIRED = '4.4.7'

/** Messages beyond this are not returned whole, whatever RET says. */
const MAX_RETURNED_BYTES = 1024 * 1024

/** The report as a message, ready for the queue with the null reverse path. */
export function buildReport(report: Report): Buffer {
  const header = new HeaderFields(report.message)
  const subject = decodeWords(header.get('subject') ?? '')
  const messageId = messageIds(header.get('message-id') ?? '')[0]
  const body = buildMultipart(
    'report',
    [textPart(explanation(report)), statusPart(report), returnedPart(report)],
    [['report-type', 'delivery-status']],
  )
  return Buffer.from(
    buildMessage({
      from: [{ name: say(report.language, 'mailSystem'), address: report.postmaster }],
      to: [{ address: report.to }],
      subject: say(report.language, `${report.action}Subject`, { subject }),
      date: report.now,
      inReplyTo: messageId,
      references: messageId === undefined ? [] : [messageId],
      // RFC 3834 §5: nobody answers this automatically.
      headers: [['Auto-Submitted', 'auto-replied']],
      body,
    }),
  )
}

function explanation(report: Report): string {
  const until = new Date(report.retryUntil).toISOString().replace('T', ' ').replace(/\..*/, ' UTC')
  const lines = [say(report.language, report.action, { until }), '']
  for (const { recipient, status, diagnostic, remote } of report.recipients) {
    lines.push(`  ${recipient.address}`)
    if (report.action === 'failed' || report.action === 'delayed') {
      if (status === EXPIRED) lines.push(`    ${say(report.language, 'expired')}`)
      // A reply carries its own status; what we say ourselves gets it in front.
      const said = remote !== undefined && isReply(diagnostic)
      const text = said ? diagnostic : `${status} ${diagnostic}`
      lines.push(
        `    ${said ? say(report.language, 'serverSaid', { host: remote, text }) : say(report.language, 'reason', { text })}`,
      )
    }
    lines.push('')
  }
  return `${lines.join('\r\n')}\r\n`
}

/** message/delivery-status: RFC 3464 §2.1. */
function statusPart(report: Report): MimeNode {
  let text = headerField('Reporting-MTA', `dns; ${report.reportingMta}`)
  if (report.envelopeId !== undefined) text += headerField('Original-Envelope-Id', report.envelopeId)
  text += headerField('Arrival-Date', formatDate(report.arrived))
  for (const { recipient, status, diagnostic, remote } of report.recipients) {
    text += '\r\n'
    if (recipient.originalRecipient !== undefined)
      text += headerField('Original-Recipient', typedAddress(recipient.originalRecipient, report.utf8))
    text += headerField('Final-Recipient', finalRecipient(recipient.address, report.utf8))
    text += headerField('Action', report.action)
    text += headerField('Status', status)
    if (remote !== undefined) text += headerField('Remote-MTA', `dns; ${remote}`)
    // RFC 3464 §2.3.6: "smtp" stands for the text of a reply and nothing else.
    const type = isReply(diagnostic) ? 'smtp' : 'x-postrider'
    if (diagnostic !== '') text += headerField('Diagnostic-Code', `${type}; ${printable(diagnostic)}`)
    text += headerField('Last-Attempt-Date', formatDate(report.now))
    if (report.action === 'delayed') text += headerField('Will-Retry-Until', formatDate(report.retryUntil))
  }
  return leaf(report.utf8 ? 'message/global-delivery-status' : 'message/delivery-status', Buffer.from(text, 'utf8'))
}

/** The message or its header: RFC 3461 §4.3 (RET), RFC 6522 §4. Only a failure brings the whole text back. */
function returnedPart(report: Report): MimeNode {
  const { message } = report
  const whole = report.action === 'failed' && report.ret === 'full' && message.length <= MAX_RETURNED_BYTES
  const returned = whole ? message : message.subarray(0, bodyStartOf(message, 0, message.length))
  const global = !isAscii(returned) && report.utf8
  if (whole) return leaf(global ? 'message/global' : 'message/rfc822', returned)
  // Header fields outside ASCII in a report that may not be: readable beats exact.
  const header =
    isAscii(returned) || global ? returned : Buffer.from(returned.toString('latin1').replace(/[\x80-\xff]/g, '?'))
  return leaf(global ? 'message/global-headers' : 'text/rfc822-headers', header)
}

function leaf(type: string, body: Buffer): MimeNode {
  const eightBit = !isAscii(body)
  const fields = headerField('Content-Type', type) + (eightBit ? headerField('Content-Transfer-Encoding', '8bit') : '')
  return { fields, body, boundary: '', children: [], eightBit }
}

function finalRecipient(address: string, utf8: boolean): string {
  if (isAscii(Buffer.from(address))) return `rfc822; ${address}`
  return utf8 ? `utf-8; ${address}` : `utf-8; ${encodeUtf8Address(address)}`
}

/** ORCPT's value, kept decoded as `type;address`: xtext belongs to the envelope alone (RFC 3461 §4.2), in reports it stands plain. */
function typedAddress(value: string, utf8: boolean): string {
  const semicolon = value.indexOf(';')
  const type = value.slice(0, semicolon)
  const address = value.slice(semicolon + 1)
  if (isAscii(Buffer.from(address))) return `${type}; ${address}`
  return utf8 ? `utf-8; ${address}` : `utf-8; ${encodeUtf8Address(address)}`
}

/** Whether a diagnostic is the reply of a server. */
function isReply(diagnostic: string): boolean {
  return /^[245]\d\d(?: |$)/.test(diagnostic)
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
