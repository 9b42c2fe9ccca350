import type { MovedTable } from '@postrider/domain'

/** Version of what moves between two databases: the columns below and those of `rows.ts`. */
export const MOVE_FORMAT = 1

/** A table without change numbers: which columns say which row (behind `mbx`), which follow. */
export interface SmallTable {
  readonly key: readonly string[]
  readonly values: readonly string[]
}

/** What a mailbox has beside items and tombstones. Rows of the queue keep their ids, which no other database gives. */
export const smallTables: Readonly<Record<MovedTable, SmallTable>> = {
  folder: {
    key: ['fid'],
    values: [
      'parent',
      'name',
      'name_key',
      'class',
      'role',
      'kind',
      'special_use',
      'subscribed',
      'cn',
      'created_cn',
      'uidvalidity',
      'bag',
    ],
  },
  folder_count: {
    key: ['fid'],
    values: ['content_cn', 'uidnext', 'n_total', 'n_unread', 'n_deleted', 'n_hidden', 'n_bytes'],
  },
  gone_folder: { key: ['chg'], values: ['fid', 'at'] },
  keyword_set: { key: ['kw'], values: ['words'] },
  perm: { key: ['fid', 'member'], values: ['rights'] },
  named_prop: { key: ['propid'], values: ['guid', 'kind', 'lid', 'name'] },
  receive_folder: { key: ['class'], values: ['fid'] },
  state: { key: ['client', 'k'], values: ['value'] },
  once: { key: ['k'], values: ['until'] },
  queue: {
    key: ['id'],
    values: ['dest', 'due', 'lease', 'held', 'expires', 'created', 'attempts', 'body'],
  },
}
export const smallTableNames = Object.keys(smallTables) as readonly MovedTable[]

/** States of this client say what references of the database a mailbox came from stand for: they are not the mailbox's own and never move. */
export const ARRIVED = '\u0001arrived'

/** The row of the mailbox itself: everything but its number, state and epoch. */
export const counterColumns = [
  'guid',
  'created',
  'chg',
  'low_chg',
  'hierarchy_chg',
  'next_id',
  'uidvalidity',
  'used_bytes',
  'items',
  'quota',
] as const

const placement = ['fid', 'uid', 'mid', 'item_id', 'chg', 'cn', 'read_cn', 'created_cn', 'flags', 'kw', 'fai', 'size']
/** Of a placement, behind `mbx`; without `item`, which each database counts itself. */
export const placementColumns: readonly string[] = [...placement, 'received']
/** Of its item; without numbers of the database. */
export const itemColumns: readonly string[] = [
  'class',
  'subject',
  'from_address',
  'from_name',
  'display_to',
  'display_cc',
  'sent',
  'message_id',
  'preview',
  'has_attachments',
  'importance',
  'conversation',
  'idx',
  'bag',
  'recipients',
  'attachments',
  'change_key',
  'pcl',
  'source_key',
]
export const goneColumns: readonly string[] = ['fid', 'uid', 'mid', 'item_id', 'why', 'at']

const listed = (columns: readonly string[]): string => columns.join(', ')
const marks = (count: number): string => Array(count).fill('?').join(', ')

/** What a move reads and writes; rows of one mailbox each. */
export const moveSql = {
  mailbox: `SELECT state, epoch, chg, guid, items, used_bytes FROM mailbox WHERE mbx = ?`,
  counters: `SELECT ${listed(counterColumns)} FROM mailbox WHERE mbx = ?`,
  rows: `SELECT ${listed(placementColumns.map((name) => `m.${name}`))}, ${listed(itemColumns.map((name) => `i.${name}`))},
     i.blob, i.extra FROM msg m JOIN item i ON i.item = m.item WHERE m.mbx = ? AND m.chg > ? ORDER BY m.chg LIMIT ?`,
  gone: `SELECT chg, ${listed(goneColumns)} FROM gone WHERE mbx = ? AND chg > ? ORDER BY chg LIMIT ?`,
  setState: `UPDATE mailbox SET state = ? WHERE mbx = ?`,
  prepare: `INSERT INTO mailbox (mbx, guid, state, epoch, created, chg, low_chg, hierarchy_chg, next_id, uidvalidity,
     used_bytes, items, quota) VALUES (?, ?, 'arriving', ?, 0, 0, 0, 0, 1, 0, 0, 0, NULL)`,
  reached: `UPDATE mailbox SET chg = ? WHERE mbx = ?`,
  placeOf: `SELECT item, fid, uid FROM item WHERE mbx = ? AND mid = ?`,
  itemAt: `SELECT item, mid FROM msg WHERE mbx = ? AND fid = ? AND uid = ?`,
  addMsg: `INSERT INTO msg (mbx, item, ${listed(placementColumns)}) VALUES (?, ?, ${marks(placementColumns.length)})`,
  addItem: `INSERT INTO item (item, mbx, mid, item_id, fid, uid, blob, extra, ${listed(itemColumns)})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ${marks(itemColumns.length)})`,
  addGone: `INSERT INTO gone (mbx, chg, ${listed(goneColumns)}) VALUES (?, ?, ${marks(goneColumns.length)})
     ON CONFLICT (mbx, chg) DO NOTHING`,
  counted: `SELECT count(*), coalesce(sum(size), 0) FROM msg WHERE mbx = ?`,
  settle: `UPDATE mailbox SET epoch = ?, ${listed(counterColumns.map((name) => `${name} = ?`))} WHERE mbx = ?`,
  arrived: `SELECT value FROM state WHERE mbx = ? AND client = ? AND k = ?`,
  forgetSome: `DELETE FROM state WHERE (mbx, client, k) IN
     (SELECT mbx, client, k FROM state WHERE mbx = ? AND client = ? LIMIT ?) RETURNING 1`,
} as const

const keyOf = ({ key }: SmallTable): string => key.join(', ')
const equals = ({ key }: SmallTable): string => ['mbx', ...key].map((name) => `${name} = ?`).join(' AND ')
const own = (name: string): string => (name === 'state' ? ` AND client <> '${ARRIVED}'` : '')
const blobs = (name: string): string => (name === 'queue' ? ', blob' : '')

/** The statements of one table without change numbers. */
const statementsOf = (name: string, table: SmallTable) => ({
  first: `SELECT ${keyOf(table)}, ${listed(table.values)}${blobs(name)} FROM ${name} WHERE mbx = ?${own(name)}
     ORDER BY ${keyOf(table)} LIMIT ?`,
  next: `SELECT ${keyOf(table)}, ${listed(table.values)}${blobs(name)} FROM ${name} WHERE mbx = ?${own(name)}
     AND (${keyOf(table)}) > (${marks(table.key.length)}) ORDER BY ${keyOf(table)} LIMIT ?`,
  one: `SELECT ${keyOf(table)}, ${listed(table.values)}${blobs(name)} FROM ${name} WHERE ${equals(table)}`,
  add: `INSERT INTO ${name} (mbx, ${keyOf(table)}, ${listed(table.values)}${blobs(name)})
     VALUES (${marks(1 + table.key.length + table.values.length + (name === 'queue' ? 1 : 0))})`,
  remove: `DELETE FROM ${name} WHERE ${equals(table)}${name === 'queue' ? ' RETURNING blob' : ''}`,
})
export const smallSql = Object.fromEntries(
  smallTableNames.map((name) => [name, statementsOf(name, smallTables[name])]),
) as Readonly<Record<MovedTable, ReturnType<typeof statementsOf>>>
