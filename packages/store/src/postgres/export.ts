import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError, silentLog } from '@postrider/domain'
import { FIRST_REMOTE, objectKey, realFiles, segmentPath } from '../blobs/index.ts'
import { S3 } from '../s3/index.ts'
import { type BackupSegment, backupDatabase, type EarlierBackup, syncFile } from '../sqlite/backup.ts'
import { Connection } from '../sqlite/connection.ts'
import { layOut } from '../sqlite/layout.ts'
import { upgrade } from '../sqlite/upgrade.ts'
import { sharedTables } from './bulk.ts'
import { asDomainError } from './errors.ts'
import { schemaOf } from './schema.ts'
import { type Answers, Session, type Step } from './session.ts'
import { bucketOf, type PostgresPlace } from './place.ts'

/** Rows of one fetch. */
const PAGE = 500
/** Staged originals of one fetch. */
const STAGED_PAGE = 64
/** A segment that was let go while the tables were copied: then the copy is made again. */
const TRIES = 5

const plain = (text: string, ...values: Step['values']): Step => ({ text, values })

/** Reads all rows of a query through a cursor: they never are in memory together. */
async function* pages(session: Session, name: string, query: string, page: number): AsyncGenerator<Answers[number]> {
  await session.run([plain(`DECLARE ${name} NO SCROLL CURSOR FOR ${query}`)])
  for (;;) {
    const [rows = []] = await session.run([plain(`FETCH ${page} FROM ${name}`)])
    if (rows.length > 0) yield rows
    if (rows.length < page) break
  }
  await session.run([plain(`CLOSE ${name}`)])
}

/**
 * Writes a database of a server, as of one moment (one repeatable-read transaction), as the file it would be with SQLite: every backup has one
 * form, whatever keeps the mailboxes. Originals that were staged go into a segment beside it. Rejects with DomainError.
 */
async function exportTables(place: PostgresPlace, name: string, target: string): Promise<void> {
  const session = await Session.connect(place.urls, `"${schemaOf(name)}"`)
  rmSync(target, { force: true })
  const file = new Connection(target)
  try {
    layOut(file)
    upgrade(file, target, { log: silentLog, now: Date.now() })
    file.execute('PRAGMA synchronous = OFF; BEGIN')
    await session.run([plain('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')])
    for (const [table, columns] of sharedTables()) {
      const names = [...columns.keys()]
      const insert = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`
      for await (const rows of pages(session, `all_${table}`, `SELECT ${names.join()} FROM ${table}`, PAGE))
        for (const row of rows) file.run(insert, ...row)
    }
    const [number] = await session.run([plain('SELECT number FROM "postrider".database WHERE name = $1', name)])
    const settings = [
      ['number', String(number?.[0]?.[0] ?? 0)],
      ['name', name],
    ] as const
    for (const [key, value] of settings)
      file.run(
        'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        key,
        value,
      )
    await exportStaged(session, file, join(target, '..', 'segments'))
    await session.run([plain('COMMIT')])
    file.execute('COMMIT')
  } catch (error) {
    throw asDomainError(error)
  } finally {
    session.destroy()
    file.close()
  }
  syncFile(target)
}

/** Originals that have no segment yet get one, of the backup's own. */
async function exportStaged(session: Session, file: Connection, folder: string): Promise<void> {
  const [[highest] = []] = file.all(`SELECT max(segment) FROM segment WHERE segment < ${FIRST_REMOTE}`)
  const segment = Number(highest ?? 0) + 1
  mkdirSync(folder, { recursive: true })
  const path = segmentPath(folder, segment)
  rmSync(path, { force: true })
  const fd = realFiles.open(path, 'wx+')
  let length = 0
  try {
    const query = `SELECT s.blob, s.part, s.bytes FROM staged s JOIN blob b ON b.blob = s.blob AND b.segment = 0 ORDER BY 1, 2`
    for await (const rows of pages(session, 'all_staged', query, STAGED_PAGE))
      for (const [blob, part, bytes] of rows as readonly (readonly [number, number, Uint8Array])[]) {
        if (part === 0) file.run('UPDATE blob SET segment = ?, pos = ? WHERE blob = ?', segment, length, blob)
        realFiles.write(fd, [bytes], length)
        length += bytes.length
      }
    await realFiles.sync(fd)
  } finally {
    realFiles.close(fd)
  }
  if (length === 0) rmSync(path)
  else
    file.run(
      `INSERT INTO segment (segment, place, bytes, live, sealed) VALUES (?, 'local', ?, ?, 1)`,
      segment,
      length,
      length,
    )
}

/**
 * Copies one database of a server into a backup, while it is in use: the tables, and the segments as far as they know them, from the folder or from
 * the object store. Segments that are in the backup before are linked from there. Rejects with DomainError or the disk's error.
 */
export async function backupPostgres(
  place: PostgresPlace,
  name: string,
  folders: { readonly from: string; readonly to: string; readonly before?: EarlierBackup; readonly link?: boolean },
): Promise<readonly BackupSegment[]> {
  const { from, to, before, link = false } = folders
  mkdirSync(join(from, 'segments'), { recursive: true })
  const s3 = place.objects === undefined ? undefined : new S3(bucketOf(place.objects, name))
  try {
    for (let tries = 1; ; tries++) {
      const fetched = new Map<number, BackupSegment>()
      try {
        const local = await backupDatabase(from, to, {
          ...(before === undefined ? {} : { before }),
          link,
          tables: async (target) => {
            fetched.clear()
            rmSync(join(to, 'segments'), { recursive: true, force: true })
            mkdirSync(join(to, 'segments'), { recursive: true })
            await exportTables(place, name, target)
            if (s3 !== undefined)
              for (const one of await fetchObjects(s3, target, to, before)) fetched.set(one.segment, one)
          },
        })
        return local.map((one) => fetched.get(one.segment) ?? one)
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== 'blobGone' || tries >= TRIES) throw error
      }
    }
  } finally {
    s3?.close()
  }
}

async function fetchObjects(
  s3: S3,
  target: string,
  to: string,
  before?: EarlierBackup,
): Promise<readonly BackupSegment[]> {
  const file = new Connection(target)
  const rows = file.all(`SELECT segment, bytes FROM segment WHERE segment >= ${FIRST_REMOTE} ORDER BY segment`)
  file.close()
  const known = new Map(before?.segments.map((one) => [one.segment, one]))
  const done: BackupSegment[] = []
  for (const [segment, bytes] of rows as readonly (readonly [number, number])[]) {
    const goal = segmentPath(join(to, 'segments'), segment)
    rmSync(goal, { force: true })
    // Objects never change: the number says all.
    if (before !== undefined && known.get(segment)?.bytes === bytes)
      linkSync(segmentPath(join(before.folder, 'segments'), segment), goal)
    else {
      const object = await s3.get(objectKey(segment), { limit: bytes })
      if (object?.length !== bytes) throw new DomainError('blobGone', `segment ${segment}`)
      writeFileSync(goal, object, { mode: 0o600, flush: true })
    }
    done.push({ segment, bytes, sealed: true, ino: 0, mtime: 0 })
  }
  return done
}
