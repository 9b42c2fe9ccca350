import { randomBytes } from 'node:crypto'
import assert from 'node:assert/strict'
import { closeSync, cpSync, openSync, readdirSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isDomainError, type Operation, type Uid } from '@postrider/domain'
import { Connection } from './connection.ts'
import { type RepairReport, repairDatabase } from './index.ts'
import { temporaryFolder, testMail, testMailbox, testStore } from './testing.ts'

const NOW = Date.UTC(2026, 10, 21)
const repair = (folder: string, apply: boolean): Promise<RepairReport> =>
  repairDatabase({ name: 'db', folder: join(folder, 'mailboxes/db'), now: NOW }, apply)
const databaseOf = (folder: string): string => join(folder, 'mailboxes/db/mailbox.sqlite')

/** A closed store with some mails. */
async function filled(t: TestContext, mails = 12): Promise<{ folder: string; inbox: number }> {
  const { store, folder, inbox } = await testStore(t, { segmentBytes: 2_000 })
  const adds = Array.from(
    { length: mails },
    (_, i): Operation => ({ op: 'add', folder: inbox, item: testMail(`mail ${i}`, 'x'.repeat(400)) }),
  )
  for (const add of adds) await store.apply(testMailbox, [add])
  await store.close()
  return { folder, inbox }
}

async function problems(t: TestContext, folder: string): Promise<readonly string[]> {
  const { store } = await testStore(t, { folder })
  try {
    return (await store.check())[0]?.problems.map(({ kind, detail }) => `${kind}: ${detail}`) ?? []
  } finally {
    await store.close()
  }
}

function flip(path: string, position: number): void {
  const fd = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, position)
  writeSync(fd, Buffer.from([byte[0]! ^ 0x10]), 0, 1, position)
  closeSync(fd)
}

/** Each of these is a transaction of its own. */
const LARGE = randomBytes(90_000).toString('hex')

test('repair: nothing to do on a sound database', async (t) => {
  const { folder } = await filled(t)
  assert.deepEqual(await repair(folder, true), { database: 'db', repaired: [], lost: [] })
})

test('repair: counters, references, live bytes, places and rows of originals come back from what is sound; without apply nothing changes', async (t) => {
  const { folder, inbox } = await filled(t)
  const connection = new Connection(databaseOf(folder))
  connection.execute(`
    UPDATE folder_count SET n_unread = n_unread + 7, uidnext = 2 WHERE fid = ${inbox};
    UPDATE mailbox SET items = 0, used_bytes = 1, chg = 1;
    UPDATE blob SET refs = 5 WHERE blob = 2;
    DELETE FROM blob WHERE blob = 3;
    UPDATE segment SET live = 1;
    DELETE FROM msg WHERE fid = ${inbox} AND uid = 4;
    DELETE FROM item WHERE fid = ${inbox} AND uid = 5`)
  connection.close()
  const before = await repair(folder, false)
  assert.ok(before.repaired.length > 0)
  assert.deepEqual(await repair(folder, false), before, 'nothing changed')
  const done = await repair(folder, true)
  assert.ok(done.lost.includes(`mailbox 1 folder ${inbox} UID 5: nothing of it is left`), done.lost.join('\n'))
  assert.ok(
    done.repaired.some((line) => line.startsWith('blob 3: found in segment')),
    done.repaired.join('\n'),
  )
  assert.deepEqual(await problems(t, folder), [])
  const { store } = await testStore(t, { folder })
  const box = (await store.folders(testMailbox)).find(({ id }) => id === inbox)
  assert.deepEqual([box?.total, box?.unread, box?.uidNext], [11, 11, 13])
  const items = await store.get(testMailbox, {
    by: { folder: inbox as never, uids: [3, 4] as never },
    columns: ['original', 'promoted'],
  })
  assert.deepEqual(
    items.map(({ promoted }) => promoted?.subject),
    ['mail 2', 'mail 3'],
  )
  for (const { original } of items)
    assert.match(Buffer.from(await store.blob(testMailbox, original!)).toString(), /x{400}/)
})

test('ready answers of a mail that is gone: check names them, repair removes them and no others', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const bytes = Buffer.from('an answer')
  const add = (subject: string, uid: number): Operation => ({
    op: 'add',
    folder: inbox,
    item: testMail(subject),
    uid: uid as Uid,
  })
  await store.apply(testMailbox, [add('one', 1), add('two', 300), add('three', 600), add('four', 900)])
  const blocks = [0, 1, 2].map((block) => ({ block, mails: 1, bytes }))
  await store.apply(testMailbox, [{ op: 'keepReady', folder: inbox, kind: 'a', blocks }])
  assert.deepEqual((await store.check())[0]?.problems, [])
  await store.close()
  const connection = new Connection(databaseOf(folder))
  connection.execute(`
    DELETE FROM item WHERE fid = ${inbox} AND uid = 300;
    INSERT INTO ready (mbx, fid, block, kind, at, value) VALUES (1, ${inbox}, 3, 'a', 1, x'00'), (1, 9999, 0, 'a', 1, x'00')`)
  connection.close()
  const stale = [`${inbox} UID 256 to 511`, `${inbox} UID 768 to 1023`, '9999 UID 0 to 255']
  assert.deepEqual(
    (await problems(t, folder)).filter((line) => line.startsWith('ready')),
    stale.map((where) => `ready: mailbox 1 folder ${where}: ready answers of mails that are gone`),
  )
  const { repaired } = await repair(folder, true)
  assert.deepEqual(
    repaired.filter((line) => line.includes('ready')),
    stale.map((where) => `mailbox 1 folder ${where}: ready answers were removed, of mails that are gone`),
  )
  assert.deepEqual(await problems(t, folder), [])
  const again = (await testStore(t, { folder })).store
  const kept = await again.ready(testMailbox, { folder: inbox, kind: 'a', blocks: [0, 9] })
  assert.deepEqual(
    kept.map(({ block }) => block),
    [0, 2],
  )
})

