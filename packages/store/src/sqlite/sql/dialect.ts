/**
 * One SQL text for SQLite and PostgreSQL: `?` placeholders, and these tokens where the two differ.
 *
 *   {int}        a 64-bit integer
 *   {real}       a double
 *   {blob}       bytes
 *   {rowid}      the key of an append-only table
 *   {clustered}  behind a CREATE TABLE: rows lie in the order of the primary key
 *   {pack:x}     aggregate: all values of x as one JSON array, in the order of the rows
 */
export type Dialect = (text: string) => string

const words: ReadonlyMap<string, string> = new Map([
  ['int', 'INTEGER'],
  ['real', 'REAL'],
  ['blob', 'BLOB'],
  ['rowid', 'INTEGER PRIMARY KEY'],
  ['clustered', 'WITHOUT ROWID'],
])

export const sqliteDialect: Dialect = (text) =>
  text.replace(/\{(\w+)(?::([\w.]+))?\}/g, (token, word: string, argument?: string) => {
    if (word === 'pack' && argument !== undefined) return `json_group_array(${argument})`
    const written = words.get(word)
    if (written === undefined) throw new TypeError(`unknown SQL token ${token}`)
    return written
  })
