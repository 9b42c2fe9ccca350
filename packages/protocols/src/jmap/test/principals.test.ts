/** RFC 9670: who there is, and whose mailbox one may open. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Args } from '@postrider/testkit/jmap'
import { Room } from './room.ts'

test('RFC 9670 §1.5, §2: principals of the session, by id, by query; accounts only where one may open them', async () => {
  await using room = await Room.open([{}, { fullAccess: ['alice'] }])
  const client = await room.client()
  const { accounts, capabilities } = client.session
  const owner = 'urn:ietf:params:jmap:principals:owner'
  const own = accounts.A1.accountCapabilities
  assert.equal(owner in capabilities, false, '§1.5.2: only a key of accountCapabilities')
  assert.deepEqual(own['urn:ietf:params:jmap:principals'], { currentUserPrincipalId: 'P1' })
  assert.deepEqual(own[owner], { accountIdForPrincipal: 'A1', principalId: 'P1' })
  assert.deepEqual(accounts.A2.accountCapabilities[owner], { accountIdForPrincipal: 'A1', principalId: 'P2' })
  assert.equal('urn:ietf:params:jmap:principals' in accounts.A2.accountCapabilities, false)
  const { list, notFound, state } = await client.call('Principal/get', { ids: ['P2', 'P99', 'x'] })
  assert.deepEqual(notFound, ['P99', 'x'])
  const { accounts: of, ...bob } = list[0]
  assert.deepEqual(bob, {
    id: 'P2',
    type: 'individual',
    name: 'Bob',
    description: null,
    email: 'bob@example.com',
    timeZone: null,
    capabilities: {},
  })
  assert.deepEqual(Object.keys(of), ['A2'])
  // Bob may not open Alice's.
  const seen = await (await room.client('bob')).call('Principal/get', { accountId: 'A2', ids: ['P1'] })
  assert.equal(seen.list[0].accounts, null)
  const find = async (filter: object | null, more: object = {}): Promise<string[]> =>
    (await client.call('Principal/query', { filter, ...more })).ids
  assert.deepEqual(await find(null), ['P1', 'P2'])
  assert.deepEqual(await find({ text: 'BOB@' }), ['P2'])
  assert.deepEqual(await find({ name: 'ali' }), ['P1'])
  assert.deepEqual(await find({ accountIds: ['A2'] }), ['P2'])
  assert.deepEqual(await find({ type: 'location' }), [])
  assert.deepEqual(await find(null, { sort: [{ property: 'name', isAscending: false }], limit: 1 }), ['P2'])
  const changes = await client.call('Principal/changes', { sinceState: state })
  assert.deepEqual([changes.created, changes.updated, changes.destroyed], [[], [], []])
  const error = (wanted: Promise<Args>): Promise<void> =>
    assert.rejects(wanted, (one: { args?: Args }) => /cannotCalculateChanges|unsupportedSort/.test(one.args?.type))
  await error(client.call('Principal/changes', { sinceState: 'old' }))
  await error(client.call('Principal/query', { sort: [{ property: 'email' }] }))
})

test('RFC 9670 §2.4: the address book is not changed here; whoever is hidden in it is not seen', async () => {
  await using room = await Room.open([{}, { hiddenFromAddressLists: true }])
  const client = await room.client()
  assert.deepEqual((await client.call('Principal/query', {})).ids, ['P1'])
  assert.deepEqual((await client.call('Principal/get', { ids: ['P2'] })).notFound, ['P2'])
  const answer = await client.call('Principal/set', {
    create: { a: { name: 'New' } },
    update: { P1: { name: 'Other' } },
    destroy: ['P1'],
  })
  const all = [answer.notCreated.a, answer.notUpdated.P1, answer.notDestroyed.P1]
  assert.deepEqual(
    all.map((one: Args) => one.type),
    ['forbidden', 'forbidden', 'forbidden'],
  )
})

test('R22: Person/find: beginnings of words, details, nobody who is hidden, as many as one asks for', async () => {
  await using room = await Room.open([{}, {}])
  const client = await room.client()
  const find = (text: string, more: object = {}) => client.call('Person/find', { text, ...more })
  const { list, total } = await find('bo')
  assert.equal(total, 1)
  assert.equal(list[0].email, 'bob@example.com')
  assert.equal(list[0].kind, 'person')
  assert.deepEqual((await find('nobody here')).list, [])
  const first = await find('', { limit: 1 })
  assert.deepEqual([first.list.length, first.total], [1, 2])
})
