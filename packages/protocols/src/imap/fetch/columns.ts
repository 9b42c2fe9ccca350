import type { Column, Packed } from '@postrider/domain'
import { formatDateTime, type ResponseWriter } from '@postrider/wire/imap'
import { FlagLists } from '../flags.ts'
import { FLUSH_BYTES } from '../channel.ts'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import type { ColumnAttribute, FetchPlan } from './plan.ts'

/** Rows of a folder in columns; a column that was not asked for must not be read. */
export type Rows = Packed<Column>

/** What a row has somewhere. */
type Value = (row: number) => string | number
/** Texts of messages that are here: kept ready, or originals. */
export interface Written {
  write(out: ResponseWriter, uid: number): void
}
/** A piece of an answer: text that is the same for every row, a value, or a text of the message. */
type Piece = string | Value | Written

/** How each attribute is written: text around one value. */
const pieces: { readonly [A in ColumnAttribute]: (rows: Rows) => readonly Piece[] } = {
  UID: ({ uid }) => ['UID ', (row) => uid[row] as number],
  FLAGS: ({ flags, keywords, keywordSets }) => {
    const lists = new FlagLists(keywordSets)
    return ['FLAGS ', (row) => lists.of(flags[row] as number, keywords[row] as number)]
  },
  MODSEQ: ({ change }) => ['MODSEQ (', (row) => change[row] as number, ')'],
  INTERNALDATE: ({ received }) => ['INTERNALDATE "', (row) => formatDateTime(received[row] as number), '"'],
  'RFC822.SIZE': ({ size }) => ['RFC822.SIZE ', (row) => size[row] as number],
  EMAILID: ({ itemId }) => ['EMAILID (M', (row) => itemId[row] as number, ')'],
}

/** The answer of a plan behind `* 1`, as few pieces as there are values: the text between them is put together once. */
function compile(plan: FetchPlan, rows: Rows, texts: readonly (Written | undefined)[]): Piece[] {
  const all: Piece[] = [' FETCH (']
  plan.steps.forEach((step, i) => {
    if (i > 0) all.push(' ')
    const ready = texts[i]
    if (step.kind === 'column') all.push(...pieces[step.name](rows))
    else if (ready === undefined) all.push('SAVEDATE NIL')
    // The caller has made sure that every row's text is there.
    else all.push('label' in step ? step.label : `${step.name} `, ready)
  })
  all.push(')\r\n')
  const merged: Piece[] = []
  for (const piece of all) {
    const last = merged.at(-1)
    if (typeof piece === 'string' && typeof last === 'string') merged[merged.length - 1] = last + piece
    else merged.push(piece)
  }
  return merged
}

/** Messages written between two looks at the clock. */
const PACE_ROWS = 256
/** Letters gathered before they become bytes. */
const GATHERED = 8 * 1024

/**
 * Writes FETCH answers straight from packed columns, and from texts kept ready (by the plan's steps): no object per message. Answers how many messages were there.
 */
export async function fetchColumns(
  session: Session,
  plan: FetchPlan,
  window: Window,
  rows: Rows,
  texts: readonly (Written | undefined)[] = [],
): Promise<number> {
  session.view.tellKeywords(session, rows.keywordSets)
  const compiled = compile(plan, rows, texts)
  let found = 0
  for (let at = 0; at < window.uids.length; ) {
    const written = writeRows(session.out, compiled, window, at, rows.uid)
    found += written.found
    at = written.end
    await session.pace()
  }
  return found
}

/**
 * What is no ready text is put together as a string: the runtime does most of that, so the first answers behind a start, when our own code is not
 * compiled yet, take half the time of writing byte by byte. Begins at place `at` of the window; answers where it ended, and how many messages were there.
 */
function writeRows(
  out: ResponseWriter,
  pieces: readonly Piece[],
  { uids, sequences }: Window,
  at: number,
  present: Uint32Array,
): { readonly end: number; readonly found: number } {
  const last = Math.min(uids.length, at + PACE_ROWS)
  let row = firstRow(present, uids[at] as number)
  let found = 0
  let text = ''
  let i = at
  for (; i < last && out.length < FLUSH_BYTES; i++) {
    const uid = uids[i] as number
    while (row < present.length && (present[row] as number) < uid) row++
    if (present[row] !== uid) continue
    found++
    text += `* ${sequences[i]}`
    for (let k = 0; k < pieces.length; k++) {
      const piece = pieces[k] as Piece
      if (typeof piece === 'string') text += piece
      else if (typeof piece === 'function') text += piece(row)
      else {
        out.ascii(text)
        piece.write(out, uid)
        text = ''
      }
    }
    if (text.length < GATHERED) continue
    out.ascii(text)
    text = ''
  }
  out.ascii(text)
  return { end: i, found }
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
