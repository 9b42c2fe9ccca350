import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Operation, resultOf, type Uid } from '@postrider/domain'
import { segmentPath } from '../blobs/index.ts'
import { openSqliteStore, type ShippingOptions } from '../sqlite/index.ts'
import { temporaryFolder, testMail, testMailbox, testStore } from '../sqlite/testing.ts'
import { DatabaseCopy, decodeEntry, firstOfGeneration, HELD, lastEntry, logFolder, LogTail } from './index.ts'
import { promoteCopy, pruneLog, type RawEntry, streamOf } from './index.ts'

const shipping = (more: Partial<ShippingOptions> = {}): ShippingOptions => ({
  wait: 'none',
  patienceMs: 0,
  tell: () => {},
  ...more,
})

/** Applies entries to a copy, as a standby does. */
function follow(copy: DatabaseCopy, from: string, entries: readonly RawEntry[]): void {
  for (const { bytes } of entries) {
    const entry = decodeEntry(bytes)
    for (const { segment, from: start, to } of entry.pieces) {
      const paths = [segmentPath(join(from, 'segments'), segment), segmentPath(join(logFolder(from), HELD), segment)]
      const path = paths.find((one) => existsSync(one))
      assert.ok(path, `segment ${segment} is still there for who follows`)
      copy.writeSegment(segment, start, readFileSync(path).subarray(start, to))
    }
    copy.apply(entry)
  }
}

async function sound(t: TestContext, to: string, home: string): Promise<Awaited<ReturnType<typeof openSqliteStore>>> {
  promoteCopy(to)
  const store = await openSqliteStore({ folder: home, databases: ['db'], reserveBytes: 64 * 1024 })
  t.after(() => store.close())
  assert.deepEqual(
    (await store.check()).flatMap((one) => one.problems),
    [],
  )
  return store
}

test('a copy that follows the commit log from its first entry is the database: through checkpoints, compaction and a restart', async (t) => {
  const folder = temporaryFolder()
  const from = join(folder, 'mailboxes', 'db')
  const home = temporaryFolder()
  const to = join(home, 'mailboxes', 'db')
  const copy = new DatabaseCopy(to)
  const tail = new LogTail(logFolder(from), 1)
  const open = () =>
    openSqliteStore({
      folder,
      databases: ['db'],
      reserveBytes: 64 * 1024,
      segmentBytes: 20_000,
      shipping: shipping(),
    })
  let store = await open()
  await store.create(testMailbox, { language: 'en', quota: undefined, database: 'db' })
  const inbox = (await store.folders(testMailbox)).find((one) => one.role === 'inbox')?.id as never
  const body = 'no pattern in it: '.concat(...Array.from({ length: 400 }, (_, i) => ((i * 7_919) % 9_973).toString(36)))
  const add = (i: number): Operation => ({ op: 'add', folder: inbox, item: testMail(`mail ${i}`, `${i} ${body}`) })
  for (let i = 0; i < 40; i++) await store.apply(testMailbox, [add(i)])
  follow(copy, from, tail.read(Number.MAX_SAFE_INTEGER))
  await store.checkpoint()
  for (let i = 40; i < 80; i++) await store.apply(testMailbox, [add(i)])
  const uids = Array.from({ length: 60 }, (_, i) => (i + 1) as Uid)
  await store.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids } }])
  await store.keepHouse()
  const stream = streamOf(logFolder(from))
  await store.close()
  store = await open()
  assert.equal(streamOf(logFolder(from)), stream, 'an orderly restart goes on in the same stream')
  const last = await store.apply(testMailbox, [add(1_000)])
  follow(copy, from, tail.read(Number.MAX_SAFE_INTEGER))
  copy.close()
  const before = (await store.folders(testMailbox)).find((one) => one.role === 'inbox')
  await store.close()

  const back = await sound(t, to, home)
  const after = (await back.folders(testMailbox)).find((one) => one.role === 'inbox')
  assert.deepEqual([after?.total, after?.uidValidity], [before?.total, before?.uidValidity])
  const added = await back.apply(testMailbox, [add(2_000)])
  assert.ok(resultOf(added, 0, 'add').uid > resultOf(last, 0, 'add').uid, 'UIDs go on')
  assert.ok(added.change > last.change, 'change numbers go on')
})

