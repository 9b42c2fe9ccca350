/** GetItemEstimate: [MS-ASCMD] §2.2.1.9. How many items a Sync with the same key and filter would bring, per collection. */
import type { Folder } from '@postrider/domain'
import { child, children, type Element, el, flag, has, integer, text } from '@postrider/wire/wbxml'
import { itemClassOf } from '../classes.ts'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { classNameOf, findFolder, recipientCacheId } from '../folders.ts'
import { Status, StatusError } from '../status.ts'
import { serverChanges } from '../sync/changes.ts'
import { filterAllowed } from '../sync/filter.ts'
import { keyText, loadCollection } from '../sync/record.ts'

/** Status of GetItemEstimate: [MS-ASCMD] §2.2.3.177.7. */
const EstimateStatus = { success: 1, invalidCollection: 2, notPrimed: 3, invalidSyncKey: 4 } as const

/** [MS-ASCMD] §3.1.5.10. */
const maxCollections = 1000

/** An estimate counts no further: R3543. */
const maxEstimate = 512

export const getItemEstimate = command({
  name: 'GetItemEstimate',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'GetItemEstimate:GetItemEstimate',
  statusTag: 'GetItemEstimate:Status',
  async run(context, request) {
    const collections = children(child(request.document, 'GetItemEstimate:Collections'), 'GetItemEstimate:Collection')
    if (collections.length === 0 || collections.length > maxCollections) throw new StatusError(Status.InvalidXML)
    const folders = await context.mailbox.hierarchy()
    // MS-ASCMD_R907, R908.
    if (!collections.every(mayBeCounted)) {
      return document(
        el('GetItemEstimate:GetItemEstimate', el('GetItemEstimate:Status', EstimateStatus.invalidSyncKey)),
      )
    }
    const responses: Element[] = []
    let wrong = 0
    for (const collection of collections) {
      try {
        responses.push(await estimate(context, folders, collection))
      } catch (error) {
        // 12.1 has no place for it but HTTP.
        if (!(error instanceof StatusError) || error.status !== Status.InvalidXML || !context.since('14.0')) throw error
        wrong++
        responses.push(response(collectionIdOf(collection), Status.InvalidXML))
      }
    }
    // MS-ASCMD_R4129, R4130: said of the collection, and of the whole where nothing else is left of it.
    const all = wrong === collections.length && el('GetItemEstimate:Status', Status.InvalidXML)
    return document(el('GetItemEstimate:GetItemEstimate', all, ...responses))
  },
})

/** Options of one class, or of Email and SMS: the only two that go together. */
function mayBeCounted(collection: Element): boolean {
  const classes = children(collection, 'AirSync:Options').map((options) => text(options, 'AirSync:Class')?.trim() ?? '')
  return (
    classes.length < 2 || (classes.length === 2 && classes.includes('SMS') && classes.some((name) => name !== 'SMS'))
  )
}

/** Those of mail: SMS has no items here. */
const optionsOf = (collection: Element): Element | undefined =>
  children(collection, 'AirSync:Options').find((options) => text(options, 'AirSync:Class')?.trim() !== 'SMS')

const collectionIdOf = (collection: Element): string => text(collection, 'GetItemEstimate:CollectionId')?.trim() ?? ''

const response = (id: string, status: number, count?: number): Element =>
  el(
    'GetItemEstimate:Response',
    el('GetItemEstimate:Status', status),
    el(
      'GetItemEstimate:Collection',
      el('GetItemEstimate:CollectionId', id),
      count !== undefined && el('GetItemEstimate:Estimate', count),
    ),
  )

async function estimate(context: Context, folders: readonly Folder[], collection: Element): Promise<Element> {
  const id = collectionIdOf(collection)
  const syncKey = text(collection, 'AirSync:SyncKey')?.trim()
  const options = optionsOf(collection)
  const answer = (status: number, count?: number): Element => response(id, status, count)
  // MS-ASCMD_R3269: MaxItems is for the recipient information cache alone.
  if (has(options, 'AirSync:MaxItems') && id !== recipientCacheId) return answer(EstimateStatus.invalidCollection)
  const folder = findFolder(folders, id)
  if (folder === undefined) return answer(EstimateStatus.invalidCollection)
  // 12.1 has the filter beside Options: MS-ASCMD_R6554.
  const conversations = flag(collection, 'AirSync:ConversationMode')
  // MS-ASCMD_R2100: conversations are mail; and the value is a boolean.
  if (has(collection, 'AirSync:ConversationMode') && (conversations === undefined || classNameOf(folder) !== 'Email')) {
    throw new StatusError(Status.InvalidXML, 'ConversationMode')
  }
  const filterType = integer(options, 'AirSync:FilterType') ?? integer(collection, 'AirSync:FilterType')
  if (filterType !== undefined) {
    if (!(filterType >= 0 && filterType <= 8)) throw new StatusError(Status.InvalidXML, 'FilterType')
    if (!filterAllowed(classNameOf(folder), filterType)) throw new StatusError(Status.ServerError, 'FilterType')
  }
  const stored = await loadCollection(context.mailbox, context.device.id, folder.id)
  if (stored === undefined || syncKey === undefined || syncKey === '0') return answer(EstimateStatus.notPrimed)
  const { record, ledger } = stored
  const { previous } = record
  if (previous !== undefined && syncKey === keyText(record, previous.key)) ledger.rollBack(previous.undo)
  else if (syncKey !== keyText(record)) return answer(EstimateStatus.invalidSyncKey)
  const point = previous !== undefined && syncKey === keyText(record, previous.key) ? previous.point : record.point
  const itemClass = itemClassOf(folder)
  if (itemClass === undefined) return answer(EstimateStatus.success, 0)
  // Counted by the same code that would send them, with content left out.
  const { steps } = await serverChanges({
    context,
    folder,
    itemClass: { ...itemClass, render: async () => [] },
    options: filterType === undefined ? record.options : { ...record.options, filterType },
    conversations: conversations ?? point.conversations === 'shown',
    point,
    ledger,
    budget: { commands: maxEstimate, bytes: Number.MAX_SAFE_INTEGER },
    avoid: new Set(),
  })
  return answer(EstimateStatus.success, steps.length)
}
