/** Bulk/act, Bulk/undo, Sweep: one act on everything a filter finds; what a sender's older mail becomes of itself. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { Flag } from '@postrider/domain'
import type { Args, JmapClient } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await condition()); await sleep(20))
    if (Date.now() > end) throw new Error('it did not happen')
}
const found = async (client: JmapClient, filter: object): Promise<string[]> =>
  (await client.call('Email/query', { filter, sort: [{ property: 'receivedAt', isAscending: false }] })).ids
const idOf = async (room: Room, role: 'inbox' | 'archive' | 'deleteditems'): Promise<string> =>
  `F${(await room.folder(role)).id}`
const refused = async (call: Promise<Args>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: Error & { type?: string }) => String(error.type ?? error.message),
  )
const from = (address: string, subject: string): string =>
  mail(subject).replace('Carol <carol@example.net>', `Someone <${address}>`)

/** `n` mails in the Inbox, the first the oldest. */
async function filled(room: Room, n: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < n; i++)
    ids.push((await room.deliver(mail(`Mail ${i}`), { received: 1_700_000_000_000 + i * 1_000 })).id)
  return ids
}

test('R15 Bulk/act moves a whole folder in one call, and Bulk/undo brings back what is as it was left', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const ids = await filled(room, 1_203)
  const [inbox, archive, trash] = [
    await idOf(room, 'inbox'),
    await idOf(room, 'archive'),
    await idOf(room, 'deleteditems'),
  ]
  const move = { [`mailboxIds/${inbox}`]: null, [`mailboxIds/${archive}`]: true }
  const counted = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: move, dryRun: true })
  assert.deepEqual([counted.count, counted.left, counted.bulkId], [1_203, 0, null])
  assert.equal((await found(client, { inMailbox: inbox })).length, 1_203)
  const done = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: move })
  assert.deepEqual([done.count, done.failed, done.left], [1_203, 0, 0])
  assert.equal((await found(client, { inMailbox: inbox })).length, 0)
  assert.deepEqual(await found(client, { inMailbox: archive }), ids.toReversed())
  // Meanwhile one is put elsewhere and one is deleted: these stay as they are.
  const [one, two] = ids as [string, string]
  await client.call('Email/set', { update: { [one]: { mailboxIds: { [trash]: true } } }, destroy: [two] })
  await room.restart()
  const again = await room.client()
  const undone = await again.call('Bulk/undo', { bulkId: done.bulkId })
  assert.deepEqual([undone.count, undone.changed, undone.more], [1_201, 2, false])
  assert.deepEqual(await found(again, { inMailbox: inbox }), ids.slice(2).toReversed())
  assert.deepEqual(await found(again, { inMailbox: trash }), [one])
  assert.match(await refused(again.call('Bulk/undo', { bulkId: done.bulkId })), /invalidArguments/)
})

test('Bulk/act: keywords and categories, only mails that change are counted and undone', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const read = await room.deliver(mail('Read'), { flags: Flag.seen })
  const unread = await room.deliver(mail('Unread'))
  const update = { 'keywords/$Seen': true, 'keywords/$flagged': true, 'categories/Red category': true }
  await client.call('Email/set', { update: { [read.id]: { 'keywords/$flagged': true } } })
  await client.call('Email/set', { update: { [read.id]: { 'categories/Red category': true } } })
  const done = await client.call('Bulk/act', { filter: null, update })
  assert.equal(done.count, 1)
  const marks = async (id: string): Promise<Args> =>
    (await client.call('Email/get', { ids: [id], properties: ['keywords', 'categories'] })).list[0]
  const marked = { keywords: { $seen: true, $flagged: true }, categories: { 'Red category': true } }
  assert.deepEqual(await marks(unread.id), { id: unread.id, ...marked })
  await client.call('Bulk/undo', { bulkId: done.bulkId })
  assert.deepEqual(await marks(unread.id), { id: unread.id, keywords: {}, categories: {} })
  assert.deepEqual(await marks(read.id), { id: read.id, ...marked })
})

test('Bulk/act leaves alone what came after the user looked', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await filled(room, 3)
  const inbox = await idOf(room, 'inbox')
  const { queryState } = await client.call('Email/query', { filter: { inMailbox: inbox }, sort: [] })
  const late = await room.deliver(mail('Late'))
  const done = await client.call('Bulk/act', {
    filter: { inMailbox: inbox },
    queryState,
    update: { 'keywords/$seen': true },
  })
  assert.equal(done.count, 3)
  assert.deepEqual(await found(client, { inMailbox: inbox, notKeyword: '$seen' }), [late.id])
})

