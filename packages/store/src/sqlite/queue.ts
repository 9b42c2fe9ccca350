import type { ClaimRequest, MailboxId, QueueEntry } from '@postrider/domain'
import { asDomainError } from './connection.ts'
import type { Row } from '../engine/statements.ts'
import type { MailboxDatabase } from './database.ts'
import { queueEntry } from '../engine/queue-rows.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'

interface Due {
  readonly database: MailboxDatabase
  readonly id: number
  readonly due: number
}

const entryOf = ({ originals }: MailboxDatabase, row: Row): QueueEntry =>
  queueEntry(row, (blob) => originals.refOfId(blob))
const oldestFirst = (a: { due: number; id: number }, b: { due: number; id: number }): number =>
  a.due - b.due || a.id - b.id

/**
 * Due entries of all databases, oldest first, leased to the caller; the lease is durable before the answer. How many each database gives is
 * decided by a look from outside; which ones, inside its transaction, so that two callers never get the same.
 */
export async function claim(
  databases: readonly MailboxDatabase[],
  request: ClaimRequest,
): Promise<readonly QueueEntry[]> {
  const { now, leaseMs, limit } = request
  const exclude = new Set(request.exclude)
  const due = databases
    .flatMap((database) => dueOf(database, now, limit, exclude))
    .sort(oldestFirst)
    .slice(0, limit)
  const claimed = await Promise.all(
    [...Map.groupBy(due, ({ database }) => database)].map(([database, { length }]) =>
      database.submit({
        bytes: 0,
        freeing: true,
        namesBytes: false,
        run: () =>
          dueOf(database, now, length, exclude).map(({ id }) =>
            entryOf(database, database.connection.get(write.claimQueue, now + leaseMs, id) as Row),
          ),
      }),
    ),
  )
  return claimed.flat().sort(oldestFirst)
}

function dueOf(database: MailboxDatabase, now: number, limit: number, exclude: ReadonlySet<string>): readonly Due[] {
  if (database.committer.stopped !== undefined) return []
  const found: Due[] = []
  for (const [id, due, destination, mailbox] of database.connection.iterate(read.queueDue, now, now)) {
    if (found.length >= limit) break
    if (!exclude.has(destination as string) && !database.isMoving(mailbox as MailboxId))
      found.push({ database, id: id as number, due: due as number })
  }
  return found
}

export function list(
  databases: readonly MailboxDatabase[],
  filter: { destination?: string; limit: number; afterId?: number },
): readonly QueueEntry[] {
  const { destination, limit, afterId = 0 } = filter
  try {
    return databases
      .flatMap((database) => {
        database.usable()
        const entries: QueueEntry[] = []
        for (const row of database.connection.all(read.queueList, afterId)) {
          if (entries.length >= limit) break
          const isHere = !database.hidden.has(row[1] as MailboxId)
          if (isHere && (destination === undefined || row[2] === destination)) entries.push(entryOf(database, row))
        }
        return entries
      })
      .sort((a, b) => a.id - b.id)
      .slice(0, limit)
  } catch (error) {
    throw asDomainError(error)
  }
}
