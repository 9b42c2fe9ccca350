import { type BlobRef, DomainError, type Operation, type OperationResult } from '@postrider/domain'
import type { QueueRow } from '../database.ts'
import { copyOf } from '../plain.ts'
import type { Context } from './index.ts'
import { originalOf } from './items.ts'

type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>

function queuedOriginal(context: Context, source: Of<'enqueue'>['original']): BlobRef {
  if (!('operation' in source)) return originalOf(context, source)
  const result = context.results[source.operation]
  const original = result?.op === 'add' || result?.op === 'replace' ? result.original : undefined
  if (original === undefined) throw new DomainError('invalid', `operation ${source.operation} stored no original`)
  return original
}

export function enqueue(context: Context, operation: Of<'enqueue'>): OperationResult {
  const { mailbox, transaction } = context
  if (operation.entry.recipients.length === 0) throw new DomainError('invalid', 'no recipients')
  const entry: QueueRow = {
    ...copyOf(operation.entry),
    id: context.nextQueueId(),
    mailbox: mailbox.id,
    original: queuedOriginal(context, operation.original),
    created: transaction.now,
    attempts: 0,
    lastError: '',
    delayNotified: false,
    held: false,
    leasedUntil: 0,
  }
  transaction.set(mailbox.database.queue, entry.id, entry)
  mailbox.database.blobs.refer(transaction, entry.original, 1)
  transaction.queueMoved = true
  return { op: 'enqueue', ids: [entry.id] }
}

export function queueChange({ mailbox, transaction }: Context, { change }: Of<'queueChange'>): undefined {
  const { queue, blobs } = mailbox.database
  const entry = queue.get(change.id)
  if (entry === undefined) throw new DomainError('itemGone', `queue entry ${change.id}`)
  if (change.kind === 'remove') {
    transaction.delete(queue, entry.id)
    blobs.refer(transaction, entry.original, -1)
    return
  }
  const { id: _, kind: __, release, ...fields } = change
  transaction.save(entry)
  Object.assign(entry, copyOf(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))))
  if (release === true) entry.leasedUntil = 0
  if (release === true || change.held === false || change.due !== undefined) transaction.queueMoved = true
}