test('what a killed process committed and did not enter is entered at the next start', async (t) => {
  const { store, folder, inbox } = await testStore(t, { shipping: shipping() })
  const from = join(folder, 'mailboxes', 'db')
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('a', 'x'.repeat(5_000)) }])
  // As a kill between commit and entry leaves it: the folder as it is now, with the log of before.
  const log = temporaryFolder()
  cpSync(logFolder(from), log, { recursive: true })
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('b', 'y'.repeat(5_000)) }])
  const killed = temporaryFolder()
  const there = join(killed, 'mailboxes', 'db')
  cpSync(folder, killed, { recursive: true, filter: (path) => !path.startsWith(logFolder(from)) })
  cpSync(log, logFolder(there), { recursive: true })
  const known = lastEntry(logFolder(there))?.seq ?? 0
  const again = await openSqliteStore({
    folder: killed,
    databases: ['db'],
    reserveBytes: 64 * 1024,
    shipping: shipping(),
  })
  t.after(() => again.close())
  assert.equal(streamOf(logFolder(there)), streamOf(log), 'nothing is missing')
  const home = temporaryFolder()
  const copy = new DatabaseCopy(join(home, 'mailboxes', 'db'))
  const entries = new LogTail(logFolder(there), 1).read(Number.MAX_SAFE_INTEGER)
  assert.ok((entries.at(-1)?.head.seq ?? 0) > known)
  follow(copy, there, entries)
  copy.close()
  const back = await sound(t, join(home, 'mailboxes', 'db'), home)
  assert.equal((await back.folders(testMailbox)).find((one) => one.id === inbox)?.total, 2)
})

test('a log that may miss something begins a new stream: a start without it in between', async (t) => {
  const folder = temporaryFolder()
  const open = (more: { shipping?: ShippingOptions }) =>
    openSqliteStore({ folder, databases: ['db'], reserveBytes: 64 * 1024, ...more })
  const log = logFolder(join(folder, 'mailboxes', 'db'))
  const first = await open({ shipping: shipping() })
  const stream = streamOf(log)
  await first.close()
  const without = await open({})
  assert.equal(existsSync(log), false)
  await without.close()
  const third = await open({ shipping: shipping() })
  t.after(() => third.close())
  assert.notEqual(streamOf(log), stream)
})

test('an acknowledgement waits for what the standby confirms, and no longer than its patience', async (t) => {
  const told: boolean[] = []
  const { store, inbox } = await testStore(t, {
    shipping: shipping({ wait: 'received', patienceMs: 300, tell: (_name, _seq, degraded) => told.push(degraded) }),
  })
  // The mailbox was made although nobody confirmed: patience ended.
  assert.equal(told.at(-1), true)
  const add = (): Promise<unknown> => store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('a') }])
  await add()
  store.confirm('db', { received: 1_000, synced: 0, followed: 0 })
  assert.equal(told.at(-1), false, 'it has caught up')
  await add()
})

test('synced: nothing is acknowledged before the standby has it on its disk; a store that closes says try again', async (t) => {
  let last = 0
  const folder = temporaryFolder()
  const options = { folder, databases: ['db'], reserveBytes: 64 * 1024 }
  const made = await openSqliteStore(options)
  await made.create(testMailbox, { language: 'en', quota: undefined, database: 'db' })
  const inbox = (await made.folders(testMailbox)).find((one) => one.role === 'inbox')?.id as never
  await made.close()
  const store = await openSqliteStore({
    ...options,
    shipping: shipping({
      wait: 'synced',
      tell: (_name, seq) => {
        last = seq
      },
    }),
  })
  t.after(() => store.close())
  const add = (): Promise<unknown> => store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('a') }])
  const before = last
  let done = false
  const first = add().then(() => {
    done = true
  })
  while (last === before) await new Promise((resolve) => setImmediate(resolve))
  store.confirm('db', { received: last, synced: before, followed: 0 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(done, false, 'received is not synced')
  store.confirm('db', { received: last, synced: last, followed: 0 })
  await first
  const second = assert.rejects(add(), /unavailable/)
  while (last === before + 1) await new Promise((resolve) => setImmediate(resolve))
  await store.close()
  await second
})

test('of a log only what nobody wants goes, and never what the database file may still lack', async (t) => {
  const { store, folder, inbox } = await testStore(t, { shipping: shipping() })
  const log = logFolder(join(folder, 'mailboxes', 'db'))
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('a') }])
  const last = lastEntry(log)
  pruneLog(log, Number.MAX_SAFE_INTEGER, 0)
  assert.deepEqual(lastEntry(log), last)
  assert.ok((firstOfGeneration(log) ?? 0) <= (last?.seq ?? 0))
  assert.ok(readdirSync(log).some((name) => statSync(join(log, name)).size > 0))
})
