/**
 * The one durable commit of a message: in one transaction of its home mailbox the once key, the caller's operations, the saved copy, the
 * delivery into the home's own Inbox, and queue rows for everybody else. From then on nothing is lost and nothing happens twice:
 * what remains is done at once, or by the queue runner after a crash.
 */
import {
  type BlobRef,
  DomainError,
  Flag,
  type FolderId,
  type MailboxId,
  type Mid,
  mailItem,
  type NewItem,
  type NewQueueEntry,
  type Operation,
  type OperationResult,
  type OriginalSource,
  resultOf,
} from '@postrider/domain'
import type { TransportCore } from '../core.ts'
import { isWanted } from '../dsn/decide.ts'
import { arrange, arrivalOperations } from '../queue/arrange.ts'
import { type DeliveryHook, deliverToMailboxes, onceKeyOf } from '../queue/local.ts'
import { reportOperation, settle } from '../queue/settle.ts'
import { type Job, queueRow } from './job.ts'
import { LOCAL, type LocalTarget, type Plan } from './plan.ts'
import { withoutReturnPath } from './trace.ts'

export interface CommitRequest {
  readonly job: Job
  readonly plan: Plan
  readonly home: MailboxId
  readonly once?: { readonly key: string; readonly keepMs: number } | undefined
  readonly also?: readonly Operation[] | undefined
  readonly save?: { readonly folder: FolderId; readonly bytes: Uint8Array; readonly flags: number } | undefined
  /** Accounts whose Inbox is known to refuse it; they go to the queue and are reported from there. */
  readonly full?: ReadonlySet<string>
}

export interface Committed {
  readonly saved: { readonly folder: FolderId; readonly mid: Mid } | undefined
  /** Results of `also`, index for index. */
  readonly also: readonly OperationResult[]
  /** What is left to do at once: deliveries to other mailboxes. Never rejects. */
  readonly rest: () => Promise<void>
}

/** How long the runner leaves a `[local]` row to the process that wrote it. */
const INLINE_GRACE = 60_000

/** Commits; rejects with DomainError when nothing happened. */
export async function commitJob(core: TransportCore, request: CommitRequest, hook: DeliveryHook): Promise<Committed> {
  const { job, plan, home } = request
  const here = plan.local.find((target) => target.entry.mailbox === home && !request.full?.has(target.entry.account))
  const others = plan.local.filter((target) => target !== here)
  const item = plan.local.length === 0 ? undefined : mailItem(job.bytes, { received: job.received })
  const operations: Operation[] = []
  if (request.once !== undefined) operations.push({ op: 'once', ...request.once })
  operations.push(...shifted(request.also ?? [], operations.length))
  const savedAt = request.save === undefined ? -1 : operations.push(saveOperation(request.save, job.received)) - 1
  const rows = rowsOf(core, request, others)
  const first: OriginalSource = { bytes: job.bytes }
  const arrangement = here === undefined || item === undefined ? undefined : await arrange(core, here.entry, item, job)
  const staged =
    (here === undefined && (rows.length > 1 || others.length > 0)) || (arrangement?.copies.length ?? 0) > 0
      ? await core.service.stage(home, job.bytes)
      : undefined
  const source: OriginalSource = staged === undefined ? first : { ref: staged }
  let addedAt = -1
  if (here !== undefined && item !== undefined && arrangement !== undefined) {
    addedAt = operations.length
    operations.push(...arrivalOperations(arrangement, item, source))
    const report = successReport(core, job, here)
    if (report !== undefined) operations.push(report)
  }
  const expanded = expansionReport(core, job, plan)
  if (expanded !== undefined) operations.push(expanded)
  const original = addedAt >= 0 ? { operation: addedAt } : source
  const rowAt = operations.length
  for (const entry of rows) operations.push({ op: 'enqueue', entry, original })
  if (operations.length === 0) throw new DomainError('invalid', 'a message for nobody')
  const applied = await core.service.apply(home, operations)
  if (here !== undefined) hook(here.entry, here.recipient, job)
  const localAt = rows.findIndex((row) => row.destination === LOCAL)
  const localId = localAt < 0 ? undefined : resultOf(applied, rowAt + localAt, 'enqueue').ids[0]
  const saved = savedAt < 0 ? undefined : { folder: request.save!.folder, mid: resultOf(applied, savedAt, 'add').mid }
  const ref = addedAt >= 0 ? resultOf(applied, addedAt, 'add').original : staged
  const alsoAt = request.once === undefined ? 0 : 1
  const also = applied.results.slice(alsoAt, alsoAt + (request.also?.length ?? 0))
  return { saved, also, rest: () => restOf(core, request, rows[localAt], localId, item, ref, hook) }
}

