import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError, silentLog } from '@postrider/domain'
import { FIRST_REMOTE, objectKey, segmentOfKey, segmentPath } from '../blobs/index.ts'
import type { Value } from '../engine/statements.ts'
import { S3 } from '../s3/index.ts'
import { Connection } from '../sqlite/connection.ts'
import { columnTypes, ColumnValues, sharedTables } from './bulk.ts'
import { asDomainError } from './errors.ts'
import { bucketOf, type PostgresPlace } from './place.ts'
import { schemaOf, upgrade } from './schema.ts'
import { Session, type Step } from './session.ts'

/** Rows and bytes of one statement. */
const ROWS = 1_000
const BYTES = 4 * 1024 * 1024

const plain = (text: string, ...values: Step['values']): Step => ({ text, values })
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * Brings a database from its SQLite form (a backup's) to a server. What is there under its name is moved aside, as schema `<name>_before_<time>`;
 * nothing is deleted. Segments get numbers of the new place: files of the folder, or objects of the store. Answers the schema moved aside,
 * if any. Rejects with DomainError, and then the server is as before.
 */
export async function restorePostgres(
  place: PostgresPlace,
  name: string,
  options: { readonly folder: string; readonly now: number },
): Promise<string | undefined> {
  const { folder, now } = options
  const schema = schemaOf(name)
  const fresh = `${schema}_restoring`
  const aside = `${schema}_before_${now}`
  const session = await Session.connect(place.urls, quoted(fresh)).catch((error: unknown) => {
    throw asDomainError(error)
  })
  const file = new Connection(join(folder, 'mailbox.sqlite'))
  const s3 = place.objects === undefined ? undefined : new S3(bucketOf(place.objects, name))
  try {
    await refuseOwned(session, schema)
    const there = await exists(session, schema)
    const epoch = (await highestEpoch(session, there ? schema : undefined, s3)) + 1
    await renumber(file, join(folder, 'segments'), { epoch, s3 })
    await session.run([plain(`DROP SCHEMA IF EXISTS ${quoted(fresh)} CASCADE`)])
    await upgrade(session, fresh, { log: silentLog, now })
    await session.run([plain('BEGIN')])
    for (const [table, columns] of sharedTables()) await copyTable(session, file, table, columns)
    const [[number] = []] = file.all(`SELECT value FROM setting WHERE name = 'number'`)
    await session.run([
      plain('UPDATE owner SET epoch = $1, batch = 0', epoch),
      plain(
        `INSERT INTO setting (name, value) VALUES ('firstEpoch', $1)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        String(epoch),
      ),
      ...(there ? [plain(`ALTER SCHEMA ${quoted(schema)} RENAME TO ${quoted(aside)}`)] : []),
      plain(`ALTER SCHEMA ${quoted(fresh)} RENAME TO ${quoted(schema)}`),
      plain('CREATE SCHEMA IF NOT EXISTS "postrider"'),
      plain('CREATE TABLE IF NOT EXISTS "postrider".database (name TEXT PRIMARY KEY, number BIGINT NOT NULL UNIQUE)'),
      plain(
        `INSERT INTO "postrider".database (name, number) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET number = excluded.number`,
        name,
        Number(number ?? 0),
      ),
      plain('COMMIT'),
    ])
    return there ? aside : undefined
  } catch (error) {
    if (!session.lost) {
      await session.run([plain('ROLLBACK')])
      await session.run([plain(`DROP SCHEMA IF EXISTS ${quoted(fresh)} CASCADE`)])
    }
    throw asDomainError(error)
  } finally {
    session.destroy()
    s3?.close()
    file.close()
  }
}

async function exists(session: Session, schema: string): Promise<boolean> {
  const [rows] = await session.run([plain('SELECT 1 FROM pg_namespace WHERE nspname = $1', schema)])
  return (rows?.length ?? 0) > 0
}

/** Throws `unavailable` while somebody owns the database. */
async function refuseOwned(session: Session, schema: string): Promise<void> {
  const [taken] = await session.run([
    plain(`SELECT pg_try_advisory_lock(hashtextextended('postrider:' || $1::text, 0))`, schema),
  ])
  if (taken?.[0]?.[0] !== 1) throw new DomainError('unavailable', `another process owns ${schema}`)
}

/** The highest epoch anybody ever had here, as far as the server and the objects tell. */
async function highestEpoch(session: Session, schema: string | undefined, s3: S3 | undefined): Promise<number> {
  let highest = 0
  if (schema !== undefined) {
    const [rows] = await session.run([plain(`SELECT epoch FROM ${quoted(schema)}.owner`)])
    highest = Number(rows?.[0]?.[0] ?? 0)
  }
  if (s3 !== undefined)
    for await (const { key } of s3.list(''))
      highest = Math.max(highest, Math.floor((segmentOfKey(key) ?? 0) / FIRST_REMOTE))
  return highest
}

/** Gives every segment a number of this place: files from 1 on, or objects of the new epoch, which are uploaded. */
async function renumber(
  file: Connection,
  folder: string,
  { epoch, s3 }: { readonly epoch: number; readonly s3: S3 | undefined },
): Promise<void> {
  const rows = file.all('SELECT segment, bytes FROM segment ORDER BY segment') as readonly (readonly [number, number])[]
  const first = s3 === undefined ? 1 : epoch * FIRST_REMOTE
  file.execute('BEGIN')
  for (const [at, [segment, bytes]] of rows.entries()) {
    const to = first + at
    const path = segmentPath(folder, segment)
    if (s3 !== undefined && bytes > 0) await s3.put(objectKey(to), { path, size: bytes })
    if (to === segment) continue
    // In ascending order, and never above what it was: no two meet. Objects begin far above all.
    if (s3 === undefined && bytes > 0) renameSync(path, segmentPath(folder, to))
    file.run('UPDATE segment SET segment = ?, sealed = 1 WHERE segment = ?', to, segment)
    file.run('UPDATE blob SET segment = ? WHERE segment = ?', to, segment)
  }
  if (s3 !== undefined) file.execute('UPDATE segment SET sealed = 1')
  file.execute('COMMIT')
}

async function copyTable(
  session: Session,
  file: Connection,
  table: string,
  columns: ReadonlyMap<string, keyof typeof columnTypes>,
): Promise<void> {
  const names = [...columns.keys()]
  const types = [...columns.values()]
  const arrays = types.map((type, at) => `$${at + 1}::${columnTypes[type].name}[]`).join(', ')
  const text = `INSERT INTO ${table} (${names.join()}) SELECT * FROM unnest(${arrays})`
  let rows: (readonly Value[])[] = []
  let bytes = 0
  const send = async (): Promise<void> => {
    if (rows.length === 0) return
    const values = types.map(
      (type, at) =>
        new ColumnValues(
          type,
          rows.map((row) => row[at] ?? null),
        ),
    )
    rows = []
    bytes = 0
    await session.run([{ text, values }])
  }
  for (const row of file.iterate(`SELECT ${names.join()} FROM ${table}`)) {
    rows.push(row)
    for (const value of row) bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
    if (rows.length >= ROWS || bytes >= BYTES) await send()
  }
  await send()
}
