import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type DomainCode,
  type FolderId,
  isDomainError,
  type MailboxId,
  noMeter,
  type Operation,
  silentLog,
} from '@postrider/domain'
import { type Files, realFiles } from '../blobs/index.ts'
import { MailboxDatabase } from './database.ts'
import { Hints } from '../engine/hints.ts'
import { get } from '../engine/read/get.ts'
import { scan } from '../engine/read/scan.ts'
import { TestClock, temporaryFolder, testMail, testMailbox, testStore } from './testing.ts'

const add = (folder: FolderId, subject: string): Operation => ({ op: 'add', folder, item: testMail(subject) })
const withCode = (code: DomainCode) => (error: unknown) => isDomainError(error, code)
const systemError = (code: string): Error => Object.assign(new Error(code), { code })

/** File calls of which the one that `fails` names goes wrong; both kinds of syncs count as one. */
function faulty(fails: (call: keyof Files, n: number, path: string) => Error | undefined): Files {
  const counts = new Map<keyof Files, number>()
  const paths = new Map<number, string>()
  const wrap = <K extends keyof Files>(name: K): Files[K] => {
    const real = realFiles[name] as (...args: unknown[]) => unknown
    const call = name === 'syncNow' ? 'sync' : name
    return ((...args: unknown[]) => {
      const n = (counts.get(call) ?? 0) + 1
      counts.set(call, n)
      const error = fails(call, n, typeof args[0] === 'string' ? args[0] : (paths.get(args[0] as number) ?? ''))
      if (error !== undefined) {
        if (name === 'sync') return Promise.reject(error)
        throw error
      }
      const result = real(...args)
      if (name === 'open') paths.set(result as number, args[0] as string)
      return result
    }) as Files[K]
  }
  const [write, sync, syncNow, open] = [wrap('write'), wrap('sync'), wrap('syncNow'), wrap('open')]
  return { ...realFiles, write, sync, syncNow, open }
}

test('D3: a failed sync is told to all in flight, never tried again, and stops the database until it is opened anew', async (t) => {
  let broken = false
  let syncs = 0
  const files = faulty((call) => {
    if (call === 'sync') syncs++
    return broken && call === 'sync' ? systemError('EIO') : undefined
  })
  const { store, folder, inbox } = await testStore(t, { files })
  await store.apply(testMailbox, [add(inbox, 'kept')])
  broken = true
  const before = syncs
  const calls = [1, 2, 3].map((n) => store.apply(testMailbox, [add(inbox, `lost ${n}`)]))
  for (const call of calls) await assert.rejects(call, withCode('unavailable'))
  assert.equal(syncs, before + 1)
  broken = false
  await assert.rejects(store.apply(testMailbox, [add(inbox, 'later')]), withCode('unavailable'))
  await assert.rejects(store.folders(testMailbox), withCode('unavailable'))
  assert.match(store.health()[0]?.stopped ?? '', /EIO/)
  await store.close()
  const again = (await testStore(t, { folder })).store
  assert.equal((await again.info(testMailbox)).items, 1)
  await again.apply(testMailbox, [add(inbox, 'goes on')])
  assert.deepEqual((await again.check())[0]?.problems, [])
})

