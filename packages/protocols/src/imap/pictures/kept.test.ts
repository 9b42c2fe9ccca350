import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type FolderId, READY_UIDS } from '@postrider/domain'
import { ResponseWriter } from '@postrider/wire/imap'
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

function written(texts: Texts, uid: number): string {
  const out = new ResponseWriter()
  texts.write(out, uid)
  return out.take().toString('latin1')
}

test('a block of texts stands for its UIDs, and only when it is whole', () => {
  const first = 3 * READY_UIDS
  const texts = new Texts()
  for (const [low, text] of [
    [5, 'five'],
    [7, ''],
    [9, 'nine'],
  ] as const)
    texts.add(first + low, Buffer.from(text))
  const uids = Uint32Array.of(first + 5, first + 7, first + 9)
  const run = texts.run(uids)
  assert.ok(run !== undefined)
  assert.equal(texts.run(Uint32Array.of(first + 5, first + 6)), undefined)
  assert.equal(texts.has(5), false)
  const partly = new Texts()
  partly.add(first + 7, Buffer.from('own'))
  for (const other of [new Texts(), partly]) {
    for (const [lows, bytes] of [
      [[5, 7], run],
      [[5, 7, 9, 11], run],
      [[5, 7, 9], run.subarray(1)],
      [[5, 7, 9], run.subarray(0, -1)],
      [[5], Buffer.of(1, 0)],
    ] as const)
      assert.equal(other.addBlock(3, Uint8Array.from(lows), bytes), false)
    assert.equal(other.hasAll(uids), false)
    assert.equal(other.addBlock(3, Uint8Array.of(5, 7, 9), run), true)
    assert.equal(other.hasAll(uids), true)
    const expected = ['five', other === partly ? 'own' : '', 'nine']
    assert.deepEqual(
      Array.from(uids, (uid) => written(other, uid)),
      expected,
    )
  }
})

test('texts made one by one are found in blocks, whatever the order', () => {
  const texts = new Texts()
  const textOf = (uid: number): string => `text ${uid} ${'x'.repeat(uid % 300)}`
  const uids = Uint32Array.from({ length: 700 }, (_, i) => 2 * i + 1)
  for (const uid of uids.toReversed()) assert.equal(texts.add(uid, Buffer.from(textOf(uid))), true)
  assert.equal(texts.hasAll(uids), true)
  assert.equal(texts.hasAll(Uint32Array.of(1, 2)), false)
  for (const uid of uids) assert.equal(written(texts, uid), textOf(uid))
  assert.ok(texts.byteLength > uids.reduce((sum, uid) => sum + textOf(uid).length, 0))
})
