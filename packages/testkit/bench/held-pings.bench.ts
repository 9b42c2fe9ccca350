/**
 * 1,000 held Pings (50 mailboxes, 20 devices each) over TLS: what one costs in memory, and how long after the SMTP 250 of a delivery all of the
 * mailbox's phones ring; then, on a server of its own, the same number of IMAP sessions in IDLE. `node packages/testkit/bench/held-pings.bench.ts`.
 */
import { readFileSync } from 'node:fs'
import { Phone } from '../src/activesync/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { sleep } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from '../test/mails.ts'
import { percentile, stalls, table } from './figures.ts'

const DEVICES = Number(process.env.DEVICES ?? 1_000)
const MAILBOXES = Number(process.env.MAILBOXES ?? 50)
const PASSWORD = 'bench-password'
const INBOX = 2

/** Proportional set size of a process, bytes. */
const memory = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1_024
const address = (i: number): string => `bench${i % MAILBOXES}@example.com`
const perConnection = (bytes: number): string => `${(bytes / DEVICES / 1_024).toFixed(1)} KB`

/** Does `work` for all numbers below `count`, `parallel` at a time. */
async function each(count: number, parallel: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let i = next++; i < count; i = next++) await work(i)
    }),
  )
}

/** A server with the mailboxes, that lets one address in as often as needed. */
async function start(): Promise<TestServer> {
  const server = await TestServer.start({
    config: { imap: { connectionsPerUser: 1_000 }, limits: { connectionsPerAddress: 5_000 } },
  })
  for (let i = 0; i < MAILBOXES; i++) await server.addUser(address(i), PASSWORD)
  return server
}

async function pings(): Promise<void> {
  await using server = await start()
  const phones: Phone[] = []
  const began = performance.now()
  await each(DEVICES, 16, async (i) => {
    const phone = new Phone({
      port: server.port('https'),
      tls: true,
      user: address(i),
      password: PASSWORD,
      version: '16.1',
      deviceId: `BENCH${i}`,
      deviceType: 'TestPhone',
    })
    await phone.provision()
    await phone.folderSync()
    await phone.syncAll(phone.folderOfType(INBOX))
    phones[i] = phone
  })
  console.log(`${DEVICES} phones added in ${((performance.now() - began) / 1_000).toFixed(1)} s`)
  await sleep(3_000)
  const before = memory(server.pid)

  const rung: number[] = []
  const answers = phones.map((phone, i) =>
    phone.ping(1_680, [phone.folderOfType(INBOX)]).then((answer) => {
      if (answer.status !== 2) throw new Error(`Ping ${i}: ${answer.status}`)
      rung[i] = performance.now()
    }),
  )
  await sleep(8_000)
  const held = memory(server.pid) - before

  const smtp = await SmtpClient.connect(server.port('smtp'))
  const accepted: number[] = []
  for (let box = 0; box < MAILBOXES; box++) {
    const { text } = testMail({ from: 'ann@outside.example', to: address(box), subject: 'ring', bytes: 4_096 })
    await smtp.deliver('ann@outside.example', address(box), text)
    accepted[box] = performance.now()
    await sleep(50)
  }
  await Promise.all(answers)
  const latencies = phones.map((_, i) => Math.max(0, (rung[i] ?? 0) - (accepted[i % MAILBOXES] ?? 0)))
  table(`${DEVICES} held Pings over TLS, ${MAILBOXES} mailboxes`, [
    { what: 'memory a held Ping adds', ours: perConnection(held) },
    {
      what: 'SMTP 250 to Ping answer p50 / p99 / max, ms',
      ours: [0.5, 0.99, 1].map((p) => percentile(latencies, p).toFixed(0)).join(' / '),
    },
    { what: 'stalls over 50 ms', ours: await stalls(server) },
  ])
}

async function idles(): Promise<void> {
  await using server = await start()
  // What the first sessions of a process cost is not what a thousand more do.
  const warm = await ImapClient.login(server.port('imaps'), address(0), PASSWORD)
  await warm.command('SELECT INBOX')
  await sleep(3_000)
  const before = memory(server.pid)
  const clients: ImapClient[] = []
  await each(DEVICES, 16, async (i) => {
    const client = await ImapClient.login(server.port('imaps'), address(i), PASSWORD)
    await client.command('SELECT INBOX')
    await client.idle()
    clients[i] = client
  })
  await sleep(8_000)
  table(`${DEVICES} IMAP sessions in IDLE over TLS`, [
    { what: 'memory a session adds', ours: perConnection(memory(server.pid) - before) },
    { what: 'stalls over 50 ms', ours: await stalls(server) },
  ])
  for (const client of clients) client.close()
  warm.close()
}

await pings()
await idles()
process.exit(0)
