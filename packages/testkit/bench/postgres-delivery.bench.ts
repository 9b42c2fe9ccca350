/**
 * Durable deliveries through the store's two drivers, in turns on one machine and disk: SQLite, and PostgreSQL with its defaults (fsync and
 * synchronous_commit on). Each round opens both anew, each PostgreSQL with a server of its own. Prints deliveries per second, medians and the ratio,
 * and the median of each round's ratio, which other work on the machine moves least. Usage:
 * node packages/testkit/bench/postgres-delivery.bench.ts [rounds] [seconds] [in flight] [bytes] [mailboxes]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FolderId, type MailboxId, type MailboxService, mailItem } from '@postrider/domain'
import { openPostgresStore } from '@postrider/store/postgres'
import { openSqliteStore } from '@postrider/store/sqlite'
import { startPostgres } from '../src/peers/index.ts'

const [rounds = 5, seconds = 4, inFlight = 64, bytes = 4096, mailboxes = 1000] = process.argv.slice(2).map(Number)
const filler = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor\r\n'
const mail = (n: number): Uint8Array =>
  Buffer.from(
    `From: a${n}@example.com\r\nTo: b@example.com\r\nSubject: mail ${n}\r\nMessage-ID: <${n}@bench>\r\n\r\n${filler.repeat(
      Math.ceil(bytes / filler.length),
    )}`.slice(0, bytes),
  )
/** Items are made before: what is measured is the store. */
const items = Array.from({ length: 2_000 }, (_, n) => mailItem(mail(n), { received: 1_760_000_000_000 + n }))

interface Opened extends MailboxService {
  close(): Promise<void>
}

interface Run {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

async function deliver(store: Opened): Promise<Run> {
  const ids = Array.from({ length: mailboxes }, (_, i) => (i + 1) as MailboxId)
  await Promise.all(ids.map((id) => store.create(id, { language: 'en', quota: undefined, database: 'db1' })))
  const folders = await store.folders(1 as MailboxId)
  const folder = folders.find(({ role }) => role === 'inbox')?.id as FolderId
  const took: number[] = []
  let n = 0
  const start = performance.now()
  const end = start + seconds * 1000
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      const id = ids[Math.floor(Math.random() * ids.length)] as MailboxId
      const began = performance.now()
      await store.apply(id, [{ op: 'add', folder, item: items[n++ % items.length] as (typeof items)[0] }])
      took.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  const perSecond = took.length / ((performance.now() - start) / 1000)
  took.sort((a, b) => a - b)
  const at = (share: number): number => took[Math.floor(took.length * share)] as number
  return { perSecond, p50: at(0.5), p99: at(0.99) }
}

async function round(open: (folder: string) => Promise<Opened>): Promise<Run> {
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'postrider-bench-'))
  const store = await open(folder)
  try {
    return await deliver(store)
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

const drivers: Readonly<Record<'sqlite' | 'postgres', (folder: string) => Promise<Opened>>> = {
  sqlite: (folder) => openSqliteStore({ folder, databases: ['db1'] }),
  // A server of its own for each round: it would still be clearing up after the one before.
  postgres: async (folder) => {
    const server = await startPostgres()
    const store = await openPostgresStore({ urls: [await server.createDatabase()], folder, databases: ['db1'] })
    const close = store.close.bind(store)
    store.close = async () => {
      await close()
      await server[Symbol.asyncDispose]()
    }
    return store
  },
}
const rates = { sqlite: [] as number[], postgres: [] as number[] }
for (let r = 0; r < rounds; r++) {
  for (const name of ['sqlite', 'postgres'] as const) {
    const { perSecond, p50, p99 } = await round(drivers[name])
    rates[name].push(perSecond)
    console.log(`${name.padEnd(9)} ${perSecond.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  }
}
const [sqlite, postgres] = [median(rates.sqlite), median(rates.postgres)]
console.log(
  `${bytes} bytes, ${inFlight} in flight, ${mailboxes} mailboxes, medians of ${rounds}:`,
  `SQLite ${sqlite.toFixed(0)}/s, PostgreSQL ${postgres.toFixed(0)}/s, ratio ${(postgres / sqlite).toFixed(2)},`,
  `median of each round's own ratio ${median(rates.postgres.map((rate, r) => rate / (rates.sqlite[r] as number))).toFixed(2)}`,
)
