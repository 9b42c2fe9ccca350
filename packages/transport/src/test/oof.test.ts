import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeOof, type MailboxEntry, OOF_STATE, type OofRecord, oofDefault } from '@postrider/domain'
import { MAIL, MINUTE, type World, world } from './world.ts'

const reply = { enabled: true, bodyType: 'text' as const, message: 'I am away' }
async function set(w: World, entry: MailboxEntry, change: Partial<OofRecord>): Promise<void> {
  const record: OofRecord = {
    ...oofDefault,
    state: 'enabled',
    replies: { internal: { ...reply, message: 'inside' }, externalKnown: reply, externalUnknown: reply },
    changed: w.clock.now(),
    ...change,
  }
  await w.apply(entry, [{ op: 'putState', ...OOF_STATE, value: encodeOof(record) }])
  w.clock.advance(2000)
}
/** Sends to Bob and answers what went back to Alice. */
async function answers(
  w: World,
  message = MAIL,
  from = 'alice@example.com',
  to = 'bob@example.com',
): Promise<string[]> {
  await w.send(from, [to], message)
  await w.transport.settled()
  await w.run()
  return w.text(w.alice.mailbox)
}

test('R60: one reply to each sender, with the headers of RFC 3834, inside and outside apart', async () => {
  const w = await world()
  await set(w, w.bob, {})
  const [first, ...more] = await answers(w)
  assert.equal(more.length, 0)
  for (const line of [
    'Return-Path: <>',
    'Auto-Submitted: auto-replied',
    'Subject: Automatic reply: hello',
    'In-Reply-To: <m1@outside.example>',
    'From: bob <bob@example.com>',
  ])
    assert.ok(first!.includes(`${line}\r\n`), line)
  assert.ok(first!.endsWith('inside'))
  assert.equal((await answers(w)).length, 1)
  await w.send('a@remote.example', ['bob@example.com'])
  await w.transport.settled()
  const [row] = await w.queue()
  assert.deepEqual(
    [row!.from, row!.recipients[0]!.address, row!.recipients[0]!.notify],
    ['', 'a@remote.example', ['never']],
  )
  assert.match(Buffer.from(await w.store.blob(row!.mailbox, row!.original)).toString(), /I am away/)
  // Switched on anew: everybody is told again.
  await set(w, w.bob, {})
  assert.equal((await answers(w)).length, 2)
})

test('RFC 3834 §2: lists, bulk, automatic mail, reports, system senders and mail to others get no reply', async () => {
  const w = await world()
  await set(w, w.bob, {})
  for (const header of [
    'Auto-Submitted: auto-generated',
    'List-Id: <x>',
    'Precedence: bulk',
    'X-Auto-Response-Suppress: OOF',
    'Content-Type: multipart/report; boundary=b',
  ])
    assert.equal((await answers(w, `${header}\r\n${MAIL}`)).length, 0, header)
  assert.equal((await answers(w, MAIL.replace('To: bob@example.com', 'To: undisclosed:;'))).length, 0)
  // Another one's longer address is not Bob's.
  assert.equal((await answers(w, MAIL.replace('To: bob@example.com', 'To: jim-bob@example.com'))).length, 0)
  assert.equal((await answers(w, MAIL, '')).length, 0)
  for (const from of [
    'mailer-daemon@remote.example',
    'owner-list@remote.example',
    'news-request@remote.example',
    'no-reply@remote.example',
  ])
    await w.send(from, ['bob@example.com'])
  await w.transport.settled()
  assert.deepEqual(await w.queue(), [])
  assert.equal((await answers(w)).length, 1)
})

test('a schedule: only between its start and its end; disabled says nothing', async () => {
  const w = await world()
  const start = w.clock.now() + 60 * MINUTE
  await set(w, w.bob, { state: 'scheduled', start, end: start + 60 * MINUTE })
  assert.equal((await answers(w)).length, 0)
  w.clock.advance(70 * MINUTE)
  assert.equal((await answers(w)).length, 1)
  w.clock.advance(70 * MINUTE)
  assert.equal((await answers(w, MAIL, 'carol@example.com')).length, 1)
  await set(w, w.bob, { state: 'disabled' })
  assert.equal((await answers(w, MAIL, 'carol@example.com')).length, 1)
  assert.equal((await w.items(w.carol.mailbox)).length, 0)
})

test('two mailboxes that are both away do not talk to each other for ever', async () => {
  const w = await world()
  await set(w, w.bob, {})
  await set(w, w.alice, {})
  await answers(w)
  assert.equal((await w.items(w.alice.mailbox)).length, 1)
  assert.equal((await w.items(w.bob.mailbox)).length, 1)
})

test('RFC 8621 §8: an HTML reply goes with the text written for it, or with its own words', async () => {
  const w = await world()
  const html = '<p>Away <b>today</b></p>'
  const of = (text?: string) => ({ enabled: true, bodyType: 'html' as const, message: html, text })
  for (const [text, expected] of [
    ['Plainly away', 'Plainly away'],
    [undefined, 'Away today'],
  ] as const) {
    await set(w, w.bob, { replies: { internal: of(text), externalKnown: of(text), externalUnknown: of(text) } })
    const sent = (await answers(w)).at(-1) ?? ''
    assert.match(sent, /Content-Type: multipart\/alternative;/)
    assert.match(sent, new RegExp(`Content-Type: text/plain[^]*${expected}[^]*Content-Type: text/html[^]*<b>today</b>`))
  }
})
