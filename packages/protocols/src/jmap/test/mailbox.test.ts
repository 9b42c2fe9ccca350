import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag, folderRoleRights } from '@postrider/domain'
import type { Args, JmapError } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

const fails = (type: string) => (error: unknown) => (error as JmapError).type === type
const byRole = (list: Args[], role: string): Args => list.find((one) => one.role === role) as Args

test('RFC 8621 §2: mailboxes have roles, order, rights and counters', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await room.deliver(mail('Topic'))
  await room.deliver(mail('Re: Topic', ['References: <Topic@example.net>']), { flags: Flag.seen })
  await room.deliver(mail('Other'), { flags: Flag.seen })
  await room.deliver(mail('Draft'), { flags: Flag.draft, role: 'drafts' })
  const { list } = await client.call('Mailbox/get')
  const inbox = byRole(list, 'inbox')
  assert.deepEqual([inbox.name, inbox.parentId, inbox.sortOrder, inbox.isSubscribed], ['Inbox', null, 1, true])
  assert.deepEqual([inbox.totalEmails, inbox.unreadEmails, inbox.totalThreads, inbox.unreadThreads], [3, 1, 2, 1])
  assert.deepEqual(
    [inbox.myRights.mayReadItems, inbox.myRights.mayDelete, inbox.myRights.maySubmit],
    [true, false, true],
  )
  const drafts = byRole(list, 'drafts')
  assert.deepEqual([drafts.totalEmails, drafts.unreadEmails], [1, 0])
  assert.deepEqual(
    list
      .map((one: Args) => one.role)
      .filter((role: unknown) => role !== null)
      .sort(),
    ['archive', 'drafts', 'inbox', 'junk', 'sent', 'trash'],
  )
})

test('RFC 8621 §2: an unread mail in the trash makes no conversation unread elsewhere, and the other way round', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await room.deliver(mail('Topic'), { flags: Flag.seen })
  await room.deliver(mail('Re: Topic', ['References: <Topic@example.net>']), { role: 'deleteditems' })
  const count = async (role: string) => byRole((await client.call('Mailbox/get')).list, role).unreadThreads
  assert.deepEqual([await count('inbox'), await count('trash')], [0, 1])
  await room.deliver(mail('Re: Topic', ['References: <Topic@example.net>']), { role: 'sentitems' })
  assert.deepEqual([await count('inbox'), await count('sent')], [1, 1], 'unread in Sent is unread in the Inbox')
})

test('RFC 8621 §2.5: Mailbox/set creates, renames, moves, orders, destroys, and says why not', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { created } = await client.call('Mailbox/set', {
    create: { a: { name: 'A', sortOrder: 7 }, b: { name: 'B', isSubscribed: false } },
  })
  const [a, b] = [created.a.id, created.b.id]
  const refused = await client.call('Mailbox/set', {
    create: {
      same: { name: 'a' },
      slash: { name: 'x/y' },
      empty: { name: '' },
      orphan: { name: 'O', parentId: 'F9999' },
      odd: { name: 'O', role: 'inbox' },
      extra: { name: 'E', totalEmails: 4 },
    },
    update: { F3: { name: 'No' }, F9999: { name: 'x' }, [a]: { parentId: a }, [b]: { totalEmails: 1 } },
    destroy: ['F3', 'F9999'],
  })
  const types = (map: Record<string, Args>) =>
    Object.fromEntries(Object.entries(map).map(([key, one]) => [key, [one.type, ...(one.properties ?? [])]]))
  assert.deepEqual(types(refused.notCreated), {
    same: ['invalidProperties', 'name'],
    slash: ['invalidProperties', 'name'],
    empty: ['invalidProperties', 'name'],
    orphan: ['invalidProperties', 'parentId'],
    odd: ['invalidProperties', 'role'],
    extra: ['invalidProperties', 'totalEmails'],
  })
  assert.deepEqual(types(refused.notUpdated), {
    F3: ['forbidden'],
    F9999: ['notFound'],
    [a]: ['invalidProperties', 'parentId'],
    [b]: ['invalidProperties', 'totalEmails'],
  })
  assert.deepEqual(types(refused.notDestroyed), { F3: ['forbidden'], F9999: ['notFound'] })
  const moved = await client.call('Mailbox/set', {
    update: { [b]: { name: 'Bee', parentId: a, role: 'snoozed', sortOrder: 3 } },
  })
  assert.deepEqual({ ...moved.updated }, { [b]: null })
  const { list } = await client.call('Mailbox/get', {
    ids: [a, b],
    properties: ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed'],
  })
  assert.deepEqual(list, [
    { id: a, name: 'A', parentId: null, role: null, sortOrder: 7, isSubscribed: true },
    { id: b, name: 'Bee', parentId: a, role: 'snoozed', sortOrder: 3, isSubscribed: false },
  ])
  assert.equal((await client.call('Mailbox/set', { destroy: [a] })).notDestroyed[a].type, 'mailboxHasChild')
  const email = await client.call('Email/set', {
    create: { m: { mailboxIds: { [b]: true }, subject: 'x', bodyValues: {} } },
  })
  assert.ok(email.created.m.id)
  assert.equal((await client.call('Mailbox/set', { destroy: [b] })).notDestroyed[b].type, 'mailboxHasEmail')
  const gone = await client.call('Mailbox/set', { destroy: [a, b], onDestroyRemoveEmails: true })
  assert.deepEqual([...gone.destroyed].sort(), [a, b].sort())
})

