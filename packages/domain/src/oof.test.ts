import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeOof, encodeOof, oofAudiences, oofDefault, type OofRecord, oofReplyAt, oofStates } from './oof.ts'

const plain = { noNullPrototype: true } as const
const reply = fc.record(
  { enabled: fc.boolean(), bodyType: fc.constantFrom('text', 'html'), message: fc.string() },
  plain,
)
const record = fc.record(
  {
    state: fc.constantFrom(...oofStates),
    start: fc.option(fc.integer(), { nil: undefined }),
    end: fc.option(fc.integer(), { nil: undefined }),
    replies: fc.record({ internal: reply, externalKnown: reply, externalUnknown: reply }, plain),
    changed: fc.nat(),
  },
  plain,
)

test('an out-of-office record reads back as it was written', () =>
  fc.assert(
    fc.property(record, (one) => assert.deepEqual(decodeOof(encodeOof(one)), one)),
    { numRuns: 200 },
  ))

test('bytes that are no record are the default, never an error', () => {
  assert.equal(decodeOof(undefined), oofDefault)
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => assert.equal(typeof decodeOof(bytes).state, 'string')),
    { numRuns: 200 },
  )
  assert.equal(decodeOof(new TextEncoder().encode('{"v":2}')), oofDefault)
})

test('a scheduled reply goes out from its start to before its end, an empty or disabled one never', () => {
  const one = { enabled: true, bodyType: 'text', message: 'away' } as const
  const base: OofRecord = {
    ...oofDefault,
    state: 'scheduled',
    start: 100,
    end: 200,
    replies: { internal: one, externalKnown: { ...one, enabled: false }, externalUnknown: { ...one, message: '' } },
  }
  assert.equal(oofReplyAt(base, 'internal', 99), undefined)
  assert.equal(oofReplyAt(base, 'internal', 100), one)
  assert.equal(oofReplyAt(base, 'internal', 199), one)
  assert.equal(oofReplyAt(base, 'internal', 200), undefined)
  assert.equal(oofReplyAt(base, 'externalKnown', 150), undefined)
  assert.equal(oofReplyAt(base, 'externalUnknown', 150), undefined)
  assert.equal(oofReplyAt({ ...base, state: 'enabled' }, 'internal', 5000), one)
  for (const audience of oofAudiences)
    assert.equal(oofReplyAt({ ...base, state: 'disabled' }, audience, 150), undefined)
})
