import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  ImapReceiver,
  LIMITS_AFTER_LOGIN,
  LITERAL_FIRST_ALLOCATION,
  limitsBeforeLogin,
  parseCommand,
  parsePrefix,
  type ReceiverEvent,
} from './index.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Feeds text in pieces and answers every event, taking messages as they come. */
function run(pieces: Iterable<Uint8Array>, receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)): ReceiverEvent[] {
  const events: ReceiverEvent[] = []
  for (const piece of pieces) {
    receiver.push(piece)
    for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
      events.push(event)
      if (event.kind === 'message') receiver.accept()
    }
  }
  return events
}

const one = (text: string, receiver?: ImapReceiver): ReceiverEvent[] => run([bytes(text)], receiver)

test('RFC 9051 §2.2: a line is a command with its tag and name', () => {
  const [event] = one('a1 uid fetch 1:* (FLAGS)\r\n')
  assert.ok(event?.kind === 'command')
  assert.equal(event.command.tag, 'a1')
  assert.equal(event.command.name, 'UID FETCH')
  assert.equal(event.command.lines[0]?.slice(event.command.argumentsAt), ' 1:* (FLAGS)')
})

test('RFC 9051 §4.3: a synchronising literal asks for a continuation, then joins the command', () => {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  assert.deepEqual(one('a LOGIN {3}\r\n', receiver), [{ kind: 'continue' }])
  const [event] = one('bob {4}\r\n', receiver)
  assert.equal(event?.kind, 'continue')
  const [done] = one('a"b\\\r\n', receiver)
  assert.ok(done?.kind === 'command')
  const parsed = parseCommand(done.command)
  assert.ok(parsed.ok && parsed.command.name === 'LOGIN')
  assert.deepEqual([parsed.command.user, parsed.command.password], ['bob', 'a"b\\'])
})

test('RFC 7888: a non-synchronising literal needs no continuation', () => {
  const events = one('a LOGIN {3+}\r\nbob {1+}\r\nx\r\nb NOOP\r\n')
  assert.deepEqual(
    events.map((event) => event.kind),
    ['command', 'command'],
  )
})

test('RFC 3501 §6.3.11: a message is announced before anything is allocated, with the arguments so far', () => {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  const [event] = run([bytes('a APPEND Sent (\\Seen) "17-Jul-1996 02:44:25 -0700" {4000000000}\r\n')], {
    push: (chunk: Uint8Array) => receiver.push(chunk),
    next: () => receiver.next(),
    accept: () => {},
  } as unknown as ImapReceiver)
  assert.ok(event?.kind === 'message')
  assert.equal(event.size, 4_000_000_000)
  assert.equal(event.waits, true)
  const prefix = parsePrefix(event.command)
  assert.ok(prefix.ok && prefix.command.name === 'APPEND')
  assert.equal(prefix.command.mailbox, 'Sent')
  assert.deepEqual(prefix.command.messages, [
    { flags: ['\\Seen'], internalDate: Date.UTC(1996, 6, 17, 9, 44, 25), literal: undefined, utf8: false },
  ])
  const before = process.memoryUsage().rss
  receiver.accept()
  receiver.push(Buffer.alloc(LITERAL_FIRST_ALLOCATION))
  assert.equal(receiver.next(), undefined)
  assert.ok(process.memoryUsage().rss - before < 32 * 1024 * 1024, 'P2: 4 GB announced, 4 KB sent')
})

test('RFC 9051 §6.3.12: the mailbox name of APPEND may itself be a literal and is no message', () => {
  const events = one('a APPEND {5+}\r\nINBOX {2+}\r\nhi\r\n')
  assert.deepEqual(
    events.map((event) => event.kind),
    ['message', 'command'],
  )
  const command = events[1]
  assert.ok(command?.kind === 'command')
  const parsed = parseCommand(command.command)
  assert.ok(parsed.ok && parsed.command.name === 'APPEND')
  assert.equal(Buffer.from(parsed.command.messages[0]?.literal?.bytes ?? []).toString(), 'hi')
})

