/** Forwarding and redirecting by rule. A mail is never sent on twice by the same mailbox, however it comes back. */
import type { MailboxEntry, Operation, RuleOutcome } from '@postrider/domain'
import {
  buildMessage,
  decodeWords,
  formatAddressList,
  formatDate,
  HeaderFields,
  newMessageId,
} from '@postrider/wire/mime'
import { domainOf, type TransportCore } from '../core.ts'
import { ROUTE } from '../intake/plan.ts'
import { queueRow } from '../intake/job.ts'
import { prefixed, withoutReturnPath } from '../intake/trace.ts'
import type { Arriving } from './arrange.ts'

/** As Exchange marks what rules send on: each mailbox that did so. */
const LOOP = 'X-MS-Exchange-Inbox-Rules-Loop'
/** Mailboxes that may send one mail on, one after the other. */
const MAX_HOPS = 3

/** Reports, automatic answers and what came round are not sent on. */
export function mayBeSentOn(entry: MailboxEntry, { from, bytes }: Arriving): boolean {
  if (from === '') return false
  const header = new HeaderFields(bytes)
  const hops = header.all(LOOP.toLowerCase()).map((one) => one.trim().toLowerCase())
  if (hops.length >= MAX_HOPS || hops.includes(entry.address.toLowerCase())) return false
  return !/^\s*auto-replied\b/i.test(header.get('auto-submitted') ?? '')
}

export function sendOn(
  core: TransportCore,
  entry: MailboxEntry,
  { bytes }: Arriving,
  { forwardTo, redirectTo }: Pick<RuleOutcome, 'forwardTo' | 'redirectTo'>,
  own: ReadonlySet<string>,
): Operation[] {
  const others = (list: readonly string[]): string[] => list.filter((one) => !own.has(one.toLowerCase()))
  const now = core.clock.now()
  const operation = (to: readonly string[], message: Buffer): Operation => {
    const job = { from: entry.address, envelopeId: undefined, ret: undefined, bytes: message, received: now } as const
    const recipients = to.map((address) => ({ address }))
    return {
      op: 'enqueue',
      original: { bytes: message },
      entry: queueRow(job, ROUTE, recipients, core.settings, now),
    }
  }
  const out: Operation[] = []
  const original = withoutReturnPath(bytes)
  const hops = new HeaderFields(bytes).all(LOOP.toLowerCase()).map((one) => one.trim())
  const forwards = others(forwardTo)
  if (forwards.length > 0) out.push(operation(forwards, forwarded(entry, original, forwards, hops, now)))
  const redirects = others(redirectTo)
  if (redirects.length > 0) {
    const me = { name: entry.displayName, address: entry.address }
    // RFC 5322 §3.6.6: who sent it again, to whom, when; the mail itself stays as it is.
    const fields = [
      `Resent-Date: ${formatDate(now)}`,
      `Resent-From: ${formatAddressList([me])}`,
      `Resent-To: ${formatAddressList(redirects.map((address) => ({ name: '', address })))}`,
      `Resent-Message-ID: ${newMessageId(domainOf(entry.address))}`,
      `${LOOP}: ${entry.address}`,
    ]
    out.push(operation(redirects, prefixed(`${fields.join('\r\n')}\r\n`, original)))
  }
  return out
}

function forwarded(
  entry: MailboxEntry,
  original: Buffer,
  to: readonly string[],
  hops: readonly string[],
  now: number,
): Buffer {
  const header = new HeaderFields(original)
  const subject = decodeWords(header.get('subject') ?? '')
  const from = decodeWords(header.get('from') ?? '')
  return Buffer.from(
    buildMessage({
      from: [{ name: entry.displayName, address: entry.address }],
      to: to.map((address) => ({ address })),
      subject: `${entry.language === 'fr' ? 'TR' : 'FW'}: ${subject}`,
      date: now,
      headers: [['Auto-Submitted', 'auto-generated'], ...[...hops, entry.address].map((hop) => [LOOP, hop] as const)],
      text: `${from}\r\n${subject}\r\n`,
      attachments: [
        { content: original, contentType: 'message/rfc822', filename: `${subject.slice(0, 60) || 'mail'}.eml` },
      ],
    }),
  )
}
