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

/** What an engine writes for each word, and for the aggregate `pack`. */
export interface Tokens {
  readonly words: Readonly<Record<'int' | 'real' | 'blob' | 'rowid' | 'clustered', string>>
  readonly pack: (column: string) => string
}

export function writeTokens(text: string, { words, pack }: Tokens): string {
  return text.replace(/\{(\w+)(?::([\w.]+))?\}/g, (token, word: string, argument?: string) => {
    if (word === 'pack' && argument !== undefined) return pack(argument)
    if (!Object.hasOwn(words, word)) throw new TypeError(`unknown SQL token ${token}`)
    return words[word as keyof typeof words]
  })
}

const sqlite: Tokens = {
  words: {
    int: 'INTEGER',
    real: 'REAL',
    blob: 'BLOB',
    rowid: 'INTEGER PRIMARY KEY',
    clustered: 'WITHOUT ROWID',
  },
  pack: (column) => `json_group_array(${column})`,
}

export const sqliteDialect: Dialect = (text) => writeTokens(text, sqlite)
