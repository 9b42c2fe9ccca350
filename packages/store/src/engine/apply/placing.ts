import {
  type ChangeNumber,
  Flag,
  type FolderId,
  type GoneReason,
  goneReasons,
  HintKind,
  type ItemId,
  type Mid,
  type Selection,
  type Uid,
} from '@postrider/domain'
import type { Row } from '../statements.ts'
import { type FolderRow, type MsgRow, msgRow } from '../rows.ts'
import { isLong, type Stretch, stretches } from '../stretches.ts'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import type { Context } from './context.ts'
import { forgetReady } from './ready.ts'

const MAX_UID = 0xffff_ffff
/** Below this share of the folder single rows are looked up; above, the range is read through. */
const DENSE = 4

const isUid = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= MAX_UID

/** Rows of a folder by UID, ascending, each once; unknown ones are passed over. */
export function rowsByUid(
  { connection, mailbox }: Pick<Context, 'connection' | 'mailbox'>,
  folder: FolderRow,
  uids: Iterable<number>,
): MsgRow[] {
  const wanted = Uint32Array.from(new Set([...uids].filter(isUid))).sort()
  const [first, last] = [wanted[0], wanted.at(-1)]
  if (first === undefined || last === undefined) return []
  const rows: MsgRow[] = []
  const reach = Math.min(folder.total + folder.hidden, last - first + 1)
  if (wanted.length * DENSE < reach) {
    const sets = Array.from(wanted, (uid) => [mailbox.id, folder.id, uid])
    return connection.many(read.msg, sets).flatMap((row) => (row === undefined ? [] : [msgRow(row)]))
  }
  let at = 0
  for (const row of connection.all(read.msgRange, mailbox.id, folder.id, first, last)) {
    const uid = row[0] as number
    while (at < wanted.length && (wanted[at] as number) < uid) at++
    if (wanted[at] === uid) rows.push(msgRow(row))
  }
  return rows
}

/** The row of one placement and its folder. */
export function rowOf(
  { connection, mailbox }: Pick<Context, 'connection' | 'mailbox'>,
  mid: Mid,
): { readonly folder: FolderRow; readonly row: MsgRow } | undefined {
  if (!Number.isSafeInteger(mid)) return undefined
  const place = connection.get(read.placeOf, mailbox.id, mid)
  if (place === undefined) return undefined
  const row = connection.get(read.msg, mailbox.id, place[0] as number, place[1] as number) as Row
  return { folder: mailbox.folder(place[0] as FolderId), row: msgRow(row) }
}

/** The rows of a folder that a selection names, each once, ascending by UID. */
export function selected(context: Context, folder: FolderRow, selection: Selection): MsgRow[] {
  if ('uids' in selection) return rowsByUid(context, folder, selection.uids)
  const mids = Array.from<number>(selection.mids).filter(Number.isSafeInteger)
  const places = context.connection.many(
    read.placeOf,
    mids.map((mid) => [context.mailbox.id, mid]),
  )
  const uids = places.flatMap((place) => (place?.[0] === folder.id ? [place[1] as number] : []))
  return rowsByUid(context, folder, uids)
}

/** What a new placement is made of; UID and change numbers are taken here. */
export type NewRow = Pick<MsgRow, 'mid' | 'itemId' | 'item' | 'flags' | 'kw' | 'associated' | 'size' | 'received'>

/** Puts a row into a folder with the next UID (or `wanted`, of an import) and change number. The caller writes the fat row. */
export function insertRow(
  { connection, mailbox, journal }: Context,
  folder: FolderRow,
  given: NewRow,
  wanted?: Uid,
): MsgRow {
  const uid = mailbox.nextUid(journal, folder, wanted)
  const change = mailbox.contentChange(journal, folder, HintKind.added)
  const row: MsgRow = { ...given, uid, change, cn: change, readCn: 0 as ChangeNumber, createdCn: change }
  writeRow(connection, mailbox.id, folder.id, row)
  mailbox.count(journal, folder, row, 1)
  return row
}

export function writeRow(connection: Context['connection'], mailbox: number, folder: FolderId, row: MsgRow): void {
  connection.run(
    write.addMsg,
    mailbox,
    folder,
    row.uid,
    row.mid,
    row.itemId,
    row.item,
    row.change,
    row.cn,
    row.readCn,
    row.createdCn,
    row.flags,
    row.kw,
    row.associated ? 1 : 0,
    row.size,
    row.received,
  )
}

