import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allColumns,
  type FolderId,
  type MailboxId,
  type MailboxService,
  MAX_BLOB_CHUNK,
  type Operation,
} from '@postrider/domain'
import fc from 'fast-check'
import { openMemoryStore } from '../memory/index.ts'
import { TestClock, testMail, testMailbox, testStore } from './testing.ts'

const MAILS = 60

/** Everything a folder shows: rows, counters, the feed, what the fat rows hold. */
async function shown(service: MailboxService, mailbox: MailboxId, folders: readonly FolderId[]): Promise<unknown> {
  const { change, items, usedBytes } = await service.info(mailbox)
  const { upTo, gone, items: changed } = await service.changes(mailbox, { since: 0 as never, limit: 100_000 })
  const inside = []
  for (const folder of folders) {
    const rows = await service.scan(mailbox, { folder, columns: allColumns })
    const found = await service.get(mailbox, { by: { folder, uids: rows.uid }, columns: ['promoted', 'original'] })
    const asked = { folder, uids: rows.uid, largest: MAX_BLOB_CHUNK, most: MAX_BLOB_CHUNK }
    const { sizes, bytes: all } = await service.originals(mailbox, asked)
    const bytes = [Array.from(sizes), Buffer.from(all).toString()]
    inside.push({ rows, mids: found.map(({ mid }) => mid), subjects: found.map((one) => one.promoted?.subject), bytes })
  }
  const counters = (await service.folders(mailbox)).filter(({ id }) => folders.includes(id))
  return { change, items, usedBytes, upTo, gone, changed, counters, inside }
}

/** Stretches of UIDs with gaps: the rows of a long one are written together, of a short one by themselves. */
const uids = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 * MAILS }), fc.integer({ min: 1, max: 30 })), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.flatMap(([from, count]) => Array.from({ length: count }, (_, i) => from + i)))
const step = fc.record({
  op: fc.constantFrom('copy', 'move', 'remove', 'set', 'clear', 'word'),
  from: fc.nat(2),
  to: fc.nat(2),
  flags: fc.integer({ min: 1, max: 31 }),
  uids,
})

test('operations on many rows leave what the memory twin has, in long stretches, short ones and both', async (t) => {
  const clock = new TestClock()
  const { store, inbox, trash } = await testStore(t, { clock })
  const memory = openMemoryStore({ clock })
  const drafts = (await store.folders(testMailbox)).find(({ role }) => role === 'drafts')?.id as FolderId
  const folders = [inbox, trash, drafts]
  let last: number = testMailbox
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const mailbox = ++last as MailboxId
      for (const service of [store, memory])
        await service.create(mailbox, { language: 'en', quota: undefined, database: 'db' })
      const adds = Array.from({ length: MAILS }, (_, i): Operation => {
        const item = testMail(`mail ${i}`, 'x'.repeat(i), {
          flags: i % 3 === 0 ? 1 : 0,
          keywords: i % 20 === 7 ? ['k'] : [],
        })
        return { op: 'add', folder: inbox, item }
      })
      await Promise.all([store, memory].map((service) => service.apply(mailbox, adds)))
      for (const { op, from, to, flags, uids } of steps) {
        const [source, target] = [folders[from] as FolderId, folders[to] as FolderId]
        const items = { uids: Uint32Array.from(uids) }
        const operation: Operation =
          op === 'copy' || op === 'move'
            ? { op, from: source, items, to: target }
            : op === 'remove'
              ? { op, folder: source, items }
              : op === 'word'
                ? { op: 'flag', folder: source, items, addKeywords: [`w${flags % 3}`] }
                : { op: 'flag', folder: source, items, [op]: flags }
        const [here, there] = await Promise.all([store, memory].map((service) => service.apply(mailbox, [operation])))
        assert.deepEqual(here, there)
      }
      assert.deepEqual(await shown(store, mailbox, folders), await shown(memory, mailbox, folders))
    }),
    { numRuns: 20 },
  )
  const [report] = await store.check()
  assert.deepEqual(report?.problems, [])
})
