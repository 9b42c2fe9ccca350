import { Flag, type Folder } from '@postrider/domain'
import type { StatusItem } from '@postrider/wire/imap'
import { ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'
import { highestModSeq, mailboxId } from './select.ts'

/** RFC 9051 §6.3.11: answered from the folder's counters, without opening it. */
export const status = command({
  name: 'STATUS',
  states: afterLogin,
  updates: 'all',
  async run(session, { mailbox, items }) {
    const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
    const folder = tree.folder(mailbox)
    await writeStatus(session, tree.find(mailbox)?.name ?? mailbox, folder, items)
    return ok('STATUS completed')
  },
})

type Value = (folder: Folder, session: Session) => string | number | Promise<number>

const values: { readonly [Item in StatusItem]: Value } = {
  MESSAGES: (folder) => folder.total,
  // RFC 9051 appendix E: no message is \Recent any more.
  RECENT: () => 0,
  UIDNEXT: (folder) => folder.uidNext,
  UIDVALIDITY: (folder) => folder.uidValidity,
  UNSEEN: (folder) => folder.unread,
  DELETED: (folder) => folder.deleted,
  SIZE: (folder) => folder.bytes,
  HIGHESTMODSEQ: highestModSeq,
  APPENDLIMIT: (_, session) => session.context.settings.appendLimit,
  MAILBOXID: (folder) => `(${mailboxId(folder)})`,
  'DELETED-STORAGE': deletedStorage,
}

/** RFC 9208 §4.1.4: the octets EXPUNGE would free. The one item that no counter of the folder answers. */
async function deletedStorage(folder: Folder, session: Session): Promise<number> {
  if (folder.deleted === 0) return 0
  const rows = await session.user.mailbox.scan({ folder: folder.id, columns: ['flags', 'size'] })
  let sum = 0
  for (let i = 0; i < rows.count; i++) {
    if (((rows.flags[i] as number) & Flag.deleted) !== 0) sum += rows.size[i] as number
  }
  return sum
}

/** The STATUS line of a folder: RFC 9051 §7.3.4. Asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 §3.1). */
export async function writeStatus(
  session: Session,
  name: string,
  folder: Folder,
  items: readonly StatusItem[],
): Promise<void> {
  if (items.includes('HIGHESTMODSEQ')) session.enableCondstore()
  const parts: string[] = []
  for (const item of items) parts.push(`${item} ${await values[item](folder, session)}`)
  session.out
    .ascii('* STATUS ')
    .mailbox(name)
    .ascii(` (${parts.join(' ')})\r\n`)
}
