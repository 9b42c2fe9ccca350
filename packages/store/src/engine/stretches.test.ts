import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rounds, stretches } from './stretches.ts'

test('stretches cover a list exactly, each without a gap, and none could be joined with the next', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 200 })), (numbers) => {
      const list = numbers.sort((a, b) => a - b)
      const found = stretches(list)
      const covered = found.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
      assert.deepEqual(covered, list)
      for (const [i, { first, at }] of found.entries()) {
        assert.equal(list[at], first)
        if (i > 0) assert.ok(first > (found[i - 1]?.last as number) + 1)
      }
    }),
  )
})

test('a stretch ends where it is told to', () => {
  assert.deepEqual(
    stretches([4, 5, 6, 8], (at) => at === 1),
    [
      { first: 4, last: 4, at: 0 },
      { first: 5, last: 6, at: 1 },
      { first: 8, last: 8, at: 3 },
    ],
  )
})

test('rounds hold every number as often as it was given, each list ascending with every number once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 })), (numbers) => {
      const lists = rounds(numbers)
      assert.deepEqual(
        lists.flat().sort((a, b) => a - b),
        [...numbers].sort((a, b) => a - b),
      )
      for (const list of lists)
        assert.deepEqual(
          list,
          [...new Set(list)].sort((a, b) => a - b),
        )
    }),
  )
})
