/** RFC 9670: mailboxes shared with principals, who sees them where, and what they are told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderRoleRights, Right } from '@postrider/domain'
import type { Args, JmapClient, JmapError } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

const fails = (type: string) => (error: unknown) => (error as JmapError).type === type
const BOB = 'P2'
/** Alice's account. */
const as = { accountId: 'A1' }

const inboxOf = async (client: JmapClient): Promise<Args> =>
  (await client.call('Mailbox/get', { properties: ['name', 'role', 'shareWith', 'myRights'] })).list.find(
    (one: Args) => one.role === 'inbox',
  )
const accountsOf = async (room: Room, name: string): Promise<string[]> => {
  const { body } = await (await room.client(name)).http('GET', '/jmap/session')
  return Object.keys((JSON.parse(body.toString()) as Args).accounts)
}
const rights = (given: Args): string[] => Object.keys(given).filter((name) => given[name] === true)

test('RFC 9670 §4: shareWith is given, patched entry by entry, and taken; the account appears in the session and goes', async () => {
  await using room = await Room.open()
  const alice = await room.client()
  const bob = await room.client('bob')
  const { id: email } = await room.deliver(mail('For both'))
  const { id, shareWith, myRights } = await inboxOf(alice)
  assert.deepEqual(shareWith, {})
  assert.equal(myRights.mayShare, true)
  const { list } = await alice.call('Mailbox/get', { ids: [id] })
  assert.equal('shareWith' in list[0], false, 'the property is there for who asks for it')
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2'])
  const share = (patch: Args): Promise<Args> => alice.call('Mailbox/set', { update: { [id]: patch } })

  const given = await share({ [`shareWith/${BOB}`]: { mayReadItems: true } })
  assert.equal(given.notUpdated, null)
  assert.notEqual(given.newState, given.oldState)
  assert.deepEqual(rights((await inboxOf(alice)).shareWith[BOB]), ['mayReadItems'])
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2', 'A1'])
  assert.deepEqual((await bob.call('Email/query', as)).ids, [email])
  const refused = await bob.call('Email/set', { ...as, update: { [email]: { 'keywords/$seen': true } } })
  assert.equal(refused.notUpdated[email].type, 'forbidden')

  await share({ [`shareWith/${BOB}/maySetSeen`]: true })
  assert.deepEqual(rights((await inboxOf(alice)).shareWith[BOB]), ['mayReadItems', 'maySetSeen', 'maySetKeywords'])
  assert.equal(
    (await bob.call('Email/set', { ...as, update: { [email]: { 'keywords/$seen': true } } })).notUpdated,
    null,
  )
  const [seen] = (await bob.call('Mailbox/get', { ...as, properties: ['myRights', 'shareWith'] })).list
  assert.equal(seen.shareWith, null, 'who else sees it is not told to who may not share it')
  assert.deepEqual(rights(seen.myRights), ['mayReadItems', 'maySetSeen', 'maySetKeywords'])

  await share({ [`shareWith/${BOB}`]: null })
  assert.deepEqual((await inboxOf(alice)).shareWith, {})
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2'])
  await assert.rejects(bob.call('Email/query', as), fails('accountNotFound'))
})

test('RFC 9670 §4: a mailbox is made shared; two mailboxes of one owner, and only the last one taken ends it', async () => {
  await using room = await Room.open()
  const alice = await room.client()
  const read = { [BOB]: { mayReadItems: true } }
  const { created } = await alice.call('Mailbox/set', {
    create: { x: { name: 'Plans', shareWith: read }, y: { name: 'Letters', shareWith: read } },
  })
  const names = async (): Promise<string[]> =>
    (await (await room.client('bob')).call('Mailbox/get', as)).list.map((one: Args) => one.name).sort()
  assert.deepEqual(await names(), ['Letters', 'Plans'])
  await alice.call('Mailbox/set', { update: { [created.x.id]: { shareWith: null } } })
  assert.deepEqual(await names(), ['Letters'])
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2', 'A1'])
  await alice.call('Mailbox/set', { destroy: [created.y.id] })
  // The note may stay; the door decides.
  await room.restart()
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2'])
})

