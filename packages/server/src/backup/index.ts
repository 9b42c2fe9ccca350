/**
 * Backups of a data folder while the server works: sets in a folder, each a whole data folder as of one moment, segments that have not
 * changed shared between the sets by hard links. In: data folder, folder of the sets; out: a set with its manifest, written last. Invariant: a
 * set with a manifest is complete and was read back. Read next: make.ts, restore.ts, bucket.ts; the tables' part is in store/sqlite/backup.ts
 * and, for a database server, store/postgres/export.ts and import.ts.
 */
export type { Archiver } from './archive.ts'
export { startArchive } from './archiving.ts'
export { backupToBucket, fetchSet, isBucket, shelfAt } from './bucket.ts'
export { lockBackups } from './lock.ts'
export { TooYoung } from './replay.ts'
export { type BackupReport, makeBackup } from './make.ts'
export { type RestoreReport, restoreBackup } from './restore.ts'
export { restoreMailbox } from './restore-mailbox.ts'
