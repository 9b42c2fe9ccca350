/**
 * ItemOperations: [MS-ASCMD] §2.2.1.10. A list of operations, done in their order, each with a status of its own. Read next:
 * itemoperations-fetch.ts, itemoperations-empty.ts, itemoperations-move.ts.
 */
import { isDomainError } from '@postrider/domain'
import { children, type Element, el, has, type Tag } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { emptyFolder } from './itemoperations-empty.ts'
import { fetchItem } from './itemoperations-fetch.ts'
import { moveConversation } from './itemoperations-move.ts'
import { ItemOperation, itemOperationStatus, OperationError } from './itemoperations-status.ts'
import { Parts } from './multipart.ts'

/** Operations of one request: MS-ASCMD_R7489. */
export const MAX_ITEM_OPERATIONS = 100

type Handler = (context: Context, element: Element, parts: Parts | undefined) => Promise<Element>

const handlers: Partial<Record<Tag, Handler>> = {
  'ItemOperations:Move': moveConversation,
  'ItemOperations:EmptyFolderContents': emptyFolder,
  'ItemOperations:Fetch': fetchItem,
}

/** What each operation must name: [MS-ASCMD] §6.15. */
const required: Partial<Record<Tag, readonly Tag[]>> = {
  'ItemOperations:Move': ['ItemOperations:ConversationId', 'ItemOperations:DstFldId'],
  'ItemOperations:EmptyFolderContents': ['AirSync:CollectionId'],
  'ItemOperations:Fetch': ['ItemOperations:Store'],
}

/** The order of Response: [MS-ASCMD] §6.16. */
const order = ['ItemOperations:Move', 'ItemOperations:EmptyFolderContents', 'ItemOperations:Fetch']

export const itemOperations = command({
  name: 'ItemOperations',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'ItemOperations:ItemOperations',
  statusTag: 'ItemOperations:Status',
  async run(context, request) {
    const operations = children(request.document)
    // MS-ASCMD_R7238: XML that is not valid is refused as a whole, before anything is done.
    const valid = operations.every((one) => required[one.tag]?.every((tag) => has(one, tag)) === true)
    if (operations.length === 0 || !valid || (operations.some(isMove) && !context.since('14.0'))) {
      return document(answer(ItemOperation.protocolError, []))
    }
    if (operations.length > MAX_ITEM_OPERATIONS) return document(answer(ItemOperation.tooLarge, []))
    const parts = request.acceptMultiPart ? new Parts() : undefined
    const responses: Element[] = []
    for (const operation of operations) responses.push(await run(context, operation, parts))
    const root = answer(
      ItemOperation.success,
      responses.toSorted((a, b) => order.indexOf(a.tag) - order.indexOf(b.tag)),
    )
    return parts === undefined ? document(root) : parts.answer(root, context.version)
  },
})

const isMove = ({ tag }: Element): boolean => tag === 'ItemOperations:Move'

const answer = (status: number, responses: readonly Element[]): Element =>
  el(
    'ItemOperations:ItemOperations',
    el('ItemOperations:Status', status),
    responses.length > 0 && el('ItemOperations:Response', responses),
  )

/** One operation; what goes wrong is its own status, the others go on. */
async function run(context: Context, operation: Element, parts: Parts | undefined): Promise<Element> {
  const handler = handlers[operation.tag] as Handler
  try {
    return await handler(context, operation, parts)
  } catch (error) {
    if (error instanceof OperationError) {
      return el(operation.tag, el('ItemOperations:Status', error.status), error.echo)
    }
    if (!isDomainError(error)) throw error
    context.log.warn({ code: error.code, err: error }, 'an item operation failed')
    return el(operation.tag, el('ItemOperations:Status', itemOperationStatus[error.code]))
  }
}
