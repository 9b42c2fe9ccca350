import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag } from '@postrider/domain'
import fc from 'fast-check'
import { openRoom } from '../test/room.ts'

type Room = Awaited<ReturnType<typeof openRoom>>
type Client = Awaited<ReturnType<Room['login']>>

/** Enough for a picture to be kept. */
const MAILS = 300

const mail = (i: number): string =>
  `From: a${i % 7}@example.com\r\nTo: b@example.com\r\nSubject: ${i % 2 ? 'Re: ' : ''}s${i % 40}\r\n` +
  `Date: Thu, 15 Feb 2007 01:${String(i % 60).padStart(2, '0')}:03 +0000\r\nMessage-ID: <${i}@example.com>\r\n` +
  `${i % 3 ? `References: <${i - (i % 3)}@example.com>\r\n` : ''}\r\nbody ${i}\r\n`

const questions = [
  'UID FETCH 1:* (FLAGS MODSEQ)',
  'UID FETCH 1:* (ENVELOPE)',
  'FETCH 1:* (UID BODYSTRUCTURE RFC822.SIZE INTERNALDATE EMAILID)',
  'UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (From Subject Date References)])',
  'UID FETCH 1:* (PREVIEW)',
  'UID SORT (SUBJECT DATE) UTF-8 ALL',
  'UID SORT (REVERSE FROM) UTF-8 UNSEEN',
  'UID THREAD REFERENCES UTF-8 ALL',
  'UID THREAD ORDEREDSUBJECT UTF-8 ALL',
  'STATUS INBOX (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)',
]

/** What may happen to a folder of at least MAILS mails. */
function doingsOf(room: Room, writer: Client): Readonly<Record<string, (n: number) => Promise<unknown>>> {
  let next = MAILS
  return {
    deliver: () => room.deliver(mail(next++)),
    flag: (n) => writer.command(`STORE ${1 + (n % 200)} +FLAGS (\\Flagged)`),
    flagMany: (n) =>
      writer.command(`STORE ${1 + (n % 100)}:${90 + (n % 150)} ${n % 2 ? '+' : '-'}FLAGS.SILENT (\\Answered)`),
    seen: (n) => writer.command(`STORE ${1 + (n % 200)} -FLAGS (\\Seen)`),
    keyword: (n) => writer.command(`STORE ${1 + (n % 200)}:${3 + (n % 200)} +FLAGS (k${n % 5})`),
    expunge: async (n) => {
      await writer.command(`STORE ${1 + (n % 200)} +FLAGS.SILENT (\\Deleted)`)
      await writer.command('EXPUNGE')
    },
    nothing: () => Promise.resolve(),
  }
}

test('what is remembered of a folder answers like a server that has just been started, whatever happened', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 0; i < MAILS; i++) await room.deliver(mail(i))
  const writer = await room.login()
  const reader = await room.login()
  await writer.command('SELECT INBOX')
  const doings = doingsOf(room, writer)
  const doing = fc.tuple(fc.constantFrom(...Object.keys(doings)), fc.nat(1_000))
  await fc.assert(
    fc.asyncProperty(fc.array(doing, { maxLength: 4 }), fc.constantFrom(...questions), async (list, question) => {
      for (const [name, n] of list) await doings[name]?.(n)
      const remembered = await reader.command('SELECT INBOX')
      const answer = await reader.command(question)
      const fresh = await room.loginElsewhere()
      assert.deepEqual(untagged(remembered), untagged(await fresh.command('SELECT INBOX')))
      assert.deepEqual(untagged(answer), untagged(await fresh.command(question)), question)
      fresh.destroy()
    }),
    { numRuns: 40 },
  )
})

/** Without tagged lines, what the first SELECT of a session does not say, and the keywords that may occur (some are remembered for longer). */
function untagged(lines: readonly string[]): string[] {
  return lines.filter((line) =>
    /^\* (?!OK \[(?:CLOSED|PERMANENTFLAGS|HIGHESTMODSEQ \d+\] CONDSTORE)|FLAGS )/.test(line),
  )
}

