import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { type Child, child, children, type Element, el, text } from '@postrider/wire/wbxml'
import { bodyOf, crlf, crowd, fetch, outgoing, preference, propertiesOf, rich } from './mails.ts'
import { Room } from './room.ts'

const storeOf = (reply: Reply): Element | undefined => child(child(reply.document, 'Search:Response'), 'Search:Store')
const search = (phone: Phone, name: string, query: Element, ...options: Child[]): Promise<Reply> =>
  phone.call({
    command: 'Search',
    body: el(
      'Search:Search',
      el('Search:Store', el('Search:Name', name), query, options.length > 0 && el('Search:Options', options)),
    ),
  })
const and = (...conditions: Child[]): Element => el('Search:Query', el('Search:And', ...conditions))
const words = (value: string) => el('Search:FreeText', value)
const range = (value: string) => el('Search:Range', value)
const in_ = (id: string | number) => el('AirSync:CollectionId', String(id))

interface Found {
  readonly status: string | undefined
  readonly range: string | undefined
  readonly total: string | undefined
  readonly results: readonly Element[]
  readonly subjects: readonly (string | undefined)[]
}
async function mail(phone: Phone, query: Element, ...options: Child[]): Promise<Found> {
  const store = storeOf(await search(phone, 'Mailbox', query, ...options))
  const results = children(store, 'Search:Result').filter((one) => one.children.length > 0)
  return {
    status: text(store, 'Search:Status'),
    range: text(store, 'Search:Range'),
    total: text(store, 'Search:Total'),
    results,
    subjects: results.map((one) => text(child(one, 'Search:Properties'), 'Email:Subject')),
  }
}

for (const version of ['12.1', '14.0', '14.1', '16.0', '16.1'] as const) {
  test(`${version}: mail by words, newest first, with LongId, folder, range and total (MS-ASCMD_R4638)`, async () => {
    await using room = await Room.open()
    await room.deliver('apple pie', { received: Date.UTC(2026, 0, 1) })
    await room.deliver('apple tart', { received: Date.UTC(2026, 0, 3), folder: 'archive' })
    await room.deliver('plum cake', { received: Date.UTC(2026, 0, 2), body: 'no apples, but Apple in the text' })
    await room.deliver('pear')
    const phone = await room.ready({ version })
    const found = await mail(phone, and(el('AirSync:Class', 'Email'), words('apple')), el('Search:RebuildResults'))
    assert.deepEqual(found.subjects, ['apple tart', 'plum cake', 'apple pie'])
    assert.deepEqual([found.status, found.range, found.total], ['1', '0-2', '3'])
    const [first] = found.results
    assert.equal(text(first, 'AirSync:CollectionId'), String((await room.folder('archive')).id))
    const fetched = await phone.call({
      command: 'ItemOperations',
      body: el(
        'ItemOperations:ItemOperations',
        el(
          'ItemOperations:Fetch',
          el('ItemOperations:Store', 'Mailbox'),
          el('Search:LongId', text(first, 'Search:LongId')),
        ),
      ),
    })
    const item = child(child(fetched.document, 'ItemOperations:Response'), 'ItemOperations:Fetch')
    assert.equal(text(propertiesOf(item), 'Email:Subject'), 'apple tart')
    const page = await mail(phone, and(words('apple')), range('1-1'))
    assert.deepEqual([page.subjects, page.range, page.total], [['plum cake'], '1-1', '3'])
  })
}

test('folders: one, several, with what lies below, all (MS-ASCMD_R2031, R2146)', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  await room.write({ op: 'createFolder', parent: inbox.id, name: 'Sub', class: 'IPF.Note' })
  const sub = (await room.mailbox.folders()).find(({ name }) => name === 'Sub')!
  await room.deliver('apple in')
  const mid = await room.deliver('apple below')
  await room.write({ op: 'move', from: inbox.id, items: { mids: [mid] }, to: sub.id })
  await room.deliver('apple kept', { folder: 'archive' })
  const archive = await room.folder('archive')
  const phone = await room.ready()
  const subjects = async (...content: Child[]) =>
    (await mail(phone, and(words('apple'), ...content))).subjects.toSorted()
  assert.deepEqual(await subjects(in_(inbox.id)), ['apple in'])
  assert.deepEqual(await subjects(in_(inbox.id), in_(archive.id)), ['apple in', 'apple kept'])
  const deep = await mail(phone, and(words('apple'), in_(inbox.id)), el('Search:DeepTraversal'))
  assert.deepEqual(deep.subjects.toSorted(), ['apple below', 'apple in'])
  assert.deepEqual((await subjects()).length, 3)
  assert.deepEqual((await subjects(in_(0))).length, 3, 'Outlook for phones')
  assert.equal((await mail(phone, and(words('apple'), in_(9999)))).status, '11')
})