test('Bulk/act destroys: out of the folder that is emptied, a copy elsewhere stays; there is no undo', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const trash = await idOf(room, 'deleteditems')
  const archive = await idOf(room, 'archive')
  const copied = await room.deliver(mail('Copied'), { role: 'deleteditems' })
  await client.call('Email/set', { update: { [copied.id]: { [`mailboxIds/${archive}`]: true } } })
  await room.deliver(mail('Gone'), { role: 'deleteditems' })
  const done = await client.call('Bulk/act', { filter: { inMailbox: trash }, destroy: true })
  assert.deepEqual([done.count, done.left, done.bulkId], [2, 0, null])
  assert.deepEqual(await found(client, {}), [copied.id])
  assert.deepEqual(await found(client, { inMailbox: archive }), [copied.id])
})

test('Bulk/act for one sender, all but the newest; another address that contains it is another sender', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const inbox = await idOf(room, 'inbox')
  const made: string[] = []
  for (const [i, address] of [
    'news@example.net',
    'NEWS@example.net',
    'othernews@example.net',
    'news@example.net',
  ].entries())
    made.push((await room.deliver(from(address, `News ${i}`), { received: 1_700_000_000_000 + i })).id)
  const done = await client.call('Bulk/act', {
    filter: { inMailbox: inbox },
    fromAddress: 'news@example.net',
    keepNewest: 1,
    update: { 'keywords/$seen': true },
  })
  assert.equal(done.count, 2)
  assert.deepEqual(await found(client, { notKeyword: '$seen' }), [made[3], made[2]])
})

test('Bulk/act refuses what it cannot do, and a mail that would be nowhere', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await filled(room, 2)
  const inbox = await idOf(room, 'inbox')
  for (const args of [
    {},
    { update: {} },
    { update: { subject: 'x' } },
    { update: { 'keywords/$seen': 5 } },
    { update: { 'keywords/$seen': true }, destroy: true },
    { update: { 'keywords/$seen': true }, bulkId: 'B1' },
    { update: { 'keywords/$seen': true }, queryState: 'x' },
    { update: { 'keywords/$seen': true }, filter: { inMailbox: 'F999999' } },
  ])
    assert.match(
      await refused(client.call('Bulk/act', { filter: null, ...args })),
      /invalidArguments/,
      JSON.stringify(args),
    )
  const nowhere = await client.call('Bulk/act', { filter: null, update: { [`mailboxIds/${inbox}`]: null } })
  assert.deepEqual([nowhere.count, nowhere.failed, nowhere.bulkId], [0, 2, null])
})

test('of acts on many mails the last five can be undone', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await filled(room, 1)
  const made: string[] = []
  for (let i = 0; i < 6; i++)
    made.push(
      (await client.call('Bulk/act', { filter: null, update: { 'keywords/$seen': i % 2 === 0 || null } })).bulkId,
    )
  assert.match(await refused(client.call('Bulk/undo', { bulkId: made[0] })), /invalidArguments/)
  assert.equal((await client.call('Bulk/undo', { bulkId: made[5] })).count, 1)
  const handle = await room.mailbox()
  const keys = (await handle.state('jmap-bulk')).map(({ key }) => key)
  assert.equal(keys.length, 5, String(keys))
})

test('Sweep: of one sender only the newest stays, also of what comes later and after a restart', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const inbox = await idOf(room, 'inbox')
  const trash = await idOf(room, 'deleteditems')
  const first = await room.deliver(from('news@example.net', 'One'), { received: Date.now() - 9_000 })
  const second = await room.deliver(from('news@example.net', 'Two'), { received: Date.now() - 8_000 })
  const other = await room.deliver(mail('Other'), { received: Date.now() - 7_000 })
  const made = await client.call('Sweep/set', {
    create: { s: { fromAddress: 'News@Example.net', mailboxId: inbox, keep: 'newest' } },
  })
  assert.equal(made.created.s.n, 1)
  await until(async () => (await found(client, { inMailbox: trash })).length === 1)
  assert.deepEqual(await found(client, { inMailbox: trash }), [first.id])
  await room.restart()
  const again = await room.client()
  const third = await room.deliver(from('news@example.net', 'Three'))
  await until(async () => (await found(again, { inMailbox: trash })).length === 2)
  assert.deepEqual(await found(again, { inMailbox: trash }), [second.id, first.id])
  assert.deepEqual(await found(again, { inMailbox: inbox }), [third.id, other.id])
  const { list } = await again.call('Sweep/get')
  assert.deepEqual(list, [
    { id: made.created.s.id, fromAddress: 'news@example.net', mailboxId: inbox, keep: 'newest', n: 1, moveTo: null },
  ])
})