test('repair: a lost segment and a torn one cost the mails in them and no others; they are named and read as corrupt', async (t) => {
  const { folder, inbox } = await filled(t)
  const segments = join(folder, 'mailboxes/db/segments')
  const [first, second] = readdirSync(segments).sort()
  rmSync(join(segments, first!))
  truncateSync(join(segments, second!), statSync(join(segments, second!)).size - 10)
  const found = await problems(t, folder)
  assert.ok(found.some((line) => line === 'segment: segment 1: no file'))
  assert.ok(found.some((line) => /segment 2: \d+ of \d+ bytes/.test(line)))
  assert.ok(
    found.some((line) => line.includes(`mailbox 1 folder ${inbox} UID 1`)),
    found.join('\n'),
  )
  const { lost } = await repair(folder, true)
  const named = lost.flatMap((line) => /UID (\d+): its text/.exec(line)?.[1] ?? []).map(Number)
  const { store } = await testStore(t, { folder })
  const all = await store.get(testMailbox, {
    by: { folder: inbox as never, uids: Array.from({ length: 12 }, (_, i) => i + 1) as never },
    columns: ['original'],
  })
  for (const { uid, original } of all) {
    if (named.includes(uid))
      await assert.rejects(store.blob(testMailbox, original!), (error) => isDomainError(error, 'corrupt'))
    else assert.ok((await store.blob(testMailbox, original!)).length > 400, `UID ${uid}`)
  }
  assert.ok(named.length > 1 && named.length < 9, named.join())
  // Life goes on.
  await store.apply(testMailbox, [{ op: 'add', folder: inbox as never, item: testMail('new') }])
  await store.keepHouse()
})

test('check: a flipped bit anywhere in the database file is found by the checksum of its page', async (t) => {
  const { folder } = await filled(t)
  const path = databaseOf(folder)
  const { size } = statSync(path)
  for (let n = 0; n < 12; n++) {
    const at = 100 + ((n * 7_919 * 31) % (size - 100))
    flip(path, at)
    const { lost, repaired } = await repair(folder, false)
    assert.ok(lost.length + repaired.length > 0, `byte ${at}`)
    flip(path, at)
  }
  assert.deepEqual(await repair(folder, false), { database: 'db', repaired: [], lost: [] })
})

test('repair: damaged indexes and a damaged search database are made anew', async (t) => {
  const { folder } = await filled(t)
  const connection = new Connection(databaseOf(folder))
  const [[page]] = connection.all(`SELECT pageno FROM dbstat WHERE name = 'item_mid' AND pagetype = 'leaf'`) as [
    [number],
  ]
  const [[bytes]] = connection.pragma('page_size') as unknown as [[number]]
  connection.close()
  flip(databaseOf(folder), page * bytes - 3)
  truncateSync(join(folder, 'mailboxes/db/search.sqlite'), 20_000)
  const found = await problems(t, folder)
  assert.ok(found.includes(`page: page ${page} of item_mid (leaf)`), found.join('\n'))
  const { repaired } = await repair(folder, true)
  assert.ok(repaired.includes('all indexes were made anew'), repaired.join('\n'))
  assert.deepEqual(await problems(t, folder), [])
})

test('repair: not while somebody has the database open', async (t) => {
  const { folder } = await testStore(t)
  await assert.rejects(repair(folder, false), (error) => isDomainError(error, 'unavailable'))
})

test('a log damaged in its middle: SQLite drops the rest of it; that is found, said, and the log kept', async (t) => {
  const { folder } = await filled(t)
  const path = databaseOf(folder)
  const other = await testStore(t, { folder })
  for (let n = 0; n < 6; n++)
    await other.store.apply(testMailbox, [{ op: 'add', folder: other.inbox, item: testMail(`late ${n}`, LARGE) }])
  // As kill -9 leaves it.
  const killed = temporaryFolder()
  cpSync(folder, killed, { recursive: true })
  await other.store.close()
  flip(`${databaseOf(killed)}-wal`, 32 + 24 + 100)
  const found = await problems(t, killed)
  assert.ok(
    found.some((line) => line.startsWith('integrity: the log was damaged and is kept as')),
    found.join('\n'),
  )
  assert.deepEqual(await problems(t, folder), [])
  assert.ok(statSync(path).size > 0)
})

test('a log torn at its end is what a power cut leaves: nothing to say', async (t) => {
  const { folder } = await filled(t)
  const other = await testStore(t, { folder })
  for (let n = 0; n < 6; n++)
    await other.store.apply(testMailbox, [{ op: 'add', folder: other.inbox, item: testMail(`late ${n}`, LARGE) }])
  const killed = temporaryFolder()
  cpSync(folder, killed, { recursive: true })
  await other.store.close()
  const log = `${databaseOf(killed)}-wal`
  flip(log, statSync(log).size - 50)
  assert.deepEqual(await problems(t, killed), [])
})
