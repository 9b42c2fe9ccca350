import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeBase64,
  decodeQuotedPrintable,
  decodeTransfer,
  decodeUuencode,
  encodeBase64,
  encodeQuotedPrintable,
  isKnownEncoding,
  toCrlf,
} from './index.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const bytes = (source: string) => Buffer.from(source, 'latin1')

const QUOTED: readonly (readonly [encoded: string, decoded: string])[] = [
  ['a=3Db', 'a=b'],
  ['a=3db', 'a=b'],
  ['soft=\r\nbreak', 'softbreak'],
  ['soft= \t\r\nbreak', 'softbreak'],
  ['soft=\nbreak', 'softbreak'],
  ['trailing  \t\r\nx', 'trailing\r\nx'],
  ['kept=20\r\nx', 'kept \r\nx'],
  ['kept=20 \r\nx', 'kept \r\nx'],
  ['bad =ZZ and =', 'bad =ZZ and '],
  ['=4', '=4'],
  ['a\nb', 'a\nb'],
  ['\xe9', '\xe9'],
]

for (const [encoded, decoded] of QUOTED)
  test(`RFC 2045 §6.7 decodes ${JSON.stringify(encoded)}`, () =>
    assert.equal(text(decodeQuotedPrintable(bytes(encoded))), decoded))

test('RFC 2045 §6.8: base64 with noise, missing padding, blocks glued together', () => {
  for (const [encoded, decoded] of [
    ['aGVsbG8=', 'hello'],
    ['aGVs\r\nbG8=\r\n', 'hello'],
    ['aGVsbG8', 'hello'],
    ['aGVs*bG8=', 'hello'],
    ['aGk=aGk=', 'hihi'],
    ['aGk=\r\naGk', 'hihi'],
    ['-_-_', '\xfb\xff\xbf'],
    ['=', ''],
    ['', ''],
    ['a', ''],
  ] as const)
    assert.equal(text(decodeBase64(bytes(encoded))), decoded, encoded)
})

test('uuencode', () => {
  assert.equal(text(decodeUuencode(bytes('junk\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\ntrailer'))), 'Cat')
  assert.equal(text(decodeTransfer(bytes('#0V%T\n`\n'), 'X-UUENCODE')), 'Cat')
})

test('RFC 2045 §6.4: identity and unknown encodings give the bytes', () => {
  for (const encoding of ['7bit', '8BIT', 'binary', 'x-unknown'])
    assert.equal(text(decodeTransfer(bytes('a=3D'), encoding)), 'a=3D')
  assert.equal(isKnownEncoding('Base64'), true)
  assert.equal(isKnownEncoding('x-unknown'), false)
})

test('property: base64 and quoted-printable round trip within 76 columns', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (data) => {
      const base64 = encodeBase64(data)
      assert.deepEqual([...decodeBase64(base64)], [...data])
      const quoted = encodeQuotedPrintable(data, true)
      assert.deepEqual([...decodeQuotedPrintable(quoted)], [...data])
      for (const line of [...text(base64).split('\r\n'), ...text(quoted).split('\r\n')]) assert.ok(line.length <= 76)
      assert.match(text(quoted), /^(?:[\x20-\x7e\t]|\r\n)*$/)
    }),
  ))

test('RFC 2049 §3: text survives SMTP and mbox: no dot or From at a line start, no space at a line end', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('.', 'From ', ' ', '\t', 'x', '=', 'é', '\r\n', 'y'.repeat(60)), { maxLength: 30 }),
      (pieces) => {
        const source = toCrlf(Buffer.from(pieces.join('')))
        const encoded = encodeQuotedPrintable(source)
        for (const line of text(encoded).split('\r\n')) {
          assert.ok(line.length <= 76)
          assert.doesNotMatch(line, /^\.|^From |[ \t]$/)
        }
        assert.deepEqual(Buffer.from(decodeQuotedPrintable(encoded)), Buffer.from(source))
      },
    ),
  ))

test('quoted-printable: From behind a soft line break is escaped too', () =>
  assert.equal(text(encodeQuotedPrintable(bytes(`${'y'.repeat(75)}From x`))), `${'y'.repeat(75)}=\r\n=46rom x`))

test('toCrlf: every line end becomes CRLF, right ones cost no copy', () => {
  assert.equal(text(toCrlf(bytes('a\nb\rc\r\nd\n\n'))), 'a\r\nb\r\nc\r\nd\r\n\r\n')
  const right = bytes('a\r\nb')
  assert.equal(toCrlf(right), right)
})
