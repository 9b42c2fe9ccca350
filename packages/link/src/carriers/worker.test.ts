import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { type FolderId, isDomainError, type MailboxId } from '@postrider/domain'
import { openMemoryStore } from '@postrider/store/memory'
import { Caller } from '../caller.ts'
import { serveChannel } from '../owner.ts'
import { packBatch, unpackBatch } from './batch.ts'
import { portChannel, startOwnerWorker } from './worker.ts'

const box = 1 as MailboxId
const init = { language: 'en', quota: undefined, database: 'd' } as const
const memoryWorker = new URL('../contract/memory-worker.ts', import.meta.url)
const source = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`)

test('a batch gives its frames back, each at a multiple of 8', () => {
  const frames = [1, 8, 0, 13, 300].map((length) => new Uint8Array(length).fill(length))
  const unpacked = [...unpackBatch(packBatch(frames))]
  assert.deepEqual(unpacked, frames)
  for (const frame of unpacked) assert.equal(frame.byteOffset % 8, 0)
})

test('an owner in a worker answers, and ends by itself when it is stopped', async () => {
  const worker = startOwnerWorker(memoryWorker, {})
  const caller = new Caller()
  caller.attach(worker.channel)
  await caller.service.create(box, init)
  assert.equal((await caller.service.info(box)).database, 'd')
  assert.equal(await worker.stop(), 0)
  await assert.rejects(caller.service.info(box), (error) => isDomainError(error, 'unavailable'))
})

test('large and small frames keep their order', async () => {
  const { port1, port2 } = new MessageChannel()
  const [near, far] = [portChannel(port1), portChannel(port2)]
  const sizes = [10, 200_000, 20, 30, 100_000, 65_536, 1]
  const seen: number[] = []
  const done = new Promise<void>((resolve) => {
    far.handler = { frame: (frame) => void seen.push(frame.length), closed: () => resolve() }
  })
  for (const size of sizes) near.send(new Uint8Array(size))
  assert.equal(
    near.pendingBytes,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  near.close()
  await done
  assert.deepEqual(seen, sizes)
  assert.equal(near.send(new Uint8Array(1)), false)
})

test('a large original is moved to the worker and back', async () => {
  const { port1, port2 } = new MessageChannel()
  const store = openMemoryStore()
  serveChannel(store, portChannel(port2))
  const caller = new Caller()
  caller.attach(portChannel(port1))
  await caller.service.create(box, init)
  const bytes = new Uint8Array(3_000_000).map((_, i) => i * 13)
  const ref = await caller.service.stage(box, bytes)
  assert.equal(bytes.length, 3_000_000, 'the caller keeps its bytes')
  assert.equal(Buffer.compare(await caller.service.blob(box, ref), bytes), 0)
  caller.close()
})

test('a worker that dies makes its calls unavailable; another one takes over the subscriptions', async () => {
  const dying = source(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => { throw new Error('out of luck') })
  `)
  const worker = startOwnerWorker(dying, {})
  const caller = new Caller()
  caller.attach(worker.channel)
  await assert.rejects(caller.service.info(box), (error) => isDomainError(error, 'unavailable'))
  assert.equal(await worker.ended, 1)
  const next = startOwnerWorker(memoryWorker, {})
  caller.attach(next.channel)
  await caller.service.create(box, init)
  let heard = 0
  await caller.service.subscribe(box, () => heard++)
  await caller.service.apply(box, [{ op: 'createFolder', parent: 2 as FolderId, name: 'x', class: 'IPF.Note' }])
  for (let i = 0; i < 100 && heard === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(heard, 1)
  await next.stop()
})

test('a worker that cannot start makes its calls unavailable', async () => {
  const worker = startOwnerWorker(source('throw new Error("no disk")'), {})
  const caller = new Caller()
  caller.attach(worker.channel)
  await assert.rejects(caller.service.info(box), /no disk/)
  assert.equal(await worker.ended, 1)
})

test('what is no batch closes the channel', async () => {
  const { port1, port2 } = new MessageChannel()
  const channel = portChannel(port2)
  const closed = new Promise<Error | undefined>((resolve) => {
    channel.handler = { frame: () => {}, closed: resolve }
  })
  port1.postMessage({ batch: Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0).buffer })
  assert.ok((await closed) instanceof Error)
  port1.close()
})
