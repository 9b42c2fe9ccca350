import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FolderId } from './ids.ts'
import {
  decodeRules,
  encodeRules,
  type MailFacts,
  type Rule,
  ruleMatches,
  rulesReadMessage,
  runRules,
} from './rules.ts'
import { decodeSenders, encodeSenders, senderEntry, senderVerdict } from './senders.ts'

const own = new Set(['ada@example.com'])
const facts: MailFacts = {
  fromAddress: 'news@shop.example',
  fromName: 'Shop News',
  to: [{ name: 'Ada', address: 'Ada@example.com' }],
  cc: [],
  subject: 'Été: soldes',
  size: 5_000,
  hasAttachments: false,
  importance: 1,
  header: 'List-Id: <news.shop.example>',
  body: 'Everything must go',
  automatic: true,
}
const rule = (conditions: Rule['conditions'], more: Partial<Rule> = {}): Rule => ({
  id: 'r',
  name: 'rule',
  enabled: true,
  conditions,
  exceptions: {},
  actions: {},
  stop: false,
  ...more,
})
const holds = (conditions: Rule['conditions']): boolean => ruleMatches(rule(conditions), facts, own)

test('rules: each condition, holding and not', () => {
  const table: readonly (readonly [Rule['conditions'], Rule['conditions']])[] = [
    [{ from: ['NEWS@shop.example'] }, { from: ['shop.example'] }],
    [{ fromContains: ['x', 'shop news'] }, { fromContains: ['bank'] }],
    [{ sentTo: ['ada@EXAMPLE.com'] }, { sentTo: ['bob@example.com'] }],
    [{ recipientContains: ['ada'] }, { recipientContains: ['bob'] }],
    [{ subjectContains: ['ÉTÉ'] }, { subjectContains: ['hiver'] }],
    [{ bodyContains: ['must go'] }, { bodyContains: ['soldes'] }],
    [{ subjectOrBodyContains: ['soldes'] }, { subjectOrBodyContains: ['nothing'] }],
    [{ headerContains: ['list-id'] }, { headerContains: ['x-spam'] }],
    [{ toMe: 'only' }, { toMe: 'cc' }],
    [{ toMe: 'toOrCc' }, { toMe: 'not' }],
    [{ hasAttachment: false }, { hasAttachment: true }],
    [{ minSize: 5_000 }, { minSize: 5_001 }],
    [{ maxSize: 5_000 }, { maxSize: 4_999 }],
    [{ importance: 'normal' }, { importance: 'high' }],
    [{ automatic: true }, { automatic: false }],
  ]
  for (const [yes, no] of table) {
    assert.equal(holds(yes), true, JSON.stringify(yes))
    assert.equal(holds(no), false, JSON.stringify(no))
    assert.equal(holds({ ...yes, ...no }), false)
    assert.equal(ruleMatches(rule({}, { exceptions: yes }), facts, own), false, 'an exception')
    assert.equal(ruleMatches(rule(yes, { exceptions: no }), facts, own), true)
  }
})

test('rules: order, stop, the first place wins and others become copies', () => {
  const [a, b, c] = [101, 102, 103] as FolderId[]
  const list = [
    rule({}, { name: 'one', actions: { moveTo: a as FolderId, categories: ['Red'] } }),
    rule({}, { name: 'off', enabled: false, actions: { remove: 'forever' } }),
    rule(
      {},
      { name: 'two', actions: { moveTo: b as FolderId, categories: ['Red', 'Blue'], markRead: true }, stop: true },
    ),
    rule({}, { name: 'three', actions: { copyTo: c as FolderId, forwardTo: ['x@example.com'] } }),
  ]
  const outcome = runRules(list, facts, own)
  assert.deepEqual(outcome.matched, ['one', 'two'])
  assert.deepEqual([outcome.moveTo, outcome.copies], [a, [b]])
  assert.deepEqual(outcome.categories, ['Red', 'Blue'])
  assert.deepEqual([outcome.markRead, outcome.flag, outcome.forwardTo], [true, false, []])
  assert.equal(runRules([rule({}, { actions: { remove: 'trash' } }), ...list], facts, own).moveTo, undefined)
})

test('rules: header and text are read only where some rule asks; the record survives', () => {
  assert.equal(rulesReadMessage([rule({ subjectContains: ['x'] })]), false)
  assert.equal(rulesReadMessage([rule({ bodyContains: ['x'] }, { enabled: false })]), false)
  assert.equal(rulesReadMessage([rule({}, { exceptions: { headerContains: ['x'] } })]), true)
  const record = { change: 3, next: 2, rules: [rule({ from: ['a@example.com'] })] }
  assert.deepEqual(decodeRules(encodeRules(record)), { ...record, ...{} })
  for (const lost of ['', '{', '{"v":2}', 'null']) assert.deepEqual(decodeRules(Buffer.from(lost)).rules, [])
})

test('senders: addresses beat domains, domains cover what is below them', () => {
  const lists = { blocked: ['spam.example', 'eve@good.example'], safe: ['good.example', 'friend@spam.example'] }
  assert.equal(senderVerdict(lists, 'Any@mail.Spam.example'), 'blocked')
  assert.equal(senderVerdict(lists, 'friend@spam.example'), 'safe')
  assert.equal(senderVerdict(lists, 'eve@good.example'), 'blocked')
  assert.equal(senderVerdict(lists, 'x@good.example'), 'safe')
  assert.equal(senderVerdict(lists, 'x@notspam.example'), undefined)
  assert.deepEqual(decodeSenders(encodeSenders(lists)), lists)
  assert.deepEqual(['@Spam.example', ' A@b.example ', 'no', 'a b@c.de', 'x@'].map(senderEntry), [
    'spam.example',
    'a@b.example',
    undefined,
    undefined,
    undefined,
  ])
})
