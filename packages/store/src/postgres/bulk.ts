import type { Value } from '../engine/statements.ts'
import { upgrades } from '../engine/upgrades.ts'
import { additions } from './schema.ts'

/** Type of a column, and its number in pg_type. */
export const columnTypes = {
  int: { name: 'bigint', oid: 20 },
  text: { name: 'text', oid: 25 },
  bytes: { name: 'bytea', oid: 17 },
} as const
type ColumnType = keyof typeof columnTypes

/** One column of many rows, as an array parameter. */
export class ColumnValues {
  readonly type: ColumnType
  readonly values: readonly Value[]

  constructor(type: ColumnType, values: readonly Value[]) {
    this.type = type
    this.values = values
  }
}

/** How one statement is written for many rows at once. */
export interface Bulk {
  readonly table: string
  readonly text: string
  readonly types: readonly ColumnType[]
  /** Places of the values that say which row; two changes of one row are two statements. Empty: rows are added. */
  readonly key: readonly number[]
}

const written: ReadonlyMap<string, ColumnType> = new Map([
  ['{int}', 'int'],
  ['{rowid}', 'int'],
  ['TEXT', 'text'],
  ['{blob}', 'bytes'],
])

/** `table.column` of every table the schema makes. */
function columnsOfSchema(): ReadonlyMap<string, ColumnType> {
  const columns = new Map<string, ColumnType>()
  const statements = [...upgrades.flatMap((one) => one.statements), ...[...additions.values()].flat()]
  for (const statement of statements) {
    const table = /^(?:CREATE|ALTER) TABLE (\w+)/.exec(statement.trim())?.[1]
    if (table === undefined) continue
    for (const [, name, type] of statement.matchAll(/(\w+) (\{int\}|\{rowid\}|\{blob\}|TEXT)/g)) {
      columns.set(`${table}.${name}`, written.get(type as string) as ColumnType)
    }
  }
  return columns
}
let columns: ReadonlyMap<string, ColumnType> | undefined

/** The tables that every engine has, with their columns in order. */
export function sharedTables(): ReadonlyMap<string, ReadonlyMap<string, ColumnType>> {
  columns ??= columnsOfSchema()
  const tables = new Map<string, Map<string, ColumnType>>()
  for (const [name, type] of columns) {
    const [table = '', column = ''] = name.split('.')
    if (!ownTables.has(table)) tables.set(table, (tables.get(table) ?? new Map()).set(column, type))
  }
  return tables
}
const ownTables = new Set(['owner', 'staged'])

/** `a = $1` or `a = NULL`. */
const pair = /^(\w+) = (?:\$(\d+)|NULL)$/
const split = (list: string, by: RegExp): readonly string[] => list.split(by).map((part) => part.trim())

interface Parts {
  readonly table: string
  /** Which column each value is for, by place. */
  readonly names: ReadonlyMap<number, string>
  readonly key: readonly number[]
  readonly text: (from: string) => string
}

function insertParts(text: string): Parts | undefined {
  const match = /^INSERT INTO (\w+) \(([\w\s,]+)\)\s+VALUES \(([\w$\s,']+)\)$/.exec(text)
  if (match === null) return undefined
  const [, table = '', list = '', given = ''] = match
  const values = split(given, /,/)
  const names = new Map<number, string>()
  for (const [at, name] of split(list, /,/).entries()) {
    const number = /^\$(\d+)$/.exec(values[at] ?? '')?.[1]
    if (number !== undefined) names.set(Number(number) - 1, name)
  }
  const selected = values.map((value) => value.replace(/^\$(\d+)$/, (_, n) => `v.c${Number(n) - 1}`)).join(', ')
  return { table, names, key: [], text: (from) => `INSERT INTO ${table} (${list}) SELECT ${selected} FROM ${from}` }
}

function changeParts(text: string): Parts | undefined {
  const update = /^UPDATE (\w+) SET ([\w$\s,=]+?)\s+WHERE ([\w$\s=]+)$/.exec(text)
  const remove = update === null ? /^DELETE FROM (\w+)()\s+WHERE ([\w$\s=]+)$/.exec(text) : null
  const [, table = '', set = '', where = ''] = update ?? remove ?? []
  if (table === '') return undefined
  const assigned = set === '' ? [] : split(set, /,/).map((part) => pair.exec(part))
  const conditions = split(where, /\sAND\s/).map((part) => pair.exec(part))
  const names = new Map<number, string>()
  for (const match of [...assigned, ...conditions]) {
    if (match === null) return undefined
    if (match[2] !== undefined) names.set(Number(match[2]) - 1, match[1] as string)
  }
  const value = (match: RegExpExecArray | null): string =>
    match?.[2] === undefined ? 'NULL' : `v.c${Number(match[2]) - 1}`
  const key = conditions.map((match) => Number(match?.[2]) - 1)
  if (key.some((at) => !(at >= 0))) return undefined
  const found = conditions.map((match) => `${table}.${match?.[1]} = ${value(match)}`).join(' AND ')
  const sets = assigned.map((match) => `${match?.[1]} = ${value(match)}`).join(', ')
  const begin = (from: string): string =>
    update === null ? `DELETE FROM ${table} USING ${from}` : `UPDATE ${table} SET ${sets} FROM ${from}`
  return { table, names, key, text: (from) => `${begin(from)} WHERE ${found}` }
}

function bulkFor(text: string): Bulk | undefined {
  const parts = insertParts(text) ?? changeParts(text)
  if (parts === undefined || parts.names.size === 0) return undefined
  columns ??= columnsOfSchema()
  const { table, names, key } = parts
  const types: ColumnType[] = []
  for (let at = 0; at < names.size; at++) {
    const type = columns.get(`${table}.${names.get(at) ?? ''}`)
    if (type === undefined) return undefined
    types.push(type)
  }
  const arrays = types.map((type, at) => `$${at + 1}::${columnTypes[type].name}[]`).join(', ')
  const aliases = types.map((_, at) => `c${at}`).join(', ')
  return { table, types, key, text: parts.text(`unnest(${arrays}) AS v (${aliases})`) }
}

const known = new Map<string, Bulk | undefined>()

/** The same statement for many rows; undefined for statements that are more than rows added, changed by their key or removed by it. */
export function bulkOf(text: string): Bulk | undefined {
  if (!known.has(text)) known.set(text, bulkFor(text))
  return known.get(text)
}
