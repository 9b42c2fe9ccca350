import { DomainError, type Packed, type ScanColumn, type ScanRequest } from '@postrider/domain'
import type { Statements, Row, Value } from '../statements.ts'
import type { MailboxState } from '../mailbox-state.ts'
import { checkedColumns, columns, packJson, packRows } from './pack.ts'

const MAX_UID = 0xffff_ffff
/** Below this share of the folder single rows are looked up; above, the range is read through. */
const DENSE = 8
/** SQLite's own limit is 2^63-1; no folder has more rows than UIDs. */
const NO_LIMIT = MAX_UID

interface Where {
  readonly text: string
  readonly values: readonly Value[]
}

const and = (parts: readonly (Where | undefined)[]): Where => {
  const given = parts.filter((part) => part !== undefined)
  return { text: given.map((part) => part.text).join(' AND '), values: given.flatMap((part) => part.values) }
}
const condition = (text: string, ...values: (number | undefined)[]): Where | undefined =>
  values.includes(undefined) ? undefined : { text, values: values as number[] }

function conditions(mailbox: MailboxState, request: ScanRequest<ScanColumn>): Where {
  const { folder, uids, changedSince, received, after, associated } = request
  const row = mailbox.folder(folder)
  // Few changes since: the index on change numbers finds them; many: one pass over the folder is cheaper.
  const few = changedSince !== undefined && (mailbox.row.change - changedSince) * DENSE < row.total + row.hidden
  return and([
    condition('mbx = ?', mailbox.id),
    condition(few ? '+fid = ?' : 'fid = ?', folder),
    condition('uid BETWEEN ? AND ?', uids?.[0], uids?.[1]),
    condition(few ? 'chg > ?' : '+chg > ?', changedSince),
    condition('received >= ?', received?.from),
    condition('received < ?', received?.before),
    condition('(received < ? OR (received = ? AND mid < ?))', after?.received, after?.received, after?.mid),
    associated === true ? undefined : { text: 'fai = 0', values: [] },
  ])
}

/** A column as it is read from `msg`. */
const selected = (column: ScanColumn): string => columns[column].of ?? columns[column].sql

/** Rows of one folder in packed columns; the database puts each column together (row objects are the cost). */
export function scan<C extends ScanColumn>(
  connection: Statements,
  mailbox: MailboxState,
  request: ScanRequest<C>,
): Packed<C> {
  const { order = 'uid', after, limit = NO_LIMIT, only, changedSince } = request
  if (after !== undefined && order !== 'newest') throw new DomainError('invalid', "'after' needs order 'newest'")
  if (!(limit >= 0)) throw new DomainError('invalid', `limit ${limit}`)
  const asked = checkedColumns(request.columns)
  const folder = mailbox.folder(request.folder)
  const sets = () => mailbox.keywords
  if (changedSince !== undefined && changedSince >= folder.contentChange) return packRows(asked, [], [], sets)
  const where = conditions(mailbox, request)
  const ordered = order === 'newest' ? 'received DESC, mid DESC' : 'uid'
  if (only !== undefined) {
    const needed = [...new Set<ScanColumn>([...asked, 'uid', 'received', 'mid'])]
    const names = needed.map(selected).join(', ')
    const rows = sparse(connection, { names, where, total: folder.total + folder.hidden }, only)
    const place = (column: ScanColumn): number => needed.indexOf(column)
    if (order === 'newest') {
      const [received, mid] = [place('received'), place('mid')]
      rows.sort((a, b) => (b[received] as number) - (a[received] as number) || (b[mid] as number) - (a[mid] as number))
    }
    return packRows(asked, rows.slice(0, limit), asked.map(place), sets)
  }
  if (asked.length === 0) {
    const text = `SELECT count(*) FROM (SELECT uid FROM msg WHERE ${where.text} LIMIT ?) AS rows`
    const count = connection.get(text, ...where.values, limit)?.[0] as number
    return { count, keywordSets: [[]] } as unknown as Packed<C>
  }
  const names = asked.map((column) => columns[column].sql)
  const text = `SELECT ${names.map((name) => `{pack:${name}}`).join(', ')} FROM (
    SELECT ${asked.map(selected).join(', ')} FROM msg WHERE ${where.text} ORDER BY ${ordered} LIMIT ?) AS rows`
  return packJson(asked, connection.get(text, ...where.values, Math.min(limit, NO_LIMIT)), sets)
}

/** Rows among `only`, ascending by UID. */
function sparse(
  connection: Statements,
  query: { readonly names: string; readonly where: Where; readonly total: number },
  only: Uint32Array,
): Row[] {
  const wanted = Uint32Array.from(new Set(only)).sort()
  const [first, last] = [wanted[0], wanted.at(-1)]
  if (first === undefined || last === undefined) return []
  const { names, where, total } = query
  if (wanted.length * DENSE < Math.min(total, last - first + 1)) {
    const text = `SELECT ${names} FROM msg WHERE ${where.text} AND uid = ?`
    const sets = Array.from(wanted, (uid) => [...where.values, uid])
    return connection.many(text, sets).flatMap((row) => (row === undefined ? [] : [row]))
  }
  const text = `SELECT uid, ${names} FROM msg WHERE ${where.text} AND uid BETWEEN ? AND ? ORDER BY uid`
  const rows: Row[] = []
  let at = 0
  for (const row of connection.all(text, ...where.values, first, last)) {
    while (at < wanted.length && (wanted[at] as number) < (row[0] as number)) at++
    if (wanted[at] === row[0]) rows.push(row.slice(1))
  }
  return rows
}
