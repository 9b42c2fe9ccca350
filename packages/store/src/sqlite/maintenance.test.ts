import assert from 'node:assert/strict'
import { openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BlobRef, isDomainError, MAX_BLOB_CHUNK, type Operation } from '@postrider/domain'
import { Connection } from './connection.ts'
import { fold, TestClock, testMail, testMailbox, testStore } from './testing.ts'
import { KEEP_TOMBSTONES_MS } from '../engine/tombstones.ts'

const segmentsOf = (folder: string): string[] => readdirSync(join(folder, 'mailboxes/db/segments')).sort()

test('compaction: half-dead segments are written anew, every original is still read, references stay valid', async (t) => {
  const { store, folder, inbox } = await testStore(t, { segmentBytes: 20_000 })
  const refs: { uid: number; ref: BlobRef; body: string }[] = []
  for (let i = 0; i < 100; i++) {
    const item = testMail(`mail ${i}`, `${i} `.repeat(300))
    const { results } = await store.apply(testMailbox, [{ op: 'add', folder: inbox, item }])
    const added = results[0]
    assert.ok(added?.op === 'add' && added.original !== undefined && item.original && 'bytes' in item.original)
    refs.push({ uid: added.uid, ref: added.original, body: Buffer.from(item.original.bytes).toString() })
    if (i % 10 === 9) await fold(store, inbox)
  }
  const before = segmentsOf(folder)
  assert.ok(before.length > 4)
  const dead = refs.filter(({ uid }) => uid % 10 !== 0)
  await store.apply(testMailbox, [
    { op: 'remove', folder: inbox, items: { uids: Uint32Array.from(dead, ({ uid }) => uid) } },
  ])
  await store.keepHouse()
  const after = segmentsOf(folder)
  assert.ok(after.length < before.length, `${before.length} → ${after.length} segments`)
  for (const { uid, ref, body } of refs) {
    if (uid % 10 === 0) assert.equal(Buffer.from(await store.blob(testMailbox, ref)).toString(), body)
    else await assert.rejects(store.blob(testMailbox, ref), (error) => isDomainError(error, 'blobGone'))
  }
  assert.deepEqual((await store.check())[0]?.problems, [])
  await store.close()
  const again = await testStore(t, { folder })
  assert.deepEqual((await again.store.check())[0]?.problems, [])
  assert.deepEqual(segmentsOf(folder), after)
})

test('tombstones are pruned after 90 days; older cursors must start over, newer ones go on', async (t) => {
  const clock = new TestClock()
  const { store, inbox } = await testStore(t, { clock })
  const add = (n: number): Operation[] =>
    Array.from({ length: n }, (_, i) => ({ op: 'add', folder: inbox, item: testMail(`${i}`) }))
  await store.apply(testMailbox, add(4))
  const { change: start } = await store.info(testMailbox)
  await store.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids: Uint32Array.of(1, 2) } }])
  const { change: between } = await store.info(testMailbox)
  clock.time += KEEP_TOMBSTONES_MS / 2
  await store.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids: Uint32Array.of(3) } }])
  clock.time += KEEP_TOMBSTONES_MS / 2 + 1
  await store.keepHouse()
  assert.equal((await store.info(testMailbox)).lowestChange, between)
  assert.equal((await store.changes(testMailbox, { since: start, limit: 100 })).resync, true)
  const feed = await store.changes(testMailbox, { since: between, limit: 100 })
  assert.deepEqual([feed.resync, feed.gone.count, feed.gone.uid[0]], [false, 1, 3])
})

test('staged bytes nobody names are forgotten after an hour', async (t) => {
  const clock = new TestClock()
  const { store, inbox } = await testStore(t, { clock })
  const ref = await store.stage(testMailbox, Buffer.from('kept for an hour'))
  clock.time += 3_599_000
  await store.keepHouse()
  assert.equal(Buffer.from(await store.blob(testMailbox, ref)).toString(), 'kept for an hour')
  clock.time += 2_000
  await store.keepHouse()
  await assert.rejects(store.blob(testMailbox, ref), (error) => isDomainError(error, 'blobGone'))
  const item = testMail('x', 'x', { original: { ref } })
  await assert.rejects(store.apply(testMailbox, [{ op: 'add', folder: inbox, item }]), (error) =>
    isDomainError(error, 'blobGone'),
  )
})

