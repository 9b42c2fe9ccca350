/** The store over the fake, without a browser: windows, changes, acts that wait, are refused, are undone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JmapClient } from '../src/client/jmap/client.ts'
import type { Email, Session } from '../src/client/jmap/types.ts'
import { Acts, marks, patchOf, SET_SIZE } from '../src/client/store/acts.ts'
import type { ListQuery } from '../src/client/store/query.ts'
import { Store } from '../src/client/store/store.ts'
import type { Invocation } from '../src/start.ts'
import { FakeServer } from './fake.ts'

interface Stage {
  readonly server: FakeServer
  readonly store: Store
  readonly acts: Acts
  readonly refused: string[]
  readonly kept: { text: string }
  away: boolean
}
const session: Session = {
  capabilities: {},
  accounts: {},
  primaryAccounts: {},
  username: 'ada@example.org',
  apiUrl: '/jmap/api',
  downloadUrl: '',
  uploadUrl: '',
  eventSourceUrl: '',
  state: 's',
}
function stageOf(count: number, kept = { text: '[]' }): Stage {
  const server = new FakeServer()
  for (let i = 0; i < count; i++)
    server.add({
      subject: `Mail ${i}`,
      receivedAt: new Date(1.7e12 - i * 60_000).toISOString(),
      threadId: `t${Math.floor(i / 2)}`,
    })
  const stage = { server, refused: [] as string[], kept, away: false } as unknown as Stage
  const client = new JmapClient({
    session,
    accountId: 'u1',
    headers: () => ({}),
    fetch: (async (_url: string, init: RequestInit) => {
      if (stage.away) throw new TypeError('network')
      const { methodCalls } = JSON.parse(String(init.body)) as { readonly methodCalls: Invocation[] }
      return Response.json({ methodResponses: server.answer(methodCalls) })
    }) as unknown as typeof fetch,
  })
  const store = new Store(client)
  const acts = new Acts(
    store,
    {
      load: () => kept.text,
      save: (text) => {
        kept.text = text
      },
    },
    (problem) => stage.refused.push(problem),
  )
  return Object.assign(stage, { store, acts })
}
const inbox = { filter: { inMailbox: 'm-inbox' }, collapseThreads: false }
const settled = async (acts: Acts): Promise<void> => {
  for (let i = 0; i < 200 && acts.waiting.peek() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 5))
}
const subjects = (store: Store, list: ListQuery, from: number, to: number): (string | null | undefined)[] =>
  Array.from({ length: to - from }, (_, i) => store.email(list.at(from + i) ?? '').peek()?.subject)

test('RFC 8620 §5.5: only the windows looked at are read', async () => {
  const { store, server } = stageOf(1_000)
  const list = store.list(inbox)
  await list.ensure(0, 20)
  await list.ensure(600, 620)
  assert.equal(list.total.peek(), 1_000)
  assert.deepEqual(subjects(store, list, 600, 602), ['Mail 600', 'Mail 601'])
  assert.equal(list.at(300), undefined)
  const before = server.requests.length
  await list.ensure(600, 620)
  assert.equal(server.requests.length, before, 'what is here is not asked for again')
})

test('RFC 8620 §5.6: new mail and gone mail move the rows, the window stays true', async () => {
  const { store, server } = stageOf(200)
  const list = store.list(inbox)
  await list.ensure(0, 20)
  await list.ensure(100, 120)
  server.add({ subject: 'New', receivedAt: new Date(1.8e12).toISOString() })
  server.run('Email/set', { destroy: [list.at(3)] })
  await list.refresh()
  assert.equal(list.total.peek(), 200)
  await list.ensure(0, 20)
  assert.deepEqual(subjects(store, list, 0, 5), ['New', 'Mail 0', 'Mail 1', 'Mail 2', 'Mail 4'])
  await list.ensure(100, 120)
  assert.equal(store.email(list.at(100) ?? '').peek()?.subject, 'Mail 100')
})

test('RFC 8621 §4.10: conversations come with all their mails', async () => {
  const { store } = stageOf(100)
  const list = store.list({ ...inbox, collapseThreads: true })
  await list.ensure(0, 10)
  assert.equal(list.total.peek(), 50)
  const thread = store.thread('t0').peek()
  assert.equal(thread.length, 2)
  for (const id of thread) assert.ok(store.email(id).peek() !== undefined)
})

test('an act is shown at once, patches only what it changes, and undo puts the row back in its place', async () => {
  const { store, server, acts } = stageOf(20)
  const list = store.list(inbox)
  await list.ensure(0, 20)
  const id = list.at(4) ?? ''
  const { count, undo } = acts.change([id], marks.move('m-inbox', 'm-archive'))
  assert.equal(count, 1)
  assert.equal(list.indexOf(id), -1)
  assert.equal(list.total.peek(), 19)
  await settled(acts)
  const sent = server.requests.flat().find(([name]) => name === 'Email/set')?.[1]
  assert.deepEqual(sent?.update, { [id]: { 'mailboxIds/m-inbox': null, 'mailboxIds/m-archive': true } })
  undo()
  assert.equal(list.indexOf(id), 4)
  await settled(acts)
  assert.deepEqual(server.emails.get(id)?.mailboxIds, { 'm-inbox': true })
})

test('acts wait while the server is away, also for the next page, and keep their order', async () => {
  const kept = { text: '[]' }
  const first = stageOf(5, kept)
  const list = first.store.list(inbox)
  await list.ensure(0, 5)
  first.away = true
  const id = list.at(0) ?? ''
  first.acts.change([id], marks.keyword('$flagged', true))
  first.acts.change([id], marks.keyword('$seen', true))
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(first.acts.waiting.peek(), 2)
  assert.deepEqual(Object.keys(first.store.email(id).peek()?.keywords ?? {}), ['$flagged', '$seen'])
  // What the server says meanwhile does not take back what waits.
  first.store.putEmails([{ ...(first.store.email(id).peek() as Email), keywords: {} }], undefined)
  assert.deepEqual(Object.keys(first.store.email(id).peek()?.keywords ?? {}), ['$flagged', '$seen'])
  assert.equal((JSON.parse(kept.text) as unknown[]).length, 2)
  first.away = false
  first.acts.retry()
  await settled(first.acts)
  assert.deepEqual(Object.keys(first.server.emails.get(id)?.keywords ?? {}), ['$flagged', '$seen'])
  const second = stageOf(5, { text: JSON.stringify([{ update: { e2: { 'keywords/$flagged': true } }, destroy: [] }]) })
  await settled(second.acts)
  assert.deepEqual(second.server.emails.get('e2')?.keywords, { $flagged: true })
})

test('many mails go in pieces the server takes', async () => {
  const { store, server, acts } = stageOf(SET_SIZE + 10)
  const list = store.list(inbox)
  await list.ensure(0, SET_SIZE + 10)
  acts.change(list.known(), marks.keyword('$seen', true))
  await settled(acts)
  const sizes = server.requests
    .flat()
    .filter(([name]) => name === 'Email/set')
    .map(([, args]) => Object.keys(args.update as object).length)
  assert.deepEqual(sizes, [SET_SIZE, 10])
})

test('what the server refuses is told, and its truth is shown', async () => {
  const { store, server, acts, refused } = stageOf(5)
  const list = store.list(inbox)
  await list.ensure(0, 5)
  const id = list.at(1) ?? ''
  const run = server.run.bind(server)
  server.run = (name, args) =>
    name === 'Email/set' ? { notUpdated: { [id]: { type: 'forbidden' } } } : run(name, args)
  acts.change([id], marks.move('m-inbox', 'm-trash'))
  await settled(acts)
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.deepEqual(refused, ['forbidden'])
  assert.deepEqual(store.email(id).peek()?.mailboxIds, { 'm-inbox': true })
  assert.equal(list.indexOf(id), 1)
})

test('RFC 8620 §5.3: a patch names only what differs, keys escaped', () => {
  assert.deepEqual(
    patchOf(
      { mailboxIds: { a: true }, keywords: { 'x/y': true } },
      { mailboxIds: { a: true }, keywords: { 'a~b': true } },
    ),
    { 'keywords/x~1y': null, 'keywords/a~0b': true },
  )
})