test('dates and conversations (MS-ASCMD_R3140, R3217, MS-ASCON_R220)', async () => {
  await using room = await Room.open()
  const first = await room.deliverMime(crlf(['Subject: topic', 'Message-ID: <a@x>', '', 'x']), {
    received: Date.UTC(2026, 0, 1),
  })
  await room.deliverMime(crlf(['Subject: Re: topic', 'Message-ID: <b@x>', 'References: <a@x>', '', 'x']), {
    folder: 'sentitems',
    received: Date.UTC(2026, 0, 2),
  })
  await room.deliver('other', { received: Date.UTC(2026, 0, 3) })
  const phone = await room.ready()
  const inbox = await room.folder('inbox')
  const id = child(propertiesOf(await fetch(phone, inbox, first)), 'Email2:ConversationId')?.children[0] as Uint8Array
  const thread = await mail(phone, and(el('Search:ConversationId', id)))
  assert.deepEqual(thread.subjects, ['Re: topic', 'topic'])
  const bound = (tag: 'GreaterThan' | 'LessThan', value: string) =>
    el(`Search:${tag}`, el('Email:DateReceived'), el('Search:Value', value))
  const after = await mail(phone, and(bound('GreaterThan', '2026-01-01T00:00:00.000Z')))
  assert.deepEqual(after.subjects, ['other', 'Re: topic'])
  const between = await mail(
    phone,
    and(bound('GreaterThan', '2026-01-01T00:00:00.000Z'), bound('LessThan', '2026-01-03T00:00:00.000Z')),
  )
  assert.deepEqual(between.subjects, ['Re: topic'])
  const part = el('AirSyncBase:BodyPartPreference', el('AirSyncBase:Type', 2))
  const withPart = await mail(phone, and(el('Search:ConversationId', id)), part)
  assert.ok(child(child(withPart.results[0], 'Search:Properties'), 'AirSyncBase:BodyPart'))
})

test('bodies as asked for; nothing found is an empty Result (MS-ASCMD_R3850)', async () => {
  await using room = await Room.open()
  await room.deliverMime(rich())
  const phone = await room.ready()
  const found = await mail(phone, and(words('Köln')), preference(1, 5))
  const body = bodyOf(child(found.results[0], 'Search:Properties'))
  assert.deepEqual([body.type, body.data, body.truncated], [1, 'Grü', '1'])
  const none = storeOf(await search(phone, 'Mailbox', and(words('nowhere'))))
  assert.equal(text(none, 'Search:Status'), '1')
  assert.deepEqual(
    children(none, 'Search:Result').map((one) => one.children.length),
    [0],
  )
  assert.equal(text(none, 'Search:Total'), '0')
  assert.equal((await mail(phone, and(el('AirSync:Class', 'Tasks'), words('Köln')))).total, '0')
})

test('ranges: 100 at a time, past the end is 12 (MS-ASCMD_R3733, R3736, R4361)', async () => {
  await using room = await Room.open()
  for (let n = 0; n < 120; n++) await room.deliver(`apple ${n}`)
  const phone = await room.ready()
  const get = async (value?: string) => {
    const {
      status,
      range: given,
      total,
      results,
    } = await mail(phone, and(words('apple')), ...(value === undefined ? [] : [range(value)]))
    return [status, given, total, results.length]
  }
  assert.deepEqual(await get(), ['1', '0-99', '120', 100])
  assert.deepEqual(await get('0-9'), ['1', '0-9', '120', 10])
  assert.deepEqual(await get('100-199'), ['1', '100-119', '120', 20])
  assert.deepEqual(await get('0-999'), ['12', '0-99', '120', 100])
  assert.deepEqual(await get('500-599'), ['12', undefined, '120', 0])
  for (const wrong of ['9-0', 'x', '0', '-1-5']) assert.equal((await get(wrong))[0], '2', wrong)
})

