import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  extendedSearches,
  fetchDifferences,
  fetchItems,
  flowDifferences,
  flows,
  Ledger,
  orderDifferences,
  type Pair,
  searchDifferences,
  searches,
  sorts,
  startPair,
  threads,
} from '../src/differential/index.ts'
import { without } from '../src/programs/index.ts'

const none = (differences: readonly string[]): void => assert.equal(differences.join('\n'), '')

describe('Dovecot and Postrider answer alike', { skip: without('dovecot') }, () => {
  let pair: Pair
  const ledger = new Ledger()
  before(async () => {
    pair = await startPair()
  })
  after(() => pair[Symbol.asyncDispose]())

  test('FETCH of structures, parts, fields and windows of every mail of the corpus (RFC 9051 §6.4.5)', async () =>
    none(await fetchDifferences(pair, fetchItems, ledger)))
  test('SEARCH by every key (RFC 9051 §6.4.4)', async () => none(await searchDifferences(pair, searches, ledger)))
  test('SEARCH RETURN and saved results (RFC 4731, RFC 5182)', async () =>
    none(await orderDifferences(pair, extendedSearches, ledger)))
  test('SORT (RFC 5256, RFC 5957)', async () => none(await orderDifferences(pair, sorts, ledger)))
  test('THREAD (RFC 5256)', async () => none(await orderDifferences(pair, threads, ledger)))
  for (const flow of flows) test(flow.name, async () => none(await flowDifferences(pair, flow, ledger)))
  test('every deviation is still needed', () => assert.deepEqual(ledger.idle, []))
})
