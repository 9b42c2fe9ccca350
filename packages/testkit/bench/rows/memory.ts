import { sleep } from '../../src/process/index.ts'
import type { Line } from '../harness/line.ts'
import { held, makePhones } from '../harness/phones.ts'
import { memory } from '../harness/processes.ts'
import type { How, RawImap } from '../harness/raw-imap.ts'
import { each, type Scenario } from '../harness/scenario.ts'
import { ourSubject, type Stage, type Subject } from '../harness/stage.ts'

const SETTLE_MS = 6_000

/** KB a session in IDLE adds to a server. What the first one of a process costs is not what thousands more do. */
async function idles(
  stage: Stage,
  subject: Subject,
  users: readonly string[],
  count: number,
  how: How = 'X25519',
): Promise<number> {
  // What a mailbox costs when it is opened is not what a connection costs: each was open once.
  await each(users.length, 16, async (i) => {
    const client = await subject.login(users[i])
    await client.command('SELECT INBOX')
    client.close()
  })
  const warm = await subject.login(users[0])
  await warm.command('SELECT INBOX')
  await sleep(stage.size(SETTLE_MS, 200))
  const before = memory(subject.pid)
  const clients: RawImap[] = []
  await each(count, 16, async (i) => {
    const client = await subject.login(users[i % users.length], how)
    await client.command('SELECT INBOX')
    await client.idle()
    clients.push(client)
  })
  await sleep(stage.size(SETTLE_MS, 200))
  const added = (memory(subject.pid) - before) / count / 1_024
  for (const client of clients) client.close()
  warm.close()
  return added
}

export const memoryHeld: Scenario = {
  name: 'memory',
  title: 'Memory a held TLS 1.3 connection adds',
  method:
    'Growth of the proportional set size of the server with all its processes, by the number of connections: 5,000 of each for ours (1,000 mailboxes, each opened once before), 200 sessions for Dovecot. A bare TLS 1.3 socket of Node 26 takes 46 KB. OpenSSL keeps the larger key share of X25519MLKEM768 as long as the connection lives; the phones of the Ping line offer it.',
  seconds: 600,
  async measure(stage, done) {
    const { server, boxes } = await stage.crowd
    const count = stage.size(5_000, 20)
    const ours = ourSubject(server)
    const mdbox = (await stage.subjects).find(({ name }) => name === 'Dovecot mdbox')
    const peers: Line['peers'] =
      mdbox === undefined ? {} : { Dovecot: [await idles(stage, mdbox, boxes, stage.size(200, 10))] }
    await server.stop()
    await server.restart()
    const idle = await idles(stage, ours, boxes, count)
    done({ what: 'IMAP IDLE, X25519', unit: 'KB', better: 'less', ours: [idle], peers, goals: [{ limit: 50 }] })
    await server.stop()
    await server.restart()
    const hybrid = await idles(stage, ours, boxes, count, 'X25519MLKEM768')
    done({
      what: 'IMAP IDLE, X25519MLKEM768',
      unit: 'KB',
      better: 'less',
      ours: [hybrid],
      peers: {},
      goals: [{ limit: 50 }],
    })
    await server.stop()
    await server.restart()
    const phones = await makePhones(server, boxes, count)
    await sleep(stage.size(SETTLE_MS, 200))
    const before = memory(server.pid)
    const end = new AbortController()
    const pings = phones.map((phone) => held(phone, end.signal))
    await sleep(stage.size(2 * SETTLE_MS, 500))
    const ping = (memory(server.pid) - before) / count / 1_024
    done({ what: 'ActiveSync Ping', unit: 'KB', better: 'less', ours: [ping], peers: {}, goals: [{ limit: 56 }] })
    end.abort()
    await Promise.all(pings)
  },
}
