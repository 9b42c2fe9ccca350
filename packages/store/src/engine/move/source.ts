import { createHash } from 'node:crypto'
import {
  type BlobRef,
  type ChangeNumber,
  DomainError,
  type MailboxId,
  type MovedGone,
  type MovedRow,
  type MovedSmallRow,
  type MovedTable,
  type MovedValue,
  type MovePage,
  type MoveSteps,
  type Residence,
  type TableDigest,
} from '@postrider/domain'
import type { OwnedDatabase } from '../owned.ts'
import type { Row } from '../statements.ts'
import {
  goneColumns,
  itemColumns,
  MOVE_FORMAT,
  moveSql,
  placementColumns,
  smallSql,
  smallTableNames,
  smallTables,
} from './tables.ts'

/** Rows without change numbers in one answer. */
const MAX_DIGESTS = 2_000
const CHANGE_AT = placementColumns.indexOf('chg')
const SIZE_AT = placementColumns.indexOf('size')
const MAX_PAGE = 1_000

type Reads = Pick<OwnedDatabase, 'connection' | 'originals'>

/** How a mailbox is here; undefined when it is not. */
export function look({ connection }: Pick<Reads, 'connection'>, id: MailboxId): Residence | undefined {
  const row = connection.get(moveSql.mailbox, id)
  if (row === undefined) return undefined
  const [state, epoch, change, guid, items, usedBytes] = row as [
    Residence['state'],
    number,
    number,
    string,
    number,
    number,
  ]
  return { state, epoch, change: change as ChangeNumber, format: MOVE_FORMAT, guid, items, usedBytes }
}

/** What changed after `since`, at most `limit` rows and tombstones each. */
export function page(
  { connection, originals }: Reads,
  id: MailboxId,
  { since, limit }: MoveSteps['page']['ask'],
): MovePage {
  const most = Math.min(limit, MAX_PAGE)
  const reached = connection.get(moveSql.mailbox, id)?.[2] as number | undefined
  if (reached === undefined) throw new DomainError('mailboxNotFound', `mailbox ${id}`)
  const rows = connection.all(moveSql.rows, id, since, most)
  const gone = connection.all(moveSql.gone, id, since, most)
  const lastRow = rows.length < most ? reached : (rows.at(-1)?.[CHANGE_AT] as number)
  const lastGone = gone.length < most ? reached : (gone.at(-1)?.[0] as number)
  const upTo = Math.min(lastRow, lastGone) as ChangeNumber
  const width = placementColumns.length + itemColumns.length
  return {
    rows: rows.flatMap((row): MovedRow[] => {
      const change = row[CHANGE_AT] as ChangeNumber
      if (change > upTo) return []
      const [blob, extra] = [row[width] as number | null, row[width + 1] as string | null]
      const attached = extra === null ? [] : (JSON.parse(extra) as number[]).map((one) => originals.refOfId(one))
      const original = blob === null ? undefined : originals.refOfId(blob)
      return [{ change, values: row.slice(0, width), size: row[SIZE_AT] as number, original, attached }]
    }),
    gone: gone.flatMap((row): MovedGone[] => {
      const change = row[0] as ChangeNumber
      return change > upTo ? [] : [{ change, values: row.slice(1, 1 + goneColumns.length) }]
    }),
    upTo,
    more: upTo < reached,
  }
}

export function counters({ connection }: Pick<Reads, 'connection'>, id: MailboxId): readonly MovedValue[] {
  const row = connection.get(moveSql.counters, id)
  if (row === undefined) throw new DomainError('mailboxNotFound', `mailbox ${id}`)
  return row
}

const digestOf = (values: readonly MovedValue[]): string => {
  const hash = createHash('sha256')
  for (const value of values) {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value))
    hash
      .update(`${value instanceof Uint8Array ? 'b' : value === null ? 'n' : typeof value} ${bytes.length} `)
      .update(bytes)
  }
  return hash.digest('base64url').slice(0, 22)
}

/** Digests of the rows without change numbers behind `after`, over all tables. The place of an original is not part of it: it differs. */
export function digests(
  { connection }: Pick<Reads, 'connection'>,
  id: MailboxId,
  { after }: MoveSteps['digests']['ask'],
): MoveSteps['digests']['answer'] {
  const found: TableDigest[] = []
  let from = after === undefined ? 0 : smallTableNames.indexOf(after.table)
  let key = after?.key
  if (from < 0) throw new DomainError('invalid', `table ${String(after?.table)}`)
  for (; from < smallTableNames.length; from++) {
    const table = smallTableNames[from] as MovedTable
    const { first, next } = smallSql[table]
    const left = MAX_DIGESTS - found.length
    const rows = key === undefined ? connection.all(first, id, left) : connection.all(next, id, ...key, left)
    const { key: keys, values } = smallTables[table]
    for (const row of rows)
      found.push({
        table,
        key: row.slice(0, keys.length),
        digest: digestOf(row.slice(keys.length, keys.length + values.length)),
      })
    if (rows.length >= left) return { digests: found, more: true }
    key = undefined
  }
  return { digests: found, more: false }
}

/** Some rows of a table; those that are gone are left out. */
export function smallRows(
  { connection, originals }: Reads,
  id: MailboxId,
  { table, keys }: MoveSteps['rows']['ask'],
): readonly MovedSmallRow[] {
  const known = smallSql[table]
  if (known === undefined) throw new DomainError('invalid', `table ${String(table)}`)
  const { key, values } = smallTables[table]
  return keys.flatMap((wanted) => {
    const row: Row | undefined = connection.get(known.one, id, ...wanted)
    if (row === undefined) return []
    const blob = row[key.length + values.length]
    const original: BlobRef | undefined = typeof blob === 'number' ? originals.refOfId(blob) : undefined
    return [{ key: row.slice(0, key.length), values: row.slice(key.length, key.length + values.length), original }]
  })
}
