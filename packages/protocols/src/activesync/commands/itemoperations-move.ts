/**
 * The Move operation: a whole conversation goes to a folder and so does what comes later. [MS-ASCON] §3.2.5.3, [MS-ASCMD]
 * §2.2.3.117.1.
 */
import { CONVERSATION_ACTIONS, type Folder, type FolderId, type Mid, type Operation } from '@postrider/domain'
import { bytes, child, type Element, el, has, text } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { recipientCacheId } from '../folders.ts'
import { parseCollectionId } from '../ids.ts'
import { conversationHex } from '../items/conversation.ts'
import { Status } from '../status.ts'
import { ItemOperation, OperationError } from './itemoperations-status.ts'

/** Rows of one search. */
const PAGE = 1_000

export async function moveConversation(context: Context, element: Element): Promise<Element> {
  const conversation = bytes(element, 'ItemOperations:ConversationId') ?? new Uint8Array(0)
  const target = text(element, 'ItemOperations:DstFldId')?.trim()
  const echo = [el('ItemOperations:ConversationId', conversation)]
  const refuse = (status: number): never => {
    throw new OperationError(status, echo)
  }
  if (!has(child(element, 'ItemOperations:Options'), 'ItemOperations:MoveAlways')) {
    return refuse(ItemOperation.moveAlwaysMissing)
  }
  const folders = await context.mailbox.folders()
  const destination = folders.find((one) => one.id === parseCollectionId(target))
  if (target === recipientCacheId || destination?.role === 'recipientcache') {
    return refuse(Status.InvalidCombinationOfIDs)
  }
  if (destination === undefined) return refuse(ItemOperation.notFound)
  if (!isMail(destination)) return refuse(ItemOperation.destinationNotMail)
  const id = conversationHex(conversation)
  const found = id === undefined ? new Map<FolderId, Mid[]>() : await find(context, id, folders)
  if (id === undefined || found.size === 0) return refuse(ItemOperation.notFound)
  const operations: Operation[] = []
  for (const [from, mids] of found) {
    if (from === destination.id || folders.find((one) => one.id === from)?.role === 'sentitems') continue
    operations.push({ op: 'move', from, items: { mids }, to: destination.id })
  }
  operations.push({
    op: 'putState',
    client: CONVERSATION_ACTIONS,
    key: id,
    value: Buffer.from(String(destination.id)),
  })
  await context.mailbox.apply(operations)
  return el('ItemOperations:Move', el('ItemOperations:Status', ItemOperation.success), echo)
}

const isMail = (folder: Folder): boolean =>
  folder.kind === 'generic' &&
  folder.class.startsWith('IPF.Note') &&
  folder.role !== 'msgfolderroot' &&
  folder.role !== 'drafts' &&
  folder.role !== 'outbox'

/** All items of a conversation by folder; drafts and what waits to leave stay where they are. */
async function find(context: Context, id: string, folders: readonly Folder[]): Promise<Map<FolderId, Mid[]>> {
  const searched = folders.filter(isMail).map((one) => one.id)
  const found = new Map<FolderId, Mid[]>()
  for (let offset = 0; ; offset += PAGE) {
    const page = await context.mailbox.search({
      folders: searched,
      query: { kind: 'conversation', id },
      order: 'uid',
      offset,
      limit: PAGE,
    })
    for (const [i, mid] of page.mids.entries()) {
      const folder = page.folders[i] as FolderId
      const list = found.get(folder)
      if (list === undefined) found.set(folder, [mid as Mid])
      else list.push(mid as Mid)
    }
    if (offset + PAGE >= page.total) return found
  }
}
