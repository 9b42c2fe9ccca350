import {
  ALL_FLAGS,
  type ChangeNumber,
  DomainError,
  HintKind,
  type Mid,
  type OperationResult,
  type Uid,
} from '@postrider/domain'
import { changedKeywords, keywordSet } from '../keyword-sets.ts'
import type { FolderRow, MsgRow } from '../rows.ts'
import { isLong, stretches } from '../stretches.ts'
import { write } from '../sql/write.ts'
import type { Context, Of } from './context.ts'
import { bury, namedBy, onlySeenDiffers, selected, takeOut, writeRow } from './placing.ts'
import { forgetReady } from './ready.ts'

/** Where rows went: their numbers follow one another from these, change numbers `step` apart. */
interface Placed {
  readonly mid: number
  readonly uid: number
  readonly change: number
  readonly step: 1 | 2
}

const paired = (op: 'copy' | 'move', to: FolderRow, rows: readonly MsgRow[], placed: Placed): OperationResult => ({
  op,
  uidValidity: to.uidValidity,
  sourceMids: Float64Array.from(rows, ({ mid }) => mid),
  sourceUids: Uint32Array.from(rows, ({ uid }) => uid),
  mids: Float64Array.from(rows, (_, at) => placed.mid + at),
  uids: Uint32Array.from(rows, (_, at) => placed.uid + at),
  changes: Float64Array.from(rows, (_, at) => placed.change + placed.step * at),
})

/** A row at its new place. */
const fresh = (row: Omit<MsgRow, 'uid' | 'mid'> & { uid: number; mid: number }, change: number): MsgRow => {
  const cn = change as ChangeNumber
  return { ...row, uid: row.uid as Uid, mid: row.mid as Mid, change: cn, cn, readCn: 0 as ChangeNumber, createdCn: cn }
}

const nowhere: Placed = { mid: 0, uid: 0, change: 0, step: 1 }

function targetOf({ mailbox }: Context, operation: Of<'copy'> | Of<'move'>): FolderRow {
  const to = mailbox.folder(operation.to)
  if (to.kind === 'search') throw new DomainError('invalid', 'a search folder holds no items of its own')
  return to
}

export function copy(context: Context, operation: Of<'copy'>): OperationResult {
  const { connection, books, mailbox, journal, originals } = context
  const from = mailbox.folder(operation.from)
  const rows = selected(context, from, operation.items)
  const to = targetOf(context, operation)
  mailbox.reserve(rows.reduce((sum, row) => sum + row.size, 0))
  const { length } = rows
  if (length === 0) return paired('copy', to, rows, nowhere)
  const item = books.next('item', length)
  const uid = mailbox.nextUids(journal, to, length)
  const mid = mailbox.nextId(journal, length)
  const change = mailbox.nextChange(journal, length)
  const fat: { readonly many: number[][]; readonly one: number[][] } = { many: [], one: [] }
  for (const stretch of stretches(rows.map((row) => row.uid))) {
    const { first, last, at } = stretch
    const by = at - first
    const cn = change + by
    if (isLong(stretch)) {
      const place = [mailbox.id, from.id, first, last]
      connection.run(write.copyMsgs, to.id, uid + by, mid + by, item + by, cn, cn, cn, ...place)
      fat.many.push([item + by, mid + by, to.id, uid + by, ...place])
    } else
      for (const [i, row] of rows.slice(at, at + last - first + 1).entries()) {
        const made = { ...row, uid: uid + at + i, mid: mid + at + i, item: item + at + i }
        writeRow(connection, mailbox.id, to.id, fresh(made, change + at + i))
        fat.one.push([made.item, made.mid, to.id, made.uid, row.item])
      }
  }
  const copied = [...connection.every(write.copyItems, fat.many), ...connection.every(write.copyItem, fat.one)]
  originals.referIds(namedBy(copied))
  for (const row of rows) mailbox.count(journal, to, row, 1)
  mailbox.noteChange(journal, to, HintKind.added, (change + length - 1) as ChangeNumber)
  return paired('copy', to, rows, { mid, uid, change, step: 1 })
}

/** Each row takes two change numbers: of its new place, then of the tombstone at the old one. */
export function move(context: Context, operation: Of<'move'>): OperationResult {
  const { connection, mailbox, journal } = context
  const from = mailbox.folder(operation.from)
  const rows = selected(context, from, operation.items)
  const to = targetOf(context, operation)
  const { length } = rows
  if (length === 0) return paired('move', to, rows, nowhere)
  const uid = mailbox.nextUids(journal, to, length)
  const mid = mailbox.nextId(journal, length)
  const change = mailbox.nextChange(journal, 2 * length)
  forgetReady(context, from, rows)
  for (const stretch of stretches(rows.map((row) => row.uid))) {
    const { first, last, at } = stretch
    const by = at - first
    const cn = change + 2 * by
    if (isLong(stretch)) {
      const place = [mailbox.id, from.id, first, last] as const
      connection.run(write.moveItems, mid + by, to.id, uid + by, ...place)
      connection.run(write.moveMsgs, to.id, uid + by, mid + by, cn, cn, cn, ...place)
    } else
      for (const [i, row] of rows.slice(at, at + last - first + 1).entries()) {
        const moved = { ...row, uid: uid + at + i, mid: mid + at + i }
        connection.run(write.moveItem, moved.mid, to.id, moved.uid, row.item)
        writeRow(connection, mailbox.id, to.id, fresh(moved, change + 2 * (at + i)))
      }
    takeOut(context, from, rows, stretch, { why: 'moved', change: cn + 1, step: 2 })
  }
  for (const row of rows) {
    mailbox.count(journal, to, row, 1)
    mailbox.count(journal, from, row, -1)
  }
  const last = change + 2 * length - 1
  mailbox.noteChange(journal, to, HintKind.added, (last - 1) as ChangeNumber)
  mailbox.noteChange(journal, from, HintKind.removed, last as ChangeNumber)
  return paired('move', to, rows, { mid, uid, change, step: 2 })
}

