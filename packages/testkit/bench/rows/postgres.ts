import { resolve } from 'node:path'
import { run } from '../../src/process/index.ts'
import type { Scenario } from '../harness/scenario.ts'

const bench = resolve(import.meta.dirname, '..', 'postgres-delivery.bench.ts')

export const postgres: Scenario = {
  name: 'postgres',
  title: 'PostgreSQL driver against SQLite, delivery',
  method:
    "The store's two drivers in a process of their own, in turns: 4 KB, 64 in flight, 1,000 mailboxes, everything synced; PostgreSQL with its defaults on the same disk. Peer here is our own SQLite driver.",
  seconds: 200,
  async measure(stage, done) {
    const { stdout, stderr, code } = await run(
      process.execPath,
      [bench, String(stage.runs), String(stage.size(4, 0.5)), '64', '4096', String(stage.size(1_000, 20))],
      { timeoutMs: 190_000 },
    )
    if (code !== 0) throw new Error(stderr)
    const rates = (driver: string): number[] =>
      [...stdout.matchAll(new RegExp(`^${driver} +(\\d+)/s`, 'gm'))].map(([, rate]) => Number(rate))
    done({
      what: 'deliveries',
      unit: '/s',
      better: 'more',
      ours: rates('postgres'),
      peers: { SQLite: rates('sqlite') },
      goals: [{ times: 0.6 }],
    })
  },
}
