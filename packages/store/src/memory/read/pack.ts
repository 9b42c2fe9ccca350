import {
  type Column,
  type ColumnTypes,
  DomainError,
  type Packed,
  type PackedGone,
  type ScanColumn,
} from '@postrider/domain'
import type { Gone, Row } from '../rows.ts'

/** How each column is made of rows. `keywords` needs the table of sets that the answer carries. */
const makers: { readonly [C in Column]: (rows: readonly Row[], sets: KeywordSets) => ColumnTypes[C] } = {
  uid: (rows) => Uint32Array.from(rows, (row) => row.uid),
  mid: (rows) => Float64Array.from(rows, (row) => row.mid),
  itemId: (rows) => Float64Array.from(rows, (row) => row.itemId),
  folder: (rows) => Float64Array.from(rows, (row) => row.folder),
  flags: (rows) => Uint32Array.from(rows, (row) => row.flags),
  keywords: (rows, sets) => Uint32Array.from(rows, (row) => sets.indexOf(row.keywords)),
  change: (rows) => Float64Array.from(rows, (row) => row.change),
  cn: (rows) => Float64Array.from(rows, (row) => row.cn),
  readCn: (rows) => Float64Array.from(rows, (row) => row.readCn),
  createdCn: (rows) => Float64Array.from(rows, (row) => row.createdCn),
  size: (rows) => Float64Array.from(rows, (row) => row.size),
  received: (rows) => Float64Array.from(rows, (row) => row.received),
  associated: (rows) => Uint8Array.from(rows, (row) => (row.associated ? 1 : 0)),
}

class KeywordSets {
  readonly sets: (readonly string[])[] = [[]]
  readonly #known = new Map<string, number>([['[]', 0]])

  indexOf(keywords: readonly string[]): number {
    if (keywords.length === 0) return 0
    const key = JSON.stringify(keywords)
    let index = this.#known.get(key)
    if (index === undefined) {
      index = this.sets.push([...keywords]) - 1
      this.#known.set(key, index)
    }
    return index
  }
}

export function pack<C extends ScanColumn>(rows: readonly Row[], columns: readonly C[]): Packed<C> {
  const sets = new KeywordSets()
  const packed: Record<string, unknown> = { count: rows.length, keywordSets: sets.sets }
  for (const column of columns) {
    if (column === 'conversation') {
      const names = rows.map((row) => row.content.promoted.conversation)
      const distinct = [...new Set(names)]
      const places = new Map(distinct.map((name, i) => [name, i]))
      packed.conversation = Uint32Array.from(names, (name) => places.get(name) as number)
      packed.conversations = distinct
      continue
    }
    if (!Object.hasOwn(makers, column)) throw new DomainError('invalid', `column ${String(column)}`)
    packed[column] = makers[column as Column](rows, sets)
  }
  return packed as Packed<C>
}

export const packGone = (gone: readonly Gone[]): PackedGone => ({
  count: gone.length,
  change: Float64Array.from(gone, (one) => one.change),
  folder: Float64Array.from(gone, (one) => one.folder),
  uid: Uint32Array.from(gone, (one) => one.uid),
  mid: Float64Array.from(gone, (one) => one.mid),
  itemId: Float64Array.from(gone, (one) => one.itemId),
  why: Uint8Array.from(gone, (one) => one.why),
})
