/** The mail that is answered or forwarded. */
import type { Item } from '@postrider/domain'
import type { Context } from '../context.ts'
import { parseCollectionId, parseLongId, parseServerId } from '../ids.ts'
import { emailColumns } from '../items/render.ts'
import { Status, StatusError } from '../status.ts'
import type { SourceIds } from './request.ts'

/**
 * Finds the source. Throws 106 for an id that is none or belongs to another mailbox, 150 for one whose item is gone or has left the folder
 * (MS-ASCMD_R4824, R4930), 146 for an occurrence of what does not recur.
 */
export async function findSource(context: Context, ids: SourceIds): Promise<Item> {
  const { mailbox } = context
  const server = parseServerId(ids.itemId)
  const mid = ids.longId === undefined ? server?.mid : parseLongId(mailbox.mailbox, ids.longId)
  const folder = ids.folderId === undefined ? server?.folder : parseCollectionId(ids.folderId)
  if (mid === undefined || (ids.folderId !== undefined && folder === undefined)) {
    throw new StatusError(Status.InvalidIDs)
  }
  const [item] = await mailbox.get({ by: { mids: [mid] }, columns: emailColumns })
  if (item === undefined || item.associated || (folder !== undefined && item.folder !== folder)) {
    throw new StatusError(Status.ItemNotFound)
  }
  if (ids.instanceId !== undefined) throw new StatusError(Status.NoRecurrenceInCalendar)
  return item
}
