/**
 * What one hop over the link costs: a small question (`info`) and a delivery of 4 KB, in the same thread, to a worker, and to a process over a
 * unix socket, TCP and mutual TLS, with 1 and 32 calls under way. The service answers at once, so that only the link is measured. `node packages/link/bench/hop.bench.ts`
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { isMainThread, parentPort } from 'node:worker_threads'
import { type ApplyResult, type MailboxId, type MailboxInfo, type MailboxService, mailItem } from '@postrider/domain'
import { Caller } from '../src/caller.ts'
import { directChannel } from '../src/carriers/direct.ts'
import { connectSocket, listenSocket, TOKEN_BYTES } from '../src/carriers/socket.ts'
import { streamChannel } from '../src/carriers/stream.ts'
import { serveOwner, startOwnerWorker } from '../src/carriers/worker.ts'
import type { Channel } from '../src/channel.ts'
import { identity, type Identity } from '../src/contract/test-tls.ts'
import { serveChannel } from '../src/owner.ts'

const info = {
  database: 'd',
  guid: '00'.repeat(16),
  change: 1,
  lowestChange: 0,
  usedBytes: 0,
  items: 0,
  epoch: 1,
  hierarchy: 1,
}
const added = { op: 'add', mid: 1, itemId: 1, uid: 1, uidValidity: 1, change: 1, original: 'ref' }
/** Answers at once; the benchmark calls nothing else. */
const service = {
  info: async () => info as unknown as MailboxInfo,
  apply: async () => ({ change: 1, results: [added] }) as unknown as ApplyResult,
} as Partial<MailboxService> as MailboxService

const box = 1 as MailboxId
const text = 'The quick brown fox jumps over the lazy dog, again and again.\r\n'.repeat(60)
const bytes = Buffer.from(`From: a@example.com\r\nTo: b@example.com\r\nSubject: bench\r\n\r\n${text}`).subarray(
  0,
  4_096,
)
const item = mailItem(bytes, { received: Date.now() })
const calls: Readonly<Record<string, (over: MailboxService) => Promise<unknown>>> = {
  info: (over) => over.info(box),
  'deliver 4 KB': (over) => over.apply(box, [{ op: 'add', folder: 3 as never, item }]),
}

async function run(call: () => Promise<unknown>, total: number, inFlight: number): Promise<number> {
  const lane = async (): Promise<void> => {
    for (let i = 0; i < total / inFlight; i++) await call()
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: inFlight }, lane))
  return ((performance.now() - start) / total) * 1_000
}

async function measure(carrier: string, over: MailboxService): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    for (const inFlight of [1, 32]) {
      await run(() => call(over), 5_000, inFlight)
      const µs = await run(() => call(over), 20_000, inFlight)
      console.log(
        `${carrier.padEnd(8)} ${name.padEnd(14)} ${String(inFlight).padStart(3)} in flight ${µs.toFixed(1).padStart(8)} µs`,
      )
    }
  }
}

const token = new Uint8Array(TOKEN_BYTES)
type Kind = 'unix' | 'tcp' | 'tls'
interface Order {
  readonly kind: Kind
  readonly path: string
  readonly me: Identity
  readonly peer: Identity
}

/** In the other process: serves, and tells the port. */
async function serve({ kind, path, me, peer }: Order): Promise<void> {
  const joined = (channel: Channel): void => serveChannel(service, channel)
  if (kind === 'unix') {
    await listenSocket(path, token, joined)
    process.send?.(0)
    return
  }
  const take = (socket: Socket): void => joined(streamChannel(socket))
  const mutual = { ...me, ca: peer.cert, requestCert: true, rejectUnauthorized: true }
  const server = kind === 'tcp' ? createServer(take) : createTlsServer(mutual, take)
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}

/** Another process that serves, and a channel to it. */
async function startProcess(order: Order): Promise<readonly [ChildProcess, Channel]> {
  const child = fork(import.meta.filename, ['serve'])
  child.send(order)
  const [port] = (await once(child, 'message')) as [number]
  if (order.kind === 'unix') return [child, await connectSocket(order.path, token)]
  if (order.kind === 'tcp') {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return [child, streamChannel(socket)]
  }
  const { me, peer } = order
  const socket = connectTls({ ...peer, port, host: '127.0.0.1', ca: me.cert, checkServerIdentity: () => undefined })
  await once(socket, 'secureConnect')
  return [child, streamChannel(socket)]
}

async function measureProcesses(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hop-'))
  const [me, peer] = [identity('owner'), identity('caller')]
  for (const kind of ['unix', 'tcp', 'tls'] as const) {
    const [child, channel] = await startProcess({ kind, path: join(folder, 'owner.sock'), me, peer })
    const caller = new Caller()
    caller.attach(channel)
    await measure(kind, caller.service)
    caller.close()
    child.kill()
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
}

if (process.argv[2] === 'serve') process.once('message', (order) => void serve(order as Order))
else if (isMainThread) {
  const [near, far] = directChannel()
  serveChannel(service, far)
  const direct = new Caller()
  direct.attach(near)
  await measure('call', service)
  await measure('direct', direct.service)
  const worker = startOwnerWorker(new URL(import.meta.url), {})
  const remote = new Caller()
  remote.attach(worker.channel)
  await measure('worker', remote.service)
  await worker.stop()
  await measureProcesses()
} else serveOwner(parentPort, service)
