import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFocus, encodeFocus, type FocusRecord, type Inference, inferenceOf, learnFocus } from './focus.ts'
import type { MailFacts } from './rules.ts'

const own = new Set(['ada@example.com'])
const mail = (from: string, more: Partial<MailFacts> = {}): MailFacts => ({
  fromAddress: from,
  fromName: '',
  to: [{ name: '', address: 'ada@example.com' }],
  cc: [],
  subject: 'Hello there',
  size: 1_000,
  hasAttachments: false,
  importance: 1,
  header: '',
  body: '',
  automatic: false,
  ...more,
})
const off: FocusRecord = { enabled: true, senders: {}, weights: {} }
const where = (record: FocusRecord, facts: MailFacts): Inference => inferenceOf(record, facts, own).inference

test('R54: without learning: people to me are in Focused, lists and programs in Other, and it is said why', () => {
  assert.equal(where(off, mail('grace@outside.example')), 'focused')
  const list = inferenceOf(off, mail('sale@shop.example', { automatic: true }), own)
  assert.deepEqual([list.inference, list.reasons[0]], ['other', 'list'])
  const program = inferenceOf(off, mail('no-reply@bank.example'), own)
  assert.deepEqual([program.inference, program.reasons[0]], ['other', 'program'])
  const colleague = inferenceOf(off, mail('bob@example.com', { to: [] }), own)
  assert.deepEqual([colleague.inference, colleague.reasons[0]], ['focused', 'colleague'])
  const answer = inferenceOf(off, mail('x@outside.example', { header: 'In-Reply-To: <a@b>\r\n\r\n', to: [] }), own)
  assert.deepEqual([answer.inference, answer.reasons[0]], ['focused', 'answer'])
})

test('R54: it learns from moves, a second one decides about the sender, the other way round, too', () => {
  const sale = mail('sale@shop.example', { automatic: true, subject: 'Autumn bargains' })
  const once = learnFocus(off, sale, own, 'focused')
  assert.equal(once.senders['sale@shop.example'], undefined)
  const twice = learnFocus(once, sale, own, 'focused')
  assert.equal(twice.senders['sale@shop.example'], 'focused')
  assert.deepEqual(inferenceOf(twice, sale, own), { inference: 'focused', reasons: ['sender'] })
  const back = learnFocus(twice, sale, own, 'other')
  assert.equal(back.senders['sale@shop.example'], undefined)
  assert.equal(where(learnFocus(back, sale, own, 'other'), sale), 'other')
  assert.deepEqual(decodeFocus(encodeFocus(twice)), twice)
  for (const lost of ['', '{', 'null', '{"v":1,"senders":{"a":"b"},"weights":{"x":"y"}}'])
    assert.deepEqual(decodeFocus(Buffer.from(lost)), { enabled: false, senders: {}, weights: {} })
})

test('R54: on a mailbox it has not seen it is right nine times out of ten after some moves', () => {
  // Lists the user reads, people the user does not: what the rules alone get wrong.
  const kinds: readonly (readonly [from: string, automatic: boolean, subject: string, to: Inference])[] = [
    ['grace@outside.example', false, 'Minutes of the meeting', 'focused'],
    ['dev@lists.example', true, 'Release planning discussion', 'focused'],
    ['sale@shop.example', true, 'Bargains this week', 'other'],
    ['seller@cold.example', false, 'Quick question about synergy', 'other'],
    ['no-reply@bank.example', false, 'Statement ready', 'focused'],
  ]
  const facts = ([from, automatic, subject]: (typeof kinds)[number], n: number): MailFacts =>
    mail(from, { automatic, subject: `${subject} number ${n}` })
  let record = off
  for (let n = 0; n < 3; n++)
    for (const kind of kinds)
      if (where(record, facts(kind, n)) !== kind[3]) record = learnFocus(record, facts(kind, n), own, kind[3])
  let right = 0
  for (let n = 10; n < 30; n++) for (const kind of kinds) if (where(record, facts(kind, n)) === kind[3]) right++
  assert.ok(right >= 90, `${right} of 100`)
  assert.ok(encodeFocus(record).length < 8_000)
})
