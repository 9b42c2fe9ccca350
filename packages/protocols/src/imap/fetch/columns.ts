import type { Column, Packed } from '@postrider/domain'
import { formatDateTime, type ResponseWriter } from '@postrider/wire/imap'
import { FlagBytes } from '../flags.ts'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import type { ColumnAttribute, FetchPlan } from './plan.ts'

/** Rows of a folder in columns; a column that was not asked for must not be read. */
export type Rows = Packed<Column>

/** A piece of an answer: text that is the same for every row, or something of the row. */
type Piece = string | { readonly of: 'uid' | 'change' | 'size' | 'itemId' | 'received' | 'flags' }

/** How each attribute is written: text around one value. */
const pieces: { readonly [A in ColumnAttribute]: readonly Piece[] } = {
  UID: ['UID ', { of: 'uid' }],
  FLAGS: ['FLAGS ', { of: 'flags' }],
  MODSEQ: ['MODSEQ (', { of: 'change' }, ')'],
  INTERNALDATE: ['INTERNALDATE "', { of: 'received' }, '"'],
  'RFC822.SIZE': ['RFC822.SIZE ', { of: 'size' }],
  EMAILID: ['EMAILID (M', { of: 'itemId' }, ')'],
}

type Emit = (out: ResponseWriter, row: number) => void

/** The answer of a plan behind `* 1`, as few writes per row as there are values: the text between them is put together once. */
function compile(plan: FetchPlan, rows: Rows): Emit[] {
  const all: Piece[] = [' FETCH (']
  plan.steps.forEach((step, i) => {
    if (i > 0) all.push(' ')
    if (step.kind === 'column') all.push(...pieces[step.name])
    else all.push('SAVEDATE NIL')
  })
  all.push(')\r\n')
  const merged: Piece[] = []
  for (const piece of all) {
    const last = merged.at(-1)
    if (typeof piece === 'string' && typeof last === 'string') merged[merged.length - 1] = last + piece
    else merged.push(piece)
  }
  const emits: Emit[] = []
  for (let i = 0; i < merged.length; i++) {
    const piece = merged[i] as Piece
    const next = merged[i + 1]
    // A flag list takes the text on both its sides with it.
    if (typeof piece === 'string' && isFlags(next)) {
      const after = merged[i + 2]
      emits.push(flagsEmit(rows, piece, typeof after === 'string' ? after : ''))
      i += typeof after === 'string' ? 2 : 1
    } else if (typeof piece === 'string') {
      const bytes = Buffer.from(piece, 'latin1')
      emits.push((out) => out.bytes(bytes))
    } else {
      emits.push(valueEmit(rows, piece.of))
    }
  }
  return emits
}

function isFlags(piece: Piece | undefined): boolean {
  return typeof piece === 'object' && piece.of === 'flags'
}

function flagsEmit({ flags, keywords, keywordSets }: Rows, before: string, after: string): Emit {
  const lists = new FlagBytes(keywordSets, before, after)
  return (out, row) => out.bytes(lists.of(flags[row] as number, keywords[row] as number))
}

function valueEmit(rows: Rows, of: Exclude<Piece, string>['of']): Emit {
  if (of === 'flags') return flagsEmit(rows, '', '')
  const column = rows[of]
  if (of === 'received') return (out, row) => out.ascii(formatDateTime(column[row] as number))
  return (out, row) => out.number(column[row] as number)
}

const STAR = Buffer.from('* ')

/**
 * Writes FETCH answers straight from packed columns: no object per message. Answers how many messages were there.
 */
export async function fetchColumns(session: Session, plan: FetchPlan, window: Window, rows: Rows): Promise<number> {
  const { out } = session
  session.view.tellKeywords(session, rows.keywordSets)
  const emits = compile(plan, rows)
  const { uids, sequences } = window
  let at = 0
  let found = 0
  for (let row = 0; row < rows.count; row++) {
    const uid = rows.uid[row] as number
    while (at < uids.length && (uids[at] as number) < uid) at++
    if (uids[at] !== uid) continue
    found++
    out.bytes(STAR).number(sequences[at] as number)
    for (let i = 0; i < emits.length; i++) (emits[i] as Emit)(out, row)
    if ((row & 511) === 511) await session.pace()
  }
  return found
}
