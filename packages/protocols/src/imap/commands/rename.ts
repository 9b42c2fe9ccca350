import { type Folder, resultOf } from '@postrider/domain'
import { type Answer, no, ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree, levels } from '../folders.ts'
import type { Session } from '../session.ts'
import { missing } from './create.ts'

/** RFC 9051 §6.3.6. What is inside moves along; missing levels above the new name are created. */
export const rename = command({
  name: 'RENAME',
  states: afterLogin,
  updates: 'all',
  looks: true,
  async run(session, { from, to }) {
    const tree = await FolderTree.of(session.user.mailbox, true)
    const source = tree.folder(from)
    const taken = tree.anyFolder(to)
    const path = levels(to)
    // Only another case of its own name is left to give.
    const respelled = taken?.id === source.id && source.id !== tree.inbox?.id && source.name !== path.at(-1)
    if (taken !== undefined && !respelled) return no('A mailbox of that name exists', 'ALREADYEXISTS')
    if (source.id === tree.inbox?.id) return emptyInbox(session, tree, source, path)
    if (source.role !== undefined) return no('This mailbox must keep its name', 'CANNOT')
    const { operations, above } = missing(tree, path.slice(0, -1))
    let parent = above
    if (operations.length > 0) {
      const applied = await session.user.mailbox.apply(operations)
      parent = resultOf(applied, operations.length - 1, 'createFolder').folder
    }
    const name = path.at(-1) ?? ''
    await session.user.mailbox.apply([{ op: 'updateFolder', folder: source.id, name, parent }])
    return ok('RENAME completed')
  },
})

/** RFC 9051 §6.3.6: renaming INBOX moves its messages into a new mailbox and leaves INBOX empty. */
async function emptyInbox(session: Session, tree: FolderTree, inbox: Folder, path: readonly string[]): Promise<Answer> {
  const { operations } = missing(tree, path)
  const { mailbox } = session.user
  const rows = await mailbox.scan({ folder: inbox.id, columns: ['uid'] })
  const made = await mailbox.apply(operations)
  const { folder } = resultOf(made, operations.length - 1, 'createFolder')
  if (rows.count > 0) await mailbox.apply([{ op: 'move', from: inbox.id, items: { uids: rows.uid }, to: folder }])
  return ok('RENAME completed')
}
