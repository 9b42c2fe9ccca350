import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Gathered, SMALL_PIECE } from './index.ts'

test('any pieces give the same bytes', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.uint8Array({ minLength: SMALL_PIECE - 2, maxLength: SMALL_PIECE + 2 }),
    fc.uint8Array({ maxLength: 6 * SMALL_PIECE }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const gathered = new Gathered()
      for (const one of pieces) gathered.add(Buffer.from(one))
      const whole = Buffer.concat(pieces)
      assert.equal(gathered.length, whole.length)
      assert.deepEqual(gathered.whole(), whole)
      gathered.add(Buffer.from('and on'))
      assert.deepEqual(gathered.whole(), Buffer.concat([whole, Buffer.from('and on')]))
      assert.equal(gathered.length, whole.length + 6)
      gathered.clear()
      assert.equal(gathered.whole().length, 0)
    }),
    { numRuns: 200 },
  )
})

test('P2: a body of single bytes is kept in a few blocks', () => {
  const gathered = new Gathered()
  for (let i = 0; i < 1_000_000; i++) gathered.add(Buffer.of(i & 0xff))
  assert.ok(gathered.pieces < 30, String(gathered.pieces))
  // Large pieces between do not spoil it: one buffer each, and a view for what stands between.
  const mixed = new Gathered()
  for (let i = 0; i < 1_000; i++) mixed.add(Buffer.alloc(i % 2 === 0 ? 1 : SMALL_PIECE))
  assert.ok(mixed.pieces <= 1_000)
})

test('the only piece is not copied', () => {
  const piece = Buffer.from('small')
  const gathered = new Gathered()
  gathered.add(piece)
  assert.equal(gathered.whole(), piece)
})