/** Leaves a tombstone; answers its number. */
export function tombstone(
  { connection, mailbox, journal, now }: Context,
  folder: FolderRow,
  row: { readonly uid: number; readonly mid: Mid; readonly itemId: ItemId },
  why: GoneReason,
): ChangeNumber {
  const change = mailbox.contentChange(journal, folder, HintKind.removed)
  const { uid, mid, itemId } = row
  connection.run(write.addGone, mailbox.id, change, folder.id, uid, mid, itemId, goneReasons.indexOf(why), now)
  return change
}

/** Removes fat rows and lets go of what they name. */
export function dropItems(
  { connection, books, journal, originals }: Pick<Context, 'connection' | 'books' | 'journal' | 'originals'>,
  mailbox: number,
  items: readonly number[],
): void {
  const many: number[][] = []
  const one: number[][] = []
  for (const stretch of stretches([...items].sort((a, b) => a - b))) {
    const { first, last } = stretch
    if (isLong(stretch)) {
      connection.run(write.deadItems, books.next('dead', last - first + 1) - first, first, last)
      many.push([first, last])
    } else
      for (let item = first; item <= last; item++) {
        connection.run(write.addDead, books.next('dead'), mailbox, item)
        one.push([item])
      }
  }
  const removed = [...connection.every(write.removeItems, many), ...connection.every(write.removeItem, one)]
  originals.release(journal, namedBy(removed))
}

/** The blobs that fat rows name (`blob`, `extra`), as often as they do. */
export const namedBy = (rows: readonly Row[]): readonly number[] =>
  rows.flatMap((row) => blobsOf(row[0] ?? null, row[1] ?? null))

/** The blobs a fat row names: its original, and those of its attachments. */
const blobsOf = (blob: Row[number], extra: Row[number]): readonly number[] => [
  ...(blob === null ? [] : [blob as number]),
  ...(extra === null ? [] : (JSON.parse(extra as string) as number[])),
]

/** Takes a stretch of rows out of its folder and leaves tombstones, whose numbers are `step` times the UID and `change`; the fat rows stay. */
export function takeOut(
  { connection, mailbox, now }: Context,
  folder: FolderRow,
  rows: readonly MsgRow[],
  stretch: Stretch,
  gone: { readonly why: GoneReason; readonly change: number; readonly step: 1 | 2 },
): void {
  const { first, last, at } = stretch
  const why = goneReasons.indexOf(gone.why)
  if (isLong(stretch)) {
    const place = [mailbox.id, folder.id, first, last] as const
    connection.run(write.goneMsgs, gone.step, gone.change, why, now, ...place)
    connection.run(write.removeMsgs, ...place)
    return
  }
  for (const { uid, mid, itemId } of rows.slice(at, at + last - first + 1)) {
    const change = gone.change + gone.step * uid
    connection.run(write.addGone, mailbox.id, change, folder.id, uid, mid, itemId, why, now)
    connection.run(write.removeMsg, mailbox.id, folder.id, uid)
  }
}

/** Removes rows (ascending by UID) for good; answers the numbers of their tombstones. */
export function bury(context: Context, folder: FolderRow, rows: readonly MsgRow[]): readonly ChangeNumber[] {
  if (rows.length === 0) return []
  const { mailbox, journal } = context
  const items = rows.map((row) => row.item)
  const first = mailbox.nextChange(journal, rows.length)
  forgetReady(context, folder, rows)
  for (const stretch of stretches(rows.map((row) => row.uid))) {
    takeOut(context, folder, rows, stretch, { why: 'deleted', change: first + stretch.at - stretch.first, step: 1 })
  }
  for (const row of rows) mailbox.count(journal, folder, row, -1)
  mailbox.noteChange(journal, folder, HintKind.removed, (first + rows.length - 1) as ChangeNumber)
  dropItems(context, mailbox.id, items)
  return rows.map((_, at) => (first + at) as ChangeNumber)
}

/** Empties a folder. */
export function buryAll(context: Context, folder: FolderRow): void {
  const rows = context.connection.all(read.msgRange, context.mailbox.id, folder.id, 0, MAX_UID)
  bury(
    context,
    folder,
    rows.map((row) => msgRow(row)),
  )
}

/** Whether two states of the flags differ in \Seen alone. */
export const onlySeenDiffers = (a: number, b: number): boolean => (a ^ b) === Flag.seen
