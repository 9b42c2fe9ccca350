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
import { write } from '../sql/write.ts'
import type { Context, Of } from './context.ts'
import { blobsOf, bury, insertRow, onlySeenDiffers, selected, takeOut } from './placing.ts'

interface Pair {
  readonly source: MsgRow
  readonly target: MsgRow
}

const paired = (op: 'copy' | 'move', to: FolderRow, pairs: readonly Pair[]): OperationResult => ({
  op,
  uidValidity: to.uidValidity,
  sourceMids: Float64Array.from(pairs, ({ source }) => source.mid),
  sourceUids: Uint32Array.from(pairs, ({ source }) => source.uid),
  mids: Float64Array.from(pairs, ({ target }) => target.mid),
  uids: Uint32Array.from(pairs, ({ target }) => target.uid),
  changes: Float64Array.from(pairs, ({ target }) => target.createdCn),
})

function targetOf({ mailbox }: Context, operation: Of<'copy'> | Of<'move'>): FolderRow {
  const to = mailbox.folder(operation.to)
  if (to.kind === 'search') throw new DomainError('invalid', 'a search folder holds no items of its own')
  return to
}

export function copy(context: Context, operation: Of<'copy'>): OperationResult {
  const { connection, books, mailbox, journal, originals } = context
  const rows = selected(context, mailbox.folder(operation.from), operation.items)
  const to = targetOf(context, operation)
  mailbox.reserve(rows.reduce((sum, row) => sum + row.size, 0))
  const pairs = rows.map((source): Pair => {
    const mid = mailbox.nextId(journal) as Mid
    const item = books.next('item')
    return { source, target: insertRow(context, to, { ...source, mid, item }) }
  })
  const copied = connection.many(
    write.copyItem,
    pairs.map(({ source, target }) => [target.item, target.mid, to.id, target.uid, source.item]),
  )
  for (const row of copied) {
    for (const id of row === undefined ? [] : blobsOf(row[0] ?? null, row[1] ?? null)) originals.referId(id)
  }
  return paired('copy', to, pairs)
}

export function move(context: Context, operation: Of<'move'>): OperationResult {
  const { connection, mailbox, journal } = context
  const from = mailbox.folder(operation.from)
  const rows = selected(context, from, operation.items)
  const to = targetOf(context, operation)
  const pairs = rows.map((source): Pair => {
    const target = insertRow(context, to, { ...source, mid: mailbox.nextId(journal) as Mid })
    connection.run(write.moveItem, target.mid, to.id, target.uid, source.item)
    takeOut(context, from, source, 'moved')
    return { source, target }
  })
  return paired('move', to, pairs)
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

interface Flagged {
  readonly uid: Uid
  readonly mid: Mid
  readonly flags: number
  readonly change: ChangeNumber
}

export function flag(context: Context, operation: Of<'flag'>): OperationResult {
  const { connection, mailbox, journal } = context
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
    const read = kw === row.kw && onlySeenDiffers(flags, row.flags)
    const change = mailbox.contentChange(journal, folder, read ? HintKind.readChanged : HintKind.changed)
    const [cn, readCn] = read ? [row.cn, change] : [change, row.readCn]
    connection.run(write.flagMsg, flags, kw, change, cn, readCn, mailbox.id, folder.id, row.uid)
    mailbox.count(journal, folder, row, -1)
    mailbox.count(journal, folder, { ...row, flags }, 1)
    changed.push({ uid: row.uid, mid: row.mid, flags, change })
  }
  return {
    op: 'flag',
    uids: Uint32Array.from(changed, (row) => row.uid),
    mids: Float64Array.from(changed, (row) => row.mid),
    flags: Uint32Array.from(changed, (row) => row.flags),
    changes: Float64Array.from(changed, (row) => row.change),
    conflicts: Uint32Array.from(conflicts),
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
