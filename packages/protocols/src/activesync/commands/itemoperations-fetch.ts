/** The Fetch operation: items by ServerId or LongId, attachments by FileReference. [MS-ASCMD] §2.2.3.67.1. */
import type { Item, Mid } from '@postrider/domain'
import { type Child, child, children, type Element, el, has, isElement, text } from '@postrider/wire/wbxml'
import { type ContentOptions, parseContentOptions } from '../content.ts'
import type { Context } from '../context.ts'
import { parseCollectionId, parseLongId, parseServerId } from '../ids.ts'
import { readAttachment } from '../items/attachments.ts'
import { emailColumns, renderEmail } from '../items/render.ts'
import { ItemOperation, OperationError } from './itemoperations-status.ts'
import type { Parts } from './multipart.ts'

export async function fetchItem(context: Context, fetch: Element, parts: Parts | undefined): Promise<Element> {
  const store = text(fetch, 'ItemOperations:Store')?.trim().toLowerCase()
  if (has(fetch, 'DocumentLibrary:LinkId')) throw new OperationError(documentLibrary(fetch), echoOf(fetch))
  if (store === 'documentlibrary' || store === 'document library') {
    throw new OperationError(ItemOperation.protocolError, echoOf(fetch))
  }
  if (store !== 'mailbox') throw new OperationError(ItemOperation.unknownStore, echoOf(fetch))
  return has(fetch, 'AirSyncBase:FileReference')
    ? fetchAttachment(context, fetch, parts)
    : fetchMail(context, fetch, parts)
}

/** Documents are not kept here: a link that could be one is denied, anything else is a bad link. */
const documentLibrary = (fetch: Element): number =>
  /^(\\\\|https?:\/\/|file:\/\/)/i.test(text(fetch, 'DocumentLibrary:LinkId')?.trim() ?? '')
    ? ItemOperation.accessDenied
    : ItemOperation.badLink

/** The ids of the request, said again in the response. */
function echoOf(fetch: Element): Element[] {
  return [
    child(fetch, 'AirSync:CollectionId'),
    child(fetch, 'AirSync:ServerId'),
    child(fetch, 'Search:LongId'),
    child(fetch, 'DocumentLibrary:LinkId'),
    child(fetch, 'AirSyncBase:FileReference'),
  ].filter((one) => one !== undefined)
}

async function fetchMail(context: Context, fetch: Element, parts: Parts | undefined): Promise<Element> {
  const echo = echoOf(fetch)
  const refuse = (status: number): never => {
    throw new OperationError(status, echo)
  }
  const item = await findItem(context, fetch, refuse)
  const options = child(fetch, 'ItemOperations:Options')
  const parsed = parseContentOptions(options, context.version)
  if (!parsed.ok) return refuse('status' in parsed ? parsed.status : ItemOperation.protocolError)
  const content = wholeByDefault(parsed.options)
  const properties = await renderEmail(context, item, content, 'all', parts?.add)
  return el(
    'ItemOperations:Fetch',
    el('ItemOperations:Status', ItemOperation.success),
    echo,
    el('AirSync:Class', 'Email'),
    el('ItemOperations:Properties', restricted(properties, child(options, 'ItemOperations:Schema'))),
  )
}

async function findItem(context: Context, fetch: Element, refuse: (status: number) => never): Promise<Item> {
  const { mailbox } = context
  const longId = text(fetch, 'Search:LongId')?.trim()
  const server = text(fetch, 'AirSync:ServerId')?.trim()
  const collection = text(fetch, 'AirSync:CollectionId')?.trim()
  if ((longId === undefined) === (server === undefined)) return refuse(ItemOperation.protocolError)
  let mid: Mid | undefined
  let folder: number | undefined
  if (longId !== undefined) mid = parseLongId(mailbox.mailbox, longId)
  else {
    const id = parseServerId(server)
    mid = id?.mid
    folder = id?.folder
    // MS-ASCMD: CollectionId and ServerId belong together; a ServerId of another folder is not found there.
    if (collection === undefined) return refuse(ItemOperation.protocolError)
    if (parseCollectionId(collection) !== folder) return refuse(ItemOperation.notFound)
  }
  if (mid === undefined) return refuse(ItemOperation.notFound)
  const [item] = await mailbox.get({ by: { mids: [mid] }, columns: emailColumns })
  if (item === undefined || item.associated || (folder !== undefined && item.folder !== folder)) {
    return refuse(ItemOperation.notFound)
  }
  return item
}

/** Without a preference the whole body goes, in the form it is stored in. */
function wholeByDefault(options: ContentOptions): ContentOptions {
  if (options.bodyPreferences.length > 0 || options.bodyPartPreference !== undefined) return options
  const whole = (type: number) => ({ type, truncationSize: undefined, allOrNone: false, preview: undefined })
  return { ...options, bodyPreferences: [whole(2), whole(1)] }
}

/** Only the top-level elements Schema names: MS-ASEMAIL_R63. */
function restricted(properties: readonly Child[], schema: Element | undefined): readonly Child[] {
  if (schema === undefined) return properties
  const wanted = new Set(children(schema).map(({ tag }) => tag))
  return properties.filter(
    (one) => typeof one === 'object' && isElement(one as Element) && wanted.has((one as Element).tag),
  )
}

/** `m-n`, both inclusive, from zero: [MS-ASCMD] §2.2.3.143.2. Undefined for what is no range. */
export function parseByteRange(value: string): { start: number; end: number } | undefined {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(value.trim())
  if (match === null) return undefined
  const [start, end] = [Number(match[1]), Number(match[2])]
  return start <= end ? { start, end } : undefined
}

async function fetchAttachment(context: Context, fetch: Element, parts: Parts | undefined): Promise<Element> {
  const echo = echoOf(fetch)
  // MS-ASCMD_R765.
  if (children(fetch, 'AirSyncBase:FileReference').length > 1) {
    throw new OperationError(ItemOperation.protocolError, echo)
  }
  const reference = text(fetch, 'AirSyncBase:FileReference')?.trim()
  const content = await readAttachment(context.mailbox, reference)
  // MS-ASAIRS_R214: an empty reference, and any that names nothing here.
  if (content === undefined) throw new OperationError(ItemOperation.attachmentInvalid, echo)
  const asked = text(child(fetch, 'ItemOperations:Options'), 'ItemOperations:Range')
  const range = asked === undefined ? undefined : parseByteRange(asked)
  const total = content.bytes.length
  if (asked !== undefined && (range === undefined || range.start >= total)) {
    throw new OperationError(ItemOperation.rangeInvalid, echo)
  }
  const end = range === undefined ? total : Math.min(total, range.end + 1)
  const bytes = range === undefined ? content.bytes : content.bytes.subarray(range.start, end)
  return el(
    'ItemOperations:Fetch',
    el('ItemOperations:Status', ItemOperation.success),
    echo,
    el(
      'ItemOperations:Properties',
      range !== undefined && el('ItemOperations:Range', `${range.start}-${end - 1}`),
      range !== undefined && el('ItemOperations:Total', total),
      el('AirSyncBase:ContentType', content.contentType),
      parts === undefined ? el('ItemOperations:Data', base64(bytes)) : el('ItemOperations:Part', parts.add(bytes)),
    ),
  )
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
