import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DELIVERY_STATE,
  encodeFocus,
  encodeRules,
  encodeSenders,
  Flag,
  FOCUS_KEY,
  type FolderId,
  type FolderRole,
  type MailboxEntry,
  namedProperties,
  type Rule,
  RULES_KEY,
  SENDERS_KEY,
} from '@postrider/domain'
import { MAIL, type World, world } from './world.ts'

const rule = (conditions: Rule['conditions'], actions: Rule['actions'], more: Partial<Rule> = {}): Rule => ({
  id: 'R1',
  name: 'rule',
  enabled: true,
  conditions,
  exceptions: {},
  actions,
  stop: false,
  ...more,
})
async function set(w: World, entry: MailboxEntry, ...rules: Rule[]): Promise<void> {
  const value = encodeRules({ change: 1, next: 9, rules })
  await w.apply(entry, [{ op: 'putState', client: DELIVERY_STATE, key: RULES_KEY, value }])
  w.clock.advance(2_000)
}
const folder = async (w: World, entry: MailboxEntry, role: FolderRole): Promise<FolderId> =>
  (await w.store.folders(entry.mailbox)).find((one) => one.role === role)?.id as FolderId
const count = async (w: World, entry: MailboxEntry, role: FolderRole): Promise<number> =>
  (await w.items(entry.mailbox, role)).length

test('rules: moved, copied, marked, categorised, in one delivery', async () => {
  const w = await world()
  await set(
    w,
    w.bob,
    rule(
      { subjectContains: ['HELLO'] },
      {
        moveTo: await folder(w, w.bob, 'archive'),
        copyTo: await folder(w, w.bob, 'drafts'),
        categories: ['Red category'],
        markRead: true,
        flag: true,
      },
    ),
  )
  await w.send('a@remote.example', ['bob@example.com', 'alice@example.com'])
  await w.transport.settled()
  assert.deepEqual([await count(w, w.bob, 'inbox'), await count(w, w.alice, 'inbox')], [0, 1])
  for (const role of ['archive', 'drafts'] as const) {
    const [item] = await w.items(w.bob.mailbox, role)
    assert.equal(item?.flags, Flag.seen | Flag.flagged)
    const [whole] = await w.store.get(w.bob.mailbox, { by: { mids: [item!.mid] }, columns: ['props'] })
    assert.deepEqual(whole?.props?.get(namedProperties.keywords.tag), ['Red category'])
  }
})

test('rules: deleted, for good, and a folder that is gone leaves the mail in the Inbox', async () => {
  const w = await world()
  await set(w, w.bob, rule({}, { remove: 'trash' }))
  await w.send('a@remote.example', ['bob@example.com'])
  assert.deepEqual([await count(w, w.bob, 'inbox'), await count(w, w.bob, 'deleteditems')], [0, 1])
  await set(w, w.bob, rule({}, { remove: 'forever' }))
  await w.send('a@remote.example', ['bob@example.com'], MAIL.replace('m1@', 'm2@'))
  assert.equal(await count(w, w.bob, 'recoverableitemsdeletions'), 1)
  await set(w, w.bob, rule({}, { moveTo: 9_999 as FolderId }))
  await w.send('a@remote.example', ['bob@example.com'], MAIL.replace('m1@', 'm3@'))
  assert.equal(await count(w, w.bob, 'inbox'), 1)
})

