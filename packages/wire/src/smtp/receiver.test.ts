import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type SmtpEvent, SmtpReceiver } from './index.ts'

/** What a session that accepts everything sees. */
function converse(chunks: Iterable<Uint8Array>, limits = {}): { events: SmtpEvent[]; messages: Buffer[] } {
  const receiver = new SmtpReceiver(limits)
  const events: SmtpEvent[] = []
  const messages: Buffer[] = []
  let text: Buffer[] = []
  for (const chunk of chunks) {
    receiver.push(chunk)
    for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
      if (event.kind === 'text') {
        text.push(Buffer.from(event.bytes))
        continue
      }
      events.push(event)
      if (event.kind === 'command' && event.command.verb === 'DATA') receiver.beginData()
      if (event.kind === 'dataEnd' || (event.kind === 'chunkEnd' && event.last)) {
        messages.push(Buffer.concat(text))
        text = []
      }
    }
  }
  return { events, messages }
}
const bytes = (text: string) => [Buffer.from(text, 'latin1')]
const oneByOne = (text: string) => [...Buffer.from(text, 'latin1')].map((b) => Buffer.from([b]))
const verbs = (events: SmtpEvent[]) =>
  events.map((e) =>
    e.kind === 'command' ? e.command.verb : e.kind === 'refusal' ? `!${e.refusal.reply.code}` : e.kind,
  )

const PIPELINE =
  'EHLO a.example\r\nMAIL FROM:<a@a.example> SIZE=9\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.more\r\n.\r\nQUIT\r\n'

test('RFC 2920: a pipelined transaction reads the same in one piece and byte by byte', () => {
  for (const chunks of [bytes(PIPELINE), oneByOne(PIPELINE)]) {
    const { events, messages } = converse(chunks)
    assert.deepEqual(verbs(events), ['EHLO', 'MAIL', 'RCPT', 'DATA', 'dataEnd', 'QUIT'])
    assert.equal(messages[0]!.toString(), 'Subject: x\r\n\r\n.dot\r\nmore\r\n')
  }
})

test('RFC 5321 §4.5.2: an empty message, a lone dot line and stuffed dots', () => {
  assert.equal(converse(bytes('DATA\r\n.\r\n')).messages[0]!.toString(), '')
  assert.equal(converse(bytes('DATA\r\n..\r\n.\r\n')).messages[0]!.toString(), '.\r\n')
  assert.equal(converse(bytes('DATA\r\n.x\r\n...\r\n.\r\n')).messages[0]!.toString(), 'x\r\n..\r\n')
})

test('P8: only CRLF.CRLF ends a message; every other spelling stays text and is reported', () => {
  const ends = ['\n', '\r', '\r\n', '']
  let tried = 0
  for (const before of ends)
    for (const after of ends) {
      if (before === '\r\n' && after === '\r\n') continue
      const fake = `${before}.${after}`
      const smuggled = `DATA\r\nHello: x\r\n\r\nfirst${fake}MAIL FROM:<evil@e>\r\nRCPT TO:<x@y>\r\nDATA\r\nspoof\r\n.\r\nNOOP\r\n`
      for (const chunks of [bytes(smuggled), oneByOne(smuggled)]) {
        const { events, messages } = converse(chunks)
        assert.deepEqual(verbs(events), ['DATA', 'dataEnd', 'NOOP'], JSON.stringify(fake))
        const notes = events.find((e) => e.kind === 'dataEnd')!.notes
        const ending = before + after
        assert.equal(notes.bareLf, before === '\n' || after === '\n', JSON.stringify(fake))
        assert.equal(notes.bareCr, before === '\r' || after === '\r', JSON.stringify(fake))
        assert.ok(messages[0]!.includes('MAIL FROM:<evil@e>'))
        assert.ok(ending !== undefined)
      }
      tried++
    }
  assert.equal(tried, 15)
})

