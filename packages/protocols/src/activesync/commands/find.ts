/** Find, 16.1: [MS-ASCMD] §2.2.1.2. Mail by keyword query, people by the start of a name. */
import { Flag, isDomainError, type Item, type Mid } from '@postrider/domain'
import { type Child, child, children, type Element, el, has, ownText, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { collectionId, serverId } from '../ids.ts'
import { displayNames, easAddress, recipientsOfType } from '../items/addresses.ts'
import { easDate } from '../items/dates.ts'
import { scope } from '../search/folders.ts'
import { galProperties, searchGal } from '../search/gal.ts'
import { parseKql } from '../search/kql.ts'
import { foundRange, parseResultRange, type ResultRange } from '../search/range.ts'
import { stateClient } from '../state/device.ts'

/** Status: [MS-ASCMD] §2.2.3.177.2. */
const FindStatus = { success: 1, invalid: 2, folderSyncRequired: 3, startWithZero: 4 } as const

/** Characters of a SearchId: a GUID. */
const MAX_SEARCH_ID = 64

const stateKey = 'find'

/** The one name Store has in an answer, people included: MS-ASCMD_R45251807. */
const STORE = 'Mailbox'

export const find = command({
  name: 'Find',
  first: '16.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'Find:Find',
  statusTag: 'Find:Status',
  async run(context, request) {
    const root = request.document
    const id = text(root, 'Find:SearchId')?.trim() ?? ''
    const execute = child(root, 'Find:ExecuteSearch')
    const mail = child(execute, 'Find:MailBoxSearchCriterion')
    const gal = child(execute, 'Find:GalSearchCriterion')
    const criterion = mail ?? gal
    if (
      id === '' ||
      id.length > MAX_SEARCH_ID ||
      criterion === undefined ||
      (mail !== undefined && gal !== undefined)
    ) {
      return document(el('Find:Find', el('Find:Status', FindStatus.invalid)))
    }
    const range = parseResultRange(text(child(criterion, 'Find:Options'), 'Find:Range'))
    const found = await executeSearch(context, id, criterion, mail !== undefined, range)
    return document(
      el(
        'Find:Find',
        el('Find:Status', found.status === FindStatus.startWithZero ? FindStatus.success : found.status),
        el('Find:Response', el('ItemOperations:Store', STORE), el('Find:Status', found.status), found.results),
      ),
    )
  },
})

interface Found {
  readonly status: number
  /** Result, Range and Total. */
  readonly results: readonly Child[]
}
const failed = (status: number): Found => ({ status, results: [] })

async function executeSearch(
  context: Context,
  id: string,
  criterion: Element,
  mail: boolean,
  range: ResultRange | undefined,
): Promise<Found> {
  if (range === undefined) return failed(FindStatus.invalid)
  // R3707101814: a search begins with its first results; later ranges belong to a search that began.
  if (range.start > 0 && !(await isKnown(context, id))) return failed(FindStatus.startWithZero)
  const found = mail ? await findMail(context, criterion, range) : findPeople(context, criterion, range)
  if (range.start === 0 && found.status === FindStatus.success) await remember(context, id)
  return found
}

async function isKnown(context: Context, id: string): Promise<boolean> {
  const entries = await context.mailbox.state(stateClient(context.device.id), stateKey)
  return entries.some((one) => one.key === stateKey && Buffer.from(one.value).toString('utf8') === id)
}

async function remember(context: Context, id: string): Promise<void> {
  const value = Buffer.from(id)
  await context.mailbox.apply([{ op: 'putState', client: stateClient(context.device.id), key: stateKey, value }])
}

/** The words of Query: in FreeText for mail, its own text for people. */
function wordsOf(criterion: Element): string | undefined {
  const query = child(criterion, 'Find:Query')
  if (query === undefined) return undefined
  return (text(query, 'Find:FreeText') ?? ownText(query)).trim()
}

function findPeople(context: Context, criterion: Element, range: ResultRange): Found {
  const words = wordsOf(criterion)
  if (words === undefined || words === '') return failed(FindStatus.invalid)
  const { total, entries } = searchGal(context, words, range)
  const picture = has(child(criterion, 'Find:Options'), 'Find:Picture')
  const results = entries.map((entry) => el('Find:Result', el('Find:Properties', galProperties(entry, picture))))
  return { status: FindStatus.success, results: [...results, ...counted(range, results.length, total)] }
}

const counted = (range: ResultRange, count: number, total: number): Child[] => [
  count > 0 && el('Find:Range', foundRange(range.start, count)),
  el('Find:Total', total),
]

async function findMail(context: Context, criterion: Element, range: ResultRange): Promise<Found> {
  const words = wordsOf(criterion)
  if (words === undefined || words === '') return failed(FindStatus.invalid)
  const query = child(criterion, 'Find:Query')
  const collections = children(query, 'AirSync:CollectionId').map(ownText)
  const classes = children(query, 'AirSync:Class').map((one) => ownText(one).trim())
  const deep = has(child(criterion, 'Find:Options'), 'Find:DeepTraversal')
  const folders = scope(await context.mailbox.folders(), collections, deep)
  if (!folders.ok) return failed(FindStatus.folderSyncRequired)
  const mail = classes.length === 0 || classes.some((one) => /^email$/i.test(one))
  if (!mail || folders.folders.length === 0) return { status: FindStatus.success, results: counted(range, 0, 0) }
  try {
    const found = await context.mailbox.search({
      folders: folders.folders,
      query: parseKql(words, context.deps.clock.now()),
      order: 'newest',
      offset: range.start,
      limit: range.end - range.start + 1,
    })
    const mids = Array.from(found.mids) as Mid[]
    const items =
      mids.length === 0 ? [] : await context.mailbox.get({ by: { mids }, columns: ['promoted', 'recipients'] })
    const results = items.map(resultOf)
    return { status: FindStatus.success, results: [...results, ...counted(range, results.length, found.total)] }
  } catch (error) {
    if (!isDomainError(error, 'invalid')) throw error
    return failed(FindStatus.invalid)
  }
}

function resultOf(item: Item): Element {
  const { promoted, recipients = [] } = item
  const some = (tag: Parameters<typeof el>[0], value: string | undefined): Child =>
    value === undefined || value === '' ? undefined : el(tag, value)
  const from = { name: promoted?.fromName ?? '', address: promoted?.fromAddress ?? '' }
  return el(
    'Find:Result',
    el('AirSync:Class', 'Email'),
    el('AirSync:ServerId', serverId(item.folder, item.mid)),
    el('AirSync:CollectionId', collectionId(item.folder)),
    el(
      'Find:Properties',
      some('Email:Subject', promoted?.subject),
      el('Email:DateReceived', easDate(item.received)),
      some('Email:DisplayTo', promoted?.displayTo),
      some('Find:DisplayCc', promoted?.displayCc),
      some('Find:DisplayBcc', displayNames(recipientsOfType(recipients, 3))),
      el('Email:Importance', promoted?.importance ?? 1),
      el('Email:Read', (item.flags & Flag.seen) === 0 ? 0 : 1),
      el('Email2:IsDraft', (item.flags & Flag.draft) === 0 ? 0 : 1),
      some('Find:Preview', promoted?.preview),
      el('Find:HasAttachments', promoted?.hasAttachments === true ? 1 : 0),
      some('Email:From', easAddress(from)),
    ),
  )
}