test('rules: forwarded and redirected once; two mailboxes that redirect to each other do not go round', async () => {
  const w = await world()
  await set(w, w.bob, rule({}, { redirectTo: ['alice@example.com', 'bob@example.com'] }))
  await set(w, w.alice, rule({}, { redirectTo: ['bob@example.com'] }))
  await w.send('a@remote.example', ['bob@example.com'])
  await w.transport.settled()
  await w.run()
  const [mail, ...more] = await w.text(w.alice.mailbox)
  assert.equal(more.length, 0)
  assert.match(mail ?? '', /^Resent-From: bob <bob@example.com>\r$/m)
  assert.match(mail ?? '', /^X-MS-Exchange-Inbox-Rules-Loop: bob@example.com\r$/m)
  assert.match(mail ?? '', /^Return-Path: <bob@example.com>/)
  assert.equal(await count(w, w.bob, 'inbox'), 2, 'its own, and what Alice sent back, which is not sent on again')
  await set(w, w.alice)
  await set(w, w.bob, rule({}, { forwardTo: ['alice@example.com'] }))
  await w.send('a@remote.example', ['bob@example.com'], MAIL.replace('m1@', 'm4@'))
  await w.transport.settled()
  await w.run()
  const forwarded = (await w.text(w.alice.mailbox)).find((text) => /^Subject: FW: hello\r$/m.test(text)) ?? ''
  assert.match(forwarded, /message\/rfc822/)
  assert.match(forwarded, /Message-ID: <m4@outside.example>/)
  const before = await count(w, w.alice, 'inbox')
  await w.send('', ['bob@example.com'], MAIL.replace('m1@', 'm5@'))
  await w.transport.settled()
  await w.run()
  assert.equal(await count(w, w.alice, 'inbox'), before, 'reports are not sent on')
})

test('rules: text of the mail is read where a rule asks; other mailboxes are not touched', async () => {
  const w = await world()
  const text = MAIL.slice(MAIL.indexOf('\r\n\r\n') + 4)
    .trim()
    .slice(0, 6)
  await set(w, w.bob, rule({ bodyContains: [text] }, { moveTo: await folder(w, w.bob, 'archive') }))
  await w.send('a@remote.example', ['bob@example.com'])
  assert.equal(await count(w, w.bob, 'archive'), 1)
})

test('blocked senders: into Junk Email, whatever rules say', async () => {
  const w = await world()
  const [match] = /From: .*/.exec(MAIL) ?? ['']
  const domain = /@([\w.]+)/.exec(match)?.[1] ?? ''
  await set(w, w.bob, rule({}, { moveTo: await folder(w, w.bob, 'archive') }))
  const value = encodeSenders({ blocked: [domain], safe: [] })
  await w.apply(w.bob, [{ op: 'putState', client: DELIVERY_STATE, key: SENDERS_KEY, value }])
  w.clock.advance(2_000)
  await w.send('a@remote.example', ['bob@example.com'])
  assert.deepEqual([await count(w, w.bob, 'junkemail'), await count(w, w.bob, 'archive')], [1, 0])
})

test('R54: where it is switched on, lists are marked as Other as they arrive, the folder stays the Inbox', async () => {
  const w = await world()
  const list = MAIL.replace('Subject:', 'List-Id: <l.outside.example>\r\nSubject:')
  const tagOf = async (): Promise<unknown> => {
    const [item] = await w.items(w.bob.mailbox)
    const [whole] = await w.store.get(w.bob.mailbox, { by: { mids: [item!.mid] }, columns: ['props'] })
    await w.apply(w.bob, [{ op: 'remove', folder: await folder(w, w.bob, 'inbox'), items: { mids: [item!.mid] } }])
    return whole?.props?.get(namedProperties.inference.tag)
  }
  await w.send('a@remote.example', ['bob@example.com'], list)
  assert.equal(await tagOf(), undefined)
  const value = encodeFocus({ enabled: true, senders: {}, weights: {} })
  await w.apply(w.bob, [{ op: 'putState', client: DELIVERY_STATE, key: FOCUS_KEY, value }])
  w.clock.advance(2_000)
  await w.send('a@remote.example', ['bob@example.com'], list.replace('m1@', 'm2@'))
  assert.equal(await tagOf(), 1)
  await w.send('a@remote.example', ['bob@example.com'], MAIL.replace('m1@', 'm3@'))
  assert.equal(await tagOf(), undefined)
})
