import type { MailboxId } from '@postrider/domain'
import { dropItem } from './apply/placing.ts'
import type { MailboxDatabase } from './database.ts'
import { read } from './sql/read.ts'
import { wipe, write } from './sql/write.ts'

/** Rows that one transaction of a wipe removes: other mailboxes get their turn in between. */
const SLICE = 500

/**
 * Deletes a mailbox in slices, each its own commit. The first marks it as dying: from then on it does not exist, and a wipe that was
 * interrupted is finished at the next start.
 */
export async function wipeMailbox(database: MailboxDatabase, id: MailboxId): Promise<void> {
  const { connection, books, originals } = database
  const slice = <T>(run: Parameters<typeof database.submit<T>>[0]['run']): Promise<T> =>
    database.submit({ bytes: 0, freeing: true, namesBytes: false, run })
  await slice(() => {
    connection.run(write.dyingMailbox, id)
    books.dropMailbox(id)
  })
  for (;;) {
    const left = await slice((journal) => {
      const items = connection.all(wipe.items, id, SLICE)
      for (const [item] of items) dropItem({ connection, books, journal, originals }, id, item as number)
      return items.length
    })
    if (left < SLICE) break
  }
  await slice((journal) => {
    for (const [entry, blob] of connection.all(read.queueOf, id)) {
      connection.get(write.removeQueue, entry as number)
      originals.release(journal, blob as number)
    }
  })
  for (const [text, width] of wipe.tables) {
    for (;;) {
      const left = await slice(() => connection.all(text, id, width).length)
      if (left < width) break
    }
  }
  await slice(() => connection.run(write.removeMailbox, id))
}