test('queries that are too complex are 8, wrong ones 2 (MS-ASCMD_R772, R2032, R2086, R3105, R3143, MS-ASEMAIL_R68)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const query = (...content: Child[]) => el('Search:Query', ...content)
  const table: [string, string, Element][] = [
    ['FreeText outside', '8', query(words('x'))],
    ['CollectionId outside', '8', query(in_(2))],
    ['ConversationId outside', '8', query(el('Search:ConversationId', Buffer.alloc(16)))],
    ['two And', '8', query(el('Search:And', words('x')), el('Search:And', words('y')))],
    ['Or', '8', query(el('Search:Or', words('x')))],
    ['Or in And', '8', and(el('Search:Or', words('x')))],
    ['And in And', '8', and(el('Search:And', words('x')))],
    ['nothing', '2', query()],
    ['an empty And', '2', and()],
    ['no condition but a folder', '2', and(in_(2))],
    ['empty words', '2', and(el('Search:FreeText'))],
    ['a conversation that is none', '2', and(el('Search:ConversationId', Buffer.alloc(3)))],
    ['a date that is none', '2', and(el('Search:LessThan', el('Email:DateReceived'), el('Search:Value', 'x')))],
    ['a comparison of nothing', '2', and(el('Search:LessThan', el('Search:Value', '2026-01-01T00:00:00.000Z')))],
    ['an element of mail', '2', and(words('x'), el('Email:Subject', 'x'))],
  ]
  for (const [what, status, element] of table) assert.equal((await mail(phone, element)).status, status, what)
  assert.equal((await mail(phone, and(words('x')), preference(7))).status, '2')
  const part = el('AirSyncBase:BodyPartPreference', el('AirSyncBase:Type', 1))
  assert.equal((await mail(phone, and(words('x')), part)).status, '164')
  const store = storeOf(await search(phone, 'Elsewhere', and(words('x'))))
  assert.equal(text(store, 'Search:Status'), '2')
})

test('people: prefix of a name, alias or address; only what is not empty; pictures there are none (173)', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  const people = async (value: string, ...options: Child[]) => {
    const store = storeOf(await search(phone, 'GAL', el('Search:Query', value), ...options))
    return {
      status: text(store, 'Search:Status'),
      range: text(store, 'Search:Range'),
      total: text(store, 'Search:Total'),
      results: children(store, 'Search:Result').length,
      entries: children(store, 'Search:Result').flatMap((one) => child(one, 'Search:Properties') ?? []),
    }
  }
  const carols = await people('carol')
  assert.deepEqual([carols.status, carols.range, carols.total], ['1', '0-1', '2'])
  assert.deepEqual(
    carols.entries.map((one) => text(one, 'GAL:EmailAddress')),
    ['carol@example.com', 'caroline@example.com'],
  )
  const [boss] = (await people('Bo B')).entries
  assert.deepEqual(
    children(boss).map((one) => [one.tag, text(boss, one.tag)]),
    [
      ['GAL:DisplayName', 'Bo Boss'],
      ['GAL:Phone', '+49 1'],
      ['GAL:Office', 'B1'],
      ['GAL:Title', 'Head'],
      ['GAL:Company', 'Example'],
      ['GAL:Alias', 'boss'],
      ['GAL:FirstName', 'Bo'],
      ['GAL:LastName', 'Boss'],
      ['GAL:EmailAddress', 'boss@example.com'],
    ],
  )
  const one = await people('carol', range('1-1'))
  assert.deepEqual([one.range, one.total, text(one.entries[0], 'GAL:Alias')], ['1-1', '2', 'caroline'])
  const pictured = await people('boss', el('Search:Picture'))
  assert.equal(text(child(pictured.entries[0], 'GAL:Picture'), 'GAL:Status'), '173')
  const none = await people('zzz')
  assert.deepEqual([none.status, none.total, none.entries.length], ['1', '0', 0])
  assert.equal(none.results, 1, 'MS-ASCMD_R3850: an empty Result')
  assert.equal((await people('')).status, '2')
  assert.equal((await people('team')).entries.length, 1, 'groups are people too')
})

test('documents are denied, bad links said to be bad (MS-ASCMD_R4338, R4335)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const link = (value: string) =>
    el('Search:Query', el('Search:EqualTo', el('DocumentLibrary:LinkId'), el('Search:Value', value)))
  const status = async (query: Element) => text(storeOf(await search(phone, 'DocumentLibrary', query)), 'Search:Status')
  assert.equal(await status(link('\\\\server\\share')), '5')
  assert.equal(await status(link('nonsense')), '4')
  assert.equal(await status(and(words('x'))), '2')
})

interface Hit {
  readonly outer: string | undefined
  readonly status: string | undefined
  readonly store: string | undefined
  readonly range: string | undefined
  readonly total: string | undefined
  readonly results: readonly Element[]
}

