/** Our own capability: what JMAP has no words for. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import {
  decodeFocus,
  decodeOof,
  decodeRules,
  DELIVERY_STATE,
  Flag,
  FOCUS_KEY,
  fileTime,
  namedProperties,
  OOF_STATE,
  Pid,
  PREFERENCES_STATE,
  RULES_KEY,
} from '@postrider/domain'
import type { Args, JmapClient } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

const OWN = 'https://postrider.example/jmap'
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await condition()); await sleep(20))
    if (Date.now() > end) throw new Error('it did not happen')
}
const inSeconds = (n: number): string => new Date(Date.now() + n * 1_000).toISOString().replace(/\.\d+Z$/, 'Z')
const get = async (client: JmapClient, id: string, ...properties: string[]): Promise<Args> =>
  (await client.call('Email/get', { ids: [id], properties })).list[0]
const set = (client: JmapClient, id: string, patch: object): Promise<Args> =>
  client.call('Email/set', { update: { [id]: patch } })

test('the session names the capability, for the own account only', async () => {
  await using room = await Room.open([{}, { fullAccess: ['alice'] }])
  const { session } = await room.client()
  assert.ok(OWN in session.capabilities)
  assert.ok(OWN in session.accounts.A1.accountCapabilities)
  assert.equal(OWN in session.accounts.A2.accountCapabilities, false)
})

test('Preferences: usual values, patches, refusals; a record of before is kept', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await room.apply({ op: 'putState', ...PREFERENCES_STATE, value: Buffer.from('{"zone":"Europe/Paris"}') })
  const first = await client.call('Preferences/get')
  assert.equal(first.list[0].zone, 'Europe/Paris')
  assert.equal(first.list[0].theme, 'system')
  const changed = await client.call('Preferences/set', { update: { singleton: { theme: 'dark', undoSeconds: 30 } } })
  assert.deepEqual(changed.updated, { singleton: null })
  assert.notEqual(changed.newState, first.state)
  const { list } = await (await room.client()).call('Preferences/get', {
    ids: ['singleton'],
    properties: ['theme', 'zone'],
  })
  assert.deepEqual(list, [{ id: 'singleton', theme: 'dark', zone: 'Europe/Paris' }])
  const refused = await client.call('Preferences/set', {
    ifInState: changed.newState,
    create: { c: {} },
    update: { singleton: { theme: 'pink' }, other: {} },
    destroy: ['singleton'],
  })
  assert.deepEqual(
    [refused.notCreated.c.type, refused.notUpdated.singleton, refused.notUpdated.other.type, refused.notDestroyed],
    [
      'singleton',
      { type: 'invalidProperties', properties: ['theme'] },
      'notFound',
      { singleton: { type: 'singleton' } },
    ],
  )
})

test('Category and Template: records with states; a category keeps its name', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { list, state } = await client.call('Category/get')
  assert.equal(list.length, 6)
  const made = await client.call('Category/set', {
    create: { a: { name: ' Travel ', color: 7 }, b: { name: 'red CATEGORY' }, c: { name: 'x', color: 25 } },
  })
  assert.equal(made.created.a.name, 'Travel')
  assert.deepEqual([made.notCreated.b.type, made.notCreated.c.type], ['alreadyExists', 'invalidProperties'])
  const { id } = made.created.a
  const changed = await client.call('Category/set', { update: { [id]: { color: 3 }, [list[0].id]: { name: 'Other' } } })
  assert.deepEqual([Object.keys(changed.updated), changed.notUpdated[list[0].id].type], [[id], 'invalidProperties'])
  await client.call('Category/set', { destroy: [list[1].id] })
  const changes = await client.call('Category/changes', { sinceState: state })
  assert.deepEqual([changes.created, changes.updated, changes.destroyed], [[id], [], [list[1].id]])
  const template = await client.call('Template/set', {
    create: { t: { name: 'Thanks', htmlBody: '<p>Thank you</p>' } },
  })
  assert.deepEqual(template.created.t, { id: template.created.t.id, subject: '' })
  assert.equal(
    (await client.call('Template/set', { create: { t: { name: ' ' } } })).notCreated.t.type,
    'invalidProperties',
  )
})

test('Email categories and follow-up: the same as phones have, with filter and states', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const one = await room.deliver(mail('One'))
  const two = await room.deliver(mail('Two'))
  assert.deepEqual(await get(client, one.id, 'categories', 'followUp', 'snoozed', 'inference'), {
    id: one.id,
    categories: {},
    followUp: null,
    snoozed: null,
    inference: 'focused',
  })
  const query = { filter: { inMailbox: 'F3', hasCategory: 'Red category' } }
  const { queryState } = await client.call('Email/query', query)
  const due = inSeconds(86_400)
  const done = await set(client, one.id, {
    'categories/Red category': true,
    'categories/a~1b': true,
    followUp: { due },
  })
  assert.deepEqual(done.updated, { [one.id]: null })
  const handle = await room.mailbox()
  const [item] = await handle.get({ by: { mids: [one.mid] }, columns: ['props'] })
  assert.deepEqual(item?.props?.get(namedProperties.keywords.tag), ['Red category', 'a/b'])
  assert.equal(item?.props?.get(namedProperties.commonEnd.tag), fileTime(Date.parse(due)))
  assert.equal(item?.props?.get(Pid.TagFlagStatus), 2)
  assert.equal(item?.flags, Flag.flagged)
  const got = await get(client, one.id, 'categories', 'followUp', 'keywords')
  assert.deepEqual(got.keywords, { $flagged: true })
  assert.deepEqual(got.followUp, { start: due, due, reminder: null, completed: null })
  const changes = await client.call('Email/queryChanges', { ...query, sinceQueryState: queryState })
  assert.deepEqual(changes.added, [{ id: one.id, index: 0 }])
  assert.deepEqual((await client.call('Email/query', { filter: { inference: 'other' } })).ids, [])
  await set(client, two.id, { inference: 'other' })
  assert.deepEqual((await client.call('Email/query', { filter: { inference: 'other' } })).ids, [two.id])
  await set(client, one.id, { followUp: { due, completed: inSeconds(0) }, 'categories/Red category': null })
  const complete = await get(client, one.id, 'categories', 'followUp', 'keywords')
  assert.deepEqual([complete.categories, complete.keywords], [{ 'a/b': true }, {}])
  assert.notEqual(complete.followUp.completed, null)
  await set(client, one.id, { followUp: null, categories: {} })
  assert.deepEqual(await get(client, one.id, 'categories', 'followUp'), { id: one.id, categories: {}, followUp: null })
  for (const patch of [
    { 'categories/x': false },
    { followUp: { due: 'tomorrow' } },
    { followUp: { start: inSeconds(99), due: inSeconds(9) } },
    { inference: 'maybe' },
  ])
    assert.equal((await set(client, one.id, patch)).notUpdated[one.id].type, 'invalidProperties', JSON.stringify(patch))
})

test('snooze: out of sight, back at its time, unread, on top, with the same id; over a restart', async () => {
  await using room = await Room.open()
  let client = await room.client()
  const old = await room.deliver(mail('Old'), { received: Date.now() - 9_000_000, flags: Flag.seen })
  const newer = await room.deliver(mail('Newer'))
  const before = await get(client, old.id, 'blobId', 'subject', 'receivedAt')
  assert.equal(
    (await set(client, old.id, { snoozed: { until: inSeconds(-5) } })).notUpdated[old.id].type,
    'invalidProperties',
  )
  await set(client, old.id, { snoozed: { until: inSeconds(3) } })
  const { list } = await client.call('Mailbox/get', { properties: ['name', 'role'] })
  const folder = list.find((one: Args) => one.role === 'snoozed')
  assert.equal(folder.name, 'Snoozed')
  const away = await get(client, old.id, 'mailboxIds', 'snoozed')
  assert.deepEqual(away.mailboxIds, { [folder.id]: true })
  assert.ok(Date.parse(away.snoozed.until) > Date.now())
  await room.restart()
  client = await room.client()
  await until(async () => (await get(client, old.id, 'mailboxIds')).mailboxIds.F3 === true)
  const back = await get(client, old.id, 'blobId', 'subject', 'keywords', 'snoozed', 'mailboxIds', 'receivedAt')
  assert.deepEqual([back.subject, back.keywords, back.snoozed, back.mailboxIds], ['Old', {}, null, { F3: true }])
  assert.ok(back.receivedAt > before.receivedAt)
  const { ids } = await client.call('Email/query', {
    filter: { inMailbox: 'F3' },
    sort: [{ property: 'receivedAt', isAscending: false }],
  })
  assert.deepEqual(ids, [old.id, newer.id])
  const bytes = await (await room.mailbox()).state('snooze')
  assert.deepEqual(bytes, [])
})

test('snooze: taken back, changed, moved out by another program, deleted', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const archive = (await room.folder('archive')).id
  const one = await room.deliver(mail('One'), { role: 'archive' })
  await set(client, one.id, { snoozed: { until: inSeconds(3_600) } })
  await set(client, one.id, { snoozed: { until: inSeconds(7_200) } })
  await set(client, one.id, { snoozed: null })
  assert.deepEqual((await get(client, one.id, 'mailboxIds')).mailboxIds, { [`F${archive}`]: true }, 'where it was')
  assert.deepEqual(await (await room.mailbox()).state('snooze'), [])
  const two = await room.deliver(mail('Two'))
  await set(client, two.id, { snoozed: { until: inSeconds(2) } })
  await set(client, two.id, { mailboxIds: { F3: true } })
  assert.equal((await get(client, two.id, 'snoozed')).snoozed, null)
  const { receivedAt } = await get(client, two.id, 'receivedAt')
  await until(async () => (await (await room.mailbox()).state('snooze')).length === 0)
  assert.equal((await get(client, two.id, 'receivedAt')).receivedAt, receivedAt, 'nothing came back')
})

test('Rule: made, ordered, changed, tried on mail that is there, refused', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const [a, b] = [await room.deliver(mail('Invoice 7')), await room.deliver(mail('Hello'))]
  const archive = `F${(await room.folder('archive')).id}`
  const made = await client.call('Rule/set', {
    create: {
      one: {
        name: 'Bills',
        conditions: { subjectContains: ['invoice'] },
        actions: { moveTo: archive, markRead: true },
      },
      two: {
        name: 'Text',
        isEnabled: false,
        conditions: { bodyContains: ['hello'] },
        actions: { categories: ['Red category'] },
      },
      bad: { name: 'x', conditions: { subjectContains: [] }, actions: { markRead: true } },
      none: { name: 'x', actions: {} },
      where: { name: 'x', actions: { moveTo: 'F9999' } },
      who: { name: 'x', actions: { forwardTo: ['not an address'] } },
    },
  })
  assert.deepEqual(
    ['bad', 'none', 'where', 'who'].map((one) => made.notCreated[one].type),
    Array.from({ length: 4 }, () => 'invalidProperties'),
  )
  const [one, two] = [made.created.one.id, made.created.two.id]
  await client.call('Rule/set', { order: [two, one], update: { [one]: { 'exceptions/hasAttachment': true } } })
  const { list } = await client.call('Rule/get')
  assert.deepEqual(
    list.map((rule: Args) => rule.id),
    [two, one],
  )
  assert.deepEqual(list[1].exceptions, { hasAttachment: true })
  const [entry] = await (await room.mailbox()).state(DELIVERY_STATE, RULES_KEY)
  assert.equal(decodeRules(entry?.value).rules.length, 2)
  const dry = await client.call('Rule/run', { ids: [one, two], mailboxId: 'F3', dryRun: true })
  assert.deepEqual([dry.looked, dry.matched, dry.position], [2, 2, null])
  assert.deepEqual((await get(client, a.id, 'mailboxIds')).mailboxIds, { F3: true })
  const run = await client.call('Rule/run', { ids: [one, two], mailboxId: 'F3' })
  assert.equal(run.matched, 2)
  const moved = await get(client, a.id, 'mailboxIds', 'keywords', 'categories')
  assert.deepEqual(
    moved,
    {
      id: a.id,
      mailboxIds: { F3: true },
      keywords: {},
      categories: { 'Red category': true },
    },
    'both match the text; the first stops',
  )
  await client.call('Rule/run', { ids: [one], mailboxId: 'F3' })
  const now = await get(client, a.id, 'mailboxIds', 'keywords')
  assert.deepEqual([now.mailboxIds, now.keywords], [{ [archive]: true }, { $seen: true }])
  assert.deepEqual((await get(client, b.id, 'mailboxIds')).mailboxIds, { F3: true })
  const gone = await client.call('Rule/set', { destroy: [one, 'R99'] })
  assert.deepEqual([gone.destroyed, gone.notDestroyed.R99.type], [[one], 'notFound'])
})

test('SenderLists and AutomaticReplies: one record each, shared with the transport and phones', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await client.call('SenderLists/set', { update: { singleton: { blocked: ['@Spam.example'], safe: ['a@b.example'] } } })
  assert.deepEqual((await client.call('SenderLists/get')).list[0], {
    id: 'singleton',
    blocked: ['spam.example'],
    safe: ['a@b.example'],
  })
  for (const patch of [{ blocked: ['nonsense'] }, { safe: ['spam.example'] }])
    assert.equal(
      (await client.call('SenderLists/set', { update: { singleton: patch } })).notUpdated.singleton.type,
      'invalidProperties',
    )
  const inside = { isEnabled: true, bodyType: 'text', message: 'Colleagues' }
  const outside = { isEnabled: true, bodyType: 'html', message: '<p>World</p>' }
  const answer = await client.call('AutomaticReplies/set', {
    update: { singleton: { state: 'enabled', inside, outside, subject: 'Away' } },
  })
  assert.deepEqual(answer.updated, { singleton: null })
  const [entry] = await (await room.mailbox()).state(OOF_STATE.client, OOF_STATE.key)
  const record = decodeOof(entry?.value)
  assert.deepEqual(
    [record.replies.internal.message, record.replies.externalUnknown.message, record.subject],
    ['Colleagues', '<p>World</p>', 'Away'],
  )
  const vacation = (await client.call('VacationResponse/get')).list[0]
  assert.deepEqual([vacation.isEnabled, vacation.subject, vacation.htmlBody], [true, 'Away', '<p>World</p>'])
  const plain = { state: 'enabled', start: null, end: null, subject: null }
  const cleared = await client.call('AutomaticReplies/set', { update: { singleton: plain } })
  assert.deepEqual(cleared.updated, { singleton: null })
  assert.equal((await client.call('AutomaticReplies/get')).list[0].subject, null)
  const bad = await client.call('AutomaticReplies/set', { update: { singleton: { state: 'scheduled' } } })
  assert.deepEqual(bad.notUpdated.singleton.properties, ['start', 'end'])
})

test('R54: the switch parts the Inbox, moves teach, and it is said why', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const list = await room.deliver(mail('Sale', ['List-Id: <news.shop.example>']))
  const person = await room.deliver(mail('Lunch'))
  await client.call('Preferences/set', { update: { singleton: { focused: true } } })
  await until(async () => (await get(client, list.id, 'inference')).inference === 'other')
  assert.equal((await get(client, person.id, 'inference')).inference, 'focused')
  const why = await client.call('Focus/explain', { ids: [list.id, person.id, 'M999'] })
  assert.deepEqual(
    why.list.map((one: Args) => [one.inference, one.reasons[0]]),
    [
      ['other', 'list'],
      ['focused', 'toMe'],
    ],
  )
  assert.deepEqual(why.notFound, ['M999'])
  await set(client, list.id, { inference: 'focused' })
  const [entry] = await (await room.mailbox()).state(DELIVERY_STATE, FOCUS_KEY)
  const record = decodeFocus(entry?.value)
  assert.equal(record.enabled, true)
  assert.ok((record.weights['learned:from:carol@example.net'] ?? 0) > 0)
  await set(client, person.id, { 'keywords/$answered': true })
  const [answered] = await (await room.mailbox()).state(DELIVERY_STATE, FOCUS_KEY)
  assert.notDeepEqual(decodeFocus(answered?.value).weights, record.weights, 'an answer teaches, too')
  await set(client, list.id, { inference: 'other' })
  const [last] = await (await room.mailbox()).state(DELIVERY_STATE, FOCUS_KEY)
  await client.call('Preferences/set', { update: { singleton: { focused: false } } })
  const [after] = await (await room.mailbox()).state(DELIVERY_STATE, FOCUS_KEY)
  assert.deepEqual(
    decodeFocus(after?.value),
    { ...decodeFocus(last?.value), enabled: false },
    'what was learnt is kept',
  )
})

test('R56: reservations of a mail, by Reservation/parse', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const data = {
    '@context': 'http://schema.org',
    '@type': 'TrainReservation',
    reservationNumber: 'AB1',
    reservationFor: { trainNumber: 'ICE 9', departureStation: 'Köln', departureTime: '2027-01-02T07:30:00+01:00' },
  }
  const html = `<script type="application/ld+json">${JSON.stringify(data)}</script><p>Your train</p>`
  const train = await room.deliver(mail('Train', ['MIME-Version: 1.0', 'Content-Type: text/html; charset=utf-8'], html))
  const plain = await room.deliver(mail('Plain'))
  const { list, notFound } = await client.call('Reservation/parse', { emailIds: [train.id, plain.id, 'M99'] })
  assert.deepEqual(notFound, ['M99'])
  assert.deepEqual(
    list.map((one: Args) => [one.emailId, one.reservations.length]),
    [
      [train.id, 1],
      [plain.id, 0],
    ],
  )
  const [found] = list[0].reservations
  assert.deepEqual([found.kind, found.name, found.from.name, found.number], ['train', 'ICE 9', 'Köln', 'AB1'])
})
