import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { methods } from '../methods.ts'
import { mail, Room } from './room.ts'

/** Values that mean something somewhere, and values that mean nothing anywhere. */
const known = [
  'F3',
  'F4',
  'M43',
  'A1',
  'A2',
  '#a',
  'a',
  'singleton',
  'storage',
  '1.1',
  '0',
  '',
  '__proto__',
  'constructor',
  'B43-0',
  '*',
  'header:X:asDate',
  'Email',
  '2026-01-01T00:00:00Z',
  '\ud800',
]
const names = [
  'ids',
  'properties',
  'filter',
  'sort',
  'create',
  'update',
  'destroy',
  'sinceState',
  'sinceQueryState',
  'emails',
  'blobIds',
  'typeNames',
  'position',
  'anchor',
  'limit',
  'fromAccountId',
  'emailIds',
  'maxChanges',
  'onSuccessUpdateEmail',
  'onSuccessDestroyEmail',
  'ifInState',
  'bodyProperties',
  'fetchAllBodyValues',
  'maxBodyValueBytes',
  'offset',
  'length',
]
const keys = [
  'a',
  'M43',
  'F3',
  'mailboxIds',
  'mailboxIds/F3',
  'keywords',
  'keywords/$seen',
  'name',
  'parentId',
  'operator',
  'conditions',
  'inMailbox',
  'text',
  'property',
  'bodyStructure',
  'subParts',
  'type',
  'partId',
  'bodyValues',
  'textBody',
  'value',
  'from',
  'email',
  'header:X-A:all',
  'identityId',
  'emailId',
  'envelope',
  'undoStatus',
  'textSignature',
  'isEnabled',
  'textBody/0',
  'data',
  'data:asText',
  'blobId',
  'role',
  'sortOrder',
  '__proto__',
]
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 1.5, 2 ** 53, ...known),
    fc.string({ maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 3 })), tie('value')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}))
const call = fc.tuple(
  fc.constantFrom(...methods.keys()),
  fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 })
    .map((entries) => ({ accountId: 'A1', ...Object.fromEntries(entries) })),
  fc.constant('c'),
)

test('P1: whatever stands in the arguments, every call is answered, and never as a fault of ours', async () => {
  await using room = await Room.open()
  await room.deliver(mail('One'))
  const client = await room.client()
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 10 }), async (calls) => {
      const answers = await client.request(calls)
      assert.ok(answers.length >= calls.length)
      for (const [i, [name, args]] of answers.entries())
        assert.ok(name !== 'error' || args.type !== 'serverFail', JSON.stringify([calls[i], args]))
    }),
    { numRuns: 250 },
  )
})
