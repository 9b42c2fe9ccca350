import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { BodyMemory, readBody } from './body.ts'

const message = (stream: Readable, headers: Record<string, string> = {}): IncomingMessage =>
  Object.assign(stream, { headers }) as unknown as IncomingMessage

const share = () => new BodyMemory(1024 * 1024 * 1024).share()

test('P2: a body in single bytes is read whole; one byte more than allowed is 413 as soon as it is there', async () => {
  const single = (count: number): Readable =>
    Readable.from(
      (function* () {
        for (let i = 0; i < count; i++) yield Buffer.of(i & 0xff)
      })(),
      { objectMode: false },
    )
  const read = await readBody(message(single(5_000)), 5_000, share())
  assert.ok(read.ok)
  assert.deepEqual(read.bytes, Buffer.from(Array.from({ length: 5_000 }, (_, i) => i & 0xff)))
  assert.deepEqual(await readBody(message(single(5_001)), 5_000, share()), { ok: false, http: 413 })
  assert.deepEqual(await readBody(message(single(1), { 'content-length': '5001' }), 5_000, share()), {
    ok: false,
    http: 413,
  })
})

test('encodings: unpacked, bombs 413, damaged 400, unknown 415', async () => {
  const words = Buffer.from('words '.repeat(100))
  const packed = async (bytes: Buffer, encoding: string) =>
    readBody(message(Readable.from([bytes]), { 'content-encoding': encoding }), 64 * 1024 * 1024, share())
  for (const [bytes, encoding] of [
    [gzipSync(words), 'gzip'],
    [gzipSync(words), 'X-GZIP'],
    [deflateSync(words), 'deflate'],
    [words, 'identity'],
  ] as const)
    assert.deepEqual(await packed(bytes, encoding), { ok: true, bytes: words })
  assert.deepEqual(await packed(gzipSync(Buffer.alloc(8 * 1024 * 1024)), 'gzip'), { ok: false, http: 413 })
  assert.deepEqual(await packed(Buffer.from('no gzip'), 'gzip'), { ok: false, http: 400 })
  assert.deepEqual(await packed(words, 'br'), { ok: false, http: 415 })
})

test('a client that goes away, before or while its body is read, is told nothing and waited for by nobody', async () => {
  const gone = new PassThrough()
  gone.destroy()
  await once(gone, 'close')
  assert.deepEqual(await readBody(message(gone), 100, share()), { ok: false, http: 0 })
  const going = new PassThrough()
  const reading = readBody(message(going), 100, share())
  going.write('half')
  setImmediate(() => going.destroy())
  assert.deepEqual(await reading, { ok: false, http: 0 })
})

test('D5: bodies of all requests together stay within what was set aside; room comes back', async () => {
  const memory = new BodyMemory(1_000)
  const body = (bytes: Buffer, headers = {}) => message(Readable.from([bytes]), headers)
  const first = memory.share()
  assert.equal((await readBody(body(Buffer.alloc(600)), 5_000, first)).ok, true)
  assert.equal(memory.used, 600)
  const second = memory.share()
  assert.deepEqual(await readBody(body(Buffer.alloc(600)), 5_000, second), { ok: false, http: 503 })
  second[Symbol.dispose]()
  const packed = body(gzipSync(Buffer.alloc(600)), { 'content-encoding': 'gzip' })
  const third = memory.share()
  assert.deepEqual(await readBody(packed, 5_000, third), { ok: false, http: 503 })
  third[Symbol.dispose]()
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.equal(memory.used, 0)
  const fourth = memory.share()
  assert.equal((await readBody(body(Buffer.alloc(1_000)), 5_000, fourth)).ok, true)
})

test('P4: one body is unpacked at a time, and one that fails holds up nobody', async () => {
  const memory = new BodyMemory(1_000)
  let running = 0
  let most = 0
  const unpack = async (): Promise<Buffer> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running--
    if (most > 0 && Math.random() < 0.5) throw new Error('damaged')
    return Buffer.alloc(1)
  }
  await Promise.allSettled(Array.from({ length: 10 }, () => memory.share().inTurn(unpack)))
  assert.equal(most, 1)
  await memory.share().inTurn(async () => Buffer.alloc(1))
})
