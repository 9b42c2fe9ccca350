import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isAddress, readAddresses } from './address.ts'

test('addresses are read from what is typed and pasted', () => {
  assert.deepEqual(readAddresses('Ada <ada@example.org>, "Doe, John" <john@example.org>; bob@example.org'), [
    { name: 'Ada', email: 'ada@example.org' },
    { name: 'Doe, John', email: 'john@example.org' },
    { name: null, email: 'bob@example.org' },
  ])
  assert.deepEqual(readAddresses(' ,; '), [])
})

test('what is an address', () => {
  for (const good of ['a@b', 'ada.l+x@example.org', 'jörg@exämple.de']) assert.ok(isAddress(good), good)
  for (const bad of ['ada', '@example.org', 'a b@example.org', 'a@-x.org', 'a@b..c', ''])
    assert.ok(!isAddress(bad), bad)
})

test('any text is read in linear time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      readAddresses(text).map((one) => isAddress(one.email))
    }),
    { numRuns: 200 },
  )
  const start = workedMs()
  readAddresses('"<'.repeat(50_000)).map((one) => isAddress(one.email))
  isAddress(`a@${'a-'.repeat(20_000)}`)
  assert.ok(workedMs() - start < 500)
})
