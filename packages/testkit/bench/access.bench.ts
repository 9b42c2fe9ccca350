/**
 * One client-access process against several, in turns on the same machine: durable deliveries a second over kept-open SMTP sessions, logins a second, the
 * processor time each costs over all processes, memory. `node packages/testkit/bench/access.bench.ts`; PROCESSES=1,2,4, RUNS, MESSAGES, LOGINS.
 */
import { ImapClient } from '../src/imap/index.ts'
import { TestServer } from '../src/server/index.ts'
import { addUser } from './harness/control.ts'
import { median, percentile } from './harness/line.ts'
import { memory, processorTime } from './harness/processes.ts'
import { each, inTurns } from './harness/scenario.ts'
import { smtpLoad } from './harness/smtp-load.ts'

const KINDS = (process.env.PROCESSES ?? '1,2').split(',')
const RUNS = Number(process.env.RUNS ?? 5)
const MESSAGES = Number(process.env.MESSAGES ?? 6_000)
const LOGINS = Number(process.env.LOGINS ?? 300)
const BYTES = 4_096
const PASSWORD = 'bench-password'
const boxes = Array.from({ length: 20 }, (_, i) => `box${i}@example.com`)

interface Taken {
  readonly deliveries: number[]
  readonly deliveryMs: number[]
  readonly logins: number[]
  readonly loginMs: number[]
}
const servers = new Map<string, { readonly server: TestServer; readonly taken: Taken }>()
for (const kind of KINDS) {
  const server = await TestServer.start({
    readyMs: 120_000,
    config: { accessProcesses: Number(kind), limits: { connectionsPerAddress: 1_000 } },
  })
  for (const box of boxes) await addUser(server, box, PASSWORD)
  servers.set(kind, { server, taken: { deliveries: [], deliveryMs: [], logins: [], loginMs: [] } })
}

/** What `work` costs: how often a second it was done, and processor time each, ms. */
async function measure(server: TestServer, count: number, work: () => Promise<unknown>): Promise<[number, number]> {
  const cpu = processorTime(server.pid)
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1_000
  return [count / seconds, (processorTime(server.pid) - cpu) / count]
}

const takers = [...servers].map(([kind, { server, taken }]) => {
  const take = async (run: number): Promise<number> => {
    const messages = run === 0 ? MESSAGES / 4 : MESSAGES
    const load = { port: server.port('smtp'), connections: 64, to: boxes, bytes: BYTES, messages }
    const [deliveries, deliveryMs] = await measure(server, messages, () => smtpLoad(load))
    const [logins, loginMs] = await measure(server, LOGINS, () =>
      each(LOGINS, 8, async (i) => {
        const client = await ImapClient.login(server.port('imaps'), boxes[i % boxes.length]!, PASSWORD)
        await client.command('SELECT INBOX')
        client.close()
      }),
    )
    // The first time warms up.
    if (run === 0) return 0
    taken.deliveries.push(deliveries)
    taken.deliveryMs.push(deliveryMs)
    taken.logins.push(logins)
    taken.loginMs.push(loginMs)
    return deliveries
  }
  return [kind, take] as const
})
await inTurns(RUNS + 1, Object.fromEntries(takers))

const spread = (values: readonly number[], digits = 0): string =>
  `${median(values).toFixed(digits)} (${percentile(values, 0).toFixed(digits)}–${percentile(values, 1).toFixed(digits)})`
console.log(
  '| client-access processes | deliveries /s | processor ms each | login + SELECT /s | processor ms each | memory MB |',
)
console.log('|---|---|---|---|---|---|')
for (const [kind, { server, taken }] of servers) {
  const { deliveries, deliveryMs, logins, loginMs } = taken
  const mb = (memory(server.pid) / 1_048_576).toFixed(0)
  console.log(
    `| ${kind} | ${spread(deliveries)} | ${spread(deliveryMs, 2)} | ${spread(logins)} | ${spread(loginMs, 1)} | ${mb} |`,
  )
}
for (const { server } of servers.values()) await server[Symbol.asyncDispose]()
