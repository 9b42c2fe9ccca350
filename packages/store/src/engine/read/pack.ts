import { type Column, type ColumnTypes, DomainError, type Packed, type PackedGone } from '@postrider/domain'
import type { Row } from '../statements.ts'
import type { KeywordSets } from '../keyword-sets.ts'

/** Where each packed column comes from, and the array it fills. */
export const columns: {
  readonly [C in Column]: { readonly sql: string; readonly make: (n: number) => ColumnTypes[C] }
} = {
  uid: { sql: 'uid', make: (n) => new Uint32Array(n) },
  mid: { sql: 'mid', make: (n) => new Float64Array(n) },
  itemId: { sql: 'item_id', make: (n) => new Float64Array(n) },
  folder: { sql: 'fid', make: (n) => new Float64Array(n) },
  flags: { sql: 'flags', make: (n) => new Uint32Array(n) },
  keywords: { sql: 'kw', make: (n) => new Uint32Array(n) },
  change: { sql: 'chg', make: (n) => new Float64Array(n) },
  cn: { sql: 'cn', make: (n) => new Float64Array(n) },
  readCn: { sql: 'read_cn', make: (n) => new Float64Array(n) },
  createdCn: { sql: 'created_cn', make: (n) => new Float64Array(n) },
  size: { sql: 'size', make: (n) => new Float64Array(n) },
  received: { sql: 'received', make: (n) => new Float64Array(n) },
  associated: { sql: 'fai', make: (n) => new Uint8Array(n) },
}

/** The columns asked for, each once. Throws `invalid` for an unknown one. */
export function checkedColumns<C extends Column>(asked: readonly C[]): readonly C[] {
  for (const column of asked) {
    if (!Object.hasOwn(columns, column)) throw new DomainError('invalid', `column ${String(column)}`)
  }
  return [...new Set(asked)]
}

/** Turns the numbers of interned keyword sets into places in the answer's own list of sets, in place. */
function localSets(kw: Uint32Array, sets: KeywordSets): readonly (readonly string[])[] {
  const list: (readonly string[])[] = [[]]
  const known = new Map<number, number>([[0, 0]])
  for (let i = 0; i < kw.length; i++) {
    const number = kw[i] as number
    let place = known.get(number)
    if (place === undefined) {
      place = list.push([...sets.words(number)]) - 1
      known.set(number, place)
    }
    kw[i] = place
  }
  return list
}

/** Columns that the database already put together, one JSON array each. */
export function packJson<C extends Column>(
  asked: readonly C[],
  row: Row | undefined,
  sets: () => KeywordSets,
): Packed<C> {
  const packed: Record<string, unknown> = { count: 0, keywordSets: [[]] }
  for (const [i, column] of asked.entries()) {
    const values = JSON.parse((row?.[i] as string | undefined) ?? '[]') as number[]
    const array = columns[column].make(values.length)
    array.set(values)
    packed[column] = array
    packed.count = values.length
    if (column === 'keywords') packed.keywordSets = localSets(array as Uint32Array, sets())
  }
  return packed as Packed<C>
}

/** Columns from rows; `places` says where in a row each column is. */
export function packRows<C extends Column>(
  asked: readonly C[],
  rows: readonly Row[],
  places: readonly number[],
  sets: () => KeywordSets,
): Packed<C> {
  const packed: Record<string, unknown> = { count: rows.length, keywordSets: [[]] }
  for (const [i, column] of asked.entries()) {
    const place = places[i] as number
    const array = columns[column].make(rows.length)
    for (let r = 0; r < rows.length; r++) array[r] = (rows[r] as Row)[place] as number
    packed[column] = array
    if (column === 'keywords') packed.keywordSets = localSets(array as Uint32Array, sets())
  }
  return packed as Packed<C>
}

/** Rows of chg, fid, uid, mid, item_id, why. */
export const packGone = (rows: readonly Row[]): PackedGone => ({
  count: rows.length,
  change: Float64Array.from(rows, (row) => row[0] as number),
  folder: Float64Array.from(rows, (row) => row[1] as number),
  uid: Uint32Array.from(rows, (row) => row[2] as number),
  mid: Float64Array.from(rows, (row) => row[3] as number),
  itemId: Float64Array.from(rows, (row) => row[4] as number),
  why: Uint8Array.from(rows, (row) => row[5] as number),
})
