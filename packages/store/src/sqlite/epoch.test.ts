import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDomainError, movedEpoch } from '@postrider/domain'
import { testMail, testMailbox, testStore } from './testing.ts'

const moved = (epoch: number) => (error: unknown) => movedEpoch(error) === epoch

test('an owner that was replaced does not open the database again, the one with the newest epoch does', async (t) => {
  const first = await testStore(t, { epochs: { db: 3 } })
  await first.store.close()
  await assert.rejects(testStore(t, { folder: first.folder, epochs: { db: 2 } }), moved(3))
  const again = await testStore(t, { folder: first.folder })
  await again.store.close()
  const next = await testStore(t, { folder: first.folder, epochs: { db: 4 } })
  await next.store.close()
  await assert.rejects(testStore(t, { folder: first.folder, epochs: { db: 3 } }), moved(4))
})

test('an owner that is fenced while it writes answers “moved” and writes nothing more, also after a restart', async (t) => {
  const { store, folder, inbox } = await testStore(t, { epochs: { db: 1 } })
  const add = () => store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('x') }])
  await add()
  store.fence('db', 1)
  await add()
  const under = [add(), add(), add()]
  store.fence('db', 2)
  const outcomes = await Promise.allSettled(under)
  for (const one of outcomes) assert.ok(one.status === 'rejected' && movedEpoch(one.reason) === 2)
  await assert.rejects(add(), moved(2))
  await assert.rejects(store.info(testMailbox), moved(2))
  assert.equal(store.health()[0]?.stopped, undefined)
  await store.close()
  await assert.rejects(testStore(t, { folder, epochs: { db: 1 } }), moved(2))
  const { store: newest } = await testStore(t, { folder, epochs: { db: 2 } })
  assert.equal((await newest.info(testMailbox)).items, 2)
})

test('the other databases of an owner work while one has another owner', async (t) => {
  const { store, folder } = await testStore(t, { databases: ['db', 'other'], epochs: { other: 5 } })
  await store.close()
  const { store: again } = await testStore(t, { folder, databases: ['db', 'other'], epochs: { db: 1, other: 4 } })
  assert.equal((await again.info(testMailbox)).database, 'db')
  await assert.rejects(
    again.create(testMailbox, { language: 'en', quota: undefined, database: 'db' }).then(() => again.info(2 as never)),
    (error) => isDomainError(error, 'moved'),
  )
})