test('D4: no room for originals is diskFull for those calls; flags, moves and deletes go on; it resumes by itself', async (t) => {
  let full = false
  const files = faulty((call) => (full && call === 'write' ? systemError('ENOSPC') : undefined))
  const clock = new TestClock()
  let monotonic = 0
  clock.monotonic = () => monotonic
  const { store, inbox, trash } = await testStore(t, { files, clock })
  await store.apply(testMailbox, [add(inbox, 'one'), add(inbox, 'two')])
  full = true
  await assert.rejects(store.apply(testMailbox, [add(inbox, 'three')]), withCode('diskFull'))
  await assert.rejects(store.stage(testMailbox, Buffer.from('x')), withCode('diskFull'))
  assert.equal(store.health()[0]?.diskFull, true)
  await store.apply(testMailbox, [{ op: 'flag', folder: inbox, items: { uids: Uint32Array.of(1) }, set: 1 }])
  await store.apply(testMailbox, [{ op: 'move', from: inbox, to: trash, items: { uids: Uint32Array.of(1) } }])
  // As a phone deletes: with its sync state.
  await store.apply(testMailbox, [
    { op: 'remove', folder: inbox, items: { uids: Uint32Array.of(2) } },
    { op: 'putState', client: 'phone', key: 'sync', value: Uint8Array.of(1) },
  ])
  assert.equal((await store.info(testMailbox)).items, 1)
  full = false
  await assert.rejects(store.apply(testMailbox, [add(inbox, 'too early')]), withCode('diskFull'))
  monotonic += 1_001
  await store.apply(testMailbox, [add(inbox, 'again')])
  assert.deepEqual([(await store.info(testMailbox)).items, store.health()[0]?.diskFull], [2, false])
  assert.deepEqual((await store.check())[0]?.problems, [])
})

test('a segment whose sync finds no room takes a large mail back and what was staged; what was answered stays', async (t) => {
  let full = false
  const files = faulty((call, _, path) =>
    full && call === 'sync' && path.endsWith('.seg') ? systemError('ENOSPC') : undefined,
  )
  const { store, folder, inbox } = await testStore(t, { files })
  await store.apply(testMailbox, [add(inbox, 'one'), add(inbox, 'two')])
  const staged = await store.stage(testMailbox, Buffer.from('staged'))
  full = true
  const large: Operation = { op: 'add', folder: inbox, item: testMail('large', randomBytes(100_000).toString('hex')) }
  await assert.rejects(store.apply(testMailbox, [large]), withCode('diskFull'))
  await assert.rejects(store.blob(testMailbox, staged), withCode('blobGone'))
  await store.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids: Uint32Array.of(1) } }])
  const texts = async (from: typeof store): Promise<string[]> => {
    const items = await from.get(testMailbox, {
      by: { folder: inbox, uids: [1, 2, 3] as never },
      columns: ['original', 'promoted'],
    })
    return Promise.all(
      items.map(async ({ original, promoted }) => {
        assert.ok(Buffer.from(await from.blob(testMailbox, original as never)).includes(promoted?.subject as string))
        return promoted?.subject as string
      }),
    )
  }
  assert.deepEqual(await texts(store), ['two'])
  await store.close()
  full = false
  const again = (await testStore(t, { folder })).store
  assert.deepEqual(await texts(again), ['two'])
  assert.deepEqual((await again.check())[0]?.problems, [])
})

/** One database without the store around it, so that its connection is at hand. */
async function bareDatabase(t: TestContext, files?: Files): Promise<{ database: MailboxDatabase; inbox: FolderId }> {
  const folder = join(temporaryFolder(), 'db')
  const database = new MailboxDatabase({
    folder,
    name: 'db',
    number: 0,
    clock: new TestClock(),
    log: silentLog,
    meter: noMeter,
    hints: new Hints(silentLog),
    reserveBytes: 64 * 1024,
    maxOriginalBytes: 1_000_000,
    ...(files === undefined ? {} : { files }),
  })
  t.after(() => database.close())
  await database.create(testMailbox, { language: 'en', quota: undefined, database: 'db' })
  const inbox = database.folders(testMailbox).find((one) => one.role === 'inbox')?.id as FolderId
  return { database, inbox }
}

