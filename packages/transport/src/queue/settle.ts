/** The end of a delivery attempt: what becomes of the queue row, and who is told. One commit for both. */
import { type Operation, type QueueEntry, type QueueRecipient, isDomainError } from '@postrider/domain'
import type { TransportCore } from '../core.ts'
import { isWanted } from '../dsn/decide.ts'
import { buildReport, EXPIRED, type ReportAction, type ReportedRecipient } from '../dsn/report.ts'
import { ROUTE } from '../intake/plan.ts'
import { retryDelay } from '../settings.ts'

/** How it went for one recipient. `relayed`: taken by a server that sends no reports; `passedOn`: by one that does. */
export interface RecipientResult extends ReportedRecipient {
  readonly outcome: 'delivered' | 'relayed' | 'passedOn' | 'transient' | 'permanent'
}

/** Everything a report needs of a row; the inline delivery has no stored row of its own to read back. */
export type SettledEntry = Pick<
  QueueEntry,
  'id' | 'mailbox' | 'from' | 'recipients' | 'envelopeId' | 'ret' | 'created' | 'expires' | 'attempts' | 'delayNotified'
>

/** Writes the outcome: the row gone or due again, and the reports on the queue with it. `message` is without Return-Path. */
export async function settle(
  core: TransportCore,
  entry: SettledEntry,
  results: readonly RecipientResult[],
  message: Buffer,
): Promise<void> {
  const now = core.clock.now()
  const expired = now >= entry.expires
  const final = results.map((one) => (expired && one.outcome === 'transient' ? expiredResult(one) : one))
  const waiting = final.filter((one) => one.outcome === 'transient')
  const delayed =
    !entry.delayNotified && now - entry.created >= core.settings.delayNotificationTimeout
      ? waiting.filter((one) => isWanted(one.recipient, 'delay'))
      : []
  const operations: Operation[] = [rowChange(core, entry, waiting, delayed.length > 0, now)]
  const report = (action: ReportAction, recipients: readonly ReportedRecipient[]): void => {
    const operation = reportOperation(core, entry, action, recipients, message)
    if (operation !== undefined) operations.push(operation)
  }
  const successful = (outcome: RecipientResult['outcome']): RecipientResult[] =>
    final.filter((one) => one.outcome === outcome && isWanted(one.recipient, 'success'))
  report(
    'failed',
    final.filter((one) => one.outcome === 'permanent' && isWanted(one.recipient, 'failure')),
  )
  report('delayed', delayed)
  report('delivered', successful('delivered'))
  report('relayed', successful('relayed'))
  try {
    await core.service.apply(entry.mailbox, operations)
  } catch (error) {
    // An administrator removed the row meanwhile, or another runner finished it: nothing is left to say.
    if (!isDomainError(error, 'itemGone')) throw error
    core.log.warn({ queue: entry.id }, 'queue entry was gone when its delivery ended')
  }
  for (const one of final) core.meter.count('queue_results_total', { outcome: one.outcome })
}

/** Puts a report to the sender of `entry` on the queue; undefined when there is nobody or nothing to report to. */
export function reportOperation(
  core: TransportCore,
  entry: Pick<QueueEntry, 'from' | 'envelopeId' | 'ret' | 'created' | 'expires'>,
  action: ReportAction,
  recipients: readonly ReportedRecipient[],
  message: Buffer,
): Operation | undefined {
  // RFC 5321 §4.5.5: no report about a report.
  if (entry.from === '' || recipients.length === 0) return undefined
  const { directory, settings, clock } = core
  const now = clock.now()
  const sender = directory.resolve(entry.from)
  const bytes = buildReport({
    action,
    to: entry.from,
    recipients,
    message,
    envelopeId: entry.envelopeId,
    ret: entry.ret,
    arrived: entry.created,
    now,
    retryUntil: entry.expires,
    reportingMta: settings.fqdn,
    postmaster: postmasterAddress(core),
    language: sender.kind === 'mailbox' ? sender.entry.language : 'en',
    utf8: /[^\x00-\x7f]/.test(entry.from),
  })
  return {
    op: 'enqueue',
    original: { bytes },
    entry: {
      from: '',
      recipients: [{ address: entry.from }],
      destination: ROUTE,
      size: bytes.length,
      smtputf8: false,
      eightBit: false,
      due: now,
      expires: now + settings.messageExpirationTimeout,
    },
  }
}

function postmasterAddress(core: Pick<TransportCore, 'directory' | 'settings'>): string {
  const domain = core.directory.domains().find((one) => one.isDefault)?.name ?? core.settings.fqdn
  return `postmaster@${domain}`
}

function rowChange(
  core: TransportCore,
  entry: SettledEntry,
  waiting: readonly RecipientResult[],
  notifiedNow: boolean,
  now: number,
): Operation {
  if (waiting.length === 0) return { op: 'queueChange', change: { id: entry.id, kind: 'remove' } }
  const attempts = entry.attempts + 1
  const due = Math.min(now + retryDelay(core.settings, attempts), Math.max(entry.expires, now))
  const recipients: QueueRecipient[] = waiting.map((one) => ({ ...one.recipient, lastReply: lastReply(one) }))
  return {
    op: 'queueChange',
    change: {
      id: entry.id,
      kind: 'update',
      due,
      attempts,
      recipients,
      lastError: lastReply(waiting[0]!).slice(0, 500),
      delayNotified: entry.delayNotified || notifiedNow,
      release: true,
    },
  }
}

function lastReply(result: ReportedRecipient): string {
  return [result.remote, result.status, result.diagnostic]
    .filter((part) => part !== undefined)
    .join(' ')
    .slice(0, 500)
}

/** What the server said last stays its own words; the status tells that time ran out. */
function expiredResult(result: RecipientResult): RecipientResult {
  const { diagnostic } = result
  return {
    ...result,
    outcome: 'permanent',
    status: EXPIRED,
    diagnostic: diagnostic === '' ? 'message expired' : diagnostic,
  }
}
