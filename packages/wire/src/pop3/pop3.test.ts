import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { err, listing, ok, type Pop3Event, Pop3Receiver, parsePop3Command, TopScan } from './index.ts'

const parse = (line: string) => parsePop3Command(Buffer.from(line))
function all(chunks: Uint8Array[]): Pop3Event[] {
  const receiver = new Pop3Receiver()
  const events: Pop3Event[] = []
  for (const chunk of chunks) {
    receiver.push(chunk)
    for (let event = receiver.next(); event !== undefined; event = receiver.next()) events.push(event)
  }
  return events
}

test('RFC 1939 §5-§7: every command with its arguments', () => {
  const expected: [string, object][] = [
    ['user bob@example.com', { verb: 'USER', argument: 'bob@example.com' }],
    ['PASS a b  c ', { verb: 'PASS', argument: 'a b  c ' }],
    ['PASS pässword', { verb: 'PASS', argument: 'pässword' }],
    ['STAT', { verb: 'STAT' }],
    ['LIST', { verb: 'LIST', message: undefined }],
    ['LIST 3', { verb: 'LIST', message: 3 }],
    ['UIDL 12', { verb: 'UIDL', message: 12 }],
    ['RETR 1', { verb: 'RETR', message: 1 }],
    ['TOP 1 0', { verb: 'TOP', message: 1, lines: 0 }],
    ['DELE 2', { verb: 'DELE', message: 2 }],
    ['AUTH', { verb: 'AUTH', mechanism: undefined, initial: undefined }],
    ['AUTH plain AGEAYg==', { verb: 'AUTH', mechanism: 'PLAIN', initial: 'AGEAYg==' }],
    ['AUTH PLAIN =', { verb: 'AUTH', mechanism: 'PLAIN', initial: '=' }],
    ['LANG fr', { verb: 'LANG', tag: 'fr' }],
    ['UTF8', { verb: 'UTF8' }],
  ]
  for (const [line, command] of expected) assert.deepEqual(parse(line), command)
})

test('what is no command says why', () => {
  for (const line of [
    '',
    'RETR',
    'RETR 0',
    'RETR x',
    'RETR -1',
    'RETR 99999999999',
    'TOP 1',
    'TOP 1 -1',
    'STAT 1',
    'USER',
    'PASS',
    'FROB',
    '__proto__',
    'AUTH a b c',
  ])
    assert.equal(parse(line).verb, 'error', line)
  assert.equal(parsePop3Command(Buffer.from([0x55, 0xff])).verb, 'error')
})

test('RFC 2449 §6.6: pipelined commands read the same byte by byte; a long line is refused once', () => {
  const wire = Buffer.from('USER a\r\nPASS b c\r\nSTAT\nQUIT\r\n')
  assert.deepEqual(all([wire]), all([...wire].map((b) => Buffer.from([b]))))
  assert.equal(all([wire]).length, 4)
  const long = all([Buffer.alloc(100_000, 65), Buffer.from('\r\nNOOP\r\n')])
  assert.deepEqual([long.length, long[0]!.kind, long[1]!.kind], [2, 'refusal', 'command'])
  assert.equal(all([Buffer.from(`AUTH PLAIN ${'A'.repeat(4000)}\r\n`)])[0]!.kind, 'command')
})

test('P7: reset forgets what came behind STLS', () => {
  const receiver = new Pop3Receiver()
  receiver.push(Buffer.from('STLS\r\nUSER evil\r\n'))
  receiver.next()
  assert.equal(receiver.reset(), 11)
  assert.equal(receiver.next(), undefined)
})

test('P9: texts cannot break a line, listings are stuffed', () => {
  assert.equal(ok('a\r\nb'), '+OK a??b\r\n')
  assert.equal(err('no', 'AUTH'), '-ERR [AUTH] no\r\n')
  assert.equal(listing('list', ['1 10', '.x', 'a\r\n.']), '+OK list\r\n1 10\r\n..x\r\na??.\r\n.\r\n')
})

test('RFC 1939 TOP: header, empty line, n lines, the same however it is cut', () => {
  const message = Buffer.from('A: b\r\nC: d\r\n\r\none\r\ntwo\r\n\r\nthree')
  const top = (lines: number, size: number) => {
    const scan = new TopScan(lines)
    let sent = ''
    for (let at = 0; at < message.length && !scan.done; at += size) {
      const piece = message.subarray(at, at + size)
      sent += piece.subarray(0, scan.take(piece)).toString()
    }
    return sent
  }
  for (const size of [1, 2, 3, 7, 100]) {
    assert.equal(top(0, size), 'A: b\r\nC: d\r\n\r\n')
    assert.equal(top(2, size), 'A: b\r\nC: d\r\n\r\none\r\ntwo\r\n')
    assert.equal(top(9, size), message.toString())
  }
})

test('P5: any bytes give events and never throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (chunks) => {
      for (const event of all(chunks)) assert.ok(event.kind === 'command' || event.kind === 'refusal')
    }),
    { numRuns: 500 },
  )
})

test('P2: a line that does not end is refused for good after 256 KB', () => {
  const events = all(Array.from({ length: 6 }, () => Buffer.alloc(64 * 1024, 0x41)))
  assert.ok(events.some((event) => event.kind === 'refusal' && event.refusal.fatal === true))
  const [dropped] = all([Buffer.alloc(200 * 1024, 0x41), Buffer.from('\r\n')])
  assert.ok(dropped?.kind === 'refusal' && dropped.refusal.fatal !== true, 'one that ends is only an error')
})
