/**
 * A standby that is killed, or loses its power, while it writes a window of entries, or whose primary is killed while it ships one: the log file ends anywhere,
 * the copy has any part of what was applied. It comes up with all it had confirmed, takes the rest, and is the primary's database byte for byte.
 */
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { MailboxId } from '@postrider/domain'
import {
  DatabaseCopy,
  decodeEntry,
  lastEntry,
  logFile,
  logFolder,
  LogTail,
  type RawEntry,
  streamOf,
} from '@postrider/store/ship'
import { openSqliteStore } from '@postrider/store/sqlite'
import { temporaryFolder } from '@postrider/testkit/process'
import { Replica } from './replica.ts'

const MAILBOX = 1 as MailboxId
/** Of the entries recorded, so many were confirmed; the others are the window. */
const WINDOW = 2
/** Between these cuts nothing but contents of pages lies. */
const STEP = 4_096

/** A primary's log, a standby with all but the window synced, and one with the window written behind it. */
async function recorded(t: TestContext) {
  const folder = temporaryFolder('torn')
  t.after(() => folder[Symbol.dispose]())
  const primary = join(folder.path, 'primary')
  mkdirSync(primary)
  const shipping = { wait: 'none', patienceMs: 0, tell: () => {} } as const
  const store = await openSqliteStore({ folder: primary, databases: ['db'], reserveBytes: 64 * 1024, shipping })
  await store.create(MAILBOX, { language: 'en', quota: undefined, database: 'db' })
  for (let i = 0; i < 6; i++) {
    await store.apply(MAILBOX, [{ op: 'putState', client: 'test', key: `k${i}`, value: Buffer.alloc(2_000, i) }])
    // A transaction each.
    await store.checkpoint()
  }
  await store.close()
  const log = logFolder(join(primary, 'mailboxes/db'))
  const entries = new LogTail(log, 1).read(Number.MAX_SAFE_INTEGER)
  assert.ok(entries.length > WINDOW + 2, `${entries.length} entries`)
  const confirmed = entries.length - WINDOW

  const home = join(folder.path, 'standby')
  mkdirSync(home)
  const replica = new Replica(home, 'db')
  replica.begin(streamOf(log) ?? '', 1)
  replica.end(0, 0)
  for (const { bytes } of entries.slice(0, confirmed)) replica.entry(bytes)
  replica.sync()
  const before = join(folder.path, 'before')
  cpSync(home, before, { recursive: true })
  for (const { bytes } of entries.slice(confirmed)) replica.entry(bytes)
  const own = logFolder(join(home, 'db'))
  const { file, end } = lastEntry(own)!
  const written = logFile(own, file)
  const name = written.slice(own.length + 1)
  const whole = join(folder.path, 'whole.log')
  copyFileSync(written, whole)
  replica.close()
  return {
    folder: folder.path,
    entries,
    confirmed,
    before,
    /** The log file with the window in it, and its place in a standby's folder. */
    whole,
    name,
    end,
    expected: readFileSync(join(home, 'db/mailbox.sqlite')),
  }
}
type Recorded = Awaited<ReturnType<typeof recorded>>

/** A standby as it was when the last of the confirmed entries was, with so many bytes of the log. */
function torn({ folder, before, whole, name }: Recorded, bytes: number): string {
  const home = join(folder, 'torn')
  rmSync(home, { recursive: true, force: true })
  cpSync(before, home, { recursive: true })
  const log = join(logFolder(join(home, 'db')), name)
  copyFileSync(whole, log)
  truncateSync(log, bytes)
  return home
}

/** It comes up, has what was confirmed, takes the rest, and is what it should be. */
function recovers({ entries, confirmed, expected }: Recorded, home: string, what: string): void {
  const replica = new Replica(home, 'db')
  try {
    const at = replica.point?.seq ?? 0
    assert.ok(replica.whole && at >= confirmed && replica.synced === at, `${what}: at ${at} of ${confirmed} confirmed`)
    for (const { bytes } of entries.slice(at)) replica.entry(bytes)
  } finally {
    replica.close()
  }
  assert.ok(readFileSync(join(home, 'db/mailbox.sqlite')).equals(expected), what)
}

/** Every byte of heads and tables, and of the contents some. */
function cuts(start: number, window: readonly RawEntry[]): number[] {
  const found = new Set<number>()
  let at = start
  for (const { head, bytes } of window) {
    const contents = bytes.length - decodeEntry(bytes).pages.length * head.pageBytes
    for (let cut = 0; cut <= contents; cut++) found.add(at + cut)
    for (let cut = contents; cut < bytes.length; cut += STEP) found.add(at + cut)
    at += bytes.length
    found.add(at - 1)
  }
  return [...found.add(at)]
}

test('a window cut at any byte: nothing confirmed is lost, the rest comes again', async (t) => {
  const it = await recorded(t)
  const window = it.entries.slice(it.confirmed)
  const start = it.end - window.reduce((sum, { bytes }) => sum + bytes.length, 0)
  for (const cut of cuts(start, window)) recovers(it, torn(it, cut), `cut at ${cut} of ${start} to ${it.end}`)
})

test('the copy torn while synced entries were applied: they are applied again', async (t) => {
  const it = await recorded(t)
  for (const { bytes } of it.entries.slice(it.confirmed)) {
    const { pages, pageBytes } = decodeEntry(bytes)
    for (const [n, { page, content }] of pages.entries()) {
      const home = torn(it, it.end)
      const copy = new DatabaseCopy(join(home, 'db'))
      for (const one of pages.slice(0, n)) copy.write((one.page - 1) * pageBytes, one.content)
      copy.write((page - 1) * pageBytes, content.subarray(0, 512))
      copy.close()
      recovers(it, home, `page ${page} torn`)
    }
  }
})

test('promoted right after a cut: the database is sound and has all that was confirmed', async (t) => {
  const it = await recorded(t)
  const window = it.entries.slice(it.confirmed)
  const start = it.end - window.reduce((sum, { bytes }) => sum + bytes.length, 0)
  for (const cut of [start, start + 70, start + (window[0]?.bytes.length ?? 0), it.end - 1]) {
    const home = torn(it, cut)
    new Replica(home, 'db').promote()
    const served = join(it.folder, 'served')
    rmSync(served, { recursive: true, force: true })
    mkdirSync(served)
    cpSync(home, join(served, 'mailboxes'), { recursive: true })
    const store = await openSqliteStore({ folder: served, databases: ['db'], reserveBytes: 64 * 1024 })
    try {
      assert.deepEqual((await store.check())[0]?.problems, [], `cut at ${cut}`)
      const kept = await store.state(MAILBOX, 'test', 'k')
      for (const { key, value } of kept) assert.deepEqual(Buffer.from(value), Buffer.alloc(2_000, Number(key.slice(1))))
      assert.ok(kept.length >= 6 - WINDOW, `${kept.length} of 6`)
    } finally {
      await store.close()
    }
  }
})
