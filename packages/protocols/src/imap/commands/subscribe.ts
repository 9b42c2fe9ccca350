import { folderNameKey } from '@postrider/domain'
import { type Answer, ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'
import { dropSubscription, lostSubscriptions } from './subscriptions.ts'

/** RFC 9051 §6.3.7. */
export const subscribe = command({
  name: 'SUBSCRIBE',
  states: afterLogin,
  updates: 'all',
  run: (session, { mailbox }) => set(session, mailbox, true),
})

/** RFC 9051 §6.3.8. */
export const unsubscribe = command({
  name: 'UNSUBSCRIBE',
  states: afterLogin,
  updates: 'all',
  run: (session, { mailbox }) => set(session, mailbox, false),
})

async function set(session: Session, name: string, subscribed: boolean): Promise<Answer> {
  const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
  if (!subscribed && tree.find(name) === undefined) {
    const lost = await lostSubscriptions(session.user.mailbox)
    // A name that has no subscription is as the client wants it: programs that rename take back what RENAME took along.
    if (lost.some((one) => folderNameKey(one) === folderNameKey(name)))
      await session.user.mailbox.apply([dropSubscription(name)])
    return ok('UNSUBSCRIBE completed')
  }
  const folder = tree.folder(name)
  if (folder.subscribed !== subscribed) {
    await session.user.mailbox.apply([{ op: 'updateFolder', folder: folder.id, subscribed }])
  }
  return ok(subscribed ? 'SUBSCRIBE completed' : 'UNSUBSCRIBE completed')
}
