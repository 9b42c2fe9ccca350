import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDomainError, type Operation } from '@postrider/domain'
import { type Files, realFiles } from '../blobs/index.ts'
import { testMail, testMailbox, testStore } from './testing.ts'

test('calls that arrive together share one sync', async (t) => {
  let syncs = 0
  const files: Files = {
    ...realFiles,
    sync: (fd) => {
      syncs++
      return realFiles.sync(fd)
    },
  }
  const { store, inbox } = await testStore(t, { files })
  syncs = 0
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail(`${i}`) }]),
    ),
  )
  assert.ok(syncs <= 3, `${syncs} syncs for 100 calls`)
  syncs = 0
  await store.apply(testMailbox, [{ op: 'flag', folder: inbox, items: { uids: Uint32Array.of(1) }, set: 1 }])
  assert.equal(syncs, 0, 'flags name no bytes')
})

test('one call of a batch that fails takes back its own changes only, whatever it did before', async (t) => {
  const { store, inbox, trash } = await testStore(t)
  const good = (n: number): Operation[] => [{ op: 'add', folder: inbox, item: testMail(`good ${n}`) }]
  const bad: Operation[] = [
    { op: 'add', folder: inbox, item: testMail('bad', 'x', { keywords: ['Lost'] }) },
    { op: 'move', from: inbox, to: trash, items: { uids: Uint32Array.of(1, 2) } },
    { op: 'createFolder', parent: inbox, name: 'lost', class: 'IPF.Note' },
    { op: 'once', key: 'k', keepMs: 1_000 },
    { op: 'remove', folder: 999 as never, items: { uids: [] } },
  ]
  const outcomes = await Promise.allSettled([
    store.apply(testMailbox, good(1)),
    store.apply(testMailbox, bad),
    store.apply(testMailbox, good(2)),
    store.apply(testMailbox, bad),
    store.apply(testMailbox, good(3)),
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.ok(outcomes[1]?.status === 'rejected' && isDomainError(outcomes[1].reason, 'folderNotFound'))
  assert.equal(outcomes[1].reason.operation, 4)
  const uids = outcomes.flatMap((one) =>
    one.status === 'fulfilled' && one.value.results[0]?.op === 'add' ? [one.value.results[0].uid] : [],
  )
  assert.deepEqual(uids, [1, 2, 3])
  assert.deepEqual((await store.check())[0]?.problems, [])
})

test('a batch that takes too long is cut, and the rest follows', async (t) => {
  const { store, inbox } = await testStore(t)
  const adds = (n: number): Operation[] =>
    Array.from({ length: n }, (_, i) => ({ op: 'add', folder: inbox, item: testMail(`${i}`) }))
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => store.apply(testMailbox, adds(400))))
  const changes = outcomes.map(({ change }) => change)
  assert.deepEqual(
    changes,
    [...changes].sort((a, b) => a - b),
  )
  assert.equal((await store.info(testMailbox)).items, 4_800)
  assert.deepEqual((await store.check())[0]?.problems, [])
})

test('several databases are one service; mailboxes stay where they were made', async (t) => {
  const { store, folder } = await testStore(t, { databases: ['db', 'other'] })
  const second = 2 as typeof testMailbox
  await store.create(second, { language: 'fr', quota: 10, database: 'other' })
  await assert.rejects(
    store.create(3 as typeof testMailbox, { language: 'fr', quota: 10, database: 'none' }),
    (error) => isDomainError(error, 'invalid'),
  )
  assert.equal((await store.folders(second)).find((one) => one.role === 'inbox')?.name, 'Boîte de réception')
  const ref = await store.stage(testMailbox, Buffer.from('of db'))
  await assert.rejects(store.blob(second, ref), (error) => isDomainError(error, 'blobGone'))
  await store.close()
  const again = (await testStore(t, { folder, databases: ['new', 'other', 'db'] })).store
  await again.create(4 as typeof testMailbox, { language: 'en', quota: undefined, database: 'new' })
  const refs = await Promise.all([1, 2, 4].map((id) => again.stage(id as typeof testMailbox, Buffer.from('same'))))
  assert.equal(new Set(refs.map((one) => one.split('-')[0])).size, 3, 'every database has its own number')
  assert.deepEqual([(await again.info(testMailbox)).database, (await again.info(second)).database], ['db', 'other'])
})
