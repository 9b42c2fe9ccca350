import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Operation, resultOf, type Uid } from '@postrider/domain'
import { backupDatabase, checkBackup, renewRestored } from './backup.ts'
import { openSqliteStore } from './index.ts'
import { fold, temporaryFolder, testMail, testMailbox, testStore } from './testing.ts'

test('a backup while compaction takes segments away is whole; what is sealed is shared with the one before', async (t) => {
  const { store, folder, inbox } = await testStore(t, { segmentBytes: 20_000 })
  const from = join(folder, 'mailboxes', 'db')
  const root = temporaryFolder()
  const body = 'no pattern in it: '.concat(...Array.from({ length: 400 }, (_, i) => ((i * 7_919) % 9_973).toString(36)))
  const add = (i: number): Operation => ({ op: 'add', folder: inbox, item: testMail(`mail ${i}`, `${i} ${body}`) })
  for (let i = 0; i < 120; i++) {
    await store.apply(testMailbox, [add(i)])
    if (i % 10 === 9) await fold(store, inbox)
  }

  const first = join(root, 'first')
  mkdirSync(first)
  const segments = await backupDatabase(from, first)
  assert.ok(segments.filter((one) => one.sealed).length > 2, 'several segments')
  const report = await checkBackup('db', first)
  assert.deepEqual([report.problems, report.items], [[], 120])
  assert.deepEqual(readdirSync(first).sort(), ['mailbox.sqlite', 'segments'])

  // Half of it goes, and compaction with backups beside it.
  const uids = Array.from({ length: 60 }, (_, i) => (i * 2 + 1) as Uid)
  await store.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids } }])
  const second = join(root, 'second')
  mkdirSync(second)
  const [again] = await Promise.all([
    backupDatabase(from, second, { before: { folder: first, segments } }),
    store.keepHouse(),
    ...Array.from({ length: 30 }, (_, i) => store.apply(testMailbox, [add(1_000 + i)])),
  ])
  assert.deepEqual((await checkBackup('db', second)).problems, [])
  const file = (at: string, segment: number): string => join(at, 'segments', `${String(segment).padStart(8, '0')}.seg`)
  const shared = again.filter((one) => statSync(file(second, one.segment)).nlink > 1)
  assert.ok(shared.length > 0, 'sealed segments are links')
  for (const { segment, bytes } of again) assert.equal(statSync(file(second, segment)).size, bytes)
  assert.ok(!readdirSync(from).includes('backup-hold'), 'nothing stays behind')
})

test('restored: ids and change numbers go on above what clients may know, old cursors start over, UIDVALIDITY is new', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('a') }])
  const home = temporaryFolder()
  const to = join(home, 'mailboxes', 'db')
  await backupDatabase(join(folder, 'mailboxes', 'db'), to)
  const later = await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('b') }])
  const { mid } = resultOf(later, 0, 'add')
  const before = (await store.folders(testMailbox)).find((one) => one.id === inbox)

  assert.equal(renewRestored(join(to, 'mailbox.sqlite'), Date.UTC(2027, 0, 1)), 0)
  const back = await openSqliteStore({ folder: home, databases: ['db'], reserveBytes: 64 * 1024 })
  t.after(() => back.close())
  const after = (await back.folders(testMailbox)).find((one) => one.id === inbox)
  assert.equal(after?.total, 1)
  assert.ok((after?.uidValidity ?? 0) > (before?.uidValidity ?? 0))
  assert.equal((await back.changes(testMailbox, { since: later.change, limit: 10 })).resync, true)
  const added = await back.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('c') }])
  assert.ok(resultOf(added, 0, 'add').mid > mid && added.change > later.change)
  assert.deepEqual(
    (await back.check()).flatMap((one) => one.problems),
    [],
  )
})
