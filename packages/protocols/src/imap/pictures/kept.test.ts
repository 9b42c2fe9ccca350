import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type FolderId, READY_UIDS } from '@postrider/domain'
import { mail, openRoom, type Room } from '../test/room.ts'
import { Texts } from './texts.ts'

const MAILS = 2 * READY_UIDS + 20
const ALL = 'UID FETCH 1:* (ENVELOPE BODYSTRUCTURE)'
const FIELDS = 'UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From Subject)])'
const DEADLINE_MS = 60_000

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS
  while (!(await condition())) {
    assert.ok(performance.now() < end, 'waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function filledRoom(t: TestContext): Promise<{ room: Room; folder: FolderId }> {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 1; i <= MAILS; i++) await room.deliver(mail(`subject ${i} ends`))
  const inbox = (await room.store.folders(room.bob.mailbox)).find((one) => one.role === 'inbox')
  assert.ok(inbox !== undefined)
  return { room, folder: inbox.id }
}

/** The blocks of a kind as the store has them. */
async function blocks(room: Room, folder: FolderId, kind: string): Promise<readonly number[]> {
  const found = await room.store.ready(room.bob.mailbox, { folder, kind: `imap 1 ${kind}`, blocks: [0, 15] })
  return found.map(({ block }) => block)
}

async function ask(client: Awaited<ReturnType<Room['login']>>, question = ALL): Promise<string[]> {
  await client.command('SELECT INBOX')
  return (await client.command(question)).toSorted()
}

/** How many rows are read for what `run` does. */
async function rowsRead(room: Room, run: () => Promise<unknown>): Promise<number> {
  const { get } = room.store
  let rows = 0
  room.store.get = async (...asked) => {
    const items = await get.apply(room.store, asked)
    rows += items.length
    return items
  }
  try {
    await run()
  } finally {
    room.store.get = get
  }
  return rows
}

test('what was made of a large folder is found again by a server that has just been started', async (t) => {
  const { room, folder } = await filledRoom(t)
  const client = await room.login()
  const [answer, fields] = [await ask(client), await ask(client, FIELDS)]
  assert.equal(answer.length, MAILS + 1)
  const kinds = ['ENVELOPE', 'BODYSTRUCTURE', 'BODY[HEADER.FIELDS (From Subject)] ']
  for (const kind of kinds) await until(async () => (await blocks(room, folder, kind)).length === 2)
  const fresh = await room.loginElsewhere()
  // The block that still grows is read.
  const last = MAILS - 2 * READY_UIDS + 1
  assert.equal(await rowsRead(room, async () => assert.deepEqual(await ask(fresh), answer)), last)
  assert.equal(await rowsRead(room, async () => assert.deepEqual(await ask(fresh, FIELDS), fields)), last)
  assert.equal(await rowsRead(room, async () => assert.deepEqual(await ask(fresh), answer)), 0)
})

test('nothing of a deleted mail stays, and its block is made anew', async (t) => {
  const { room, folder } = await filledRoom(t)
  const client = await room.login()
  await ask(client)
  for (const kind of ['ENVELOPE', 'BODYSTRUCTURE'])
    await until(async () => (await blocks(room, folder, kind)).length === 2)
  await client.command('UID STORE 300 +FLAGS.SILENT (\\Deleted)')
  await client.command('EXPUNGE')
  assert.deepEqual(await blocks(room, folder, 'ENVELOPE'), [0])
  assert.deepEqual(await blocks(room, folder, 'BODYSTRUCTURE'), [0])
  const answer = await ask(client)
  const fresh = await room.loginElsewhere()
  assert.deepEqual(await ask(fresh), answer)
  for (const kind of ['ENVELOPE', 'BODYSTRUCTURE'])
    await until(async () => (await blocks(room, folder, kind)).length === 2)
  const [, block] = await room.store.ready(room.bob.mailbox, { folder, kind: 'imap 1 ENVELOPE', blocks: [0, 1] })
  const text = Buffer.from(block?.bytes ?? []).toString('latin1')
  assert.match(text, /subject 299 ends/)
  assert.doesNotMatch(text, /subject 300 ends/)
})

test('a value that is not one is passed over', async (t) => {
  const { room, folder } = await filledRoom(t)
  const expected = await ask(await room.loginElsewhere())
  const values = [
    Buffer.alloc(0),
    Buffer.of(9),
    Buffer.of(255, 255, 1),
    Buffer.from('\x02\x00\x01\x02\xff\xff\xff\xff'),
  ]
  for (const bytes of values) {
    for (const kind of ['imap 1 ENVELOPE', 'imap 1 BODYSTRUCTURE']) {
      const kept = [{ block: 1, mails: READY_UIDS, bytes }]
      await room.store.apply(room.bob.mailbox, [{ op: 'keepReady', folder, kind, blocks: kept }])
    }
    assert.deepEqual(await ask(await room.loginElsewhere()), expected)
  }
})

test('a run of texts stands for its UIDs, and only when it is whole', () => {
  const texts = new Texts()
  for (const [uid, text] of [
    [5, 'five'],
    [7, ''],
    [9, 'nine'],
  ] as const)
    texts.add(uid, Buffer.from(text))
  const run = texts.run([5, 7, 9])
  assert.ok(run !== undefined)
  assert.equal(texts.run([5, 6]), undefined)
  const other = new Texts()
  other.add(7, Buffer.from('own'))
  for (const [uids, bytes] of [
    [[5, 7], run],
    [[5, 7, 9, 11], run],
    [[5, 7, 9], run.subarray(1)],
    [[5, 7, 9], run.subarray(0, -1)],
    [[5], Buffer.of(1, 0)],
  ] as const)
    assert.equal(other.addRun(uids, bytes), false)
  assert.equal(other.addRun([5, 7, 9], run), true)
  const textOf = (uid: number): string => {
    const place = other.placeOf(uid)
    assert.ok(place !== undefined)
    return other.bytes.toString('latin1', place + 4, place + 4 + other.lengthAt(place))
  }
  assert.deepEqual([5, 7, 9].map(textOf), ['five', 'own', 'nine'])
})
