import type { Value } from '../engine/statements.ts'
import { type Bulk, bulkOf, ColumnValues } from './bulk.ts'
import type { Step } from './session.ts'

/** Rows and bytes of one statement for many rows. */
const MAX_ROWS = 512
const MAX_BYTES = 1024 * 1024
/** Values from this size on travel in a statement of their own. */
const LARGE_BYTES = 64 * 1024

interface Group {
  readonly step: Step
  readonly bulk: Bulk | undefined
  readonly rows: (readonly Value[])[]
  readonly keys: Set<string>
  bytes: number
}

const sizeOf = (values: Step['values']): number =>
  values.reduce<number>(
    (sum, value) => sum + (typeof value === 'string' || value instanceof Uint8Array ? value.length : 8),
    0,
  )

function stepOf({ step, bulk, rows }: Pick<Group, 'step' | 'bulk' | 'rows'>): Step {
  if (bulk === undefined || rows.length === 1) return { text: step.text, values: rows[0] ?? step.values }
  const values = bulk.types.map(
    (type, at) =>
      new ColumnValues(
        type,
        rows.map((row) => row[at] ?? null),
      ),
  )
  return { text: bulk.text, values }
}

/**
 * Statements that wait to be sent. Rows of one table for the same statement are gathered into one: a batch of deliveries is a handful of
 * statements. Different tables do not care for their order; for one table the order is kept. What the current call added can be taken back.
 */
export class Pending {
  #groups: Group[] = []
  readonly #open = new Map<string, Group>()
  /** Where the current call began: groups before it, and rows in those that were open. */
  #callAt = 0
  #callRows: readonly { readonly group: Group; readonly rows: number }[] = []
  bytes = 0

  add(step: Step): void {
    const bulk = bulkOf(step.text)
    const bytes = sizeOf(step.values)
    this.bytes += bytes
    const row = step.values as readonly Value[]
    if (bulk === undefined) this.#open.clear()
    else {
      const key = bulk.key.length === 0 ? '' : bulk.key.map((at) => row[at]).join()
      const group = this.#open.get(bulk.table)
      const fits =
        group?.bulk === bulk &&
        group.rows.length < MAX_ROWS &&
        group.bytes + bytes <= MAX_BYTES &&
        (key === '' || !group.keys.has(key))
      if (fits) {
        group.rows.push(row)
        group.bytes += bytes
        if (key !== '') group.keys.add(key)
        return
      }
      const opened = { step, bulk, rows: [row], keys: new Set(key === '' ? [] : [key]), bytes }
      this.#groups.push(opened)
      if (bytes < LARGE_BYTES) this.#open.set(bulk.table, opened)
      else this.#open.delete(bulk.table)
      return
    }
    this.#groups.push({ step, bulk: undefined, rows: [], keys: new Set(), bytes })
  }

  beginCall(): void {
    this.#callAt = this.#groups.length
    this.#callRows = Array.from(this.#open.values(), (group) => ({ group, rows: group.rows.length }))
  }

  /** Whether the current call has something here. */
  get ofCall(): boolean {
    return this.#groups.length > this.#callAt || this.#callRows.some(({ group, rows }) => group.rows.length > rows)
  }

  /** Takes back what the current call added. */
  undoCall(): void {
    this.#groups.length = Math.min(this.#groups.length, this.#callAt)
    this.#open.clear()
    for (const { group, rows } of this.#callRows) group.rows.length = rows
  }

  /** All that waits, `before` in front of what the current call added; nothing is left. */
  take(before: readonly Step[] = []): Step[] {
    const own = this.#callRows
      .filter(({ group, rows }) => group.rows.length > rows)
      .map(({ group, rows }) => ({ ...group, rows: group.rows.splice(rows) }))
    const steps = [
      ...this.#groups.slice(0, this.#callAt).filter(({ bulk, rows }) => bulk === undefined || rows.length > 0),
      ...before.map((step) => ({ step, bulk: undefined, rows: [] })),
      ...own,
      ...this.#groups.slice(this.#callAt),
    ].map(stepOf)
    this.#groups = []
    this.#open.clear()
    this.#callRows = []
    this.#callAt = 0
    this.bytes = 0
    return steps
  }
}
