/**
 * Automatic replies (Oof): one to each sender for as long as the record stands, never to machines (RFC 3834 §2). Runs behind a delivery and
 * never holds it up; the reply, its queue row and the note that this sender has been answered are one commit.
 */
import { createHash } from 'node:crypto'
import {
  decodeOof,
  isDomainError,
  type MailboxEntry,
  type MailboxId,
  OOF_STATE,
  type OofAudience,
  type OofRecord,
  type OofReply,
  oofReplyAt,
  type Operation,
} from '@postrider/domain'
import {
  buildMessage,
  decodeWords,
  HeaderFields,
  htmlToText,
  mailboxesOf,
  messageIds,
  parseAddressList,
} from '@postrider/wire/mime'
import { domainOf, type TransportCore } from '../core.ts'
import { say } from '../dsn/texts.ts'
import { ROUTE } from '../intake/plan.ts'

/** A record is believed for so long (ms): switching Oof on must show with the next mail, and a flood need not read it for each. */
const RECORD_MS = 100
const MAX_RECORDS = 10_000
/** Whom the record's reply reached is remembered for so long after; Exchange forgets when Oof is switched anew. */
const ANSWERED_MS = 90 * 24 * 60 * 60 * 1000

export class AutomaticReplies {
  readonly #core: TransportCore
  readonly #records = new Map<MailboxId, { record: OofRecord; at: number }>()

  constructor(core: TransportCore) {
    this.#core = core
  }

  /** After a delivery to `entry`: sends the reply if there is one to send. Never rejects. */
  async consider(entry: MailboxEntry, from: string, deliveredTo: string, message: Buffer): Promise<void> {
    try {
      const record = await this.#record(entry.mailbox)
      if (record.state === 'disabled' || from === '') return
      const header = new HeaderFields(message)
      if (!mayAnswer(from, header) || !addressesMailbox(header, entry, deliveredTo)) return
      const reply = oofReplyAt(record, this.#audience(from), this.#core.clock.now())
      if (reply !== undefined) await this.#send(entry, from, record, reply, header)
    } catch (error) {
      if (isDomainError(error, 'duplicate')) return
      this.#core.log.warn({ err: error, mailbox: entry.mailbox }, 'automatic reply failed')
    }
  }

  async #record(mailbox: MailboxId): Promise<OofRecord> {
    const now = this.#core.clock.monotonic()
    const known = this.#records.get(mailbox)
    if (known !== undefined && now - known.at < RECORD_MS) return known.record
    const entries = await this.#core.service.state(mailbox, OOF_STATE.client, OOF_STATE.key)
    const record = decodeOof(entries.find((one) => one.key === OOF_STATE.key)?.value)
    if (this.#records.size >= MAX_RECORDS) this.#records.clear()
    this.#records.set(mailbox, { record, at: now })
    return record
  }

  /** Outsiders count as unknown until contacts are there to be asked; a reply for known ones only then goes to nobody outside. */
  #audience(from: string): OofAudience {
    const inside = this.#core.directory.domains().some((domain) => domain.name === domainOf(from))
    return inside ? 'internal' : 'externalUnknown'
  }

  async #send(
    entry: MailboxEntry,
    to: string,
    record: OofRecord,
    reply: OofReply,
    header: HeaderFields,
  ): Promise<void> {
    const { clock, service, settings, meter } = this.#core
    const now = clock.now()
    const id = messageIds(header.get('message-id') ?? '')[0]
    const subject = decodeWords(header.get('subject') ?? '')
    const bytes = Buffer.from(
      buildMessage({
        from: [{ name: entry.displayName, address: entry.address }],
        to: [{ address: to }],
        subject: record.subject ?? say(entry.language, 'automaticReply', { subject }),
        date: now,
        inReplyTo: id,
        references: id === undefined ? [] : [...messageIds(header.get('references') ?? '').slice(-20), id],
        headers: [
          ['Auto-Submitted', 'auto-replied'],
          ['X-Auto-Response-Suppress', 'All'],
          ['Precedence', 'bulk'],
        ],
        // RFC 8621 §8: HTML goes with a text beside it.
        ...(reply.bodyType === 'html'
          ? { html: reply.message, text: reply.text ?? htmlToText(reply.message) }
          : { text: reply.message }),
      }),
    )
    const operations: Operation[] = [
      { op: 'once', key: answeredKey(record, to), keepMs: ANSWERED_MS },
      {
        op: 'enqueue',
        original: { bytes },
        entry: {
          // RFC 3834 §3.3: a reply that cannot be delivered concerns nobody.
          from: '',
          recipients: [{ address: to, notify: ['never'] }],
          destination: ROUTE,
          size: bytes.length,
          smtputf8: false,
          eightBit: false,
          due: now,
          expires: now + settings.messageExpirationTimeout,
        },
      },
    ]
    await service.apply(entry.mailbox, operations)
    meter.count('automatic_replies_total')
  }
}

/** A new record (switched on again, text changed) answers everybody anew. */
function answeredKey(record: OofRecord, sender: string): string {
  return `oof/${record.changed}/${createHash('sha256').update(sender.toLowerCase()).digest('base64url')}`
}

/** RFC 3834 §2: nothing automatic, no lists, no bulk mail, no system addresses. */
function mayAnswer(from: string, header: HeaderFields): boolean {
  const automatic = header.get('auto-submitted')
  if (automatic !== undefined && !/^no\b/i.test(automatic)) return false
  for (const name of ['list-id', 'list-post', 'list-unsubscribe', 'list-help', 'x-loop', 'feedback-id'])
    if (header.has(name)) return false
  if (/^(?:bulk|list|junk)\b/i.test(header.get('precedence') ?? '')) return false
  if (/\b(?:OOF|AutoReply|All)\b/i.test(header.get('x-auto-response-suppress') ?? '')) return false
  if (/^multipart\/report\b/i.test(header.get('content-type') ?? '')) return false
  return !/^(?:mailer-daemon|postmaster|listserv|majordomo|no-?reply|do-?not-?reply|owner-|bounces?[+@-]|.*-(?:request|owner|bounces?)@)/i.test(
    from,
  )
}

/** RFC 3834 §2: only mail that names the person is answered, so no group or list mail is. */
function addressesMailbox(header: HeaderFields, entry: MailboxEntry, deliveredTo: string): boolean {
  const names = new Set([entry.address, ...entry.aliases, deliveredTo].map((address) => address.toLowerCase()))
  return ['to', 'cc', 'resent-to', 'resent-cc']
    .flatMap((name) => header.all(name))
    .flatMap((value) => mailboxesOf(parseAddressList(value)))
    .some(({ address }) => names.has(address.toLowerCase()))
}
