import { schema1 } from './sql/schema.ts'

/** One numbered step from the schema before it. Statements only, so that it runs in one transaction on any engine. */
export interface Upgrade {
  readonly version: number
  readonly statements: readonly string[]
}

/** Every schema that was ever released, in order. Released entries never change: add another. */
export const upgrades: readonly Upgrade[] = [
  { version: 1, statements: schema1 },
  // Conversations of a whole folder without reading its fat rows.
  {
    version: 2,
    statements: [`DROP INDEX item_mid`, `CREATE UNIQUE INDEX item_mid ON item (mbx, mid, conversation)`],
  },
]
