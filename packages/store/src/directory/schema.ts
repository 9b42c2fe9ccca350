import { rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/**
 * The directory's tables. Entries are small JSON documents with their keys as columns: everything is read once at start and served from
 * memory, so the database only has to keep it safe and unique. `upgrades[n]` brings version n to n + 1; each runs in one transaction.
 */
export const upgrades: readonly string[] = [
  `
  CREATE TABLE domain (name TEXT PRIMARY KEY, type TEXT NOT NULL, is_default INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE mailbox (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL UNIQUE, entry TEXT NOT NULL) STRICT;
  CREATE TABLE mailgroup (id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL) STRICT;
  CREATE TABLE address (address TEXT PRIMARY KEY, owner TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX address_owner ON address (owner);
  CREATE TABLE credential (
    account TEXT PRIMARY KEY, version INTEGER NOT NULL, hash TEXT NOT NULL,
    salt BLOB NOT NULL, iterations INTEGER NOT NULL, stored_key BLOB NOT NULL, server_key BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE app_password (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, protocols TEXT NOT NULL, digest BLOB NOT NULL,
    created INTEGER NOT NULL, last_used INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE pending (mailbox INTEGER PRIMARY KEY, work TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
  `,
]

/** The file was written by a newer program: going on could lose what this one does not know. */
export class DirectoryTooNew extends Error {
  override readonly name = 'DirectoryTooNew'
}

/**
 * Brings a database of any earlier version to this program's. An older one is copied beside itself before (`<file>.v<version>`), so that
 * the older program can be gone back to.
 */
export function upgrade(db: DatabaseSync, file: string, steps: readonly string[] = upgrades): void {
  const found = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (found > steps.length)
    throw new DirectoryTooNew(
      `The directory has schema version ${found}, this program knows versions up to ${steps.length}. Install the newer program, or restore a backup made before its upgrade.`,
    )
  if (found > 0 && found < steps.length && file !== ':memory:') {
    // A copy of an upgrade that was cut off is as good as a new one.
    rmSync(`${file}.v${found}`, { force: true })
    db.prepare('VACUUM INTO ?').run(`${file}.v${found}`)
  }
  for (let version = found; version < steps.length; version++) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(steps[version] ?? '')
      db.exec(`PRAGMA user_version = ${version + 1}`)
      db.exec('COMMIT')
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }
}
