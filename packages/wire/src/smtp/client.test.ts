import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotStuffer, encodeReply, MessageScan, parseEhlo, ReplyReceiver, smtpReply } from './index.ts'

const LIMITS = { maxMessageBytes: 1 << 30, maxHeaderBytes: 1 << 30 }

function stuff(pieces: Buffer[]): Buffer {
  const stuffer = new DotStuffer()
  return Buffer.concat([...pieces.map((piece) => stuffer.push(piece)), stuffer.end()])
}

test('P8: what the stuffer sends is one message for the strict receiver, whatever the bytes, cut anywhere', () => {
  const word = fc.constantFrom('\r\n', '\r', '\n', '.', '..', '\r\n.\r\n', '\n.\n', '\r.\r', 'text', '')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (words, size) => {
      const whole = Buffer.from(words.join(''))
      const pieces: Buffer[] = []
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size))
      const sent = stuff([whole])
      assert.deepEqual(stuff(pieces), sent)
      const scan = new MessageScan(LIMITS, true)
      const { text, rest } = scan.push(sent)
      assert.equal(rest?.length, 0)
      assert.ok(!scan.notes().bareCr && !scan.notes().bareLf)
      const normal = whole.toString().replace(/\r\n|\r|\n/g, '\r\n')
      assert.equal(text.toString(), normal === '' || normal.endsWith('\r\n') ? normal : `${normal}\r\n`)
    }),
    { numRuns: 2000 },
  )
})

test('a clean piece is sent as it is, without a copy', () => {
  const piece = Buffer.from('Subject: x\r\n\r\nbody\r\n')
  assert.equal(new DotStuffer().push(piece), piece)
})

test('P15: stuffing a megabyte of the worst lines stays far below 50 ms', () => {
  for (const pattern of ['\r\n', '.\r\n', '\n', '\r', '\r.']) {
    const body = Buffer.from(pattern.repeat(Math.ceil(1_000_000 / pattern.length)))
    const started = workedMs()
    stuff([body])
    assert.ok(workedMs() - started < 100, JSON.stringify(pattern))
  }
})

test('P9: a reply text cannot end its line; status codes repeat on every line (RFC 2034 §4)', () => {
  assert.equal(encodeReply(smtpReply(250, '2.0.0', 'a\r\nb', 'é')), '250-2.0.0 a??b\r\n250 2.0.0 ?\r\n')
  assert.equal(encodeReply(smtpReply(354, undefined, 'go')), '354 go\r\n')
  assert.ok(encodeReply(smtpReply(550, '5.1.1', 'x'.repeat(5000))).length <= 512)
})

test('what a server writes a client reads, cut anywhere', () => {
  const line = fc.stringMatching(/^[!-~][ -~]{0,40}$/)
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (lines, size) => {
      const wire = Buffer.from(encodeReply(smtpReply(550, '5.1.1', ...lines)))
      const receiver = new ReplyReceiver()
      for (let at = 0; at < wire.length; at += size) {
        receiver.push(wire.subarray(at, at + size))
        if (at + size < wire.length - 1) assert.equal(receiver.next(), undefined)
      }
      assert.deepEqual(receiver.next(), { kind: 'reply', reply: { code: 550, status: '5.1.1', lines } })
    }),
    { numRuns: 300 },
  )
})

test('hostile replies end in an error, within limits', () => {
  for (const wire of [
    'garbage\r\n',
    '999 x\r\n',
    '250-a\r\n251 b\r\n',
    '25\r\n',
    '250-x\r\n'.repeat(300),
    `250 ${'x'.repeat(9000)}\r\n`,
  ]) {
    const receiver = new ReplyReceiver()
    receiver.push(Buffer.from(wire))
    assert.equal(receiver.next()?.kind, 'error', wire.slice(0, 20))
    assert.equal(receiver.next()?.kind, 'error')
  }
})

test('P7: a client knows that bytes were waiting when STARTTLS was answered', () => {
  const receiver = new ReplyReceiver()
  receiver.push(Buffer.from('220 go\r\n250 injected\r\n'))
  receiver.next()
  assert.ok(receiver.reset() > 0)
})

test('EHLO lists are read with their figures; AUTH= is understood', () => {
  const capabilities = parseEhlo({
    code: 250,
    status: undefined,
    lines: ['host', 'SIZE 1000', 'pipelining', 'AUTH PLAIN login', 'AUTH=CRAM-MD5', '8BITMIME', '__proto__ x', 'X'],
  })
  assert.equal(capabilities.maxSize, 1000)
  assert.ok(capabilities.pipelining && capabilities.eightBitMime && !capabilities.startTls)
  assert.deepEqual(capabilities.auth, ['PLAIN', 'LOGIN', 'CRAM-MD5'])
  assert.equal(parseEhlo({ code: 250, status: undefined, lines: ['h', 'SIZE 0'] }).maxSize, undefined)
})
