import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDomainError, silentLog, type Uid } from '@postrider/domain'
import { Connection } from './connection.ts'
import { sqliteDialect } from '../engine/sql/dialect.ts'
import { temporaryFolder, testMail, testMailbox, testStore } from './testing.ts'
import { schemaVersion, upgrade } from './upgrade.ts'
import { type Upgrade, upgrades } from '../engine/upgrades.ts'

const newest = upgrades.at(-1)?.version ?? 0
const step = (version: number, ...statements: string[]): Upgrade => ({ version, statements })

function opened(path: string): Connection {
  const connection = new Connection(path)
  connection.pragma('journal_mode = WAL')
  return connection
}

test('a new database gets every step, and no backup', () => {
  const path = join(temporaryFolder(), 'a.sqlite')
  const connection = opened(path)
  upgrade(connection, path, { log: silentLog, now: 1 })
  assert.equal(schemaVersion(connection), newest)
  assert.ok(!existsSync(`${path}.before-${newest}`))
  upgrade(connection, path, { log: silentLog, now: 2 })
  connection.close()
})

test('an older database is backed up and gets the missing steps only', () => {
  const path = join(temporaryFolder(), 'a.sqlite')
  const connection = opened(path)
  const first = [step(1, 'CREATE TABLE a (x {int})', 'INSERT INTO a VALUES (7)')]
  upgrade(connection, path, { log: silentLog, now: 1, steps: first })
  const steps = [...first, step(2, 'ALTER TABLE a ADD COLUMN y {int}'), step(3, 'UPDATE a SET y = x * 2')]
  upgrade(connection, path, { log: silentLog, now: 2, steps })
  assert.deepEqual(connection.all('SELECT x, y FROM a'), [[7, 14]])
  assert.equal(schemaVersion(connection), 3)
  const copy = new Connection(`${path}.before-3`)
  assert.deepEqual(copy.all('SELECT * FROM a'), [[7]])
  copy.close()
  connection.close()
})

test('a step that fails leaves the steps before it, and the next start goes on there', () => {
  const path = join(temporaryFolder(), 'a.sqlite')
  const connection = opened(path)
  upgrade(connection, path, { log: silentLog, now: 1, steps: [step(1, 'CREATE TABLE a (x {int})')] })
  const good = [step(1), step(2, 'CREATE TABLE b (x {int})')]
  const bad = [...good, step(3, 'CREATE TABLE c (x {int})', 'INSERT INTO nowhere VALUES (1)')]
  assert.throws(() => upgrade(connection, path, { log: silentLog, now: 2, steps: bad }))
  assert.equal(schemaVersion(connection), 2)
  assert.equal(connection.get(`SELECT 1 FROM sqlite_master WHERE name = 'c'`), undefined)
  upgrade(connection, path, { log: silentLog, now: 3, steps: [...good, step(3, 'CREATE TABLE c (x {int})')] })
  assert.equal(schemaVersion(connection), 3)
  connection.close()
})

test('a database from a newer program is not touched', async (t) => {
  const { store, folder } = await testStore(t)
  await store.close()
  const connection = new Connection(join(folder, 'mailboxes/db/mailbox.sqlite'))
  connection.run('INSERT INTO schema_version (version, at) VALUES (?, 0)', newest + 1)
  connection.close()
  await assert.rejects(testStore(t, { folder }), (error) => isDomainError(error, 'unavailable'))
})

test('a store with mail in it survives an upgrade', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('before') }])
  await store.close()
  const next = [...upgrades, step(newest + 1, 'ALTER TABLE item ADD COLUMN added_later TEXT')]
  const again = (await testStore(t, { folder, upgrades: next })).store
  assert.equal((await again.info(testMailbox)).items, 1)
  await again.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('after') }])
  assert.ok(existsSync(join(folder, `mailboxes/db/mailbox.sqlite.before-${newest + 1}`)))
})

test('the dialect replaces its tokens and refuses unknown ones', () => {
  assert.equal(sqliteDialect('CREATE TABLE a (x {int}) {clustered}'), 'CREATE TABLE a (x INTEGER) WITHOUT ROWID')
  assert.equal(sqliteDialect('SELECT {pack:uid} FROM msg'), 'SELECT json_group_array(uid) FROM msg')
  assert.throws(() => sqliteDialect('{text}'), TypeError)
})

test('version 2: a database of version 1 with mail in it answers conversations from the index', async (t) => {
  const { store, folder, inbox } = await testStore(t, { upgrades: upgrades.slice(0, 1) })
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('before') }])
  await store.close()
  const again = (await testStore(t, { folder })).store
  await again.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('after') }])
  const { conversation, conversations } = await again.scan(testMailbox, { folder: inbox, columns: ['conversation'] })
  const expected = ['before', 'after'].map((text) => testMail(text).promoted.conversation)
  assert.deepEqual(
    Array.from(conversation, (place) => conversations?.[place]),
    expected,
  )
  const connection = new Connection(join(folder, 'mailboxes/db/mailbox.sqlite'))
  const plan = connection.all(
    'EXPLAIN QUERY PLAN SELECT (SELECT item.conversation FROM item WHERE item.mbx = msg.mbx AND item.mid = msg.mid) FROM msg',
  )
  connection.close()
  assert.match(JSON.stringify(plan), /USING COVERING INDEX item_mid/)
})

test('version 4: a database of version 3 with mail in it keeps ready answers from then on', async (t) => {
  const { store, folder, inbox } = await testStore(t, { upgrades: upgrades.slice(0, 3) })
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('before') }])
  await store.close()
  const again = (await testStore(t, { folder })).store
  const bytes = Buffer.from('kept')
  await again.apply(testMailbox, [
    { op: 'add', folder: inbox, item: testMail('after'), uid: 300 as Uid },
    { op: 'keepReady', folder: inbox, kind: 'a', blocks: [{ block: 0, mails: 1, bytes }] },
  ])
  const kept = async () => (await again.ready(testMailbox, { folder: inbox, kind: 'a', blocks: [0, 1] })).length
  assert.equal(await kept(), 1)
  await again.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids: Uint32Array.of(1) } }])
  assert.equal(await kept(), 0)
})
