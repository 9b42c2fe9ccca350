/** A base page by page: what is not as its checksum says is refused and asked for again, and the administrator is told; nothing acknowledged is lost. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type MailboxId, noMeter, silentLog } from '@postrider/domain'
import { openSqliteStore } from '@postrider/store/sqlite'
import { temporaryFolder, until } from '@postrider/testkit/process'
import { Receiver } from './receiver.ts'
import { Sender } from './sender.ts'

const MAILBOX = 1 as MailboxId
const LIMIT_MS = 60_000

async function write(dataFolder: string, first: number, count: number): Promise<void> {
  const store = await openSqliteStore({
    folder: dataFolder,
    databases: ['db'],
    reserveBytes: 64 * 1024,
    shipping: { wait: 'none', patienceMs: 0, tell: () => {} },
  })
  if (first === 0) await store.create(MAILBOX, { language: 'en', quota: undefined, database: 'db' })
  // Settings of clients: rows that fill pages.
  for (let i = first; i < first + count; i++)
    await store.apply(MAILBOX, [{ op: 'putState', client: 'test', key: `k${i}`, value: randomBytes(3_000) }])
  await store.close()
}

function flip(path: string, position: number): void {
  const fd = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, position)
  writeSync(fd, Buffer.from([byte[0]! ^ 0x10]), 0, 1, position)
  closeSync(fd)
}

async function pair(t: TestContext) {
  const folder = temporaryFolder('base-pages')
  const open: { close(): Promise<void> }[] = []
  t.after(async () => {
    for (const one of open.reverse()) await one.close()
    folder[Symbol.dispose]()
  })
  const [primary, standby] = [join(folder.path, 'primary'), join(folder.path, 'standby')]
  for (const one of [primary, standby]) mkdirSync(one)
  await write(primary, 0, 60)
  // A log of its own: what was written before is in the file alone.
  await write(primary, 60, 1)
  const key = randomBytes(32)
  const follow = async () => {
    const receiver = await Receiver.open({
      dataFolder: standby,
      listen: '127.0.0.1:0',
      key,
      state: { role: 'standby', epoch: 0 },
      log: silentLog,
      askMs: 50,
    })
    open.push(receiver)
    const sender = new Sender({
      dataFolder: primary,
      to: `127.0.0.1:${receiver.port}`,
      key,
      epoch: 0,
      databases: ['db'],
      wait: 'none',
      keepBytes: 1_000_000_000,
      copyDirectory: () => Buffer.from('a directory'),
      confirm: () => {},
      others: () => Number.MAX_SAFE_INTEGER,
      fenced: () => {},
      log: silentLog,
      meter: noMeter,
    })
    open.push(sender)
    return { receiver, sender }
  }
  const file = (where: string): string => join(where, 'mailboxes/db/mailbox.sqlite')
  return { primary, standby, follow, file }
}

test('a page that rotted on the primary is not taken for good; when it is well again it comes by itself', async (t) => {
  const { primary, standby, follow, file } = await pair(t)
  const pages = statSync(file(primary)).size / 8_192
  const page = pages - 5
  flip(file(primary), (page - 1) * 8_192 + 4_000)
  const { receiver, sender } = await follow()
  const told = (): number | undefined => receiver.report().databases[0]?.damagedPages
  await until('the standby refuses it', () => told() === 1, LIMIT_MS)
  await until(
    'the primary says which',
    () => sender.report().databases[0]?.damagedPages.join() === String(page),
    LIMIT_MS,
  )
  flip(file(primary), (page - 1) * 8_192 + 4_000)
  await until('it has come again', () => told() === 0, LIMIT_MS)
  await until('the primary knows', () => sender.report().databases[0]?.damagedPages.length === 0, LIMIT_MS)
  assert.ok(readFileSync(file(standby)).equals(readFileSync(file(primary))))
})

test('promoted all the same, as the last resort, the database says itself that the page is damaged', async (t) => {
  const { primary, standby, follow, file } = await pair(t)
  const page = statSync(file(primary)).size / 8_192 - 5
  flip(file(primary), (page - 1) * 8_192 + 4_000)
  const first = await follow()
  await until('it is refused', () => first.receiver.report().databases[0]?.damagedPages === 1, LIMIT_MS)
  await first.sender.close()
  await first.receiver.close()
  // A standby that was started anew still knows.
  const second = await follow()
  assert.equal(second.receiver.report().databases[0]?.damagedPages, 1)
  await until('the directory is there', () => second.receiver.report().whole, LIMIT_MS)
  await second.sender.close()
  await second.receiver.promote()
  const store = await openSqliteStore({ folder: standby, databases: ['db'], reserveBytes: 64 * 1024 })
  const found = (await store.check())[0]?.problems ?? []
  await store.close()
  assert.ok(
    found.some(({ kind, detail }) => kind === 'page' && detail.startsWith(`page ${page} `)),
    JSON.stringify(found),
  )
})