test('RFC 3502: MULTIAPPEND announces each message', () => {
  const events = one('a APPEND x (\\Seen) {1+}\r\nA ~{2+}\r\nBC\r\n')
  assert.deepEqual(
    events.map((event) => event.kind),
    ['message', 'message', 'command'],
  )
  const command = events[2]
  assert.ok(command?.kind === 'command')
  const parsed = parseCommand(command.command)
  assert.ok(parsed.ok && parsed.command.name === 'APPEND')
  assert.deepEqual(
    parsed.command.messages.map((message) => [message.flags, message.literal?.bytes.length, message.literal?.binary]),
    [
      [['\\Seen'], 1, false],
      [[], 2, true],
    ],
  )
})

test('a refused waiting message leaves the receiver at the next command', () => {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  receiver.push(bytes('a APPEND x {10}\r\n'))
  assert.equal(receiver.next()?.kind, 'message')
  assert.equal(receiver.refuse(true), undefined)
  const events = one('b NOOP\r\n', receiver)
  assert.ok(events[0]?.kind === 'command' && events[0].command.tag === 'b')
})

test('a refused non-synchronising message is swallowed with the rest of its command', () => {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  receiver.push(bytes('a APPEND x {10+}\r\n'))
  assert.equal(receiver.next()?.kind, 'message')
  assert.equal(receiver.refuse(false), undefined)
  const events = one('0123\r\n6789 {3+}\r\nxyz (more)\r\nb NOOP\r\n', receiver)
  assert.equal(events.length, 1)
  assert.ok(events[0]?.kind === 'command' && events[0].command.tag === 'b')
})

test('P2: a non-synchronising literal beyond reason is fatal, a synchronising one only refused', () => {
  assert.deepEqual(one('a LOGIN {4294967296}\r\nb NOOP\r\n'), [
    { kind: 'error', tag: 'a', text: 'Literal too large', fatal: false },
    ...one('b NOOP\r\n'),
  ])
  assert.deepEqual(one('a LOGIN {4294967296+}\r\nb NOOP\r\n'), [
    { kind: 'error', tag: 'a', text: 'Literal too large', fatal: true },
  ])
  const digits = '9'.repeat(400)
  assert.deepEqual(one(`a LOGIN {${digits}+}\r\n`), [
    { kind: 'error', tag: 'a', text: 'Literal too large', fatal: true },
  ])
})

test('R-ImapSettings MaxCommandSize: before login a command and its literals stay within 10240 bytes', () => {
  const fresh = (): ImapReceiver => new ImapReceiver(limitsBeforeLogin())
  assert.deepEqual(one(`a LOGIN bob ${'x'.repeat(20_000)}\r\nb NOOP\r\n`, fresh()), [
    { kind: 'error', tag: 'a', text: 'Line too long', fatal: false },
    ...one('b NOOP\r\n'),
  ])
  assert.equal(one('a LOGIN {10300}\r\n', fresh())[0]?.kind, 'error')
  const [error] = one('a LOGIN {10300+}\r\n', fresh())
  assert.ok(error?.kind === 'error' && error.fatal)
  const several = one(`a LOGIN {6000+}\r\n${'u'.repeat(6000)} {6000+}\r\n`, fresh())
  assert.ok(several[0]?.kind === 'error' && several[0].fatal)
})

test('P2: 1 MB quoted string ends in one error and the session goes on', () => {
  const events = run(chunks(bytes(`a LOGIN bob "${'x'.repeat(1 << 20)}"\r\nb NOOP\r\n`), 1400))
  assert.deepEqual(
    events.map((event) => event.kind),
    ['error', 'command'],
  )
})

test('NUL, empty lines, missing tags and names', () => {
  assert.deepEqual(one('\r\n\r\n'), [])
  assert.deepEqual(one('a\r\n'), [{ kind: 'error', tag: 'a', text: 'Command expected', fatal: false }])
  assert.deepEqual(one('* NOOP\r\n'), [{ kind: 'error', tag: undefined, text: 'Command expected', fatal: false }])
  assert.deepEqual(one('+ NOOP\r\n'), [{ kind: 'error', tag: undefined, text: 'Command expected', fatal: false }])
  assert.deepEqual(one('a NO\0OP\r\n'), [{ kind: 'error', tag: 'a', text: 'NUL in command', fatal: false }])
  assert.equal(one('a NOOP\n')[0]?.kind, 'command', 'a bare LF is forgiven')
})

