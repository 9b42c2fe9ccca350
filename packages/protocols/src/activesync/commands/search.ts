/** Search: [MS-ASCMD] §2.2.1.16. The status of the search itself stands in Store; the outer one says only that the command was run. */
import { isDomainError, type Item, type Mid } from '@postrider/domain'
import { child, children, type Element, el, has, ownText, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import { type ContentOptions, parseContentOptions } from '../content.ts'
import type { Context } from '../context.ts'
import { collectionId, longId } from '../ids.ts'
import { emailColumns, renderEmail } from '../items/render.ts'
import { scope } from '../search/folders.ts'
import { galProperties, searchGal } from '../search/gal.ts'
import { namesMail, parseMailboxQuery } from '../search/mailbox-query.ts'
import { foundRange, parseResultRange } from '../search/range.ts'
import { Status, StatusError } from '../status.ts'

/** Status of Store: [MS-ASCMD] §2.2.3.177.13. */
const Store = {
  success: 1,
  invalid: 2,
  serverError: 3,
  badLink: 4,
  accessDenied: 5,
  tooComplex: 8,
  folderSyncRequired: 11,
  endOfRange: 12,
} as const

export const search = command({
  name: 'Search',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'Search:Search',
  statusTag: 'Search:Status',
  async run(context, request) {
    const stores = children(request.document, 'Search:Store')
    const [store] = stores
    if (store === undefined || stores.length > 1) throw new StatusError(Status.InvalidXML)
    return document(
      el('Search:Search', el('Search:Status', 1), el('Search:Response', await searchStore(context, store))),
    )
  },
})

const answer = (status: number, ...more: Parameters<typeof el>[1][]): Element =>
  el('Search:Store', el('Search:Status', status), ...more)

async function searchStore(context: Context, store: Element): Promise<Element> {
  switch (text(store, 'Search:Name')?.trim().toLowerCase()) {
    case 'gal':
      return searchAddressList(context, store)
    case 'mailbox':
      return searchMailbox(context, store)
    case 'documentlibrary':
    case 'document library':
      return answer(documentStatus(store))
    default:
      return answer(Store.invalid)
  }
}

/** No documents are kept here: what could be a link is denied. */
function documentStatus(store: Element): number {
  const equal = child(child(store, 'Search:Query'), 'Search:EqualTo')
  if (!has(equal, 'DocumentLibrary:LinkId')) return Store.invalid
  return /^(\\\\|https?:\/\/|file:\/\/)/i.test(text(equal, 'Search:Value')?.trim() ?? '')
    ? Store.accessDenied
    : Store.badLink
}

function searchAddressList(context: Context, store: Element): Element {
  const options = child(store, 'Search:Options')
  const query = child(store, 'Search:Query')
  const words = query === undefined ? '' : ownText(query).trim()
  const range = parseResultRange(text(options, 'Search:Range'))
  if (words === '' || range === undefined) return answer(Store.invalid)
  const { total, entries } = searchGal(context, words, range)
  const picture = has(options, 'Search:Picture') && context.since('14.1')
  const past = range.cut || (range.start > 0 && range.start >= total)
  return answer(
    past ? Store.endOfRange : Store.success,
    entries.length > 0
      ? entries.map((entry) => el('Search:Result', el('Search:Properties', galProperties(entry, picture))))
      : el('Search:Result'),
    entries.length > 0 && el('Search:Range', foundRange(range.start, entries.length)),
    el('Search:Total', total),
  )
}

async function searchMailbox(context: Context, store: Element): Promise<Element> {
  const options = child(store, 'Search:Options')
  if (namesMail(store)) return answer(Store.invalid)
  const parsed = parseMailboxQuery(child(store, 'Search:Query'))
  if (!parsed.ok) return answer(parsed.status)
  const range = parseResultRange(text(options, 'Search:Range'))
  const content = parseContentOptions(options, context.version)
  if (range === undefined) return answer(Store.invalid)
  if (!content.ok) return answer('status' in content ? content.status : Store.invalid)
  const folders = scope(await context.mailbox.folders(), parsed.collections, has(options, 'Search:DeepTraversal'))
  if (!folders.ok) return answer(Store.folderSyncRequired)
  const request = {
    folders: parsed.mail ? folders.folders : [],
    query: parsed.query,
    order: 'newest',
    offset: range.start,
    limit: range.end - range.start + 1,
  } as const
  try {
    const found = request.folders.length === 0 ? undefined : await context.mailbox.search(request)
    const total = found?.total ?? 0
    // MS-ASAIRS_R10011: message parts belong to conversations.
    const wanted = parsed.conversation ? content.options : { ...content.options, bodyPartPreference: undefined }
    const results = await render(context, Array.from(found?.mids ?? []) as Mid[], wanted)
    // MS-ASCMD_R3736, R4361: more was asked for than can be had.
    const past = range.cut || (range.start > 0 && range.start >= total)
    return answer(
      past ? Store.endOfRange : Store.success,
      results.length > 0 ? results : el('Search:Result'),
      results.length > 0 && el('Search:Range', foundRange(range.start, results.length)),
      el('Search:Total', total),
    )
  } catch (error) {
    if (!isDomainError(error)) throw error
    context.log.warn({ code: error.code, err: error }, 'a search failed')
    return answer(error.code === 'invalid' ? Store.tooComplex : Store.serverError)
  }
}

/** The results in the order found; a mail that cannot be shown is left out, the others stay. */
async function render(context: Context, mids: readonly Mid[], options: ContentOptions): Promise<Element[]> {
  if (mids.length === 0) return []
  const { mailbox } = context
  const results: Element[] = []
  for (const item of await mailbox.get({ by: { mids }, columns: emailColumns })) {
    const properties = await shown(context, item, options)
    if (properties === undefined) continue
    results.push(
      el(
        'Search:Result',
        el('AirSync:Class', 'Email'),
        el('Search:LongId', longId(mailbox.mailbox, item.mid)),
        el('AirSync:CollectionId', collectionId(item.folder)),
        el('Search:Properties', properties),
      ),
    )
  }
  return results
}

async function shown(context: Context, item: Item, options: ContentOptions) {
  try {
    return await renderEmail(context, item, options, 'all')
  } catch (error) {
    context.log.error({ err: error, item: item.mid }, 'a mail that cannot be shown')
    return undefined
  }
}
