import { DomainError, type OperationResult } from '@postrider/domain'
import { bodyOf, queueEntry, queueId } from '../queue-rows.ts'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import type { Context, Of } from './context.ts'
import { originalOf } from './items.ts'

function queuedOriginal(context: Context, source: Of<'enqueue'>['original']): number {
  if (!('operation' in source)) return originalOf(context, source).id
  const result = context.results[source.operation]
  const ref = result?.op === 'add' || result?.op === 'replace' ? result.original : undefined
  if (ref === undefined) throw new DomainError('invalid', `operation ${source.operation} stored no original`)
  return originalOf(context, { ref }).id
}

export function enqueue(context: Context, operation: Of<'enqueue'>): OperationResult {
  const { connection, books, mailbox, journal, now, database } = context
  const { entry } = operation
  if (entry.recipients.length === 0) throw new DomainError('invalid', 'no recipients')
  const blob = queuedOriginal(context, operation.original)
  const id = queueId(books.next('queue'), database)
  const body = bodyOf({ ...entry, lastError: '', delayNotified: false })
  connection.run(write.addQueue, id, mailbox.id, entry.destination, entry.due, entry.expires, now, blob, body)
  journal.queueMoved = true
  return { op: 'enqueue', ids: [id] }
}

export function queueChange(context: Context, { change }: Of<'queueChange'>): undefined {
  const { connection, originals, journal } = context
  const row = connection.get(read.queueEntry, change.id)
  if (row === undefined) throw new DomainError('itemGone', `queue entry ${change.id}`)
  if (change.kind === 'remove') {
    const [blob] = connection.get(write.removeQueue, change.id) as readonly [number]
    originals.release(journal, [blob])
    return
  }
  const before = queueEntry(row, (id) => originals.refOfId(id))
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const entry = { ...before, ...given }
  const lease = change.release === true ? 0 : before.leasedUntil
  connection.run(write.putQueue, entry.due, lease, entry.held ? 1 : 0, entry.attempts, bodyOf(entry), change.id)
  if (change.release === true || change.held === false || change.due !== undefined) journal.queueMoved = true
}
