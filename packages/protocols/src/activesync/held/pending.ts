/** Whether something happened in a folder that a device would want to hear of, looked at cheaply: no ledger, no items. */
import type { ChangeNumber, MailboxHandle } from '@postrider/domain'
import type { Watch } from '../sync/collection.ts'

const pageSize = 100

export interface Look {
  readonly pending: boolean
  /** Where to look from next time, when nothing was pending. */
  readonly cursor: ChangeNumber
}

/**
 * Looks at the feed of one folder behind the cursor.
 * @param allChanges whether changed and removed items count too; else only new ones do, as [MS-ASCMD] §3.1.5.8 has it:
 *   mail that was delivered, copied or moved in.
 */
export async function look(mailbox: MailboxHandle, watch: Watch, allChanges: boolean): Promise<Look> {
  let { cursor } = watch
  for (;;) {
    const changes = await mailbox.changes({ since: cursor, folder: watch.folder.id, limit: pageSize })
    if (changes.resync) return { pending: true, cursor }
    const { items, gone } = changes
    for (let row = 0; row < items.count; row++) {
      if (items.folder[row] !== watch.folder.id || items.associated[row] !== 0) continue
      if (items.received[row]! < watch.cutoff) continue
      if (allChanges || items.createdCn[row]! > watch.cursor) return { pending: true, cursor }
    }
    if (allChanges) {
      for (let row = 0; row < gone.count; row++) {
        if (gone.folder[row] === watch.folder.id) return { pending: true, cursor }
      }
    }
    cursor = changes.upTo
    if (!changes.more) return { pending: false, cursor }
  }
}