test('RFC 8621 §2.2: Mailbox/changes pages exactly and tells when only counters changed', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { state } = await client.call('Mailbox/get', { ids: [] })
  await room.deliver(mail('One'))
  const counts = await client.call('Mailbox/changes', { sinceState: state })
  assert.deepEqual([counts.created, counts.updated, counts.destroyed], [[], ['F3'], []])
  assert.deepEqual(counts.updatedProperties, ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'])
  const { created } = await client.call('Mailbox/set', { create: { a: { name: 'A' }, b: { name: 'B' } } })
  await client.call('Mailbox/set', { destroy: [created.a.id], update: { [created.b.id]: { name: 'C' } } })
  let since = counts.newState
  const seen: Record<string, string[]> = { created: [], updated: [], destroyed: [] }
  for (let more = true; more; ) {
    const page = await client.call('Mailbox/changes', { sinceState: since, maxChanges: 1 })
    for (const kind of Object.keys(seen)) seen[kind]?.push(...page[kind])
    assert.ok(page.created.length + page.updated.length + page.destroyed.length <= 1)
    more = page.hasMoreChanges
    since = page.newState
  }
  assert.deepEqual(seen.created, [created.b.id])
  await assert.rejects(client.call('Mailbox/changes', { sinceState: 'nonsense' }), fails('cannotCalculateChanges'))
  await assert.rejects(client.call('Mailbox/changes', { sinceState: state, maxChanges: 0 }), fails('invalidArguments'))
})

test('RFC 8621 §2.3: Mailbox/query filters and sorts, as tree too', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await client.call('Mailbox/set', { create: { z: { name: 'Zoo' }, k: { name: 'aKid', parentId: '#z' } } })
  const names = async (args: object) => {
    const { ids } = await client.call('Mailbox/query', args)
    const { list } = await client.call('Mailbox/get', { ids, properties: ['name'] })
    return ids.map((id: string) => list.find((one: Args) => one.id === id).name)
  }
  const sort = [{ property: 'name' }]
  assert.deepEqual(await names({ filter: { hasAnyRole: false }, sort }), ['aKid', 'Zoo'])
  assert.deepEqual(await names({ filter: { hasAnyRole: false }, sort, sortAsTree: true }), ['Zoo', 'aKid'])
  assert.deepEqual(await names({ filter: { name: 'kid' }, filterAsTree: true }), [])
  assert.deepEqual(
    await names({
      filter: { operator: 'OR', conditions: [{ role: 'inbox' }, { role: 'trash' }] },
      sort: [{ property: 'sortOrder' }],
    }),
    ['Inbox', 'Deleted Items'],
  )
  assert.deepEqual(
    await names({ filter: { operator: 'NOT', conditions: [{ hasAnyRole: true }] }, sort, position: -1 }),
    ['Zoo'],
  )
  await assert.rejects(client.call('Mailbox/query', { sort: [{ property: 'colour' }] }), fails('unsupportedSort'))
  await assert.rejects(client.call('Mailbox/query', { filter: { colour: 'red' } }), fails('unsupportedFilter'))
})

test('RFC 8620 §1.6.2, RFC 8621 §2: somebody else’s folder is seen and written as its rights say', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const drafts = await room.folder('drafts')
  const { id } = await room.deliver(mail('Shared'))
  const secret = await room.deliver(mail('Secret'), { role: 'drafts' })
  const bob = await room.client('bob')
  const as = { accountId: 'A1' }
  await assert.rejects(bob.call('Email/get', { ...as, ids: [id] }), fails('accountNotFound'))
  await room.apply({ op: 'setPermission', folder: inbox.id, member: 'bob', rights: folderRoleRights.Reviewer })
  const { list } = await bob.call('Mailbox/get', as)
  assert.deepEqual(
    list.map((one: Args) => [one.name, one.myRights.mayReadItems, one.myRights.mayRemoveItems]),
    [['Inbox', true, false]],
  )
  assert.equal((await bob.call('Email/get', { ...as, ids: [id, secret.id], properties: ['subject'] })).list.length, 1)
  assert.deepEqual((await bob.call('Email/query', as)).ids, [id])
  const set = await bob.call('Email/set', { ...as, update: { [id]: { 'keywords/$seen': true } }, destroy: [secret.id] })
  assert.equal(set.notUpdated[id].type, 'forbidden')
  assert.equal(set.notDestroyed[secret.id].type, 'notFound')
  const made = await bob.call('Email/set', { ...as, create: { x: { mailboxIds: { [`F${drafts.id}`]: true } } } })
  assert.equal(made.notCreated.x.type, 'invalidProperties', 'a folder that is not shown is none')
  const blob = (await (await room.client()).call('Email/get', { ids: [secret.id], properties: ['blobId'] })).list[0]
    .blobId
  assert.equal((await bob.http('GET', `/jmap/download/A1/${blob}/x`)).status, 404)
  await assert.rejects(bob.call('EmailSubmission/get', as), fails('accountNotSupportedByMethod'))
})
