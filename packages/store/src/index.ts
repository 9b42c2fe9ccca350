/**
 * The drivers behind the domain's interfaces. In: a data folder, or nothing for the memory twin. Out: `MailboxService`, the directory and the
 * authenticator. Both mailbox drivers pass one contract suite. Read next: sqlite/index.ts, search/index.ts, blobs/index.ts,
 * memory/index.ts, directory/index.ts.
 */
export { openMemoryStore } from './memory/index.ts'
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './sqlite/index.ts'