test('bytes behind the last commit are cut off at start, and their references name nothing', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('kept') }])
  const ref = await store.stage(testMailbox, Buffer.alloc(5_000, 'x'))
  await store.close()
  const again = (await testStore(t, { folder })).store
  await assert.rejects(again.blob(testMailbox, ref), (error) => isDomainError(error, 'blobGone'))
  const { results } = await again.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('next') }])
  assert.ok(results[0]?.op === 'add' && results[0].original)
  // The number may be given again; the old reference still names nothing.
  await assert.rejects(again.blob(testMailbox, ref), (error) => isDomainError(error, 'blobGone'))
  assert.deepEqual((await again.check())[0]?.problems, [])
})

test('check finds a flipped bit in an original and a wrong counter, and reads say corrupt', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const adds = ['one', 'two', 'three'].map((s): Operation => ({ op: 'add', folder: inbox, item: testMail(s) }))
  const { results } = await store.apply(testMailbox, adds)
  const fd = openSync(join(folder, 'mailboxes/db/segments', segmentsOf(folder)[0] as string), 'r+')
  writeSync(fd, Buffer.from('#'), 0, 1, 60)
  await store.checkpoint()
  const sound = await store.check({ originals: false })
  assert.deepEqual(sound[0]?.problems, [])
  const report = (await store.check())[0]
  assert.deepEqual(
    report?.problems.map(({ kind }) => kind),
    ['original'],
  )
  assert.deepEqual([report?.items, report?.originals, report?.mailboxes], [3, 3, 1])
  const [first, second] = results
  assert.ok(first?.op === 'add' && first.original && second?.op === 'add' && second.original)
  await assert.rejects(store.blob(testMailbox, first.original), (error) => isDomainError(error, 'corrupt'))
  assert.ok((await store.blob(testMailbox, second.original)).length > 0)
  await store.close()
  const connection = new Connection(join(folder, 'mailboxes/db/mailbox.sqlite'))
  connection.execute(`UPDATE folder_count SET n_unread = n_unread + 1 WHERE fid = ${inbox}`)
  connection.execute(`UPDATE item SET bag = x'0102030405' WHERE mid = ${second.mid}`)
  connection.execute(`DELETE FROM blob WHERE blob = 3`)
  connection.close()
  const again = (await testStore(t, { folder })).store
  const kinds = new Set((await again.check({ originals: false }))[0]?.problems.map(({ kind }) => kind))
  // What was changed past the owner does not fit its page's checksum either.
  assert.deepEqual([...kinds].sort(), ['column', 'counters', 'page', 'references', 'segment'])
})

test('a large original is read in parts, packed or not, and every part is verified', async (t) => {
  const { store, inbox } = await testStore(t)
  const large = Buffer.alloc(3 * 1024 * 1024 + 77)
  for (let i = 0; i < large.length; i += 4)
    large.writeUInt32LE((Math.imul(i, 2654435761) >>> 7) % 5_000, Math.min(i, large.length - 4))
  const noise = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => Math.imul(i * i, 40503) >>> 11))
  for (const bytes of [large, noise]) {
    const ref = await store.stage(testMailbox, bytes)
    await store.apply(testMailbox, [
      { op: 'add', folder: inbox, item: testMail('large', 'x', { original: { ref }, size: bytes.length }) },
    ])
    for (const [start, end] of [
      [0, 10],
      [1_048_570, 1_048_580],
      [bytes.length - 5, bytes.length + 100],
      [0, bytes.length],
      [bytes.length, bytes.length + 1],
    ] as const) {
      const part = await store.blob(testMailbox, ref, start, end)
      assert.ok(Buffer.from(part).equals(bytes.subarray(start, Math.min(end, start + MAX_BLOB_CHUNK))))
    }
  }
})

test('destroy wipes in slices, goes on after a restart, and leaves nothing behind', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  await store.apply(
    testMailbox,
    Array.from({ length: 1_200 }, (_, i) => ({ op: 'add', folder: inbox, item: testMail(`${i}`) })),
  )
  const wiped = store.destroy(testMailbox)
  await assert.rejects(store.info(testMailbox), (error) => isDomainError(error, 'mailboxNotFound'))
  await wiped
  const [report] = await store.check()
  assert.deepEqual([report?.problems, report?.items, report?.mailboxes, report?.originals], [[], 0, 0, 0])
  await store.create(testMailbox, { language: 'en', quota: undefined, database: 'db' })
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('again') }])
  await store.close()
  // As a crash right after the first slice leaves it.
  const connection = new Connection(join(folder, 'mailboxes/db/mailbox.sqlite'))
  connection.execute(`UPDATE mailbox SET state = 'dying'`)
  connection.close()
  const again = await testStore(t, { folder })
  assert.equal((await again.store.info(testMailbox)).items, 0)
})

test('one owner: a second store over the same folder is refused', async (t) => {
  const { folder } = await testStore(t)
  await assert.rejects(testStore(t, { folder }), (error) => isDomainError(error, 'unavailable'))
})
