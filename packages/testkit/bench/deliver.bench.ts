/**
 * Durable deliveries of 4 KB from SMTP to mailboxes over 64 kept-open connections (20 mailboxes), for twenty seconds behind five
 * of warming up, all on this machine: `node packages/testkit/bench/deliver.bench.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { TestServer } from '../src/server/index.ts'
import { testMail } from '../test/mails.ts'
import { stalls, table } from './figures.ts'
import { percentile } from './harness/line.ts'

const CONNECTIONS = Number(process.env.CONNECTIONS ?? 64)
const SECONDS = Number(process.env.SECONDS ?? 20)
const WARM_SECONDS = 5
const MAILBOXES = Number(process.env.MAILBOXES ?? 20)
const BYTES = Number(process.env.BYTES ?? 4_096)

/** One connection as tight as it can be: the load must not cost more than the server. Counts the 250 behind each message. */
function sender(port: number, to: string, stopAt: number, latencies: number[]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const { text } = testMail({ from: 'ann@outside.example', to, subject: 'bench', bytes: BYTES })
  const head = Buffer.from(`MAIL FROM:<ann@outside.example>\r\nRCPT TO:<${to}>\r\nDATA\r\n`)
  const body = Buffer.from(`${text}.\r\n`)
  let delivered = 0
  let replies = 0
  let began = 0
  let greeted = 0
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const next = (): void => {
    if (performance.now() > stopAt) {
      socket.end('QUIT\r\n')
      resolve(delivered)
      return
    }
    replies = 0
    began = performance.now()
    socket.write(head)
  }
  socket.on('data', (chunk) => {
    const lines = chunk.toString('latin1').split('\r\n')
    for (const line of lines) {
      if (!/^\d{3} /.test(line)) continue
      if (greeted < 2) {
        greeted++
        if (greeted === 1) socket.write('EHLO bench.example\r\n')
        else next()
        continue
      }
      replies++
      if (line.charCodeAt(0) !== 0x32 && !line.startsWith('354')) return reject(new Error(line))
      if (replies === 3) socket.write(body)
      if (replies === 4) {
        delivered++
        latencies.push(performance.now() - began)
        next()
      }
    }
  })
  socket.once('error', reject)
  return promise
}

await using server = await TestServer.start({
  config: JSON.parse(process.env.CONFIG ?? '{}') as Record<string, unknown>,
})
for (let i = 0; i < MAILBOXES; i++) await server.addUser(`bench${i}@example.com`, 'bench-password')
const port = server.port('smtp')

/** All senders for so many seconds: the number of deliveries. */
async function run(seconds: number, latencies: number[]): Promise<number> {
  const stopAt = performance.now() + seconds * 1_000
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) => sender(port, `bench${i % MAILBOXES}@example.com`, stopAt, latencies)),
  )
  return counts.reduce((sum, one) => sum + one, 0)
}

await run(WARM_SECONDS, [])
const cpuBefore = processorTime(server.pid)
const latencies: number[] = []
const began = performance.now()
const total = await run(SECONDS, latencies)
const seconds = (performance.now() - began) / 1_000
const cpuAfter = processorTime(server.pid)
table(`SMTP to mailbox, durable, ${BYTES} bytes, ${CONNECTIONS} connections, ${MAILBOXES} mailboxes`, [
  { what: 'deliveries per second', ours: (total / seconds).toFixed(0) },
  {
    what: 'latency p50 / p99, ms',
    ours: `${percentile(latencies, 0.5).toFixed(1)} / ${percentile(latencies, 0.99).toFixed(1)}`,
  },
  {
    what: 'processor time a delivery, µs, by thread',
    ours: [...cpuAfter]
      .map(([thread, ms]) => ({ thread, us: ((ms - (cpuBefore.get(thread) ?? 0)) * 1_000) / total }))
      .filter((one) => one.us >= 1)
      .map((one) => `${one.thread} ${one.us.toFixed(0)}`)
      .join(', '),
  },
  { what: 'stalls over 50 ms', ours: await stalls(server) },
])

/** Processor time of every thread of a process so far, ms, by id and name: /proc, in ticks of 10 ms. */
function processorTime(pid: number): Map<string, number> {
  const times = new Map<string, number>()
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    times.set(`${name} ${task}`, (Number(fields[11]) + Number(fields[12])) * 10)
  }
  return times
}