test('a line that was asked for is no command, and too long a one is an error', () => {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  receiver.expectLine(100)
  assert.deepEqual(one('dGVzdA==\r\n', receiver), [{ kind: 'line', text: 'dGVzdA==' }])
  receiver.expectLine(100)
  assert.equal(one(`${'A'.repeat(200)}\r\n`, receiver)[0]?.kind, 'error')
  assert.equal(one('a NOOP\r\n', receiver)[0]?.kind, 'command')
})

test('P7: discard forgets pipelined bytes', () => {
  const receiver = new ImapReceiver()
  receiver.push(bytes('a STARTTLS\r\nb LOGIN evil evil\r\nc LOGIN {3'))
  assert.equal(receiver.next()?.kind, 'command')
  receiver.discard()
  assert.equal(receiver.next(), undefined)
  assert.equal(receiver.idle, true)
  assert.equal(one('d NOOP\r\n', receiver)[0]?.kind, 'command')
})

test('takeRest hands over what was not yet understood', () => {
  const receiver = new ImapReceiver()
  receiver.push(bytes('a COMPRESS DEFLATE\r\nxy'))
  receiver.push(bytes('z'))
  assert.equal(receiver.next()?.kind, 'command')
  assert.equal(Buffer.from(receiver.takeRest()).toString(), 'xyz')
})

const scripts = fc.array(
  fc.oneof(
    fc.constantFrom(
      'a LOGIN {3}\r\nbob {4}\r\npass\r\n',
      'b NOOP\r\n',
      'c APPEND x (\\Seen) {5}\r\nhello ~{3+}\r\nabc\r\n',
      'd SEARCH SUBJECT {4+}\r\n\r\n{}\r\n',
      'e SELECT "a b"\r\n',
      '* bad\r\n',
      'f LOGIN {99999999999}\r\n',
    ),
    fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString('latin1')),
  ),
  { maxLength: 12 },
)

test('P5: one byte at a time, in random pieces and at once give the same events', () => {
  fc.assert(
    fc.property(scripts, fc.integer({ min: 1, max: 17 }), (parts, size) => {
      const input = bytes(parts.join(''))
      const whole = run([input])
      assert.deepEqual(run(chunks(input, 1)), whole)
      assert.deepEqual(run(chunks(input, size)), whole)
    }),
    { numRuns: 300 },
  )
})

test('P5: hostile bytes give events or silence, and every command parses or is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (pieces) => {
      for (const event of run(pieces)) if (event.kind === 'command') parseCommand(event.command)
    }),
    { numRuns: 500 },
  )
})

test('one byte at a time a 64 KB line is linear work', () => {
  const line = bytes(`a SEARCH SUBJECT ${'x'.repeat(64_000)}\r\n`)
  const started = workedMs()
  assert.equal(run(chunks(line, 1)).length, 1)
  assert.ok(workedMs() - started < 500)
})

test('P1: single bytes that wait for a running command cost their number, and are the same bytes', () => {
  const command = 'a NOOP\r\n'
  const receiver = new ImapReceiver()
  const started = workedMs()
  for (const one of chunks(bytes(command.repeat(32_768)), 1)) {
    receiver.push(one)
    assert.ok(receiver.buffered > 0)
  }
  assert.equal(receiver.buffered, command.length * 32_768)
  let count = 0
  for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
    assert.equal(event.kind === 'command' && event.command.name, 'NOOP')
    count++
    // More comes while some is worked on.
    if (count % 1_000 === 0) for (const one of chunks(bytes(command), 1)) receiver.push(one)
  }
  assert.equal(count, 32_768 + Math.floor(count / 1_000))
  assert.equal(receiver.buffered, 0)
  assert.ok(workedMs() - started < 2_000)
})

function* chunks(input: Buffer, size: number): Generator<Uint8Array> {
  for (let i = 0; i < input.length; i += size) yield input.subarray(i, i + size)
}
