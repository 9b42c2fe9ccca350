import type { FolderId, Operation } from '@postrider/domain'
import { folderNameKey, resultOf } from '@postrider/domain'
import { no, ok, Refusal } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree, levels, SEPARATOR } from '../folders.ts'
import { dropSubscription, lostSubscriptions } from './subscriptions.ts'

/** RFC 6154 §2: the uses a mailbox can be created for, in the spelling they are shown in. */
const uses = new Map([
  ['drafts', '\\Drafts'],
  ['sent', '\\Sent'],
  ['trash', '\\Trash'],
  ['junk', '\\Junk'],
  ['archive', '\\Archive'],
])

/** RFC 9051 §6.3.4: missing levels above are created too. RFC 6154 §3: USE; RFC 8474 §4.2: MAILBOXID. */
export const create = command({
  name: 'CREATE',
  states: afterLogin,
  updates: 'all',
  async run(session, { mailbox, specialUse }) {
    const use = specialUse.length === 0 ? undefined : uses.get(specialUse[0] ?? '')
    if (specialUse.length > 1 || (specialUse.length === 1 && use === undefined)) {
      return no('No mailbox can be created for that use', 'USEATTR')
    }
    const tree = await FolderTree.of(session.user.mailbox, true)
    const path = levels(mailbox)
    const { operations } = missing(tree, path)
    if (operations.length === 0) return no('A mailbox of that name exists', 'ALREADYEXISTS')
    const last = operations.at(-1)
    if (use !== undefined && last !== undefined) operations[operations.length - 1] = { ...last, specialUse: use }
    // Somebody who was subscribed to the name before is so again.
    const name = path.join(SEPARATOR)
    const lost = (await lostSubscriptions(session.user.mailbox)).some(
      (one) => folderNameKey(one) === folderNameKey(name),
    )
    const made = operations.at(-1)
    if (lost && made !== undefined) operations[operations.length - 1] = { ...made, subscribed: true }
    const applied = await session.user.mailbox.apply([...operations, ...(lost ? [dropSubscription(name)] : [])])
    const { folder } = resultOf(applied, operations.length - 1, 'createFolder')
    return ok('CREATE completed', session.offers('OBJECTID') ? `MAILBOXID (F${folder})` : undefined)
  },
})

type CreateFolder = Extract<Operation, { op: 'createFolder' }>

/** The operations that make the levels of `path` that are not there yet, and the deepest folder that is. */
export function missing(tree: FolderTree, path: readonly string[]): { operations: CreateFolder[]; above: FolderId } {
  if (path.some((name) => name === '')) throw new Refusal(no('A mailbox cannot have that name', 'CANNOT'))
  const operations: CreateFolder[] = []
  let above: FolderId = tree.top.id
  path.forEach((name, depth) => {
    const known = operations.length > 0 ? undefined : tree.anyFolder(path.slice(0, depth + 1).join(SEPARATOR))
    if (known !== undefined) {
      above = known.id
      return
    }
    const parent = operations.length === 0 ? above : { operation: operations.length - 1 }
    operations.push({ op: 'createFolder', parent, name, class: 'IPF.Note' })
  })
  return { operations, above }
}
