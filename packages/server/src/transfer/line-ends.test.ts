import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withCrlf, withLf } from './line-ends.ts'

const text = fc
  .array(fc.constantFrom('\r', '\n', 'a', '\r\n', '>From '), { maxLength: 40 })
  .map((list) => list.join(''))

test('what withLf writes reads back as the same mail, for any mixture of line ends', () => {
  fc.assert(
    fc.property(text, (given) => {
      const mail = withCrlf(Buffer.from(given))
      assert.ok(!/(^|[^\r])\n/.test(Buffer.from(mail).toString()), 'no bare LF')
      assert.deepEqual(Buffer.from(withCrlf(withLf(mail))), Buffer.from(mail))
      assert.deepEqual(Buffer.from(withLf(withCrlf(withLf(mail)))), Buffer.from(withLf(mail)))
    }),
  )
})

test('plain mails are plain: LF becomes CRLF, CRLF becomes LF', () => {
  assert.equal(Buffer.from(withCrlf(Buffer.from('a: b\n\nc\n'))).toString(), 'a: b\r\n\r\nc\r\n')
  assert.equal(Buffer.from(withLf(Buffer.from('a: b\r\n\r\nc\r\n'))).toString(), 'a: b\n\nc\n')
})