test('RFC 7162 §3.2.5: who comes back by QRESYNC is told from what is remembered what a server just started reads', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 0; i < MAILS; i++) await room.deliver(mail(i))
  const writer = await room.login()
  await writer.command('SELECT INBOX')
  const doings = doingsOf(room, writer)
  const select = async (client: Client, argument: string): Promise<readonly string[]> =>
    untagged(await client.command(`SELECT INBOX${argument}`))
  const numberIn = (lines: readonly string[], code: string): string =>
    new RegExp(`\\[${code} (\\d+)\\]`).exec(lines.join('\n'))?.[1] ?? ''
  const back = await room.login()
  await back.command('ENABLE QRESYNC')
  const first = await select(back, '')
  const validity = numberIn(first, 'UIDVALIDITY')
  const moments = ['1', numberIn(first, 'HIGHESTMODSEQ')]
  const doing = fc.tuple(fc.constantFrom(...Object.keys(doings)), fc.nat(1_000))
  await fc.assert(
    fc.asyncProperty(fc.array(doing, { maxLength: 4 }), fc.nat(100), async (list, earlier) => {
      for (const [name, n] of list) await doings[name]?.(n)
      const moment = moments[Math.max(0, moments.length - 1 - earlier)] ?? '1'
      await back.command('UNSELECT')
      const told = await select(back, ` (QRESYNC (${validity} ${moment}))`)
      const fresh = await room.loginElsewhere()
      await fresh.command('ENABLE QRESYNC')
      assert.deepEqual(told, await select(fresh, ` (QRESYNC (${validity} ${moment}))`), moment)
      fresh.destroy()
      moments.push(numberIn(told, 'HIGHESTMODSEQ'))
    }),
    { numRuns: 40 },
  )
})

test('who comes back after flags were changed through the same process asks for no rows', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 0; i < MAILS; i++) await room.deliver(mail(i))
  const [writer, back] = [await room.login(), await room.login()]
  await back.command('ENABLE QRESYNC')
  const first = await back.command('SELECT INBOX')
  const validity = /UIDVALIDITY (\d+)/.exec(first.join('\n'))?.[1]
  const moment = /HIGHESTMODSEQ (\d+)/.exec(first.join('\n'))?.[1]
  await back.command('UNSELECT')
  await writer.command('SELECT INBOX')
  const { changes } = room.store
  let rows = 0
  room.store.changes = async (...asked) => {
    const answer = await changes.apply(room.store, asked)
    rows += answer.items.count
    return answer
  }
  await writer.command('STORE 11:30 +FLAGS.SILENT (\\Answered)')
  await writer.command('STORE 21:40 +FLAGS (\\Flagged)')
  const question = `SELECT INBOX (QRESYNC (${validity} ${moment}))`
  const told = await back.command(question)
  assert.equal(rows, 0)
  assert.equal(told.filter((line) => / FETCH /.test(line)).length, 30)
  const fresh = await room.loginElsewhere()
  await fresh.command('ENABLE QRESYNC')
  assert.deepEqual(untagged(told), untagged(await fresh.command(question)))
  // One that nobody here wrote is read.
  const [inbox] = (await room.store.folders(room.bob.mailbox)).filter(({ role }) => role === 'inbox')
  assert.ok(inbox !== undefined)
  const items = { uids: Uint32Array.of(5) }
  await room.store.apply(room.bob.mailbox, [{ op: 'flag', folder: inbox.id, items, set: Flag.seen }])
  await writer.command('STORE 41:50 +FLAGS.SILENT (\\Answered)')
  await back.command('UNSELECT')
  const again = await back.command(question)
  assert.ok(rows > 0)
  assert.equal(again.filter((line) => / FETCH /.test(line)).length, 41)
})

test('EXPUNGE of what was marked through the same process reads neither rows nor tombstones; what others removed is told as well', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  for (let i = 0; i < MAILS; i++) await room.deliver(mail(i))
  const client = await room.login()
  await client.command('SELECT INBOX')
  const { changes, scan } = room.store
  let rows = 0
  room.store.changes = async (...asked) => {
    const answer = await changes.apply(room.store, asked)
    rows += answer.items.count + answer.gone.count
    return answer
  }
  const counted: typeof scan = (...asked) => {
    rows++
    return Reflect.apply(scan, room.store, asked)
  }
  room.store.scan = counted
  await client.command('STORE 11:30 +FLAGS.SILENT (\\Deleted)')
  const lines = await client.command('EXPUNGE')
  assert.equal(rows, 0)
  const gone = Array.from({ length: 20 }, (_, i) => `* ${30 - i} EXPUNGE`)
  assert.deepEqual(lines.slice(0, -1), gone)
  assert.match(lines.at(-1) ?? '', /^OK/)
  await client.command('STORE 5:8 +FLAGS.SILENT (\\Deleted)')
  const [inbox] = (await room.store.folders(room.bob.mailbox)).filter(({ role }) => role === 'inbox')
  assert.ok(inbox !== undefined)
  const { apply } = room.store
  // In the moment before the removal.
  room.store.apply = async (...asked) => {
    room.store.apply = apply
    const items = { uids: Uint32Array.of(2) }
    await room.store.apply(room.bob.mailbox, [{ op: 'remove', folder: inbox.id, items }])
    return apply.apply(room.store, asked)
  }
  const again = await client.command('EXPUNGE')
  assert.deepEqual(again.slice(0, -1), ['* 8 EXPUNGE', '* 7 EXPUNGE', '* 6 EXPUNGE', '* 5 EXPUNGE', '* 2 EXPUNGE'])
  assert.deepEqual(await client.command('NOOP'), ['OK NOOP completed'])
})
