/**
 * The commit log of a mailbox database: every committed transaction as the pages it wrote and the bytes of segments it names, for a standby and for an archive.
 * In: SQLite's write-ahead log after each commit (log.ts, in the owner's thread); out: entries to follow (read.ts, anybody) and a copy of the database that
 * they are applied to (copy.ts). Invariant: a copy with all entries of one stream up to the end of a transaction is the database as of then. Read
 * next: entry.ts (the format), log.ts.
 */
export { DatabaseCopy, promoteCopy } from './copy.ts'
export { decodeEntry, type Entry, entryBytes, entryHead, entrySound, type EntryHead, type LogPoint } from './entry.ts'
export { PageReader } from '../sqlite/page-sums.ts'
export { CommitLog, endLog, HELD, noteCopied } from './log.ts'
export {
  EntryGone,
  firstOfGeneration,
  lastEntry,
  logFile,
  logFiles,
  logFolder,
  logHas,
  LogTail,
  pruneLog,
  readFile,
  type RawEntry,
  STREAM,
  streamOf,
} from './read.ts'
