import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Mailbox } from '../jmap/types.ts'
import { searchFilter, terms } from './search.ts'

const sent = { id: 'm2', name: 'Sent', role: 'sent' } as Mailbox

test('words and operators become conditions', () => {
  assert.deepEqual(searchFilter('plan', []), { text: 'plan' })
  assert.deepEqual(searchFilter('from:ada plan', []), {
    operator: 'AND',
    conditions: [{ from: 'ada' }, { text: 'plan' }],
  })
  assert.deepEqual(searchFilter('-is:read', []), { operator: 'NOT', conditions: [{ hasKeyword: '$seen' }] })
  assert.deepEqual(searchFilter('subject:"two words"', []), { subject: 'two words' })
  assert.deepEqual(searchFilter('has:attachment larger:2M', []), {
    operator: 'AND',
    conditions: [{ hasAttachment: true }, { minSize: 2_000_000 }],
  })
  assert.deepEqual(searchFilter('in:sent x', [sent], 'm1'), {
    operator: 'AND',
    conditions: [{ inMailbox: 'm2' }, { text: 'x' }],
  })
  assert.deepEqual(searchFilter('x', [sent], 'm1'), {
    operator: 'AND',
    conditions: [{ inMailbox: 'm1' }, { text: 'x' }],
  })
  assert.equal(searchFilter('  ', []), null)
})

test('what is no operator of ours is searched for as it stands', () => {
  assert.deepEqual(searchFilter('re:x', []), { text: 're:x' })
  assert.deepEqual(searchFilter('before:soon', []), { text: 'before:soon' })
})

test('any text is taken', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      for (const term of terms(text)) assert.ok(term.value !== '')
      searchFilter(text, [sent])
    }),
    { numRuns: 200 },
  )
})
