import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rangesOf } from '@postrider/wire/imap'
import fc from 'fast-check'
import { UidMap, windows } from './uid-map.ts'

const uidSets = fc
  .uniqueArray(fc.integer({ min: 1, max: 120 }), { maxLength: 60 })
  .map((uids) => uids.sort((a, b) => a - b))

/** The plain model: an array of UIDs. */
function same(map: UidMap, uids: readonly number[]): void {
  assert.equal(map.count, uids.length)
  assert.equal(map.last, uids.at(-1) ?? 0)
  for (let uid = 1; uid <= 130; uid++) {
    assert.equal(map.has(uid), uids.includes(uid))
    assert.equal(map.sequenceOf(uid), uids.indexOf(uid) + 1)
  }
  for (const [index, uid] of uids.entries()) assert.equal(map.uidOf(index + 1), uid)
}

test('RFC 9051 §2.3.1: numbers and UIDs as in a plain array, through additions and removals', () => {
  fc.assert(
    fc.property(uidSets, uidSets, uidSets, (first, added, removed) => {
      const map = new UidMap(first)
      same(map, first)
      const later = added.map((uid) => uid + (first.at(-1) ?? 0)).filter((uid) => uid <= 130)
      map.append(later)
      const all = [...first, ...later]
      same(map, all)
      const gone = removed.filter((uid) => all.includes(uid))
      map.remove(gone)
      const rest = all.filter((uid) => !gone.includes(uid))
      same(map, rest)
      const wanted = rangesOf(added)
      const sequences = rest.map((uid, i) => (added.includes(uid) ? i + 1 : 0)).filter((n) => n > 0)
      assert.deepEqual(map.toSequences(wanted), rangesOf(sequences))
      assert.deepEqual(map.toUids(rangesOf(sequences)), rangesOf(rest.filter((uid) => added.includes(uid))))
      const seen: [number, number][] = []
      for (const window of windows(map, rangesOf(sequences), 7)) {
        for (const [i, uid] of window.uids.entries()) seen.push([window.sequences[i] as number, uid])
      }
      assert.deepEqual(
        seen,
        sequences.map((n) => [n, rest[n - 1] as number]),
      )
    }),
    { numRuns: 200 },
  )
})
