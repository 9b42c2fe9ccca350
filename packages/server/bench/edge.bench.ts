/**
 * What a delivery of 4 KB costs the client-access thread in its own code: SMTP session, intake, MIME, frames of the link, log and metrics, without sockets
 * and store. Processor time, lowest of the rounds: `node packages/server/bench/edge.bench.ts`.
 */
import {
  type Connection,
  type ConnectionHandler,
  type MailboxService,
  systemClock,
  TimerWheel,
} from '@postrider/domain'
import { Caller, type Channel, type ChannelHandler, encodeFrame, routeMailboxes } from '@postrider/link'
import { defaultFrontend, smtpService } from '@postrider/protocols/smtp'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { createTransport } from '@postrider/transport'
import { openLog } from '../src/operations/log.ts'
import { Metrics } from '../src/operations/metrics.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 80)
const DELIVERIES = 500
const SESSIONS = 64
const BYTES = Number(process.env.BYTES ?? 4_096)

class Line implements Connection {
  readonly id = 'bench'
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 40_000
  readonly localPort = 25
  readonly secure = false
  readonly pendingBytes = 0
  handler: ConnectionHandler = { data: () => {}, closed: () => {} }
  heard: (text: string) => void = () => {}
  write(bytes: Uint8Array | string): boolean {
    this.heard(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1'))
    return true
  }
  end(): void {}
  drained = (): Promise<void> => Promise.resolve()
  pause(): void {}
  resume(): void {}
  startTls = (): Promise<void> => Promise.resolve()
  destroy(): void {}
}

/** Answers every call as an owner does that has written it; what is measured is this side alone. */
class AnsweringChannel implements Channel {
  handler: ChannelHandler = { frame: () => {}, closed: () => {} }
  readonly pendingBytes = 0
  #waiting: number[] = []
  send(frame: Uint8Array): boolean {
    if (this.#waiting.length === 0) setImmediate(() => this.#answer())
    this.#waiting.push(new DataView(frame.buffer, frame.byteOffset).getUint32(4, true))
    return true
  }
  #answer(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const id of waiting) this.handler.frame(encodeFrame(ANSWER, id, { change: 1, results: [added] }))
  }
  close(): void {}
}
/** `Kind.answer` of the link. */
const ANSWER = 3
const added = { op: 'add', mid: 1, itemId: 1, uid: 1, uidValidity: 1, change: 1, original: '1.4096' }

const directory = openDirectory({ file: ':memory:', hashCost: { memory: 8, passes: 1 } })
await directory.addDomain('example.com', 'Authoritative')
const store = openMemoryStore()
for (let i = 0; i < 20; i++) {
  const entry = await directory.addMailbox({ address: `bench${i}@example.com` })
  await store.create(entry.mailbox, { language: 'en', quota: undefined, database: entry.database })
}
const caller = new Caller()
caller.attach(new AnsweringChannel())
const owner = new Proxy(store, {
  get: (target, name) => {
    const value: unknown = Reflect.get(name === 'apply' ? caller.service : target, name)
    return typeof value === 'function' ? (value.bind(target) as unknown) : value
  },
}) as MailboxService
const service = routeMailboxes({
  databaseOf: (mailbox) => directory.mailbox(mailbox)?.database,
  ownerOf: () => owner,
  owners: () => [owner],
})
const meter = new Metrics()
const { log } = openLog('info', 'json')
const clock = systemClock
const transport = createTransport({ service, directory, settings: { fqdn: 'mail.example.com' }, clock, log, meter })
const authenticator = createAuthenticator({ directory, hashCost: { memory: 8, passes: 1 } })
const wheel = new TimerWheel({ clock })
const smtp = smtpService({ directory, authenticator, intake: transport.intake, clock, wheel, log, meter })
const connectors = [defaultFrontend('mail.example.com')]

const line = 'The quick brown fox jumps over the lazy dog, again and again.\r\n'
let given = 0
let wanted = 0
const lines = Array.from({ length: SESSIONS }, (_, i) => {
  const head = Buffer.from(`MAIL FROM:<ann@outside.example>\r\nRCPT TO:<bench${i % 20}@example.com>\r\nDATA\r\n`)
  const text = [
    'From: Someone Outside <ann@outside.example>',
    `To: <bench${i % 20}@example.com>`,
    'Subject: bench',
    'Date: Sun, 22 Nov 2026 01:00:00 +0000',
    `Message-ID: <${i}.bench@outside.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    line.repeat(Math.ceil((BYTES - 250) / line.length)),
  ].join('\r\n')
  const body = Buffer.from(`${text}.\r\n`)
  const session = new Line()
  smtp.accept(session, connectors)
  session.handler.data(Buffer.from('EHLO bench.example\r\n'))
  return { session, head, body }
})

/** One delivery after the other over every session, all sessions at once. */
async function round(deliveries: number): Promise<number> {
  const before = process.cpuUsage()
  given = 0
  wanted = deliveries
  await Promise.all(
    lines.map(({ session, head, body }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const next = (): void => {
        if (given >= wanted) {
          resolve()
          return
        }
        given++
        // As from a socket: a buffer of its own each time, in a turn of its own.
        setImmediate(() => session.handler.data(Buffer.from(head)))
      }
      session.heard = (said) => {
        if (said.includes('354 ')) setImmediate(() => session.handler.data(Buffer.from(body)))
        else if (said.startsWith('250 2.6.0')) next()
        else if (/^[45]/.test(said)) reject(new Error(said))
      }
      next()
      return promise
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return (user + system) / deliveries
}

const figures: number[] = []
for (let i = 0; i < ROUNDS; i++) figures.push(await round(DELIVERIES))
figures.sort((a, b) => a - b)
console.log(
  `a delivery of ${BYTES} bytes at the edge: ${figures[0]?.toFixed(1)} µs of processor time (lowest tenth ${figures[Math.floor(ROUNDS / 10)]?.toFixed(1)}, median ${figures[ROUNDS >> 1]?.toFixed(1)})`,
)
process.exit(0)
