import {
  type Attachment,
  type BlobRef,
  DomainError,
  type MailboxId,
  type MovedRow,
  type MovedSmallRow,
  type MovedTable,
  type MoveSteps,
  type TableDigest,
} from '@postrider/domain'
import { dropItems } from '../apply/placing.ts'
import { sealAttachments, unsealAttachments } from '../encode.ts'
import type { Journal } from '../journal.ts'
import type { OwnedDatabase } from '../owned.ts'
import { write } from '../sql/write.ts'
import { look } from './source.ts'
import { arrivedRef, noteArrived } from './references.ts'
import { counterColumns, itemColumns, moveSql, placementColumns, smallSql } from './tables.ts'

/** The database a mailbox arrives in, inside of one call. */
interface Arriving extends Pick<OwnedDatabase, 'connection' | 'books' | 'originals'> {
  readonly number: number
  readonly journal: Journal
  readonly id: MailboxId
  /** References that were given here to the bytes that came with the call, by those of the source. */
  readonly staged: ReadonlyMap<BlobRef, BlobRef>
}

const at = (name: string): number => placementColumns.indexOf(name)
const [FID, UID, MID, ITEM_ID] = [at('fid'), at('uid'), at('mid'), at('item_id')]
const ATTACHMENTS = placementColumns.length + itemColumns.indexOf('attachments')

/** Throws `conflict` unless the mailbox is on its way here. */
function arriving(context: Pick<Arriving, 'connection' | 'id'>): void {
  const state = look(context, context.id)?.state
  if (state !== 'arriving') throw new DomainError('conflict', `mailbox ${context.id} is ${state ?? 'not here'}`)
}

/** Which originals of the source are not here. */
export const missing = (
  { connection, number, id }: Pick<Arriving, 'connection' | 'number' | 'id'>,
  refs: readonly BlobRef[],
): readonly BlobRef[] => refs.filter((ref) => arrivedRef(connection, number, id, ref) === undefined)

/** Names the original of the source once more; answers its number here. */
function refer({ connection, number, originals, journal, id, staged }: Arriving, ref: BlobRef): number {
  const here = arrivedRef(connection, number, id, ref)
  if (here !== undefined) return originals.refer(journal, here)
  const fresh = staged.get(ref)
  if (fresh === undefined) throw new DomainError('blobGone', `${ref} did not come along`)
  const blob = originals.refer(journal, fresh)
  noteArrived(connection, id, ref, fresh)
  return blob
}

const ownRef = ({ connection, number, id }: Arriving, ref: BlobRef): BlobRef =>
  arrivedRef(connection, number, id, ref) ?? ref

/** Takes a placement out, with its item; no tombstone. */
function takeOut(context: Arriving, folder: number, uid: number, item: number): void {
  context.connection.run(write.removeMsg, context.id, folder, uid)
  dropItems(context, context.id, [item])
}

function place(context: Arriving, { values, original, attached }: MovedRow): void {
  const { connection, books, id } = context
  const before = connection.get(moveSql.placeOf, id, values[MID] as number)
  const blob = original === undefined ? null : refer(context, original)
  const extra = attached.map((ref) => refer(context, ref))
  // After the new ones were named, so that what both name stays.
  if (before !== undefined) takeOut(context, before[1] as number, before[2] as number, before[0] as number)
  const item = books.next('item')
  connection.run(moveSql.addMsg, id, item, ...values.slice(0, placementColumns.length))
  const fat = [...values]
  if (attached.length > 0) {
    const list = unsealAttachments(values[ATTACHMENTS] as Uint8Array | null)
    fat[ATTACHMENTS] = sealAttachments(
      list.map(
        (one): Attachment =>
          'blob' in one.source ? { ...one, source: { blob: ownRef(context, one.source.blob) } } : one,
      ),
    )
  }
  connection.run(
    moveSql.addItem,
    item,
    id,
    values[MID] as number,
    values[ITEM_ID] as number,
    values[FID] as number,
    values[UID] as number,
    blob,
    extra.length === 0 ? null : JSON.stringify(extra),
    ...fat.slice(placementColumns.length),
  )
}

/** Writes a page of the source's feed. Doing it twice is once. */
export function receive(context: Arriving, { rows, gone, upTo }: MoveSteps['receive']['ask']['page']): void {
  arriving(context)
  const { connection, id } = context
  // Rows first: what a move took out of one folder and put into another is one item, whose original must not go in between.
  for (const row of rows) place(context, row)
  for (const { change, values } of gone) {
    const [folder, uid, mid] = values as readonly number[]
    const there = connection.get(moveSql.itemAt, id, folder as number, uid as number)
    if (there !== undefined && there[1] === mid) takeOut(context, folder as number, uid as number, there[0] as number)
    connection.run(moveSql.addGone, id, change, ...values)
  }
  connection.run(moveSql.reached, upTo, id)
}

function removeSmall(context: Arriving, { table, key }: Omit<TableDigest, 'digest'>): void {
  const { connection, originals, journal, id } = context
  if (table !== 'queue') {
    connection.run(known(table).remove, id, ...key)
    return
  }
  const blob = connection.get(known(table).remove, id, ...key)?.[0]
  if (typeof blob === 'number') originals.release(journal, [blob])
}

const known = (table: MovedTable): (typeof smallSql)[MovedTable] => {
  const statements = Object.hasOwn(smallSql, table) ? smallSql[table] : undefined
  if (statements === undefined) throw new DomainError('invalid', `table ${String(table)}`)
  return statements
}

/** Takes rows without change numbers out and puts others in. All that differ are taken out first: names may have changed places. */
export function put(context: Arriving, { remove, rows }: Pick<MoveSteps['put']['ask'], 'remove' | 'rows'>): void {
  arriving(context)
  const { connection, id } = context
  const named = rows.map(({ row: { original } }) => (original === undefined ? undefined : refer(context, original)))
  for (const one of remove) removeSmall(context, one)
  for (const { table, row } of rows) removeSmall(context, { table, key: row.key })
  for (const [i, { table, row }] of rows.entries()) {
    const blob = named[i]
    connection.run(known(table).add, ...smallValues(id, row), ...(blob === undefined ? [] : [blob]))
  }
}
const smallValues = (id: MailboxId, { key, values }: MovedSmallRow) => [id, ...key, ...values]

/** Takes the counters over, and looks whether the rows are what they count. */
export function settle(
  context: Pick<Arriving, 'connection' | 'id'>,
  { counters, epoch }: MoveSteps['settle']['ask'],
): void {
  arriving(context)
  const { connection, id } = context
  const [items, bytes] = connection.get(moveSql.counted, id) as readonly [number, number]
  const counted = (name: (typeof counterColumns)[number]) => counters[counterColumns.indexOf(name)]
  if (items !== counted('items') || bytes !== counted('used_bytes'))
    throw new DomainError(
      'conflict',
      `${items} items of ${bytes} bytes arrived, not ${counted('items')} of ${counted('used_bytes')}`,
    )
  connection.run(moveSql.settle, epoch, ...counters, id)
}
