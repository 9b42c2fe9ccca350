import type { Column, Packed } from '@postrider/domain'
import { formatDateTime, type ResponseWriter } from '@postrider/wire/imap'
import { FlagBytes } from '../flags.ts'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import { LENGTH_BYTES, Texts } from '../pictures/texts.ts'
import { type ColumnAttribute, type FetchPlan, isText, type TextStep } from './plan.ts'

/** Rows of a folder in columns; a column that was not asked for must not be read. */
export type Rows = Packed<Column>

/** A piece of an answer: text that is the same for every row, or something of the row. */
type Piece = string | { readonly of: 'uid' | 'change' | 'size' | 'itemId' | 'received' | 'flags' } | Texts

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
function compile(plan: FetchPlan, rows: Rows, texts: readonly (Texts | undefined)[]): Emit[] {
  const all: Piece[] = [' FETCH (']
  plan.steps.forEach((step, i) => {
    if (i > 0) all.push(' ')
    const ready = texts[i]
    if (step.kind === 'column') all.push(...pieces[step.name])
    else if (ready === undefined) all.push('SAVEDATE NIL')
    else all.push(isText(step) ? labelOf(step) : '', ready)
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
      emits.push(piece instanceof Texts ? textEmit(rows, piece) : valueEmit(rows, piece.of))
    }
  }
  return emits
}

function isFlags(piece: Piece | undefined): boolean {
  return typeof piece === 'object' && !(piece instanceof Texts) && piece.of === 'flags'
}

function labelOf(step: TextStep): string {
  return step.kind === 'prepared' ? `${step.name} ` : step.label
}

/** The caller has made sure that every row's text is there. */
function textEmit({ uid }: Rows, texts: Texts): Emit {
  return (out, row) => {
    const place = texts.placeOf(uid[row] as number) as number
    const start = place + LENGTH_BYTES
    out.slice(texts.bytes, start, start + texts.lengthAt(place))
  }
}

function flagsEmit({ flags, keywords, keywordSets }: Rows, before: string, after: string): Emit {
  const lists = new FlagBytes(keywordSets, before, after)
  return (out, row) => out.bytes(lists.of(flags[row] as number, keywords[row] as number))
}

function valueEmit(rows: Rows, of: Exclude<Piece, string | Texts>['of']): Emit {
  if (of === 'flags') return flagsEmit(rows, '', '')
  const column = rows[of]
  if (of === 'received') return (out, row) => out.ascii(formatDateTime(column[row] as number))
  return (out, row) => out.number(column[row] as number)
}

const STAR = Buffer.from('* ')

/**
 * Writes FETCH answers straight from packed columns, and from texts kept ready (by the plan's steps): no object per message. Answers how many messages were there.
 */
export async function fetchColumns(
  session: Session,
  plan: FetchPlan,
  window: Window,
  rows: Rows,
  texts: readonly (Texts | undefined)[] = [],
): Promise<number> {
  const { out } = session
  session.view.tellKeywords(session, rows.keywordSets)
  const emits = compile(plan, rows, texts)
  const { uids, sequences } = window
  const last = uids[uids.length - 1] ?? 0
  let at = 0
  let found = 0
  for (let row = firstRow(rows.uid, uids[0] ?? 0); row < rows.count; row++) {
    const uid = rows.uid[row] as number
    if (uid > last) break
    while (at < uids.length && (uids[at] as number) < uid) at++
    if (uids[at] !== uid) continue
    found++
    out.bytes(STAR).number(sequences[at] as number)
    for (let i = 0; i < emits.length; i++) (emits[i] as Emit)(out, row)
    if ((row & 511) === 511) await session.pace()
  }
  return found
}

/** The first row whose UID is not below. */
function firstRow(uids: Uint32Array, uid: number): number {
  let low = 0
  let high = uids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((uids[middle] as number) < uid) low = middle + 1
    else high = middle
  }
  return low
}
