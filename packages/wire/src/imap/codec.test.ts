import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  countRanges,
  decodeUtf7,
  encodeUtf7,
  formatDateTime,
  formatInOrder,
  formatRanges,
  ImapReceiver,
  inRanges,
  intersectRanges,
  sliceRanges,
  isKeyword,
  LIMITS_AFTER_LOGIN,
  parseCommand,
  parseDateTime,
  parseSequenceSet,
  ResponseWriter,
  rangesOf,
  resolveRanges,
} from './index.ts'

test('RFC 3501 §5.1.3: the examples of modified UTF-7', () => {
  assert.equal(encodeUtf7('~peter/mail/台北/日本語'), '~peter/mail/&U,BTFw-/&ZeVnLIqe-')
  assert.equal(decodeUtf7('~peter/mail/&U,BTFw-/&ZeVnLIqe-'), '~peter/mail/台北/日本語')
  assert.equal(encodeUtf7('A&B'), 'A&-B')
  assert.equal(decodeUtf7('A&-B'), 'A&B')
  for (const wrong of ['&Jjo!', '&', 'a&b', '&AGE-', 'é', '&A-', '&AAAAA-', '&AOk'])
    assert.equal(decodeUtf7(wrong), undefined, wrong)
})

test('modified UTF-7 comes back as it was, whatever the name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
      const coded = encodeUtf7(name)
      assert.match(coded, /^[\x20-\x7e]*$/)
      assert.equal(decodeUtf7(coded), name)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), (text) => void decodeUtf7(text)))
})

const resolve = (text: string, max: number): string => {
  const set = parseSequenceSet(text)
  assert.ok(set?.kind === 'ranges', text)
  return formatRanges(resolveRanges(set.ranges, max))
}

test('RFC 9051 §9: sequence sets', () => {
  assert.equal(resolve('2,4:7,9,12:*', 15), '2,4:7,9,12:15')
  assert.equal(resolve('*:4,5:7', 10), '4:10')
  assert.equal(resolve('559:*', 12), '12:559')
  assert.equal(resolve('*', 0), '')
  assert.equal(resolve('3:1,2', 9), '1:3')
  assert.deepEqual(parseSequenceSet('$'), { kind: 'saved' })
  for (const wrong of ['', '0', '1:', ':1', '1,,2', '1,', '4294967296', 'a', '1:2:3', '$,1', '-1', '1 2']) {
    assert.equal(parseSequenceSet(wrong), undefined, wrong)
  }
})

test('sets and numbers are the same thing', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 80 }), (numbers) => {
      const sorted = [...numbers].sort((a, b) => a - b)
      const ranges = rangesOf(sorted)
      assert.equal(countRanges(ranges), sorted.length)
      for (let n = 1; n <= 300; n++) assert.equal(inRanges(ranges, n), sorted.includes(n))
      const even = rangesOf(sorted.filter((n) => n % 3 !== 0))
      assert.deepEqual(intersectRanges(ranges, even), even)
      assert.deepEqual(
        intersectRanges(ranges, Uint32Array.of(10, 99)),
        rangesOf(sorted.filter((n) => n >= 10 && n <= 99)),
      )
      for (const [from, to] of [
        [0, 300],
        [1, 4],
        [sorted.length >> 1, sorted.length - 1],
        [5, 2],
      ] as const)
        assert.deepEqual(sliceRanges(ranges, from, to), rangesOf(sorted.slice(from, Math.max(0, to))), `${from} ${to}`)
      if (numbers.length === 0) return
      assert.equal(resolve(formatRanges(ranges), 300), formatRanges(ranges))
      assert.equal(resolve(numbers.join(','), 300), formatRanges(ranges))
    }),
  )
  assert.equal(formatInOrder([5, 6, 7, 3, 2, 9]), '5:7,3,2,9')
})

test('RFC 9051 §9 date-time', () => {
  assert.equal(formatDateTime(Date.UTC(1996, 6, 7, 9, 4, 5)), ' 7-Jul-1996 09:04:05 +0000')
  assert.equal(parseDateTime(' 7-Jul-1996 02:44:25 -0700'), Date.UTC(1996, 6, 7, 9, 44, 25))
  assert.equal(parseDateTime('7-Jul-1996 02:44:25 +0530'), Date.UTC(1996, 6, 6, 21, 14, 25))
  for (const wrong of ['', '32-Jul-1996 00:00:00 +0000', '1-Foo-1996 00:00:00 +0000', '1-Jul-1996 24:00:00 +0000']) {
    assert.equal(parseDateTime(wrong), undefined, wrong)
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
      assert.equal(parseDateTime(formatDateTime(seconds * 1000)), seconds * 1000)
    }),
  )
})

/** Reads a written string back with our own reader. */
function readBack(written: Buffer, utf8: boolean): string | undefined {
  const receiver = new ImapReceiver(LIMITS_AFTER_LOGIN)
  receiver.push(Buffer.concat([Buffer.from('a LOGIN x '), written, Buffer.from('\r\n')]))
  for (let event = receiver.next(); event !== undefined; event = receiver.next()) {
    if (event.kind !== 'command') continue
    const parsed = parseCommand(event.command, utf8)
    return parsed.ok && parsed.command.name === 'LOGIN' ? parsed.command.password : undefined
  }
  return undefined
}

test('P9: whatever is written as a string is read as that string, and ends no line', () => {
  const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }))
  fc.assert(
    fc.property(anyText, fc.boolean(), (text, utf8) => {
      assert.equal(readBack(new ResponseWriter(utf8).string(text).take(), utf8), text)
      assert.equal(readBack(new ResponseWriter(utf8).byteString(Buffer.from(text)).take(), utf8), text)
      if (text !== '') assert.equal(readBack(new ResponseWriter(utf8).astring(text).take(), utf8), text)
    }),
  )
  const line = new ResponseWriter().ascii('a OK ').humanText('x\r\n* BYE\0é').crlf().take()
  assert.equal(line.toString('latin1'), 'a OK x??* BYE??\r\n')
  assert.equal(new ResponseWriter().flags(['\\Seen', 'a b', 'x\r\n', '$Ok']).take().toString(), '(\\Seen $Ok)')
})

test('numbers of every size', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(), fc.maxSafeNat()), (n) => {
      assert.equal(new ResponseWriter().number(n).take().toString(), String(n))
    }),
  )
})

test('what is borrowed from a writer is what was written since, however often', () => {
  const writer = new ResponseWriter()
  for (const text of ['first', 'x'.repeat(2_000), '', 'last']) {
    assert.equal(writer.ascii(text).borrow().toString(), text)
    assert.equal(writer.length, 0)
  }
})

test('a writer hands its bytes out once and keeps its hands off them', () => {
  const writer = new ResponseWriter()
  const first = writer.ascii('* OK').crlf().take()
  writer.ascii('x'.repeat(5000))
  assert.equal(first.toString(), '* OK\r\n')
  assert.equal(writer.length, 5000)
})

test('RFC 9051 §2.3.2: keywords', () => {
  assert.ok(isKeyword('$Forwarded') && isKeyword('NonJunk') && isKeyword('[x'))
  for (const wrong of ['', '\\Seen', 'a b', 'a(', 'é', 'x]', 'a"']) assert.equal(isKeyword(wrong), false, wrong)
})
