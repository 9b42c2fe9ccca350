import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { DomainError } from '@postrider/domain'
import { sqliteDialect } from '../engine/sql/dialect.ts'
import type { Row, Statements, Value } from '../engine/statements.ts'

/** One SQLite connection with its statements prepared once. */
export class Connection implements Statements {
  readonly database: DatabaseSync
  readonly #statements = new Map<string, { readonly statement: StatementSync; readonly writes: boolean }>()
  /** Hears of every statement that changes something, after it was carried out. */
  onWrite: ((text: string, values: readonly Value[]) => void) | undefined

  constructor(path: string, options: { readOnly?: boolean } = {}) {
    this.database = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 5_000 })
  }

  #prepare(text: string): { readonly statement: StatementSync; readonly writes: boolean } {
    let prepared = this.#statements.get(text)
    if (prepared === undefined) {
      const statement = this.database.prepare(sqliteDialect(text))
      statement.setReturnArrays(true)
      prepared = { statement, writes: /^\s*(INSERT|UPDATE|DELETE)\b/.test(text) }
      this.#statements.set(text, prepared)
    }
    return prepared
  }

  run(text: string, ...values: Value[]): void {
    const { statement, writes } = this.#prepare(text)
    statement.run(...values)
    if (writes) this.onWrite?.(text, values)
  }
  get(text: string, ...values: Value[]): Row | undefined {
    const { statement, writes } = this.#prepare(text)
    const row = statement.get(...values) as unknown as Row | undefined
    if (writes) this.onWrite?.(text, values)
    return row
  }
  all(text: string, ...values: Value[]): readonly Row[] {
    const { statement, writes } = this.#prepare(text)
    const rows = statement.all(...values) as unknown as readonly Row[]
    if (writes) this.onWrite?.(text, values)
    return rows
  }
  /** Reads only. */
  iterate(text: string, ...values: Value[]): Iterable<Row> {
    return this.#prepare(text).statement.iterate(...values) as unknown as Iterable<Row>
  }
  many(text: string, sets: readonly (readonly Value[])[]): readonly (Row | undefined)[] {
    return sets.map((values) => this.get(text, ...values))
  }
  every(text: string, sets: readonly (readonly Value[])[]): readonly Row[] {
    return sets.flatMap((values) => this.all(text, ...values))
  }
  /** Statements without values or rows; `;` between several. */
  execute(text: string): void {
    this.database.exec(sqliteDialect(text))
  }
  pragma(text: string): readonly Row[] {
    return this.all(`PRAGMA ${text}`)
  }
  close(): void {
    this.#statements.clear()
    this.database.close()
  }
}

/** SQLite's primary result codes that the store tells apart (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

const primaryCode = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0

export const isSqliteFull = (error: unknown): boolean => primaryCode(error) === SQLITE_FULL
export const isSqliteBusy = (error: unknown): boolean => primaryCode(error) === SQLITE_BUSY
/** The disk did not do what it was told: the owner stops. */
export const isSqliteIoError = (error: unknown): boolean => primaryCode(error) === SQLITE_IOERR

/** What is in the file is not what was written: only what needs that part of it fails. */
export const isSqliteCorrupt = (error: unknown): boolean => [SQLITE_CORRUPT, SQLITE_NOTADB].includes(primaryCode(error))

/** What a caller is told about an error of the database; DomainErrors stay as they are. */
export function asDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error
  if (isSqliteFull(error)) return new DomainError('diskFull', String(error), { cause: error })
  if (isSqliteCorrupt(error)) return new DomainError('corrupt', String(error), { cause: error })
  return new DomainError('unavailable', String(error), { cause: error })
}