test('SQLITE_FULL rolls the batch back: diskFull for what adds, the rest is written with the reserve', async (t) => {
  const { database, inbox } = await bareDatabase(t)
  const adds = Array.from({ length: 200 }, (_, i) => add(inbox, `${i}`))
  await database.apply(testMailbox, adds)
  const before = database.info(testMailbox)
  const [[pages]] = database.connection.pragma('page_count') as unknown as [[number]]
  database.connection.pragma(`max_page_count = ${pages}`)
  const outcomes = await Promise.allSettled([
    database.apply(testMailbox, adds),
    database.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids: Uint32Array.of(1, 2, 3) } }]),
  ])
  assert.ok(outcomes[0]?.status === 'rejected' && isDomainError(outcomes[0].reason, 'diskFull'))
  assert.equal(outcomes[1]?.status, 'fulfilled')
  assert.equal(database.info(testMailbox).items, before.items - 3)
  const { count } = scan(database.connection, database.state(testMailbox), { folder: inbox, columns: ['uid'] })
  assert.equal(count, before.items - 3)
  assert.equal(database.committer.diskFull, true)
})

test('a failed COMMIT stops the database; what was answered is there after the next start', async (t) => {
  const { database, inbox } = await bareDatabase(t)
  await database.apply(testMailbox, [add(inbox, 'kept')])
  const { change } = database.info(testMailbox)
  const execute = database.connection.execute.bind(database.connection)
  let commits = 0
  database.connection.execute = (text) => {
    if (text !== 'COMMIT') return execute(text)
    commits++
    throw Object.assign(new Error('disk I/O error'), { errcode: 1034 })
  }
  await assert.rejects(database.fold(), withCode('unavailable'))
  assert.throws(() => database.apply(testMailbox, [add(inbox, 'later')]), withCode('unavailable'))
  assert.equal(commits, 1)
  assert.throws(() => database.info(testMailbox), withCode('unavailable'))
  await database.close()
  const { database: again } = await reopened(t, database)
  assert.deepEqual([again.info(testMailbox).items, again.info(testMailbox).change], [1, change])
})

async function reopened(t: TestContext, before: MailboxDatabase): Promise<{ database: MailboxDatabase }> {
  const database = new MailboxDatabase({
    folder: before.folder,
    name: 'db',
    number: 0,
    clock: new TestClock(),
    log: silentLog,
    meter: noMeter,
    hints: new Hints(silentLog),
    reserveBytes: 64 * 1024,
    maxOriginalBytes: 1_000_000,
  })
  t.after(() => database.close())
  return { database }
}

test('D7: whichever file call fails, a delivery is there whole or not at all', async (t) => {
  for (let k = 1; k <= 4; k++) {
    for (const code of ['EIO', 'ENOSPC']) {
      let armed = false
      let seen = 0
      const files = faulty(() => (armed && ++seen === k ? systemError(code) : undefined))
      const { database, inbox } = await bareDatabase(t, files)
      await database.apply(testMailbox, [add(inbox, 'before')])
      armed = true
      const delivered = await database.apply(testMailbox, [add(inbox, 'x'), add(inbox, 'y')]).then(
        () => true,
        () => false,
      )
      armed = false
      await database.close()
      const { database: again } = await reopened(t, database)
      assert.equal(again.info(testMailbox).items, delivered ? 3 : 1, `call ${k} ${code}`)
      const items = get(
        { connection: again.connection, mailbox: again.state(testMailbox), originals: again.originals },
        { by: { folder: inbox, uids: [1, 2, 3] as never }, columns: ['original'] },
      )
      for (const { original } of items) {
        assert.ok(original !== undefined && again.blob(testMailbox as MailboxId, original).length > 0)
      }
    }
  }
})

test('a damaged or missing search database is made anew', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  await store.apply(testMailbox, [add(inbox, 'needle')])
  const request = {
    folders: [inbox],
    query: { kind: 'text', field: 'text', value: 'needle', match: 'substring' },
    order: 'uid',
    offset: 0,
    limit: 10,
  } as const
  assert.equal((await store.search(testMailbox, request)).total, 1)
  await store.close()
  rmSync(join(folder, 'mailboxes/db/search.sqlite'))
  const again = (await testStore(t, { folder })).store
  assert.equal((await again.search(testMailbox, request)).total, 1)
})