test('P8: bare CR, bare LF and NUL anywhere are noted; a clean message is not', () => {
  const notes = (text: string) => {
    const event = converse(bytes(`DATA\r\n${text}\r\n.\r\n`)).events.at(-1)!
    assert.equal(event.kind, 'dataEnd')
    return event.kind === 'dataEnd' ? event.notes : assert.fail()
  }
  assert.deepEqual([notes('a\r\nb').bareLf, notes('a\r\nb').bareCr, notes('a\r\nb').nul], [false, false, false])
  assert.equal(notes('a\nb').bareLf, true)
  assert.equal(notes('\n').bareLf, true)
  assert.equal(notes('a\rb').bareCr, true)
  assert.equal(notes('a\r\r').bareCr, true)
  assert.equal(notes(`${'long '.repeat(20)}\rb`).bareCr, true)
  assert.equal(notes('a\0b').nul, true)
})

test('commands end in CRLF only; a bare LF, a CR or a NUL inside is refused and the next line is read', () => {
  const { events } = converse(bytes('NOOP\nNO\rOP\r\nNO\0OP\r\nNOOP\r\n'))
  assert.deepEqual(verbs(events), ['!500', '!500', '!500', 'NOOP'])
})

test('P2: an over-long line is refused once without being kept; AUTH lines may be longer', () => {
  const { events } = converse([Buffer.alloc(200_000, 0x41), ...bytes('\r\nNOOP\r\n')])
  assert.deepEqual(verbs(events), ['!500', 'NOOP'])
  assert.deepEqual(verbs(converse(bytes(`AUTH PLAIN ${'A'.repeat(9000)}\r\n`)).events), ['AUTH'])
  assert.deepEqual(verbs(converse(bytes(`AUTH PLAIN ${'A'.repeat(13_000)}\r\n`)).events), ['!500'])
})

test('RFC 3030: BDAT chunks carry any bytes, dots included, and end by count', () => {
  const wire = 'BDAT 5\r\na\r\n.\rBDAT 4\r\n\nb\0\nBDAT 0 LAST\r\nNOOP\r\n'
  for (const chunks of [bytes(wire), oneByOne(wire)]) {
    const { events, messages } = converse(chunks)
    assert.deepEqual(verbs(events), ['BDAT', 'chunkEnd', 'BDAT', 'chunkEnd', 'BDAT', 'chunkEnd', 'NOOP'])
    assert.equal(messages[0]!.toString('latin1'), 'a\r\n.\r\nb\0\n')
    const last = events[5]!
    assert.ok(last.kind === 'chunkEnd' && last.last && last.notes.nul && last.notes.bareLf && !last.notes.bareCr)
  }
})

test('BDAT without a usable size is fatal: what follows cannot be told from commands', () => {
  for (const line of ['BDAT', 'BDAT x', 'BDAT -1', 'BDAT 99999999999999 LAST', 'BDAT 5 FIRST']) {
    const [event] = converse(bytes(`${line}\r\n`)).events
    assert.ok(event?.kind === 'refusal' && event.refusal.fatal, line)
  }
})

test('message and header limits are reported and bound what is handed on', () => {
  const big = converse(bytes(`DATA\r\nA: b\r\n\r\n${'x'.repeat(5000)}\r\n.\r\n`), { maxMessageBytes: 1000 })
  const end = big.events.at(-1)!
  assert.ok(end.kind === 'dataEnd' && end.notes.tooLarge && end.notes.size === 5010)
  const header = converse(bytes(`DATA\r\nA: ${'b'.repeat(3000)}\r\n\r\nbody\r\n.\r\n`), { maxHeaderBytes: 1000 })
  const headerEnd = header.events.at(-1)!
  assert.ok(headerEnd.kind === 'dataEnd' && headerEnd.notes.headerTooLarge && headerEnd.notes.headerBytes === 3007)
  const fine = converse(oneByOne(`DATA\r\nA: b\r\n\r\n${'x'.repeat(3000)}\r\n.\r\n`), { maxHeaderBytes: 1000 })
  const fineEnd = fine.events.at(-1)!
  assert.ok(fineEnd.kind === 'dataEnd' && !fineEnd.notes.headerTooLarge && fineEnd.notes.headerBytes === 8)
})

