import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type MailboxId, type MailboxService, isDomainError } from '@postrider/domain'
import fc from 'fast-check'
import { Caller } from '../caller.ts'
import type { Channel } from '../channel.ts'
import { encodeFrame } from '../codec/encode.ts'
import { FrameError, MAX_FRAME_BYTES } from '../codec/limits.ts'
import { Kind } from '../messages.ts'
import { methodNumbers } from '../methods.ts'
import { serveChannel } from '../owner.ts'
import { headOf, packBatch } from './batch.ts'
import { FrameSplitter } from './split.ts'
import { streamChannel } from './stream.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What an end of a channel hears. */
function listen(channel: Channel) {
  const frames: Uint8Array[] = []
  const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>()
  channel.handler = { frame: (frame) => void frames.push(frame), closed: resolve }
  return { frames, closed }
}

/** A TCP connection, both ends of it. */
async function tcp(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [Socket]
  server.close()
  t.after(() => {
    near.destroy()
    far.destroy()
  })
  return [near, far]
}

const someFrames = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ minLength: 0, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.nat(150_000).map((length) => new Uint8Array(length).fill(length)) },
  ),
  { maxLength: 12 },
)

test('a stream of frames comes out the same wherever it was cut', () => {
  fc.assert(
    fc.property(someFrames, fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }), (frames, cuts) => {
      const all = new Uint8Array(packBatch(frames))
      const splitter = new FrameSplitter()
      const seen: Uint8Array[] = []
      for (let at = 0, i = 0; at < all.length; i++) {
        const piece = all.slice(at, at + (cuts[i % cuts.length] as number))
        for (const frame of splitter.push(piece)) seen.push(frame)
        at += piece.length
      }
      assert.equal(seen.length, frames.length)
      for (const [i, frame] of frames.entries()) assert.equal(Buffer.compare(seen[i]!, frame), 0)
      assert.equal(splitter.isBetweenFrames, true)
    }),
    { numRuns: 200 },
  )
})

test('byte by byte too, and a frame put together is aligned', () => {
  const frames = [1, 8, 300].map((length) => new Uint8Array(length).fill(length))
  const splitter = new FrameSplitter()
  const seen = [...new Uint8Array(packBatch(frames))].flatMap((byte) => [...splitter.push(Uint8Array.of(byte))])
  assert.deepEqual(seen, frames)
  for (const frame of seen) assert.equal(frame.byteOffset % 8, 0)
})

test('P2: a length beyond the limit is refused before anything is kept, and an announced one takes no memory', () => {
  const tooLong = headOf(MAX_FRAME_BYTES + 1)
  assert.throws(() => [...new FrameSplitter().push(tooLong)], FrameError)
  assert.throws(() => {
    const splitter = new FrameSplitter()
    for (const byte of tooLong) [...splitter.push(Uint8Array.of(byte))]
  }, FrameError)
  const before = process.memoryUsage().arrayBuffers
  const many = Array.from({ length: 50 }, () => {
    const splitter = new FrameSplitter()
    assert.deepEqual([...splitter.push(headOf(MAX_FRAME_BYTES))], [])
    assert.deepEqual([...splitter.push(new Uint8Array(1_000))], [])
    return splitter
  })
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
  assert.equal(many.length, 50)
})

test('P5: any bytes are frames, wait for more, or are refused; never anything else', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), (pieces) => {
      const splitter = new FrameSplitter()
      try {
        for (const piece of pieces) for (const frame of splitter.push(piece)) assert.ok(frame.length <= 480)
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error))
      }
    }),
    { numRuns: 1_000 },
  )
})

test('frames of all sizes keep their order, in both directions, and those of one turn are one write', async () => {
  const [a, b] = duplexPair()
  let writes = 0
  const { _writev, _write } = a as Duplex & { _writev: Duplex['_writev'] }
  assert.equal(_writev, null)
  a._write = (...args) => {
    writes++
    _write.apply(a, args)
  }
  const [near, far] = [streamChannel(a), streamChannel(b)]
  const [nearHears, farHears] = [listen(near), listen(far)]
  for (let i = 1; i <= 100; i++) near.send(new Uint8Array(i).fill(i))
  await pause(10)
  assert.equal(writes, 1)
  const sizes = [10, 200_000, 20, 65_536, 65_537, 1]
  for (const size of sizes) far.send(new Uint8Array(size).fill(size))
  assert.ok(far.pendingBytes >= 331_000)
  await pause(50)
  assert.deepEqual(
    farHears.frames.map((frame) => [frame.length, frame[0]]),
    Array.from({ length: 100 }, (_, i) => [i + 1, i + 1]),
  )
  assert.deepEqual(
    nearHears.frames.map((frame) => frame.length),
    sizes,
  )
  assert.equal(far.pendingBytes, 0)
  near.close()
  assert.equal(await farHears.closed, undefined)
  assert.equal(await nearHears.closed, undefined)
  assert.equal(near.send(new Uint8Array(1)), false)
})

