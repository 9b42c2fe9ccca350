import { DomainError, type Logger } from '@postrider/domain'
import { type Upgrade, upgrades } from '../engine/upgrades.ts'
import { postgresSchema } from './dialect.ts'
import type { Session, Step } from './session.ts'

/** What only this engine has, beside the shared statements of each version. */
export const additions: ReadonlyMap<number, readonly string[]> = new Map([
  [
    1,
    [
      // Who may write (owned) and the number of its last transaction, so that one whose answer was lost can be told from one that failed.
      `CREATE TABLE owner (one {int} PRIMARY KEY CHECK (one = 1), epoch {int} NOT NULL, batch {int} NOT NULL)`,
      'INSERT INTO owner (one, epoch, batch) VALUES (1, 0, 0)',
      `CREATE FUNCTION owned(mine {int}, number {int}) RETURNS void LANGUAGE plpgsql AS $$
       BEGIN
         UPDATE owner SET batch = number WHERE one = 1 AND epoch = mine;
         IF NOT FOUND THEN RAISE EXCEPTION 'another owner has taken over' USING ERRCODE = 'PR001'; END IF;
       END $$`,
      // Originals on their way to a segment, as the records they will be there.
      `CREATE TABLE staged (
         blob {int} NOT NULL, part {int} NOT NULL, at {int} NOT NULL, bytes {blob} NOT NULL, PRIMARY KEY (blob, part))
       WITH (toast_tuple_target = 8160, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_scale_factor = 0)`,
      // They are packed already where that helps.
      'ALTER TABLE staged ALTER COLUMN bytes SET STORAGE EXTERNAL',
      // Rows that are changed by every delivery leave room beside themselves.
      'ALTER TABLE mailbox SET (fillfactor = 70)',
      'ALTER TABLE folder_count SET (fillfactor = 70)',
      // Every row gets its place in a segment soon after it was written.
      'ALTER TABLE blob SET (fillfactor = 45)',
      'ALTER TABLE counter SET (fillfactor = 10)',
      'ALTER TABLE segment SET (fillfactor = 10)',
      'ALTER TABLE owner SET (fillfactor = 10)',
    ],
  ],
])

/** Which databases there are, in a schema of its own: references and queue ids carry their numbers. */
const REGISTRY = 'postrider'
export const schemaOf = (database: string): string => `postrider_${database}`
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const plain = (text: string, ...values: Step['values']): Step => ({ text, values })

/** One step at a time may change the schema of a server: two programs that start together would trip over each other. */
const guard = plain(`SELECT pg_advisory_xact_lock(hashtextextended('postrider:schema', 0))`)

/** The number of a database; a new one gets the first that no other has. */
export async function databaseNumber(session: Session, name: string): Promise<number> {
  const known = await session.run([
    plain('BEGIN'),
    guard,
    plain(`CREATE SCHEMA IF NOT EXISTS ${quoted(REGISTRY)}`),
    plain(
      `CREATE TABLE IF NOT EXISTS ${quoted(REGISTRY)}.database (name TEXT PRIMARY KEY, number BIGINT NOT NULL UNIQUE)`,
    ),
    plain(
      `INSERT INTO ${quoted(REGISTRY)}.database (name, number)
       SELECT $1, (SELECT coalesce(max(number) + 1, 0) FROM ${quoted(REGISTRY)}.database) ON CONFLICT (name) DO NOTHING`,
      name,
    ),
    plain(`SELECT number FROM ${quoted(REGISTRY)}.database WHERE name = $1`, name),
    plain('COMMIT'),
  ])
  return known[5]?.[0]?.[0] as number
}

/** The schema version of a database; 0 when there is none. */
export async function schemaVersion(session: Session, schema: string): Promise<number> {
  const [table] = await session.run([plain('SELECT to_regclass($1)::text', `${quoted(schema)}.schema_version`)])
  if ((table?.[0]?.[0] ?? null) === null) return 0
  const [found] = await session.run([plain(`SELECT max(version) FROM ${quoted(schema)}.schema_version`)])
  return (found?.[0]?.[0] as number | null) ?? 0
}

/**
 * Brings a database to the newest schema: every missing step in its own transaction, so a crash in between goes on where it stopped. Throws
 * `unavailable` for a database from a newer program.
 */
export async function upgrade(
  session: Session,
  schema: string,
  options: { log: Logger; now: number; steps?: readonly Upgrade[] },
): Promise<void> {
  const { log, now, steps = upgrades } = options
  const from = await schemaVersion(session, schema)
  const newest = steps.at(-1)?.version ?? 0
  if (from > newest) throw new DomainError('unavailable', `schema ${from} is newer than this program's ${newest}`)
  for (const { version, statements } of steps.filter((step) => step.version > from)) {
    const all = [...statements, ...(additions.get(version) ?? [])]
    try {
      await session.run([
        plain('BEGIN'),
        guard,
        plain(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`),
        plain(
          postgresSchema(`CREATE TABLE IF NOT EXISTS schema_version (version {int} PRIMARY KEY, at {int} NOT NULL)`),
        ),
        ...all.map((text) => plain(postgresSchema(text))),
        plain('INSERT INTO schema_version (version, at) VALUES ($1, $2)', version, now),
        plain('COMMIT'),
      ])
    } catch (error) {
      if (!session.lost) await session.run([plain('ROLLBACK')])
      throw error
    }
    if (from > 0) log.info({ schema, version }, 'database schema upgraded')
  }
}