test('P1: single bytes that wait for a running command cost their number, and are the same bytes', () => {
  const receiver = new SmtpReceiver()
  const started = workedMs()
  const one = Buffer.from('NOOP\r\n')
  for (let i = 0; i < 128 * 1_024; i++) receiver.push(one.subarray(i % 6, (i % 6) + 1))
  let count = 0
  for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
    assert.equal(event.kind === 'command' && event.command.verb, 'NOOP')
    count++
    if (count % 1_000 === 0) for (let i = 0; i < 6; i++) receiver.push(one.subarray((i + 2) % 6, ((i + 2) % 6) + 1))
  }
  assert.ok(count > 21_845)
  assert.ok(workedMs() - started < 1_000)
})

test('P7: reset forgets what was pipelined behind STARTTLS', () => {
  const receiver = new SmtpReceiver()
  receiver.push(Buffer.from('STARTTLS\r\nMAIL FROM:<evil@e>\r\n'))
  const event = receiver.next()
  assert.ok(event?.kind === 'command' && event.command.verb === 'STARTTLS')
  assert.equal(receiver.reset(), 'MAIL FROM:<evil@e>\r\n'.length)
  assert.equal(receiver.next(), undefined)
})

test('an AUTH answer is a raw line: never read as a command', () => {
  const receiver = new SmtpReceiver()
  receiver.push(Buffer.from('AUTH LOGIN\r\nUVVJVA==\r\nQUIT\r\nNOOP\r\n'))
  receiver.next()
  receiver.expectAuthLine()
  assert.deepEqual(receiver.next(), { kind: 'authLine', line: 'UVVJVA==' })
  receiver.expectAuthLine()
  assert.deepEqual(receiver.next(), { kind: 'authLine', line: 'QUIT' })
  const noop = receiver.next()
  assert.ok(noop?.kind === 'command' && noop.command.verb === 'NOOP')
})

test('P5: any bytes, cut anywhere, give the same events and never throw', () => {
  const word = fc.constantFrom(
    'DATA\r\n',
    '\r\n.\r\n',
    '.',
    '\r',
    '\n',
    'BDAT 3\r\n',
    'BDAT 2 LAST\r\n',
    'NOOP\r\n',
    'x',
    '\0',
    'é',
    '..',
  )
  const input = fc.oneof(
    fc.array(word, { maxLength: 40 }).map((w) => Buffer.from(w.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
  )
  fc.assert(
    fc.property(input, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 }), (whole, cuts) => {
      const pieces: Buffer[] = []
      for (let at = 0, i = 0; at < whole.length; i++) {
        const size = cuts[i % cuts.length]!
        pieces.push(whole.subarray(at, at + size))
        at += size
      }
      assert.deepEqual(converse(pieces), converse([whole]))
    }),
    { numRuns: 1500 },
  )
})

test('P15: a megabyte of the worst lines stays far below 50 ms', () => {
  for (const pattern of ['\r\n', '..\r\n', '\n', '\r', '.\r', 'a\r\n', '\r\n.x']) {
    const body = Buffer.from(pattern.repeat(Math.ceil(2_000_000 / pattern.length)))
    const started = workedMs()
    converse([Buffer.from('DATA\r\n'), body, Buffer.from('\r\n.\r\n')])
    const perMegabyte = (workedMs() - started) / 2
    assert.ok(perMegabyte < 50, `${JSON.stringify(pattern)}: ${perMegabyte.toFixed(1)} ms/MB`)
  }
})

test('P2: a line that does not end is refused for good after 256 KB, in an AUTH exchange too', () => {
  for (const during of ['command', 'auth'] as const) {
    const receiver = new SmtpReceiver()
    if (during === 'auth') receiver.expectAuthLine()
    const seen: SmtpEvent[] = []
    for (let i = 0; i < 10; i++) {
      receiver.push(Buffer.alloc(64 * 1024, 0x41))
      for (let event = receiver.next(); event !== undefined; event = receiver.next()) seen.push(event)
    }
    assert.ok(
      seen.some((event) => event.kind === 'refusal' && event.refusal.fatal && event.refusal.reply.code === 500),
      during,
    )
    assert.equal(receiver.buffered, 0)
  }
})
