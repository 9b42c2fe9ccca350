import { no, ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree } from '../folders.ts'
import { dropMetadata } from './metadata.ts'
import { closeView } from './select.ts'
import { keepSubscription } from './subscriptions.ts'

/** RFC 9051 §6.3.5. With mailboxes inside it is refused (HASCHILDREN) rather than left behind as a bare name. */
export const deleteMailbox = command({
  name: 'DELETE',
  states: afterLogin,
  updates: 'all',
  async run(session, { mailbox }) {
    const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
    const folder = tree.folder(mailbox)
    if (folder.role !== undefined) return no('This mailbox must stay', 'CANNOT')
    const name = tree.find(mailbox)?.name ?? mailbox
    await session.user.mailbox.apply([
      { op: 'deleteFolder', folder: folder.id, recursive: false },
      dropMetadata(folder.id),
      ...(folder.subscribed ? [keepSubscription(name)] : []),
    ])
    if (session.state.name === 'selected' && session.state.view.folder === folder.id) closeView(session, true)
    return ok('DELETE completed')
  },
})