test('Sweep: what is older than some days goes where it was told to', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const [inbox, archive] = [await idOf(room, 'inbox'), await idOf(room, 'archive')]
  const day = 24 * 60 * 60 * 1_000
  const old = await room.deliver(from('news@example.net', 'Old'), { received: Date.now() - 11 * day })
  const young = await room.deliver(from('news@example.net', 'Young'), { received: Date.now() - 9 * day })
  const refusal = await client.call('Sweep/set', {
    create: {
      a: { fromAddress: 'nobody', mailboxId: inbox, keep: 'days' },
      b: { fromAddress: 'a@example.net', mailboxId: inbox, keep: 'days', n: 0 },
      c: { fromAddress: 'a@example.net', mailboxId: inbox, keep: 'days', moveTo: inbox },
    },
  })
  const why = Object.values(refusal.notCreated as Record<string, Args>).map((one) => one.properties)
  assert.deepEqual(why, [['fromAddress'], ['n'], ['moveTo']])
  await client.call('Sweep/set', {
    create: { s: { fromAddress: 'news@example.net', mailboxId: inbox, keep: 'days', n: 10, moveTo: archive } },
  })
  await until(async () => (await found(client, { inMailbox: archive })).length === 1)
  assert.deepEqual(await found(client, { inMailbox: archive }), [old.id])
  assert.deepEqual(await found(client, { inMailbox: inbox }), [young.id])
})

test('Bulk/act: a whole folder is snoozed and followed up in one call each, and undone', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const inbox = await idOf(room, 'inbox')
  const ids = await filled(room, 30)
  const [flagged = '', dated = ''] = ids
  const due = (day: number): string => `2031-05-0${day}T08:00:00Z`
  await client.call('Email/set', {
    update: {
      [flagged]: { 'keywords/$flagged': true },
      [dated]: { followUp: { start: due(1), due: due(1), reminder: null, completed: null } },
    },
  })
  const marks = async (): Promise<Args[]> =>
    (await client.call('Email/get', { ids, properties: ['keywords', 'followUp', 'snoozed', 'mailboxIds'] })).list
  const before = await marks()
  const followUp = { start: due(2), due: due(2), reminder: null, completed: null }
  const done = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: { followUp } })
  assert.deepEqual([done.count, done.failed, done.left], [30, 0, 0])
  for (const one of await marks()) {
    assert.equal(Date.parse(one.followUp.due), Date.parse(due(2)))
    assert.equal(one.keywords.$flagged, true)
  }
  const again = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: { followUp } })
  assert.equal(again.count, 0, 'nothing is left to do')
  assert.equal((await client.call('Bulk/undo', { bulkId: done.bulkId })).count, 30)
  assert.deepEqual(await marks(), before)

  const until = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z')
  const snoozed = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: { snoozed: { until } } })
  assert.deepEqual([snoozed.count, snoozed.failed], [30, 0])
  assert.deepEqual(await found(client, { inMailbox: inbox }), [])
  for (const one of await marks()) assert.equal(Date.parse(one.snoozed.until), Date.parse(until))
  // One is brought back by hand meanwhile.
  await client.call('Email/set', { update: { [flagged]: { snoozed: null } } })
  const undone = await client.call('Bulk/undo', { bulkId: snoozed.bulkId })
  assert.deepEqual([undone.count, undone.changed], [29, 1])
  assert.deepEqual(await marks(), before)
  assert.match(await refused(client.call('Bulk/act', { filter: null, update: { 'snoozed/until': until } })), /invalid/)
  const past = { snoozed: { until: '2001-01-01T00:00:00Z' } }
  const late = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: past })
  assert.deepEqual([late.count, late.failed], [0, 30])
})

test('what a whole folder was snoozed until comes back of itself', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const inbox = await idOf(room, 'inbox')
  await filled(room, 5)
  const soon = new Date(Date.now() + 5_000).toISOString().replace(/\.\d+Z$/, 'Z')
  const done = await client.call('Bulk/act', { filter: { inMailbox: inbox }, update: { snoozed: { until: soon } } })
  assert.equal(done.count, 5)
  await until(async () => (await found(client, { inMailbox: inbox })).length === 5)
})