test('RFC 9670 §4: what cannot be shared, and by whom', async () => {
  await using room = await Room.open()
  const alice = await room.client()
  const { id } = await inboxOf(alice)
  const refusal = async (client: JmapClient, patch: Args, where: Args = {}): Promise<string> =>
    (await client.call('Mailbox/set', { ...where, update: { [id]: patch } })).notUpdated[id].type
  for (const patch of [
    { 'shareWith/P1': { mayReadItems: true } },
    { 'shareWith/P99': { mayReadItems: true } },
    { shareWith: { bob: { mayReadItems: true } } },
    { shareWith: { [BOB]: { mayReadItems: 'yes' } } },
    { shareWith: { [BOB]: { mayFly: true } } },
    { shareWith: { [BOB]: { mayReadItems: true, maySubmit: true } } },
    { shareWith: { [BOB]: null } },
    { shareWith: 'everybody' },
  ])
    assert.equal(await refusal(alice, patch), 'invalidProperties', JSON.stringify(patch))
  assert.equal(
    await refusal(alice, { 'shareWith/P3/mayReadItems': true }),
    'invalidPatch',
    'an entry that is not there',
  )
  assert.deepEqual((await inboxOf(alice)).shareWith, {})
  // An editor may not give; an owner of the folder may, also away from himself.
  const folder = await room.folder('inbox')
  await room.apply({ op: 'setPermission', folder: folder.id, member: 'bob', rights: folderRoleRights.Editor })
  const bob = await room.client('bob')
  assert.equal(await refusal(bob, { [`shareWith/${BOB}`]: { mayReadItems: true, mayShare: true } }, as), 'forbidden')
  await room.apply({ op: 'setPermission', folder: folder.id, member: 'bob', rights: folderRoleRights.Owner })
  const [seen] = (await bob.call('Mailbox/get', { ...as, properties: ['shareWith'] })).list
  assert.deepEqual(Object.keys(seen.shareWith), [BOB])
})

test('RFC 9670 §3: ShareNotification: told, queried, destroyed; made by nobody', async () => {
  await using room = await Room.open()
  const alice = await room.client()
  const bob = await room.client('bob')
  const { state } = await bob.call('ShareNotification/get')
  const { id } = await inboxOf(alice)
  await alice.call('Mailbox/set', { update: { [id]: { shareWith: { [BOB]: { mayReadItems: true } } } } })
  await alice.call('Mailbox/set', { update: { [id]: { shareWith: null } } })
  const { list } = await bob.call('ShareNotification/get')
  const [first, second] = list as Args[]
  assert.equal(list.length, 2)
  assert.deepEqual(
    [first?.objectType, first?.objectAccountId, first?.objectId, first?.name, first?.oldRights],
    ['Mailbox', 'A1', id, 'Inbox', null],
  )
  assert.deepEqual(first?.changedBy, { name: 'Alice', email: 'alice@example.com', principalId: 'P1' })
  assert.equal(first?.newRights.mayReadItems, true)
  assert.match(first?.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.deepEqual([second?.oldRights.mayReadItems, second?.newRights], [true, null])
  assert.deepEqual((await bob.call('ShareNotification/changes', { sinceState: state })).created, [
    first?.id,
    second?.id,
  ])
  const query = (args: Args): Promise<Args> => bob.call('ShareNotification/query', args)
  assert.deepEqual((await query({ sort: [{ property: 'created', isAscending: false }] })).ids, [second?.id, first?.id])
  assert.deepEqual((await query({ filter: { objectAccountId: 'A2' } })).ids, [])
  assert.deepEqual((await query({ filter: { objectType: 'Mailbox', after: '2020-01-01T00:00:00Z' } })).ids.length, 2)
  await assert.rejects(query({ filter: { colour: 'red' } }), fails('invalidArguments'))
  await assert.rejects(
    bob.call('ShareNotification/queryChanges', { sinceQueryState: '1' }),
    fails('cannotCalculateChanges'),
  )
  const set = await bob.call('ShareNotification/set', {
    create: { x: { name: 'mine' } },
    update: { [first?.id]: { name: 'other' } },
    destroy: [second?.id],
  })
  assert.equal(set.notCreated.x.type, 'forbidden')
  assert.equal(set.notUpdated[first?.id].type, 'forbidden')
  assert.deepEqual(set.destroyed, [second?.id])
  assert.deepEqual((await alice.call('ShareNotification/get')).list, [])
})

test('rights given by another protocol: the account is listed while any is left', async () => {
  await using room = await Room.open()
  const [owner, member] = ['alice', 'bob'].map((name) => room.entries.find((one) => one.account === name))
  assert.ok(owner && member)
  const { id: folder } = await room.folder('inbox')
  const set = (rights: number | undefined): Promise<void> =>
    room.jmap.giving(owner, member, rights !== undefined, async () => {
      await room.apply({ op: 'setPermission', folder, member: member.account, rights })
    })
  await set(Right.readAny)
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2', 'A1'])
  await set(undefined)
  assert.deepEqual(await accountsOf(room, 'bob'), ['A2'])
})
