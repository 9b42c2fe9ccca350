import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TraceLine } from '@postrider/domain'
import { lookOn } from '../looking-on.ts'

function seen(args: unknown): string {
  const lines: TraceLine[] = []
  const said = lookOn({ active: true, of: () => (line) => void lines.push(line) }, 'alice@example.com')
  said?.('client', ['Email/set', args, 'c1'])
  return lines.map(({ text }) => text).join('\n')
}

test('ids, states and names of properties are shown, contents by their length', () => {
  const args = {
    accountId: 'A1',
    ifInState: 's7',
    create: {
      k1: { subject: 'hunter2', to: [{ name: 'hunter2', email: 'hunter2@example.com' }], mailboxIds: { M1: true } },
    },
    update: { E1: { 'keywords/$seen': true, 'keywords/hunter2': true, 'mailboxIds/M2': null } },
    filter: { inMailbox: 'M1', text: 'hunter2' },
    ids: Array.from({ length: 25 }, (_, i) => `E${i}`),
    keywords: { $flagged: true, hunter2: true },
    'hunter2@example.com': 1,
  }
  const said = seen(args)
  assert.ok(!said.includes('hunter2'), said)
  for (const part of [
    '"accountId":"A1"',
    '"ifInState":"s7"',
    '"subject":"(7)"',
    '"keywords/$seen":true',
    '"mailboxIds/M2":null',
    '"inMailbox":"M1"',
    '"text":"(7)"',
    '"E19","(5 more)"',
    '"$flagged":true',
  ])
    assert.ok(said.includes(part), `${part} in ${said}`)
  assert.ok(said.startsWith('Email/set c1 {'))
})

test('nobody looks on: nothing is made', () => {
  assert.equal(lookOn(undefined, 'alice@example.com'), undefined)
  assert.equal(lookOn({ active: true, of: () => undefined }, 'alice@example.com'), undefined)
})

test('whatever it is, the line is one line of limited length', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 14 }), (value) => {
      const said = seen(value)
      return said.length <= 8_000 && !said.includes('\n')
    }),
  )
})
