/**
 * The mailbox service over SQLite: several named mailbox databases, each with one writer, originals in pack segments beside it. In: the
 * domain's operations and questions. Out: answers after the synced commit. Invariants: what was answered survives a power cut; counters
 * never run backwards; a failed call leaves no trace; a failed sync is never tried again. Read next: store.ts (all databases),
 * database.ts (one), committer.ts (group commit), ../engine (operations, reads and statements that all engines share).
 */
import { SqliteStore, type SqliteStoreOptions } from './store.ts'

export { type BackupSegment, backupDatabase, checkBackup, renewRestored, snapshot } from './backup.ts'
export { type RepairReport, repairDatabase } from './repair.ts'
export { type CheckReport, MAX_PROBLEMS, type Problem, type ProblemKind } from './check.ts'
export { type DatabaseHealth, MAX_ORIGINAL_BYTES } from '../engine/health.ts'
export type { Confirmed, ShippingOptions, StandbyWait } from './shipping.ts'
export type { SqliteStore, SqliteStoreOptions } from './store.ts'

/** Opens (or makes) the databases below `options.folder`. Rejects with DomainError `unavailable`, `corrupt`, `diskFull`. */
export const openSqliteStore = (options: SqliteStoreOptions): Promise<SqliteStore> => SqliteStore.open(options)
