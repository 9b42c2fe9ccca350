import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { readBody } from './body.ts'

const message = (stream: Readable, headers: Record<string, string> = {}): IncomingMessage =>
  Object.assign(stream, { headers }) as unknown as IncomingMessage

test('P2: a body in single bytes is read whole; one byte more than allowed is 413 as soon as it is there', async () => {
  const single = (count: number): Readable =>
    Readable.from(
      (function* () {
        for (let i = 0; i < count; i++) yield Buffer.of(i & 0xff)
      })(),
      { objectMode: false },
    )
  const read = await readBody(message(single(5_000)), 5_000)
  assert.ok(read.ok)
  assert.deepEqual(read.bytes, Buffer.from(Array.from({ length: 5_000 }, (_, i) => i & 0xff)))
  assert.deepEqual(await readBody(message(single(5_001)), 5_000), { ok: false, http: 413 })
  assert.deepEqual(await readBody(message(single(1), { 'content-length': '5001' }), 5_000), { ok: false, http: 413 })
})

test('encodings: unpacked, bombs 413, damaged 400, unknown 415', async () => {
  const words = Buffer.from('words '.repeat(100))
  const packed = async (bytes: Buffer, encoding: string) =>
    readBody(message(Readable.from([bytes]), { 'content-encoding': encoding }), 64 * 1024 * 1024)
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
  assert.deepEqual(await readBody(message(gone), 100), { ok: false, http: 0 })
  const going = new PassThrough()
  const reading = readBody(message(going), 100)
  going.write('half')
  setImmediate(() => going.destroy())
  assert.deepEqual(await reading, { ok: false, http: 0 })
})
