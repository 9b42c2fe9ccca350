import type { ClaimRequest, QueueEntry } from '@postrider/domain'
import type { Row } from '../engine/statements.ts'
import { queueEntry } from '../engine/queue-rows.ts'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import type { PostgresDatabase } from './database.ts'

/** The shared questions, cut to what is wanted: here every row travels. */
const dueSql = read.queueDue.replace('ORDER BY', `AND dest <> ALL(?::text[]) ORDER BY`).concat(' LIMIT ?')
const listSql = read.queueList.replace('ORDER BY', `AND (?::text IS NULL OR dest = ?) ORDER BY`).concat(' LIMIT ?')

interface Due {
  readonly database: PostgresDatabase
  readonly id: number
  readonly due: number
}

const oldestFirst = (a: { due: number; id: number }, b: { due: number; id: number }): number =>
  a.due - b.due || a.id - b.id

/** An array literal of texts (PostgreSQL documentation, §8.15.2). */
const texts = (list: readonly string[]): string => `{${list.map((one) => `"${one.replace(/["\\]/g, '\\$&')}"`).join()}}`

/** Entries with the references of their originals; the rows of all originals are asked for at once. */
function entriesOf({ originals }: PostgresDatabase, rows: readonly Row[]): readonly QueueEntry[] {
  const blobs = [...new Set(rows.map((row) => row[9] as number))]
  const places = new Map(originals.placesOf(blobs).map((place, i) => [blobs[i] as number, place]))
  return rows.map((row) =>
    queueEntry(row, (blob) => {
      const place = places.get(blob)
      return place === undefined ? originals.refOfId(blob) : originals.refOf(place)
    }),
  )
}

const due = ({ connection }: PostgresDatabase, { now, exclude }: ClaimRequest, limit: number): readonly Row[] =>
  connection.all(dueSql, now, now, texts([...(exclude ?? [])]), limit)

/**
 * Due entries of all databases, oldest first, leased to the caller; the lease is durable before the answer. How many each database gives is
 * decided by a look from outside; which ones, inside its transaction, so that two callers never get the same.
 */
export async function claim(
  databases: readonly PostgresDatabase[],
  request: ClaimRequest,
): Promise<readonly QueueEntry[]> {
  const { now, leaseMs, limit } = request
  const looked = await Promise.all(
    databases.map(async (database): Promise<readonly Due[]> => {
      const rows = await database.reader.unit(() => due(database, request, limit))
      return rows.map(([id, at]) => ({ database, id: id as number, due: at as number }))
    }),
  )
  const wanted = looked.flat().sort(oldestFirst).slice(0, limit)
  const claimed = await Promise.all(
    [...Map.groupBy(wanted, ({ database }) => database)].map(([database, { length }]) =>
      database.write({
        bytes: 0,
        run: (unit) =>
          unit.do(() => {
            const ids = due(database, request, length).map(([id]) => id as number)
            const rows = database.connection.many(
              write.claimQueue,
              ids.map((id) => [now + leaseMs, id]),
            )
            return entriesOf(database, rows as readonly Row[])
          }),
      }),
    ),
  )
  return claimed.flat().sort(oldestFirst)
}

export async function list(
  databases: readonly PostgresDatabase[],
  filter: { destination?: string; limit: number; afterId?: number },
): Promise<readonly QueueEntry[]> {
  const { destination = null, limit, afterId = 0 } = filter
  const found = await Promise.all(
    databases.map((database) =>
      database.reader.unit(() =>
        entriesOf(database, database.connection.all(listSql, afterId, destination, destination, limit)),
      ),
    ),
  )
  return found
    .flat()
    .sort((a, b) => a.id - b.id)
    .slice(0, limit)
}
