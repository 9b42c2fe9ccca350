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
  // A redo log beside the file (sqlite/redo.ts): a program that does not know it would open the database without what was answered last.
  { version: 3, statements: [`DELETE FROM setting WHERE name = 'redo'`] },
  // Ready answers of large folders, many mails in one value. `at`: when the kind was written.
  {
    version: 4,
    statements: [
      `CREATE TABLE ready (
         mbx {int} NOT NULL, fid {int} NOT NULL, block {int} NOT NULL, kind TEXT NOT NULL, at {int} NOT NULL, value {blob} NOT NULL)`,
      `CREATE UNIQUE INDEX ready_place ON ready (mbx, fid, block, kind)`,
    ],
  },
]
