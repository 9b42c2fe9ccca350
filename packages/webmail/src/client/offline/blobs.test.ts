import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roomFor } from './blobs.ts'

const MB = 1024 * 1024
const of = (n: number, size: number) =>
  [
    `b${n}`,
    {
      mail: `M${n}`,
      size,
      name: 'x',
      type: 'image/png',
      here: true,
      receivedAt: `2026-11-${String(n).padStart(2, '0')}T00:00:00Z`,
    },
  ] as const

test('kept files: older ones make room, the oldest first; newer ones never do', () => {
  const index = Object.fromEntries([of(3, 30 * MB), of(1, 20 * MB), of(2, 13 * MB)])
  assert.deepEqual(roomFor(index, MB, '2026-11-20T00:00:00Z'), [])
  assert.deepEqual(roomFor(index, 2 * MB, '2026-11-20T00:00:00Z'), ['b1'])
  assert.deepEqual(roomFor(index, 34 * MB, '2026-11-20T00:00:00Z'), ['b1', 'b2'])
  assert.equal(roomFor(index, 2 * MB, '2026-10-01T00:00:00Z'), undefined)
})

test('what is only wanted takes no room yet', () => {
  const [id, one] = of(1, 64 * MB)
  assert.deepEqual(roomFor({ [id]: { ...one, here: false } }, MB, '2026-11-20T00:00:00Z'), [])
})
