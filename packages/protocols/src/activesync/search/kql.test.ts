import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_SEARCH_DEPTH, MAX_SEARCH_NODES, type SearchQuery } from '@postrider/domain'
import { parseKql } from './kql.ts'
import { parseResultRange } from './range.ts'

const now = Date.UTC(2026, 10, 21, 12)
const day = (month: number, date: number): number => Date.UTC(2026, month - 1, date)
const words = (value: string, field = 'text'): SearchQuery =>
  ({ kind: 'text', field, value, match: 'words' }) as SearchQuery
const phrase = (value: string, field = 'text'): SearchQuery =>
  ({ kind: 'text', field, value, match: 'substring' }) as SearchQuery

const table: [string, SearchQuery][] = [
  ['', { kind: 'all' }],
  ['one', words('one')],
  ['one two', { kind: 'and', of: [words('one'), words('two')] }],
  ['one AND two', { kind: 'and', of: [words('one'), words('two')] }],
  ['one OR two three', { kind: 'or', of: [words('one'), { kind: 'and', of: [words('two'), words('three')] }] }],
  ['NOT one', { kind: 'not', of: words('one') }],
  ['-one', { kind: 'not', of: words('one') }],
  ['one not two', { kind: 'and', of: [words('one'), words('not'), words('two')] }],
  ['"one two"', phrase('one two')],
  ['"unclosed phrase', phrase('unclosed phrase')],
  ['pre*', words('pre')],
  ['from:bob', words('bob', 'from')],
  ['From:"Bob B"', phrase('Bob B', 'from')],
  ['subject: late', words('late', 'subject')],
  ['subject<>late', { kind: 'not', of: words('late', 'subject') }],
  ['(one OR two) three', { kind: 'and', of: [{ kind: 'or', of: [words('one'), words('two')] }, words('three')] }],
  ['(one', words('one')],
  ['one)', words('one')],
  ['received:2026-11-20', { kind: 'received', from: day(11, 20), before: day(11, 21) }],
  ['received>=2026-11-20', { kind: 'received', from: day(11, 20) }],
  ['received>11/20/2026', { kind: 'received', from: day(11, 21) }],
  ['received<2026-11-20', { kind: 'received', before: day(11, 20) }],
  ['sent:2026-11-01..2026-11-03', { kind: 'sent', from: day(11, 1), before: day(11, 4) }],
  ['received:today', { kind: 'received', from: day(11, 21), before: day(11, 22) }],
  ['received:yesterday', { kind: 'received', from: day(11, 20), before: day(11, 21) }],
  ['received:"this week"', { kind: 'received', from: day(11, 16), before: day(11, 23) }],
  ['received:never', words('received never')],
  ['hasattachment:true', { kind: 'attachments', has: true }],
  ['isread:false', { kind: 'flags', set: 0, clear: 1 }],
  ['importance:high', { kind: 'importance', value: 2 }],
  ['unknown:x', words('unknown x')],
  ['constructor:x', words('constructor x')],
  ['http://example.org/a', words('http //example.org/a')],
]

for (const [query, expected] of table) {
  test(`KQL: ${query === '' ? 'nothing' : query}`, () => assert.deepEqual(parseKql(query, now), expected))
}

const size = (query: SearchQuery): { nodes: number; depth: number } => {
  const inside = query.kind === 'and' || query.kind === 'or' ? query.of : query.kind === 'not' ? [query.of] : []
  const sizes = inside.map(size)
  return {
    nodes: 1 + sizes.reduce((sum, one) => sum + one.nodes, 0),
    depth: 1 + Math.max(0, ...sizes.map((one) => one.depth)),
  }
}

test('whatever is typed is a query within the limits of the store', () => {
  const piece = fc.constantFrom(
    '(',
    ')',
    '"',
    '-',
    ':',
    '>=',
    ' ',
    'from:',
    'NOT ',
    'OR ',
    'AND ',
    'x',
    '..',
    '\0',
    '*',
  )
  const typed = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 400 }).map((list) => list.join('')),
  )
  fc.assert(
    fc.property(typed, (query) => {
      const { nodes, depth } = size(parseKql(query, now))
      assert.ok(nodes <= MAX_SEARCH_NODES && depth <= MAX_SEARCH_DEPTH, `${nodes} nodes, ${depth} deep`)
    }),
    { numRuns: 300 },
  )
})

test('hostile queries take no time', () => {
  for (const text of [
    '('.repeat(100_000),
    'a '.repeat(100_000),
    `a${' '.repeat(100_000)}`,
    '"'.repeat(100_001),
    '-'.repeat(9_999),
  ]) {
    const start = workedMs()
    parseKql(text, now)
    assert.ok(workedMs() - start < 200, `${text.slice(0, 10)}…`)
  }
})

test('ranges of results', () => {
  assert.deepEqual(parseResultRange(undefined), { start: 0, end: 99, cut: false })
  assert.deepEqual(parseResultRange('0-0'), { start: 0, end: 0, cut: false })
  assert.deepEqual(parseResultRange('100-199'), { start: 100, end: 199, cut: false })
  assert.deepEqual(parseResultRange('0-100'), { start: 0, end: 99, cut: true })
  for (const wrong of ['5-4', 'a-b', '1', '-', '1-2-3', '1 - 2'])
    assert.equal(parseResultRange(wrong), undefined, wrong)
})
