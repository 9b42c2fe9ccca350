import { randomBytes } from 'node:crypto'
import {
  distinguishedFolders,
  type FolderId,
  type FolderRole,
  type MailboxId,
  type MailboxInit,
} from '@postrider/domain'
import type { Journal } from './journal.ts'
import type { MailboxState } from './mailbox-state.ts'
import type { OwnedDatabase } from './owned.ts'
import { write } from './sql/write.ts'

/** Writes a mailbox with its distinguished folders; one that is there stays as it is. */
export function newMailbox(
  { connection, books }: Pick<OwnedDatabase, 'connection' | 'books'>,
  journal: Journal,
  { id, init, now }: { readonly id: MailboxId; readonly init: MailboxInit; readonly now: number },
): void {
  if (books.mailbox(id) !== undefined) return
  connection.run(write.addMailbox, id, randomBytes(16).toString('hex'), now, init.quota ?? null)
  const mailbox = books.mailbox(id) as MailboxState
  journal.undo(() => books.dropMailbox(id))
  books.change(journal, mailbox)
  const byRole = new Map<FolderRole, FolderId>()
  for (const { role, parent, name, class: folderClass, kind } of distinguishedFolders) {
    const parentId: FolderId | 0 = parent === undefined ? 0 : (byRole.get(parent) as FolderId)
    const subscribed = folderClass === 'IPF.Note' && parent === 'msgfolderroot'
    const made = { parent: parentId, name: name[init.language], class: folderClass, role, kind, subscribed } as const
    byRole.set(role, mailbox.newFolder(journal, now, { ...made, specialUse: undefined }).id)
  }
}
