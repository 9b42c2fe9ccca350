import {
  ALL_FLAGS,
  type ChangeNumber,
  DomainError,
  Flag,
  type Mid,
  type Operation,
  type OperationResult,
  type Selection,
  type Uid,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import type { FolderRow, Row } from '../rows.ts'
import type { Context } from './index.ts'
import { newRow } from './items.ts'
import { changedKeywords, keywordSet, sameKeywords } from './keywords.ts'

type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>

/** The rows of a folder that a selection names, each once, ascending by UID. */
function selected(mailbox: Mailbox, folder: FolderRow, selection: Selection): Row[] {
  const rows = new Set<Row>()
  if ('uids' in selection) {
    for (const uid of selection.uids) {
      const row = folder.rows.get(uid as Uid)
      if (row !== undefined) rows.add(row)
    }
  } else {
    for (const mid of selection.mids) {
      const row = mailbox.rows.get(mid as Mid)
      if (row?.folder === folder.id) rows.add(row)
    }
  }
  return [...rows].sort((a, b) => a.uid - b.uid)
}

interface Pair {
  readonly mid: Mid
  readonly uid: Uid
  readonly target: Row
}

const paired = (op: 'copy' | 'move', to: FolderRow, pairs: readonly Pair[]): OperationResult => ({
  op,
  uidValidity: to.uidValidity,
  sourceMids: Float64Array.from(pairs, (pair) => pair.mid),
  sourceUids: Uint32Array.from(pairs, (pair) => pair.uid),
  mids: Float64Array.from(pairs, (pair) => pair.target.mid),
  uids: Uint32Array.from(pairs, (pair) => pair.target.uid),
  changes: Float64Array.from(pairs, (pair) => pair.target.createdCn),
})

function targetOf(mailbox: Mailbox, operation: Of<'copy'> | Of<'move'>): FolderRow {
  const to = mailbox.folder(operation.to)
  if (to.kind === 'search') throw new DomainError('invalid', 'a search folder holds no items of its own')
  return to
}

/** The same item once more, in another place. */
function placeAgain({ mailbox, transaction }: Context, row: Row, to: FolderRow): Row {
  const { itemId, flags, keywords, size, received, associated, content } = row
  const mid = mailbox.nextId(transaction) as Mid
  const given = { mid, itemId, folder: to.id, flags, keywords, size, received, associated, content }
  return newRow(mailbox, transaction, given)
}

export function copy(context: Context, operation: Of<'copy'>): OperationResult {
  const { mailbox } = context
  const rows = selected(mailbox, mailbox.folder(operation.from), operation.items)
  const to = targetOf(mailbox, operation)
  mailbox.reserve(rows.reduce((sum, row) => sum + row.size, 0))
  const pairs = rows.map((row) => ({ mid: row.mid, uid: row.uid, target: placeAgain(context, row, to) }))
  return paired('copy', to, pairs)
}

export function move(context: Context, operation: Of<'move'>): OperationResult {
  const { mailbox, transaction } = context
  const rows = selected(mailbox, mailbox.folder(operation.from), operation.items)
  const to = targetOf(mailbox, operation)
  const pairs = rows.map((row) => {
    const target = placeAgain(context, row, to)
    mailbox.bury(transaction, row, 'moved')
    return { mid: row.mid, uid: row.uid, target }
  })
  return paired('move', to, pairs)
}

export function remove({ mailbox, transaction }: Context, operation: Of<'remove'>): OperationResult {
  const rows = selected(mailbox, mailbox.folder(operation.folder), operation.items)
  const changes = rows.map((row) => mailbox.bury(transaction, row, 'deleted'))
  return {
    op: 'remove',
    mids: Float64Array.from(rows, (row) => row.mid),
    uids: Uint32Array.from(rows, (row) => row.uid),
    changes: Float64Array.from(changes),
  }
}

export function flag({ mailbox, transaction }: Context, operation: Of<'flag'>): OperationResult {
  const { set = 0, clear = 0, unchangedSince } = operation
  if (((set | clear) & ~ALL_FLAGS) !== 0) throw new DomainError('invalid', `flags ${set} ${clear}`)
  const exactly = operation.keywords === undefined ? undefined : keywordSet(operation.keywords)
  const changed: Row[] = []
  const conflicts: Uid[] = []
  for (const row of selected(mailbox, mailbox.folder(operation.folder), operation.items)) {
    if (unchangedSince !== undefined && row.change > unchangedSince) {
      conflicts.push(row.uid)
      continue
    }
    const flags = (row.flags & ~clear) | set
    const keywords =
      exactly ?? changedKeywords(row.keywords, operation.removeKeywords ?? [], operation.addKeywords ?? [])
    const keywordsStay = sameKeywords(keywords, row.keywords)
    if (flags === row.flags && keywordsStay) continue
    const readOnly = keywordsStay && (flags ^ row.flags) === Flag.seen
    transaction.save(row)
    mailbox.count(transaction, row, -1)
    row.flags = flags
    row.keywords = keywords
    mailbox.count(transaction, row, 1)
    mailbox.stamp(transaction, row, readOnly)
    changed.push(row)
  }
  return {
    op: 'flag',
    uids: Uint32Array.from(changed, (row) => row.uid),
    mids: Float64Array.from(changed, (row) => row.mid),
    flags: Uint32Array.from(changed, (row) => row.flags),
    changes: Float64Array.from(changed, (row): ChangeNumber => row.change),
    conflicts: Uint32Array.from(conflicts),
  }
}
