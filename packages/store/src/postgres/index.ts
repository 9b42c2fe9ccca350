/**
 * The mailbox service over PostgreSQL 15 and later: each mailbox database is a schema of the server with one writer, its originals are
 * staged in the transaction that names them and go on to pack segments behind it. In: the domain's operations and questions. Out: answers
 * after the COMMIT. The rules of operations and the statements are those of ../engine, the segments those of ../blobs; what differs is how
 * statements travel: work is run, left when it asks what is not known yet, and run again with the answer. Invariants: what was answered is
 * committed; nothing is applied twice, whatever becomes of a connection; a former owner never writes again. Read next: store.ts (all
 * databases), database.ts (one), replay.ts (how work waits), transaction.ts and committer.ts (group commit), owner.ts (lock and epoch),
 * packer.ts, session.ts.
 */
import { PostgresStore, type PostgresStoreOptions } from './store.ts'

export { inspectServer } from './inspect.ts'
export { backupPostgres } from './export.ts'
export { restorePostgres } from './import.ts'
export type { PostgresPlace } from './place.ts'
export type { PostgresStore, PostgresStoreOptions } from './store.ts'

/** Opens (or makes) the databases. Rejects with DomainError `unavailable`, `corrupt`. */
export const openPostgresStore = (options: PostgresStoreOptions): Promise<PostgresStore> => PostgresStore.open(options)
