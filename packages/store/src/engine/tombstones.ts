import type { MailboxId } from '@postrider/domain'
import type { OwnedDatabase } from './owned.ts'
import { read } from './sql/read.ts'
import { write } from './sql/write.ts'

/** How long tombstones are kept: cursors older than this must start over. */
export const KEEP_TOMBSTONES_MS = 90 * 24 * 3_600_000
/** Tombstones dropped in one transaction. */
const SLICE = 5_000

/**
 * Drops tombstones written before `before` (ms since 1970); with Infinity all of them, and then every cursor from before now must start
 * over. `lowestChange` moves in the same transaction.
 */
export async function forget(database: OwnedDatabase, id: MailboxId, before: number): Promise<void> {
  const { connection, books } = database
  const all = before === Number.POSITIVE_INFINITY
  const until = all ? Number.MAX_SAFE_INTEGER : before
  for (let more = true; more; ) {
    more = await database.submit({
      mailbox: id,
      bytes: 0,
      freeing: true,
      namesBytes: false,
      run: (journal) => {
        const mailbox = database.state(id)
        const rows = [
          ...connection.all(read.agedGone, id, until, SLICE),
          ...connection.all(read.agedGoneFolders, id, until, SLICE),
        ]
        const last = all && rows.length < SLICE ? mailbox.row.change : newest(rows)
        if (last > mailbox.row.lowest) {
          books.change(journal, mailbox)
          mailbox.row.lowest = last
        }
        connection.run(write.pruneGone, id, last)
        connection.run(write.pruneGoneFolder, id, last)
        return rows.length >= SLICE
      },
    })
  }
}

const newest = (rows: readonly (readonly unknown[])[]): number =>
  rows.reduce((top, row) => Math.max(top, row[0] as number), 0)

/** Whether a mailbox has tombstones written before `before`; looks at the two oldest only. */
export function hasAged({ connection }: Pick<OwnedDatabase, 'connection'>, id: MailboxId, before: number): boolean {
  return [read.oldestGone, read.oldestGoneFolder].some((text) => {
    const at = connection.get(text, id)?.[0]
    return typeof at === 'number' && at < before
  })
}