async function find(phone: Phone, criterion: Element, id: string | undefined = 'b3f1'): Promise<Hit> {
  const reply = await phone.call({
    command: 'Find',
    body: el('Find:Find', id !== '' && el('Find:SearchId', id), el('Find:ExecuteSearch', criterion)),
  })
  const response = child(reply.document, 'Find:Response')
  return {
    outer: text(reply.document, 'Find:Status'),
    status: text(response, 'Find:Status'),
    store: text(response, 'ItemOperations:Store'),
    range: text(response, 'Find:Range'),
    total: text(response, 'Find:Total'),
    results: children(response, 'Find:Result'),
  }
}
const mailbox = (value: string, ...options: Child[]): Element =>
  el(
    'Find:MailBoxSearchCriterion',
    el('Find:Query', el('AirSync:Class', 'Email'), el('Find:FreeText', value)),
    options.length > 0 && el('Find:Options', options),
  )

test('Find: mail by keyword query, with what a list shows (MS-ASCMD_R10031940, R131999)', async () => {
  await using room = await Room.open()
  await room.deliverMime(rich('apple'), { received: Date.UTC(2026, 10, 21) })
  await room.deliver('apple two', { received: Date.UTC(2026, 10, 20) })
  await room.deliverMime(outgoing({ subject: 'draft of apples' }), { folder: 'drafts', flags: 16 })
  const phone = await room.ready()
  const hit = await find(phone, mailbox('apple from:bob', el('Find:Range', '0-9'), el('Find:DeepTraversal')))
  assert.deepEqual([hit.outer, hit.status, hit.store, hit.range, hit.total], ['1', '1', 'Mailbox', '0-1', '2'])
  const properties = child(hit.results[0], 'Find:Properties')
  assert.equal(text(hit.results[0], 'AirSync:Class'), 'Email')
  assert.match(text(hit.results[0], 'AirSync:ServerId') ?? '', /^\d+:\d+$/)
  assert.equal(text(properties, 'Email:Subject'), 'Re: apple')
  assert.equal(text(properties, 'Email:From'), '"Böb" <bob@example.net>')
  assert.equal(text(properties, 'Email:DisplayTo'), 'Example, Alice; Carol')
  assert.equal(text(properties, 'Find:DisplayCc'), 'dave@example.org')
  assert.equal(text(properties, 'Find:HasAttachments'), '1')
  assert.match(text(properties, 'Find:Preview') ?? '', /Grüße/)
  assert.equal((await find(phone, mailbox('subject:"draft of"'))).total, '1')
  assert.equal((await find(phone, mailbox('received:2026-11-20'))).total, '1')
  assert.equal((await find(phone, mailbox('hasattachment:true AND apple'))).total, '1')
  assert.equal((await find(phone, mailbox('apple NOT two'))).total, '2')
})

test('Find: ranges begin with zero, wrong requests are 2, old folders 3 (MS-ASCMD_R72172517)', async () => {
  await using room = await Room.open()
  for (let n = 0; n < 12; n++) await room.deliver(`apple ${n}`)
  const phone = await room.ready()
  const ranged = (value: string) => mailbox('apple', el('Find:Range', value))
  assert.equal((await find(phone, ranged('5-9'), 'new')).status, '4')
  assert.equal((await find(phone, ranged('0-4'), 'new')).range, '0-4')
  assert.equal((await find(phone, ranged('5-9'), 'new')).range, '5-9')
  assert.equal((await find(phone, ranged('10-99'), 'new')).range, '10-11')
  assert.equal((await find(phone, ranged('5-9'), 'other')).status, '4')
  assert.equal((await find(phone, ranged('x'))).outer, '2')
  assert.equal((await find(phone, mailbox(''))).outer, '2')
  assert.equal((await find(phone, mailbox('apple'), '')).outer, '2')
  const nowhere = el(
    'Find:MailBoxSearchCriterion',
    el('Find:Query', el('Find:FreeText', 'apple'), el('AirSync:CollectionId', '9999')),
  )
  assert.equal((await find(phone, nowhere)).outer, '3')
})

test('Find: people (MS-ASCMD_R132000); and only 16.1 has it', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  const hit = await find(
    phone,
    el('Find:GalSearchCriterion', el('Find:Query', 'carol'), el('Find:Options', el('Find:Picture'))),
  )
  assert.deepEqual([hit.status, hit.range, hit.total], ['1', '0-1', '2'])
  assert.equal(hit.store, 'Mailbox', 'MS-ASCMD_R45251807')
  const entry = child(hit.results[0], 'Find:Properties')
  assert.equal(text(entry, 'GAL:Alias'), 'carol')
  assert.equal(text(child(entry, 'GAL:Picture'), 'GAL:Status'), '173')
  const old = await room.ready({ version: '16.0' })
  const reply = await old.call({ command: 'Find', body: el('Find:Find', el('Find:SearchId', 'x')) })
  assert.notEqual(text(reply.document, 'Find:Status'), '1')
})
