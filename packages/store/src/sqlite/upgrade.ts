import { closeSync, copyFileSync, constants, fsyncSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { DomainError, type Logger } from '@postrider/domain'
import { realFiles } from '../blobs/index.ts'
import type { Connection } from './connection.ts'
import { type Upgrade, upgrades } from '../engine/upgrades.ts'

const versionTable = `CREATE TABLE IF NOT EXISTS schema_version (version {int} PRIMARY KEY, at {int} NOT NULL)`

export function schemaVersion(connection: Connection): number {
  const table = connection.get(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'`)
  if (table === undefined) return 0
  return (connection.get('SELECT max(version) AS v FROM schema_version')?.[0] as number | null) ?? 0
}

/**
 * Brings a database to the newest schema: every missing step in its own transaction, so a crash in between goes on where it stopped. Before
 * the first step of an existing database a copy is made beside it (`<path>.before-<version>`). Throws `unavailable` for a database from
 * a newer program.
 */
export function upgrade(
  connection: Connection,
  path: string,
  options: { log: Logger; now: number; steps?: readonly Upgrade[] },
): void {
  const { log, now, steps = upgrades } = options
  const from = schemaVersion(connection)
  const newest = steps.at(-1)?.version ?? 0
  if (from > newest) throw new DomainError('unavailable', `schema ${from} is newer than this program's ${newest}`)
  const missing = steps.filter((step) => step.version > from)
  if (missing.length === 0) return
  if (from > 0) backup(connection, path, `${path}.before-${newest}`)
  for (const step of missing) {
    connection.execute('BEGIN IMMEDIATE')
    try {
      connection.execute(versionTable)
      for (const statement of step.statements) connection.execute(statement)
      connection.run('INSERT INTO schema_version (version, at) VALUES (?, ?)', step.version, now)
      connection.execute('COMMIT')
    } catch (error) {
      if (connection.database.isTransaction) connection.execute('ROLLBACK')
      throw error
    }
    if (from > 0) log.info({ path, version: step.version }, 'database schema upgraded')
  }
}

/** A copy of the database file, complete without a log, durable before it has its name. */
function backup(connection: Connection, path: string, target: string): void {
  connection.pragma('wal_checkpoint(TRUNCATE)')
  const unfinished = `${target}.part`
  copyFileSync(path, unfinished, constants.COPYFILE_FICLONE)
  const fd = openSync(unfinished, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(unfinished, target)
  realFiles.syncDirectory(dirname(target))
}
