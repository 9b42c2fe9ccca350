/** The EmptyFolderContents operation: [MS-ASCMD] §2.2.3.58. */
import type { Folder, FolderId, Mid, Operation } from '@postrider/domain'
import { child, type Element, el, has, text } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { recipientCacheId } from '../folders.ts'
import { parseCollectionId } from '../ids.ts'
import { ItemOperation, OperationError } from './itemoperations-status.ts'

/** Items taken away in one commit: a large folder is emptied in steps that others can work between. */
const STEP = 1_000

export async function emptyFolder(context: Context, element: Element): Promise<Element> {
  const id = text(element, 'AirSync:CollectionId')?.trim() ?? ''
  const echo = [el('AirSync:CollectionId', id)]
  const folder = parseCollectionId(id)
  // MS-ASCMD_R196: not in the recipient information cache.
  if (id === recipientCacheId) throw new OperationError(ItemOperation.resourceDenied, echo)
  const folders = await context.mailbox.folders()
  const target = folders.find((one) => one.id === folder)
  if (target === undefined || target.role === 'root' || target.role === 'msgfolderroot') {
    throw new OperationError(ItemOperation.notFound, echo)
  }
  if (target.role === 'recipientcache' || target.kind === 'search') {
    throw new OperationError(ItemOperation.resourceDenied, echo)
  }
  await removeItems(context, target.id)
  const deep = has(child(element, 'ItemOperations:Options'), 'ItemOperations:DeleteSubFolders')
  const whole = !deep || (await removeSubfolders(context, target.id, folders))
  return el(
    'ItemOperations:EmptyFolderContents',
    el('ItemOperations:Status', whole ? ItemOperation.success : ItemOperation.partial),
    echo,
  )
}

async function removeItems(context: Context, folder: FolderId): Promise<void> {
  for (;;) {
    const { mid, count } = await context.mailbox.scan({ folder, columns: ['mid'], limit: STEP })
    if (count === 0) return
    const items = { mids: Array.from(mid) as Mid[] }
    await context.mailbox.apply([{ op: 'remove', folder, items }])
  }
}

/** Deletes what lies below. Distinguished folders stay, emptied; false when there were some. */
async function removeSubfolders(context: Context, parent: FolderId, folders: readonly Folder[]): Promise<boolean> {
  const operations: Operation[] = []
  let whole = true
  for (const folder of folders) {
    if (folder.parent !== parent) continue
    if (folder.role === undefined && !hasDistinguished(folder.id, folders)) {
      operations.push({ op: 'deleteFolder', folder: folder.id, recursive: true })
      continue
    }
    whole = false
    await removeItems(context, folder.id)
    await removeSubfolders(context, folder.id, folders)
  }
  if (operations.length > 0) await context.mailbox.apply(operations)
  return whole
}

const hasDistinguished = (parent: FolderId, folders: readonly Folder[]): boolean =>
  folders.some((one) => one.parent === parent && (one.role !== undefined || hasDistinguished(one.id, folders)))
