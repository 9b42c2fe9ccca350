import { type ColumnTypes, DomainError, type Packed, type PackedGone, type ScanColumn } from '@postrider/domain'
import type { Row } from '../statements.ts'
import type { KeywordSets } from '../keyword-sets.ts'

/** Where each packed column comes from, and the array it fills. `of`: what the name stands for, where it is no column of `msg`. */
export const columns: {
  readonly [C in ScanColumn]: {
    readonly sql: string
    readonly of?: string
    readonly make: (n: number) => ColumnTypes[C]
  }
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
  // The index item_mid has it: no fat row is read.
  conversation: {
    sql: 'conversation',
    of: '(SELECT item.conversation FROM item WHERE item.mbx = msg.mbx AND item.mid = msg.mid) AS conversation',
    make: (n) => new Uint32Array(n),
  },
}

/** The columns asked for, each once. Throws `invalid` for an unknown one. */
export function checkedColumns<C extends ScanColumn>(asked: readonly C[]): readonly C[] {
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

/** Names as places in a list of the distinct ones. */
function named(values: readonly unknown[]): Pick<Packed<'conversation'>, 'conversation' | 'conversations'> {
  const known = new Map<string, number>()
  const conversation = Uint32Array.from(values, (value) => {
    const name = value as string
    const place = known.get(name) ?? known.size
    known.set(name, place)
    return place
  })
  return { conversation, conversations: [...known.keys()] }
}

/** Columns that the database already put together, one JSON array each. */
export function packJson<C extends ScanColumn>(
  asked: readonly C[],
  row: Row | undefined,
  sets: () => KeywordSets,
): Packed<C> {
  const packed: Record<string, unknown> = { count: 0, keywordSets: [[]] }
  for (const [i, column] of asked.entries()) {
    const values = JSON.parse((row?.[i] as string | undefined) ?? '[]') as number[]
    packed.count = values.length
    if (column === 'conversation') {
      Object.assign(packed, named(values))
      continue
    }
    const array = columns[column].make(values.length)
    array.set(values)
    packed[column] = array
    if (column === 'keywords') packed.keywordSets = localSets(array as Uint32Array, sets())
  }
  return packed as Packed<C>
}

/** Columns from rows; `places` says where in a row each column is. */
export function packRows<C extends ScanColumn>(
  asked: readonly C[],
  rows: readonly Row[],
  places: readonly number[],
  sets: () => KeywordSets,
): Packed<C> {
  const packed: Record<string, unknown> = { count: rows.length, keywordSets: [[]] }
  for (const [i, column] of asked.entries()) {
    const place = places[i] as number
    if (column === 'conversation') {
      Object.assign(packed, named(rows.map((row) => row[place])))
      continue
    }
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
