import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesPattern } from './pattern.ts'

test('RFC 9051 §6.3.9: wildcards', () => {
  const cases: [string, string, boolean][] = [
    ['*', 'a/b', true],
    ['%', 'a/b', false],
    ['%', 'a', true],
    ['a/%', 'a/b', true],
    ['a%b', 'a/b', false],
    ['a*b', 'a/b', true],
    ['%/%', 'a/b', true],
    ['*b', 'ab', true],
    ['inbox', 'INBOX', true],
    ['InBox/*', 'INBOX/x', true],
    ['inboxes', 'INBOXes', false],
    ['%*', 'a/b', true],
    ['', '', true],
    ['a', 'ab', false],
    ['*'.repeat(3000), 'a', false],
  ]
  for (const [pattern, name, expected] of cases)
    assert.equal(matchesPattern(pattern, name), expected, `${pattern} ${name}`)
})

test('as the obvious regular expression says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '%', '*'), maxLength: 8 })
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 }), (pattern, name) => {
      const regex = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('%', '[^/]*')}$`)
      assert.equal(matchesPattern(pattern, name), regex.test(name), `${pattern} ${name}`)
    }),
    { numRuns: 500 },
  )
})

test('P15: a pattern made to hurt is no more work than any other', () => {
  const started = workedMs()
  assert.equal(matchesPattern(`${'*a'.repeat(1000)}b`, 'a'.repeat(2000)), false)
  assert.ok(workedMs() - started < 500)
})
