import type { MailboxId } from '@postrider/domain'
import { dropItems } from './apply/placing.ts'
import type { OwnedDatabase } from './owned.ts'
import { read } from './sql/read.ts'
import { wipe, write } from './sql/write.ts'

/** Rows that one transaction of a wipe removes: other mailboxes get their turn in between. */
const SLICE = 500

/**
 * Deletes a mailbox in slices, each its own commit. The first marks it as dying: from then on it does not exist, and a wipe that was
 * interrupted is finished at the next start.
 */
export async function wipeMailbox(database: OwnedDatabase, id: MailboxId): Promise<void> {
  const { connection, books, originals } = database
  const slice = <T>(run: Parameters<typeof database.submit<T>>[0]['run']): Promise<T> =>
    database.submit({ mailbox: id, bytes: 0, freeing: true, namesBytes: false, run })
  await slice(() => {
    connection.run(write.dyingMailbox, id)
    books.dropMailbox(id)
  })
  for (;;) {
    const left = await slice((journal) => {
      const items = connection.all(wipe.items, id, SLICE)
      const numbers = items.map(([item]) => item as number)
      dropItems({ connection, books, journal, originals }, id, numbers)
      return items.length
    })
    if (left < SLICE) break
  }
  await slice((journal) => {
    const entries = connection.all(read.queueOf, id)
    for (const [entry] of entries) connection.run(write.removeQueue, entry as number)
    const blobs = entries.map(([, blob]) => blob as number)
    originals.release(journal, blobs)
  })
  for (const [text, width] of wipe.tables) {
    for (;;) {
      const left = await slice(() => connection.all(text, id, width).length)
      if (left < width) break
    }
  }
  await slice(() => connection.run(write.removeMailbox, id))
}
