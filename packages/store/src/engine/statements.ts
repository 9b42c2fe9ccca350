/**
 * What the engines share (this folder): operations, reads, counters and SQL, written for `Statements`, which stands for any database. In: an
 * operation or question of the domain; out: statements and answers. It knows no file, no connection and no transaction: the driver (../sqlite,
 * ../postgres) has these. Read next: owned.ts, call.ts, books.ts (counters), apply/ (one function per operation), read/, sql/.
 */
export type Value = number | string | Uint8Array | null
/** One row as an array, in the order of the statement's columns. */
export type Row = readonly Value[]

/** What runs the statements of the store: a connection to SQLite, or what stands for one to PostgreSQL. Rows come as arrays: objects are what costs. */
export interface Statements {
  run(text: string, ...values: Value[]): void
  get(text: string, ...values: Value[]): Row | undefined
  all(text: string, ...values: Value[]): readonly Row[]
  iterate(text: string, ...values: Value[]): Iterable<Row>
  /** `get` for each set of values: on a server they all travel together. */
  many(text: string, sets: readonly (readonly Value[])[]): readonly (Row | undefined)[]
  /** The rows of `all` for each set of values, one set's behind another's. */
  every(text: string, sets: readonly (readonly Value[])[]): readonly Row[]
}
