import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { mailItem, type Operation, type SearchQuery, type TextField } from '@postrider/domain'
import fc from 'fast-check'
import { openMemoryStore } from '../memory/index.ts'
import { Connection } from './connection.ts'
import { testMail, testMailbox, testStore } from './testing.ts'

const vocabulary =
  'alpha beta Gamma grüße ÉTÉ naïve x-ray 会議 東京 re: 100% a b it’s Straße ﬁne don_t 日本 emoji😀'.split(' ')
const pick = (n: number): string => vocabulary[n % vocabulary.length] as string

/** Mail n: always the same. */
function mail(n: number): Buffer {
  const words = Array.from({ length: 5 + (n % 40) }, (_, i) => pick(n * 7 + i * i * 3))
  const encoded = (text: string): string => `=?utf-8?b?${Buffer.from(text).toString('base64')}?=`
  return Buffer.from(
    [
      `From: ${encoded(pick(n))} <p${n % 9}@example.com>`,
      `To: ${encoded(pick(n + 1))} <team${n % 4}@example.org>`,
      ...(n % 3 === 0 ? [`Cc: c${n}@example.net`] : []),
      `Subject: ${encoded(`${pick(n + 3)} ${pick(n * 5)}`)}`,
      `X-Number: n${n}`,
      'Content-Type: text/plain; charset=utf-8',
      '',
      words.join(n % 2 === 0 ? ' ' : '-'),
      '',
    ].join('\r\n'),
  )
}

const field = fc.constantFrom<TextField>('subject', 'from', 'to', 'cc', 'bcc', 'addresses', 'body', 'text')
const value = fc.tuple(fc.nat(400), fc.nat(8), fc.nat(30)).map(
  ([n, from, length]) =>
    mail(n)
      .toString()
      .split('\r\n\r\n')[1]
      ?.slice(from, from + length)
      // The link refuses a lone surrogate before any store sees it.
      .toWellFormed() ?? '',
)
const leaf: fc.Arbitrary<SearchQuery> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), field, value, match: fc.constant('substring' as const) }),
  fc.record({
    kind: fc.constant('text' as const),
    field,
    value: fc.constantFrom('alpha', 'gam', 'alpha beta', 'beta x', 'naïve gr', 'a', '100', ''),
    match: fc.constant('words' as const),
  }),
  fc.record({
    kind: fc.constant('header' as const),
    name: fc.constantFrom('X-Number', 'cc', 'none'),
    value: fc.constantFrom('', 'n1', 'c3'),
  }),
  fc.record({ kind: fc.constant('size' as const), larger: fc.nat(400) }),
  fc.record({ kind: fc.constant('received' as const), from: fc.nat(300), before: fc.nat(300) }),
)
const query = fc.letrec<{ tree: SearchQuery; leaf: SearchQuery }>((tie) => ({
  leaf,
  tree: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), of: tie('tree') }),
  ),
})).tree

test('indexed, half indexed and not at all: every query finds what the memory twin finds', async (t) => {
  const { store, inbox, trash, folder } = await testStore(t)
  const twin = openMemoryStore()
  t.after(() => twin.close())
  await twin.create(testMailbox, { language: 'en', quota: undefined, database: 'db' })
  const apply = async (...operations: Operation[]): Promise<void> => {
    await Promise.all([store, twin].map((each) => each.apply(testMailbox, operations)))
  }
  const adds = (first: number, count: number): Operation[] =>
    Array.from({ length: count }, (_, i) => ({
      op: 'add',
      folder: inbox,
      item: mailItem(mail(first + i), { received: (first + i) % 300 }),
    }))
  const same = async (runs: number): Promise<void> => {
    await fc.assert(
      fc.asyncProperty(query, async (one) => {
        const request = { folders: [inbox, trash], query: one, order: 'newest', offset: 0, limit: 1_000 } as const
        const [ours, theirs] = await Promise.all([store, twin].map((each) => each.search(testMailbox, request)))
        assert.deepEqual(ours, theirs)
      }),
      { numRuns: runs, endOnFailure: true },
    )
  }
  await apply(...adds(0, 40))
  await same(25)
  await apply(...adds(40, 260))
  await indexed(folder, 300)
  await same(60)
  // Blocks with holes, a tail, moved, copied and replaced items.
  await apply({ op: 'remove', folder: inbox, items: { uids: Uint32Array.from({ length: 100 }, (_, i) => 20 + i) } })
  await apply({ op: 'move', from: inbox, to: trash, items: { uids: Uint32Array.of(1, 2, 3, 200) } })
  await apply({ op: 'copy', from: inbox, to: trash, items: { uids: Uint32Array.of(5, 201) } })
  await apply(...adds(300, 5))
  await same(60)
})

/** Waits until the search database has come as far as item row `item`. */
async function indexed(folder: string, item: number): Promise<void> {
  const connection = new Connection(join(folder, 'mailboxes/db/search.sqlite'))
  try {
    for (let i = 0; i < 1_000; i++) {
      const position = connection.get(`SELECT value FROM position WHERE name = 'item'`)?.[0] as number | undefined
      if (position !== undefined && position >= item) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.fail(`the index did not come to ${item}`)
  } finally {
    connection.close()
  }
}

test('the index forgets what is deleted: half-dead blocks are written anew, dead rows go', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const adds = Array.from(
    { length: 128 },
    (_, i): Operation => ({ op: 'add', folder: inbox, item: testMail(`m${i}`, `secret${i}`) }),
  )
  await store.apply(testMailbox, adds)
  await indexed(folder, 128)
  const uids = Uint32Array.from({ length: 100 }, (_, i) => i + 1)
  await store.apply(testMailbox, [{ op: 'remove', folder: inbox, items: { uids } }])
  const index = new Connection(join(folder, 'mailboxes/db/search.sqlite'))
  const database = new Connection(join(folder, 'mailboxes/db/mailbox.sqlite'))
  t.after(() => {
    index.close()
    database.close()
  })
  const count = (connection: Connection, table: string): number =>
    connection.get(`SELECT count(*) FROM ${table}`)?.[0] as number
  for (let i = 0; i < 500 && (count(database, 'dead') > 0 || count(index, 'block') > 1); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(count(database, 'dead'), 0)
  assert.equal(count(index, 'block'), 1)
  assert.deepEqual([count(index, 'gram'), count(index, 'part')], [1, 9])
})

test('a search waits for nobody: what is not indexed yet is read from the originals', async (t) => {
  const { store, inbox } = await testStore(t)
  const adds = Array.from(
    { length: 150 },
    (_, i): Operation => ({ op: 'add', folder: inbox, item: testMail(`m${i}`, `word${i}`) }),
  )
  await store.apply(testMailbox, adds)
  const request = {
    folders: [inbox],
    query: { kind: 'text', field: 'body', value: 'word14', match: 'substring' },
    order: 'uid',
    offset: 0,
    limit: 100,
  } as const
  assert.deepEqual(
    [...(await store.search(testMailbox, request)).uids],
    [15, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150],
  )
})

test('what a crash left behind is indexed at the next start, without a commit', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const adds = Array.from({ length: 90 }, (_, i): Operation => ({ op: 'add', folder: inbox, item: testMail(`m${i}`) }))
  await store.apply(testMailbox, adds)
  await indexed(folder, 90)
  await store.close()
  const index = new Connection(join(folder, 'mailboxes/db/search.sqlite'))
  for (const table of ['block', 'gram', 'part', 'tail', 'position']) index.execute(`DELETE FROM ${table}`)
  index.close()
  await testStore(t, { folder })
  await indexed(folder, 90)
})
