import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mid, StateEntry } from '@postrider/domain'
import fc from 'fast-check'
import { Ledger } from './ledger.ts'

/** Writes what a ledger wants written into a map of entries. */
function store(entries: Map<string, Uint8Array>, ledger: Ledger): void {
  for (const operation of ledger.operations('c', 'p/')) {
    if (operation.op === 'putState') entries.set(operation.key, operation.value)
    else if (operation.op === 'deleteState' && operation.key !== undefined) entries.delete(operation.key)
  }
}

const load = (entries: Map<string, Uint8Array>): Ledger | undefined =>
  Ledger.load(
    [...entries].map(([key, value]): StateEntry => ({ key, value })),
    'p/',
  )

const content = (ledger: Ledger): Map<number, number | undefined> =>
  new Map([...ledger.mids()].sort((a, b) => a - b).map((mid) => [mid, ledger.get(mid)]))

const edits = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.option(fc.maxSafeNat(), { nil: undefined })), {
  maxLength: 80,
})

test('what is stored is loaded again, and an undo list takes back exactly what was done since begin', () => {
  fc.assert(
    fc.property(edits, edits, (first, second) => {
      const entries = new Map<string, Uint8Array>()
      const ledger = new Ledger()
      const apply = (target: Ledger, list: typeof first) => {
        for (const [mid, mark] of list) {
          if (mark === undefined) target.delete(mid as Mid)
          else target.set(mid as Mid, mark)
        }
      }
      apply(ledger, first)
      store(entries, ledger)
      const before = content(load(entries)!)
      assert.deepEqual(before, content(ledger))
      assert.equal(load(entries)!.size, before.size)
      const next = load(entries)!
      next.begin()
      apply(next, second)
      store(entries, next)
      const again = load(entries)!
      assert.deepEqual(content(again), content(next))
      again.rollBack(next.undo())
      assert.deepEqual(content(again), before)
      store(entries, again)
      assert.deepEqual(content(load(entries)!), before)
    }),
    { numRuns: 200 },
  )
})

test('a new mail rewrites one chunk, however many there are', () => {
  const entries = new Map<string, Uint8Array>()
  const ledger = new Ledger()
  for (let mid = 1; mid <= 50_000; mid++) ledger.set(mid as Mid, mid)
  store(entries, ledger)
  const next = load(entries)!
  next.set(50_001 as Mid, 1)
  const operations = next.operations('c', 'p/')
  assert.equal(operations.length, 1)
  const [only] = operations
  assert.ok(only?.op === 'putState' && only.value.length < 80_000)
})

test('damaged chunks make the ledger unreadable, never wrong', () => {
  const entries = new Map<string, Uint8Array>()
  const ledger = new Ledger()
  ledger.set(5 as Mid, 7)
  store(entries, ledger)
  const [key] = entries.keys()
  entries.set(key!, Uint8Array.of(1, 2, 3))
  assert.equal(load(entries), undefined)
  entries.set(key!, Uint8Array.of(9))
  assert.equal(load(entries), undefined)
})
