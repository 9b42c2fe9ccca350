import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { DomainError } from '@postrider/domain'
import { segmentPath } from '../blobs/index.ts'
import type { CheckReport } from './check.ts'
import { checkDatabase } from './check-thread.ts'
import { Connection } from './connection.ts'
import { readRedo, recoverRedo } from './redo.ts'

/** One segment of a backup. `ino` and `mtime` are those of the file it was copied from: a sealed one with the same is not copied again. */
export interface BackupSegment {
  readonly segment: number
  readonly bytes: number
  readonly sealed: boolean
  readonly ino: number
  readonly mtime: number
}

const ALL_PAGES = 0x7fff_ffff
/** A segment that was made and compacted away while the tables were copied: then the copy is made again. */
const TRIES = 5
/** Numbers that clients may have seen after the backup are left out by so many. */
export const RESTORE_GAP = 2 ** 20

export function syncFile(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** The committed state of a database as one file, while others read and write it (one read transaction). */
export async function snapshot(from: string, to: string): Promise<void> {
  rmSync(to, { force: true })
  const source = new DatabaseSync(from, { readOnly: true, timeout: 10_000 })
  try {
    await backup(source, to, { rate: ALL_PAGES })
  } finally {
    source.close()
  }
  syncFile(to)
}

/** Rows of the table: what the copied tables need. */
function segmentsOf(path: string): { segment: number; bytes: number; sealed: boolean }[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db
      .prepare('SELECT segment, bytes, sealed FROM segment ORDER BY segment')
      .all()
      .map((row) => ({ segment: Number(row.segment), bytes: Number(row.bytes), sealed: row.sealed === 1 }))
  } finally {
    db.close()
  }
}