test('what is sent just before the close arrives, and a handler that comes late hears all of it', async (t) => {
  const [a, b] = await tcp(t)
  const [near, far] = [streamChannel(a), streamChannel(b)]
  listen(near)
  near.send(new Uint8Array(3_000_000).fill(7))
  near.send(Uint8Array.of(1))
  near.close()
  await pause(50)
  const { frames, closed } = listen(far)
  assert.equal(await closed, undefined)
  assert.deepEqual(
    frames.map((frame) => frame.length),
    [3_000_000, 1],
  )
})

test('a frame beyond the limit is not sent', () => {
  const channel = streamChannel(duplexPair()[0])
  const huge = { length: MAX_FRAME_BYTES + 1 } as Uint8Array
  assert.throws(() => channel.send(huge), FrameError)
  assert.equal(channel.pendingBytes, 0)
})

test('bytes that are no frames, and a frame cut short, end in a closed channel', async (t) => {
  const http = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const half = Buffer.concat([headOf(100), new Uint8Array(10)])
  for (const bytes of [http, Buffer.alloc(64, 0xff), headOf(MAX_FRAME_BYTES + 1), half]) {
    const [a, b] = await tcp(t)
    const { frames, closed } = listen(streamChannel(b))
    a.on('error', () => {})
    a.end(bytes)
    assert.ok((await closed) instanceof FrameError)
    assert.deepEqual(frames, [])
    assert.equal(b.destroyed, true)
  }
})

test('hostile frames end the owner’s channel and its subscriptions, not its service', async (t) => {
  const [a, b] = await tcp(t)
  let ended = 0
  const service = { subscribe: async () => ({ close: () => void ended++ }) } as Partial<MailboxService>
  serveChannel(service as MailboxService, streamChannel(b))
  const near = streamChannel(a)
  const { closed } = listen(near)
  near.send(encodeFrame(Kind.request, 1, [methodNumbers.get('subscribe'), 1_000, 1]))
  await pause(20)
  near.send(Uint8Array.of(1, 2, 3))
  await closed
  assert.equal(ended, 1)
})

test('probes keep a silent connection; without them the other side counts as dead', async (t) => {
  const [a, b] = await tcp(t)
  const near = listen(streamChannel(a, { probeMs: 20 }))
  const far = listen(streamChannel(b, { probeMs: 20 }))
  let open = true
  void near.closed.then(() => {
    open = false
  })
  await pause(300)
  assert.equal(open, true)
  assert.deepEqual([near.frames, far.frames], [[], []], 'probes are nobody’s frames')
  // Somebody who takes everything and says nothing, as after a cut cable.
  const [c, d] = await tcp(t)
  d.resume()
  assert.match(String(await listen(streamChannel(c, { probeMs: 20 })).closed), /silent/)
  assert.equal(c.destroyed, true)
})

test('a call over a connection that died is unavailable long before its deadline', async (t) => {
  const [a] = await tcp(t)
  const caller = new Caller()
  caller.attach(streamChannel(a, { probeMs: 20 }))
  const began = performance.now()
  await assert.rejects(caller.service.info(1 as MailboxId), (error) => isDomainError(error, 'unavailable'))
  assert.ok(performance.now() - began < 2_000)
})

test('who asks and never reads is not read any more; when it reads, it gets every answer', async (t) => {
  const [a, b] = await tcp(t)
  let asked = 0
  const blob = async (): Promise<Uint8Array> => {
    asked++
    return new Uint8Array(1_000_000)
  }
  const far = streamChannel(b, { unreadLimit: 2_000_000 })
  serveChannel({ blob } as Partial<MailboxService> as MailboxService, far)
  const total = 120
  const requests = Array.from({ length: total }, (_, i) =>
    encodeFrame(Kind.request, i, [methodNumbers.get('blob'), 60_000, 1, 'x'.repeat(50_000)]),
  )
  a.pause()
  for (const request of requests) a.write(new Uint8Array(packBatch([request])))
  await pause(300)
  assert.ok(asked < total / 2, `${asked} were answered to nobody`)
  assert.ok(far.pendingBytes < 100_000_000, `${far.pendingBytes} bytes wait`)
  const splitter = new FrameSplitter()
  let answers = 0
  const all = new Promise<void>((resolve) => {
    a.on('data', (piece: Buffer) => {
      for (const _ of splitter.push(piece)) if (++answers === total) resolve()
    })
  })
  a.resume()
  await all
  assert.equal(asked, total)
})