function rowsOf(core: TransportCore, { job, plan }: CommitRequest, others: readonly LocalTarget[]): NewQueueEntry[] {
  const now = core.clock.now()
  const rows = [...plan.remote].map(([destination, recipients]) =>
    queueRow(job, destination, recipients, core.settings, now),
  )
  const local = [...others.map((target) => target.recipient), ...plan.unknown]
  if (local.length > 0) rows.push(queueRow(job, LOCAL, local, core.settings, now + INLINE_GRACE))
  return rows
}

/** Everybody else inside, at once; whatever fails here is on the queue already. */
async function restOf(
  core: TransportCore,
  { job, home }: CommitRequest,
  row: NewQueueEntry | undefined,
  id: number | undefined,
  item: NewItem | undefined,
  ref: BlobRef | undefined,
  hook: DeliveryHook,
): Promise<void> {
  if (row === undefined || id === undefined) return
  const database = core.directory.mailbox(home)?.database
  const message = {
    from: job.from,
    item: item ?? mailItem(job.bytes, { received: job.received }),
    bytes: job.bytes,
    stored: ref === undefined || database === undefined ? undefined : { database, ref },
  }
  try {
    const results = await deliverToMailboxes(core, row.recipients, message, onceKeyOf(home, id), hook)
    const entry = { ...row, id, mailbox: home, created: job.received, attempts: 0, delayNotified: false }
    await settle(core, entry, results, withoutReturnPath(job.bytes))
  } catch (error) {
    core.log.warn({ err: error, queue: id }, 'deliveries left to the queue')
  }
}

function saveOperation(save: NonNullable<CommitRequest['save']>, received: number): Operation {
  const item = mailItem(save.bytes, { received, flags: save.flags | Flag.seen })
  return { op: 'add', folder: save.folder, item }
}

/** The delivery and its report are one commit: the report may say "delivered" before it is so. */
function successReport(core: TransportCore, job: Job, target: LocalTarget): Operation | undefined {
  if (!isWanted(target.recipient, 'success')) return undefined
  const entry = { ...job, created: job.received, expires: job.received + core.settings.messageExpirationTimeout }
  const reported = { recipient: target.recipient, status: '2.0.0', diagnostic: '', remote: undefined }
  return reportOperation(core, entry, 'delivered', [reported], withoutReturnPath(job.bytes))
}

/** Groups: said as soon as the mail is on its way to their members. */
function expansionReport(core: TransportCore, job: Job, { expanded }: Plan): Operation | undefined {
  if (expanded.length === 0) return undefined
  const entry = { ...job, created: job.received, expires: job.received + core.settings.messageExpirationTimeout }
  const reported = expanded.map((recipient) => ({ recipient, status: '2.0.0', diagnostic: '', remote: undefined }))
  return reportOperation(core, entry, 'expanded', reported, withoutReturnPath(job.bytes))
}

/** The caller's operations count their references from their own start. */
function shifted(operations: readonly Operation[], by: number): Operation[] {
  if (by === 0) return [...operations]
  return operations.map((one) => {
    if (one.op === 'add' && typeof one.folder === 'object') return { ...one, folder: moved(one.folder, by) }
    if (one.op === 'createFolder' && typeof one.parent === 'object') return { ...one, parent: moved(one.parent, by) }
    if (one.op === 'enqueue' && 'operation' in one.original) return { ...one, original: moved(one.original, by) }
    return one
  })
}

function moved(reference: { operation: number }, by: number): { operation: number } {
  return { operation: reference.operation + by }
}
