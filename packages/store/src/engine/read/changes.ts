import {
  allColumns,
  type ChangeNumber,
  type Changes,
  type ChangesRequest,
  DomainError,
  type Folder,
} from '@postrider/domain'
import type { Statements, Row } from '../statements.ts'
import type { MailboxState } from '../mailbox-state.ts'
import { folderRow } from '../rows.ts'
import { msgColumns, read } from '../sql/read.ts'
import { packGone, packRows } from './pack.ts'

/** Place of each packed column in a row of `fid` and `msgColumns`. */
const sqlNames = ['fid', ...msgColumns.split(', ')]
const placeOf = new Map(
  Object.entries({
    uid: 'uid',
    mid: 'mid',
    itemId: 'item_id',
    folder: 'fid',
    flags: 'flags',
    keywords: 'kw',
    change: 'chg',
    cn: 'cn',
    readCn: 'read_cn',
    createdCn: 'created_cn',
    size: 'size',
    received: 'received',
    associated: 'fai',
  }).map(([column, name]) => [column, sqlNames.indexOf(name)]),
)
const places = allColumns.map((column) => placeOf.get(column) as number)
const CHANGE_PLACE = placeOf.get('change') as number

/** Cursor 0 knows nothing, so it misses no tombstone and never has to start over. */
const tooOld = (mailbox: MailboxState, since: number): boolean => since > 0 && since < mailbox.row.lowest

/** The change feed after `since`: rows, tombstones and hierarchy in one order of change numbers, at most `limit` of all together. */
export function changes(connection: Statements, mailbox: MailboxState, request: ChangesRequest): Changes {
  const { since, folder: only, limit } = request
  if (!(limit >= 1)) throw new DomainError('invalid', `limit ${limit}`)
  if (!Number.isSafeInteger(since) || since < 0) throw new DomainError('invalid', `since ${since}`)
  const top = mailbox.row.change as ChangeNumber
  const resync = tooOld(mailbox, since)
  const whole = Math.min(Math.floor(limit), 1_000_000)
  const quiet = resync || since >= top
  const within =
    quiet || (only !== undefined && (mailbox.findFolder(only)?.contentChange ?? 0) <= since && known(mailbox, only))
  const ask = (all: string, ofFolder: string): readonly Row[] => {
    if (within) return []
    return only === undefined
      ? connection.all(all, mailbox.id, since, whole + 1)
      : connection.all(ofFolder, mailbox.id, since, only, whole + 1)
  }
  const items = ask(read.changedMsgs, read.changedMsgsOf)
  const gone = ask(read.gone, read.goneOf)
  const hierarchy = !quiet && mailbox.row.hierarchy > since
  const folders: readonly Folder[] = hierarchy
    ? connection
        .all(read.folders, mailbox.id)
        .map(folderRow)
        .filter((one) => one.cn > since)
        .sort((a, b) => a.cn - b.cn)
    : []
  const goneFolders = hierarchy ? connection.all(read.goneFolders, mailbox.id, since, whole + 1) : []
  const upTo = lastWithin(whole, [
    items.map((row) => row[CHANGE_PLACE] as number),
    gone.map((row) => row[0] as number),
    folders.map((one) => one.cn),
    goneFolders.map((row) => row[1] as number),
  ])
  const end = upTo ?? top
  return {
    upTo: end as ChangeNumber,
    more: upTo !== undefined,
    resync,
    items: packRows(
      allColumns,
      items.filter((row) => (row[CHANGE_PLACE] as number) <= end),
      places,
      () => mailbox.keywords,
    ),
    gone: packGone(gone.filter((row) => (row[0] as number) <= end)),
    folders: folders.filter((one) => one.cn <= end),
    goneFolders: goneFolders
      .filter((row) => (row[1] as number) <= end)
      .map((row) => ({ id: row[0] as Folder['id'], change: row[1] as ChangeNumber })),
  }
}

/** A deleted folder has tombstones, though it has no row any more. */
const known = (mailbox: MailboxState, folder: Folder['id']): boolean => mailbox.findFolder(folder) !== undefined

/** The change number of the `limit`th entry of all lists together, when there are more than that. */
function lastWithin(limit: number, lists: readonly (readonly number[])[]): number | undefined {
  const count = lists.reduce((sum, list) => sum + list.length, 0)
  if (count <= limit) return undefined
  return Float64Array.from(lists.flat()).sort()[limit - 1]
}