/** Gives every segment another name in the same file system: what is compacted away meanwhile stays until it is copied. */
function hold(segments: string, held: string): void {
  mkdirSync(held, { recursive: true })
  const there = new Set(readdirSync(held))
  for (const name of readdirSync(segments)) {
    if (!name.endsWith('.seg') || there.has(name)) continue
    try {
      linkSync(join(segments, name), join(held, name))
    } catch (error) {
      // Compacted away between the list and the link: it is missed only if the tables name it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** An earlier backup of a database: its folder, and what was copied then. */
export interface EarlierBackup {
  readonly folder: string
  readonly segments: readonly BackupSegment[]
}

export interface BackupOptions {
  readonly before?: EarlierBackup
  /** Closed segments get another name instead of a copy: for a backup in the same file system that goes on elsewhere. */
  readonly link?: boolean
  /** Writes the tables' copy, and segments of its own beside it. */
  readonly tables?: (target: string) => Promise<void>
}

/**
 * Copies one mailbox database while it is in use, as of one moment: tables first, then the segments as far as those tables know them (they only
 * grow, and are synced before the rows that name them). `before`, if any, is the folder of this database in an earlier backup with what
 * was copied then: sealed segments that are still the same are linked from there. Rejects with `unavailable` or the disk's error.
 */
export async function backupDatabase(
  from: string,
  to: string,
  options: BackupOptions = {},
): Promise<readonly BackupSegment[]> {
  const { before, link = false } = options
  let records: readonly LoggedRecord[] = []
  const tables =
    options.tables ??
    (async (goal: string) => {
      records = await snapshotWithRedo(join(from, 'mailbox.sqlite'), goal)
    })
  const held = join(from, 'backup-hold')
  const target = join(to, 'mailbox.sqlite')
  const goalOf = (segment: number): string => segmentPath(join(to, 'segments'), segment)
  mkdirSync(join(to, 'segments'), { recursive: true })
  rmSync(held, { recursive: true, force: true })
  try {
    for (let tries = 1; ; tries++) {
      hold(join(from, 'segments'), held)
      await tables(target)
      hold(join(from, 'segments'), held)
      const missing = segmentsOf(target).find(
        ({ segment, bytes }) => bytes > 0 && !existsSync(segmentPath(held, segment)) && !existsSync(goalOf(segment)),
      )
      if (missing === undefined) break
      if (tries >= TRIES) throw new DomainError('unavailable', `segment ${missing.segment} is not there`)
    }
    const known = new Map(before?.segments.map((one) => [one.segment, one]))
    const copied: BackupSegment[] = []
    for (const { segment, bytes, sealed } of segmentsOf(target)) {
      if (bytes === 0 && !existsSync(segmentPath(held, segment))) continue
      const source = segmentPath(held, segment)
      const goal = goalOf(segment)
      if (existsSync(goal)) {
        copied.push({ segment, bytes, sealed, ino: 0, mtime: 0 })
        continue
      }
      const { ino, mtimeMs: mtime, size } = statSync(source)
      const same = known.get(segment)
      if (
        before !== undefined &&
        same?.sealed &&
        sealed &&
        same.bytes === bytes &&
        same.ino === ino &&
        same.mtime === mtime
      )
        linkSync(segmentPath(join(before.folder, 'segments'), segment), goal)
      else if (link && sealed && size === bytes) linkSync(source, goal)
      else {
        copyFileSync(source, goal)
        cut(goal, bytes)
      }
      copied.push({ segment, bytes, sealed, ino, mtime })
    }
    putRecords(records, goalOf)
    syncFile(join(to, 'segments'))
    return copied
  } finally {
    rmSync(held, { recursive: true, force: true })
  }
}

/** An original of the redo log. */
interface LoggedRecord {
  readonly segment: number
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * As `snapshot`, with what the redo log says beyond it, done in the copy: all that was answered before. The log is read first: either the tables are
 * of its generation, or they have all of it. Answers the originals in it.
 */
async function snapshotWithRedo(from: string, to: string): Promise<readonly LoggedRecord[]> {
  const log = readRedo(from)
  await snapshot(from, to)
  const records: LoggedRecord[] = []
  const copy = new Connection(to)
  try {
    recoverRedo(copy, log, {
      place: (segment, offset, bytes) => void records.push({ segment, offset, bytes }),
      sync: () => {},
      damaged: () => {},
    })
    copy.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    copy.close()
  }
  syncFile(to)
  return records
}

/** After a power cut segments may lack what the redo log has; in a running server they have it. */
function putRecords(records: readonly LoggedRecord[], goalOf: (segment: number) => string): void {
  for (const [segment, parts] of Map.groupBy(records, (one) => one.segment)) {
    const path = goalOf(segment)
    // Dropped by the rows that came behind.
    if (!existsSync(path)) continue
    const fd = openSync(path, 'r+')
    try {
      for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** What was written behind the tables' moment is no part of it. */
function cut(path: string, bytes: number): void {
  const fd = openSync(path, 'r+')
  try {
    ftruncateSync(fd, bytes)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Reads a backup of a database from end to end: every checksum, every counter. Leaves it as it was. */
export async function checkBackup(name: string, folder: string): Promise<CheckReport> {
  const path = join(folder, 'mailbox.sqlite')
  const report = await checkDatabase({ name, path, segments: join(folder, 'segments'), originals: true })
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  return report
}

/**
 * Makes a restored database fit for clients that have seen what came after the backup: ids and change numbers go on above all they may know, older
 * cursors start over, every folder has a new UIDVALIDITY (RFC 9051 §2.3.1.1: UIDs given meanwhile must not come again). What waits in the
 * queue is held: it may have been sent since. Answers how many entries that are.
 */
export function renewRestored(path: string, now: number): number {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    db.exec(
      `UPDATE mailbox SET chg = chg + ${RESTORE_GAP}, low_chg = chg + ${RESTORE_GAP}, next_id = next_id + ${RESTORE_GAP}`,
    )
    db.prepare('UPDATE mailbox SET uidvalidity = max(uidvalidity + 1, ?)').run(Math.floor(now / 1000))
    db.exec(`UPDATE folder SET uidvalidity = (SELECT m.uidvalidity FROM mailbox m WHERE m.mbx = folder.mbx)`)
    const held = db.prepare('UPDATE queue SET held = 1, lease = 0 WHERE held = 0').run().changes
    db.exec('COMMIT')
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return Number(held)
  } finally {
    db.close()
  }
}
