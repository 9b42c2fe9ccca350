/**
 * What one hop over the link costs: a small question (`info`) and a delivery of 4 KB, in the same thread and to a worker, with 1 and 32 calls
 * under way. The service answers at once, so that only the link is measured. `node packages/link/bench/hop.bench.ts`
 */
import { isMainThread, parentPort } from 'node:worker_threads'
import { type ApplyResult, type MailboxId, type MailboxInfo, type MailboxService, mailItem } from '@postrider/domain'
import { Caller } from '../src/caller.ts'
import { directChannel } from '../src/carriers/direct.ts'
import { serveOwner, startOwnerWorker } from '../src/carriers/worker.ts'
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

if (isMainThread) {
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
} else serveOwner(parentPort, service)