export function remove(context: Context, operation: Of<'remove'>): OperationResult {
  const folder = context.mailbox.folder(operation.folder)
  const rows = selected(context, folder, operation.items)
  const changes = bury(context, folder, rows)
  return {
    op: 'remove',
    mids: Float64Array.from(rows, (row) => row.mid),
    uids: Uint32Array.from(rows, (row) => row.uid),
    changes: Float64Array.from(changes),
  }
}

/** A row that changes: its flags and keywords afterwards, and whether it counts as read or unread only. */
interface Flagged {
  readonly row: MsgRow
  readonly flags: number
  readonly kw: number
  readonly read: boolean
}

export function flag(context: Context, operation: Of<'flag'>): OperationResult {
  const { mailbox, journal } = context
  const { set = 0, clear = 0, unchangedSince } = operation
  if (((set | clear) & ~ALL_FLAGS) !== 0) throw new DomainError('invalid', `flags ${set} ${clear}`)
  const keywordsOf = keywordChange(context, operation)
  const folder = mailbox.folder(operation.folder)
  const changed: Flagged[] = []
  const conflicts: Uid[] = []
  for (const row of selected(context, folder, operation.items)) {
    if (unchangedSince !== undefined && row.change > unchangedSince) {
      conflicts.push(row.uid)
      continue
    }
    const flags = (row.flags & ~clear) | set
    const kw = keywordsOf(row.kw)
    if (flags === row.flags && kw === row.kw) continue
    changed.push({ row, flags, kw, read: kw === row.kw && onlySeenDiffers(flags, row.flags) })
  }
  const change = changed.length === 0 ? 0 : mailbox.nextChange(journal, changed.length)
  writeFlags(context, folder, changed, { keep: ALL_FLAGS & ~clear, set, change })
  for (const [at, { row, flags, read }] of changed.entries()) {
    mailbox.recount(journal, folder, row, flags)
    const kind = read ? HintKind.readChanged : HintKind.changed
    mailbox.noteChange(journal, folder, kind, (change + at) as ChangeNumber)
  }
  return {
    op: 'flag',
    uids: Uint32Array.from(changed, ({ row }) => row.uid),
    mids: Float64Array.from(changed, ({ row }) => row.mid),
    flags: Uint32Array.from(changed, ({ flags }) => flags),
    changes: Float64Array.from(changed, (_, at) => change + at),
    conflicts: Uint32Array.from(conflicts),
  }
}

function writeFlags(
  { connection, mailbox }: Context,
  folder: FolderRow,
  changed: readonly Flagged[],
  { keep, set, change }: { readonly keep: number; readonly set: number; readonly change: number },
): void {
  const parted = (at: number): boolean => {
    const [before, here] = [changed[at - 1] as Flagged, changed[at] as Flagged]
    return here.read !== before.read || here.kw !== before.kw
  }
  const uids = changed.map(({ row }) => row.uid)
  for (const stretch of stretches(uids, parted)) {
    const { first, last, at } = stretch
    const { read, kw } = changed[at] as Flagged
    const cn = change + at - first
    if (!isLong(stretch)) {
      for (const [i, { row, flags }] of changed.slice(at, at + last - first + 1).entries()) {
        const now = change + at + i
        const [cn, readCn] = read ? [row.cn, now] : [now, row.readCn]
        connection.run(write.flagMsg, flags, kw, now, cn, readCn, mailbox.id, folder.id, row.uid)
      }
      continue
    }
    const place = [mailbox.id, folder.id, first, last] as const
    if (read) connection.run(write.readMsgs, keep, set, cn, cn, ...place)
    else connection.run(write.flagMsgs, keep, set, kw, cn, cn, ...place)
  }
}

/** What the operation makes of each interned keyword set; every set is worked out once. */
function keywordChange({ mailbox, journal }: Context, operation: Of<'flag'>): (kw: number) => number {
  const { keywords, addKeywords = [], removeKeywords = [] } = operation
  if (keywords !== undefined) {
    const exactly = keywordSet(keywords)
    return () => mailbox.keywords.number(journal, exactly)
  }
  if (addKeywords.length === 0 && removeKeywords.length === 0) return (kw) => kw
  keywordSet(addKeywords)
  const known = new Map<number, number>()
  return (kw) => {
    let after = known.get(kw)
    if (after === undefined) {
      const sets = mailbox.keywords
      after = sets.number(journal, changedKeywords(sets.words(kw), removeKeywords, addKeywords))
      known.set(kw, after)
    }
    return after
  }
}
