import assert from 'node:assert/strict'
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDomainError, type MailboxId, type Operation } from '@postrider/domain'
import { Pace, Stopped } from './pace.ts'
import { ROUND_MS, Scrub, type ScrubNews } from './scrub.ts'
import { testMail, testMailbox, testStore } from './testing.ts'

function flip(path: string, position: number): void {
  const fd = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, position)
  writeSync(fd, Buffer.from([byte[0]! ^ 1]), 0, 1, position)
  closeSync(fd)
}

const scrubOf = (
  folder: string,
  tell: (news: ScrubNews) => void,
  now: () => number,
  pace = async (): Promise<void> => {},
) => {
  const home = join(folder, 'mailboxes/db')
  const database = {
    name: 'db',
    path: join(home, 'mailbox.sqlite'),
    segments: join(home, 'segments'),
    state: join(home, 'scrub.json'),
  }
  return new Scrub(database, { tell, now, pace })
}

test('scrubbing: every page and every original once a day, beside the working store; damage is named', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const adds = Array.from({ length: 150 }, (_, i): Operation => ({ op: 'add', folder: inbox, item: testMail(`${i}`) }))
  await store.apply(testMailbox, adds)
  let now = 1_000_000
  const news: ScrubNews[] = []
  const scrub = (): Scrub =>
    scrubOf(
      folder,
      (one) => news.push(one),
      () => now,
    )
  assert.equal(scrub().due, true)
  await scrub().round()
  assert.deepEqual(
    news.filter(({ kind }) => kind === 'found'),
    [],
  )
  assert.ok(news.some((one) => one.kind === 'round' && one.bytes > 150 * 100))
  assert.equal(scrub().due, false)
  now += ROUND_MS
  assert.equal(scrub().due, true)
  now -= 3 * ROUND_MS
  assert.equal(scrub().due, true, 'a clock that went back')
  const segments = join(folder, 'mailboxes/db/segments')
  flip(join(segments, readdirSync(segments)[0]!), 80)
  await store.checkpoint()
  flip(join(folder, 'mailboxes/db/mailbox.sqlite'), 8_192 * 3 + 5_000)
  news.length = 0
  await scrub().round()
  const found = news.flatMap((one) => (one.kind === 'found' ? [one.detail] : []))
  assert.equal(found.length, 2, found.join('\n'))
  assert.match(found[0]!, /^page 4 of /)
  assert.match(found[1]!, new RegExp(`^original of mailbox 1 folder ${inbox} UID 1: `))
  await store.close()
})

test('scrubbing goes on where it was when it was stopped, and begins again where its notes are damaged', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const adds = Array.from({ length: 100 }, (_, i): Operation => ({ op: 'add', folder: inbox, item: testMail(`${i}`) }))
  await store.apply(testMailbox, adds)
  await store.checkpoint()
  let read = 0
  const stopping = async (): Promise<void> => {
    if (++read > 40) throw new Stopped()
  }
  await assert.rejects(
    scrubOf(
      folder,
      () => {},
      () => 5,
      stopping,
    ).round(),
    Stopped,
  )
  const path = join(folder, 'mailboxes/db/scrub.json')
  const { blob } = JSON.parse(readFileSync(path, 'utf8')) as { blob: number }
  assert.ok(blob > 10 && blob < 100, `${blob}`)
  let rest = 0
  await scrubOf(
    folder,
    (one) => {
      if (one.kind === 'read') rest++
    },
    () => 6,
  ).round()
  assert.ok(rest <= 100 - blob + 1, `${rest} reads for ${100 - blob} originals`)
  writeFileSync(path, '{"page": -4')
  assert.equal(
    scrubOf(
      folder,
      () => {},
      () => 7,
    ).due,
    true,
  )
})

test('the pace of scrubbing: so many bytes a second, none at all while the store is busy, and an end at once', async () => {
  const calls = new Int32Array(1)
  const pace = new Pace(1_000_000, calls)
  const began = performance.now()
  for (let n = 0; n < 10; n++) await pace.of(20_000)
  assert.ok(performance.now() - began >= 190, 'not faster than its limit')
  const off = new Pace(0, calls)
  const waiting = off.of(1)
  off.stop()
  await assert.rejects(waiting, Stopped)
})

test('a damaged database does not keep the others of its owner shut', async (t) => {
  const { store, folder, inbox } = await testStore(t, { databases: ['db', 'other'] })
  await store.create(2 as MailboxId, { language: 'en', quota: undefined, database: 'other' })
  await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail('kept') }])
  await store.close()
  truncateSync(join(folder, 'mailboxes/other/mailbox.sqlite'), 3_000)
  const again = (await testStore(t, { folder, databases: ['db', 'other'] })).store
  assert.equal((await again.info(testMailbox)).items, 1)
  await assert.rejects(again.info(2 as MailboxId), (error) => isDomainError(error, 'unavailable'))
  const report = (await again.check()).find(({ database }) => database === 'other')
  assert.match(report?.problems[0]?.detail ?? '', /it cannot be opened: .*malformed/)
})
