import type { Column, Packed } from '@postrider/domain'
import { formatDateTime, type ResponseWriter } from '@postrider/wire/imap'
import { FlagBytes } from '../flags.ts'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import type { ColumnAttribute, FetchPlan } from './plan.ts'

/** Rows of a folder in columns; a column that was not asked for must not be read. */
export type Rows = Packed<Column>

type Emit = (out: ResponseWriter, row: number) => void

/** How each attribute is written from its column. */
const emitters: { readonly [A in ColumnAttribute]: (rows: Rows) => Emit } = {
  UID: (rows) => (out, row) => out.ascii('UID ').number(rows.uid[row] as number),
  FLAGS: (rows) => {
    const lists = new FlagBytes(rows.keywordSets)
    return (out, row) => out.ascii('FLAGS ').bytes(lists.of(rows.flags[row] as number, rows.keywords[row] as number))
  },
  MODSEQ: (rows) => (out, row) =>
    out
      .ascii('MODSEQ (')
      .number(rows.change[row] as number)
      .ascii(')'),
  INTERNALDATE: (rows) => (out, row) => {
    out
      .ascii('INTERNALDATE "')
      .ascii(formatDateTime(rows.received[row] as number))
      .ascii('"')
  },
  'RFC822.SIZE': (rows) => (out, row) => out.ascii('RFC822.SIZE ').number(rows.size[row] as number),
  EMAILID: (rows) => (out, row) =>
    out
      .ascii('EMAILID (M')
      .number(rows.itemId[row] as number)
      .ascii(')'),
}

/**
 * Writes FETCH answers straight from packed columns: no object per message. Answers how many messages were there.
 */
export async function fetchColumns(session: Session, plan: FetchPlan, window: Window, rows: Rows): Promise<number> {
  const { out } = session
  const emits: Emit[] = plan.steps.map((step) =>
    step.kind === 'column' ? emitters[step.name](rows) : (writer) => writer.ascii('SAVEDATE NIL'),
  )
  session.view.tellKeywords(session, rows.keywordSets)
  let at = 0
  let found = 0
  for (let row = 0; row < rows.count; row++) {
    const uid = rows.uid[row] as number
    while (at < window.uids.length && (window.uids[at] as number) < uid) at++
    if (window.uids[at] !== uid) continue
    found++
    out
      .ascii('* ')
      .number(window.sequences[at] as number)
      .ascii(' FETCH (')
    for (let i = 0; i < emits.length; i++) {
      if (i > 0) out.ascii(' ')
      ;(emits[i] as Emit)(out, row)
    }
    out.ascii(')\r\n')
    if ((row & 511) === 511) await session.pace()
  }
  return found
}
