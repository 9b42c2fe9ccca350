import { type Dialect, type Tokens, writeTokens } from '../engine/sql/dialect.ts'

/** What PostgreSQL writes for the tokens; rows lie where they come, so nothing is clustered. */
const tokens: Tokens = {
  words: { int: 'BIGINT', real: 'DOUBLE PRECISION', blob: 'BYTEA', rowid: 'BIGINT PRIMARY KEY', clustered: '' },
  pack: (column) => `coalesce(json_agg(${column}), '[]')`,
}

/** The shared SQL text as PostgreSQL reads it: tokens written out, `?` numbered. */
export const postgresDialect: Dialect = (text) => {
  let number = 0
  return writeTokens(text, tokens).replaceAll('?', () => `$${++number}`)
}

/** A statement of the schema: texts compare by their bytes, as everywhere in the store. */
export const postgresSchema: Dialect = (text) => postgresDialect(text).replace(/\bTEXT\b/g, 'TEXT COLLATE "C"')
