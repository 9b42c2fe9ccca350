import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag } from '@postrider/domain'
import type { Args, JmapError } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

const fails = (type: string) => (error: unknown) => (error as JmapError).type === type
const types = (map: Record<string, Args>) =>
  Object.fromEntries(
    Object.entries(map).map(([key, one]) => [key, [one.type, ...(one.properties ?? one.notFound ?? [])]]),
  )

test('RFC 8621 §4.6: a mail of texts, a picture of the HTML and a file comes back as it was made', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const picture = await client.upload(Buffer.from([1, 2, 3, 4]), 'image/png')
  const file = await client.upload('x'.repeat(100_000), 'application/pdf')
  const { created } = await client.call('Email/set', {
    create: {
      m: {
        mailboxIds: { F4: true },
        keywords: { $draft: true, $seen: true, Todo: true },
        receivedAt: '2026-01-02T03:04:05Z',
        from: [{ name: 'Älice', email: 'alice@example.com' }],
        to: [{ email: 'bob@example.com' }, { name: null, email: 'x@y.example' }],
        subject: 'Grüße\r\nBcc: evil@example.net',
        messageId: ['own@example.com'],
        references: ['a@b', 'c@d'],
        sentAt: '2026-01-02T05:04:05+02:00',
        'header:X-Raw': ' just so',
        'header:List-Post:asURLs': ['mailto:list@example.com'],
        bodyValues: { t: { value: 'Plain ☃' }, h: { value: '<p>Rich <img src="cid:pic"></p>' } },
        textBody: [{ partId: 't', type: 'text/plain' }],
        htmlBody: [{ partId: 'h', type: 'text/html' }],
        attachments: [
          { blobId: picture.blobId, type: 'image/png', cid: 'pic', disposition: 'inline' },
          { blobId: file.blobId, type: 'application/pdf', name: 'Übersicht.pdf', disposition: 'attachment' },
        ],
      },
    },
  })
  assert.deepEqual(Object.keys(created.m).sort(), ['blobId', 'id', 'size', 'threadId'])
  const properties = [
    'mailboxIds',
    'keywords',
    'receivedAt',
    'from',
    'to',
    'bcc',
    'subject',
    'messageId',
    'references',
    'sentAt',
    'header:X-Raw',
    'header:List-Post:asURLs',
    'hasAttachment',
    'size',
    'blobId',
    'bodyStructure',
    'bodyValues',
    'attachments',
  ]
  const { list } = await client.call('Email/get', {
    ids: [created.m.id],
    properties,
    fetchAllBodyValues: true,
    bodyProperties: ['type', 'name', 'cid', 'disposition', 'size', 'blobId'],
  })
  const [{ bodyStructure, bodyValues, attachments, size, blobId, ...rest }] = list
  assert.deepEqual(rest, {
    id: created.m.id,
    mailboxIds: { F4: true },
    keywords: { $draft: true, $seen: true, todo: true },
    receivedAt: '2026-01-02T03:04:05Z',
    from: [{ name: 'Älice', email: 'alice@example.com' }],
    to: [
      { name: null, email: 'bob@example.com' },
      { name: null, email: 'x@y.example' },
    ],
    bcc: null,
    subject: 'Grüße Bcc: evil@example.net',
    messageId: ['own@example.com'],
    references: ['a@b', 'c@d'],
    sentAt: '2026-01-02T05:04:05+02:00',
    'header:X-Raw': ' just so',
    'header:List-Post:asURLs': ['mailto:list@example.com'],
    hasAttachment: true,
  })
  const shape = (part: Args): unknown =>
    part.subParts === undefined ? part.type : [part.type, ...part.subParts.map(shape)]
  assert.deepEqual(shape(bodyStructure), [
    'multipart/mixed',
    ['multipart/alternative', 'text/plain', ['multipart/related', 'text/html', 'image/png']],
    'application/pdf',
  ])
  assert.deepEqual(
    Object.values(bodyValues as Record<string, Args>).map((one) => one.value),
    ['Plain ☃', '<p>Rich <img src="cid:pic"></p>'],
  )
  assert.deepEqual(
    attachments.map((one: Args) => [one.name, one.cid, one.disposition, one.size]),
    [
      [null, 'pic', 'inline', 4],
      ['Übersicht.pdf', null, 'attachment', 100_000],
    ],
  )
  assert.deepEqual([size, blobId], [created.m.size, created.m.blobId])
  const whole = await client.download(blobId)
  assert.equal(whole.body.length, size)
  assert.equal((await client.download(attachments[1].blobId)).body.toString(), 'x'.repeat(100_000))
})

test('RFC 8621 §4.6: what cannot be made says why', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const inbox = { mailboxIds: { F3: true } }
  const { notCreated } = await client.call('Email/set', {
    create: {
      nowhere: {},
      empty: { mailboxIds: {} },
      unknown: { mailboxIds: { F9999: true } },
      id: { ...inbox, id: 'M1' },
      twice: { ...inbox, subject: 'a', 'header:Subject:asText': 'b' },
      content: { ...inbox, 'header:Content-Type': ' text/plain' },
      both: { ...inbox, bodyStructure: { partId: '1' }, textBody: [{ partId: '1' }], bodyValues: { 1: { value: '' } } },
      novalue: { ...inbox, textBody: [{ partId: '1' }] },
      blob: { ...inbox, attachments: [{ blobId: 'Unone', type: 'a/b' }] },
      truncated: { ...inbox, bodyValues: { 1: { value: 'x', isTruncated: true } } },
      keyword: { ...inbox, keywords: { 'a b': true } },
      false: { ...inbox, keywords: { a: false } },
      inject: { ...inbox, 'header:X-A': ' b\r\nBcc: evil@example.net' },
      form: { ...inbox, 'header:From:asText': 'x' },
    },
  })
  assert.deepEqual(types(notCreated), {
    nowhere: ['invalidProperties', 'mailboxIds'],
    empty: ['invalidProperties', 'mailboxIds'],
    unknown: ['invalidProperties', 'mailboxIds'],
    id: ['invalidProperties', 'id'],
    twice: ['invalidProperties', 'header:Subject:asText'],
    content: ['invalidProperties', 'header:Content-Type'],
    both: ['invalidProperties', 'bodyStructure', 'textBody'],
    novalue: ['invalidProperties', 'textBody'],
    blob: ['blobNotFound', 'Unone'],
    truncated: ['invalidProperties', 'bodyValues'],
    keyword: ['invalidProperties', 'keywords'],
    false: ['invalidProperties', 'keywords'],
    inject: ['invalidProperties', 'header:X-A'],
    form: ['invalidProperties', 'header:From:asText'],
  })
})

test('RFC 8621 §4.6: marks, moves, copies in several mailboxes and removal; ids stay', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { id } = await room.deliver(mail('One'))
  const other = await room.deliver(mail('Two'), { flags: Flag.flagged })
  const get = async (one = id) =>
    (await client.call('Email/get', { ids: [one], properties: ['mailboxIds', 'keywords'] })).list[0]
  await client.call('Email/set', {
    update: { [id]: { 'keywords/$seen': true, 'keywords/Work': true }, [other.id]: { keywords: { $seen: true } } },
  })
  assert.deepEqual((await get()).keywords, { $seen: true, work: true })
  assert.deepEqual((await get(other.id)).keywords, { $seen: true })
  await client.call('Email/set', { update: { [id]: { 'keywords/work': null, 'mailboxIds/F9': true } } })
  assert.deepEqual(await get(), { id, mailboxIds: { F3: true, F9: true }, keywords: { $seen: true } })
  const { list } = await client.call('Mailbox/get', { ids: ['F3', 'F9'], properties: ['totalEmails'] })
  assert.deepEqual(
    list.map((one: Args) => one.totalEmails),
    [2, 1],
  )
  await client.call('Email/set', { update: { [id]: { 'keywords/$flagged': true } } })
  await client.call('Email/set', { update: { [id]: { 'mailboxIds/F3': null } } })
  assert.deepEqual(await get(), { id, mailboxIds: { F9: true }, keywords: { $seen: true, $flagged: true } })
  await client.call('Email/set', { update: { [id]: { mailboxIds: { F6: true } } } })
  assert.deepEqual((await get()).mailboxIds, { F6: true })
  const answer = await client.call('Email/set', {
    update: { [id]: { mailboxIds: {} }, [other.id]: { subject: 'no' }, M9999: { keywords: {} } },
    destroy: ['M8888'],
  })
  assert.deepEqual(types(answer.notUpdated), {
    [id]: ['invalidProperties', 'mailboxIds'],
    [other.id]: ['invalidProperties', 'subject'],
    M9999: ['notFound'],
  })
  assert.deepEqual(types(answer.notDestroyed), { M8888: ['notFound'] })
  const both = await client.call('Email/set', { update: { [id]: { keywords: {} } }, destroy: [id, other.id] })
  assert.deepEqual(both.destroyed, [id, other.id])
  assert.equal(both.notUpdated[id].type, 'willDestroy')
  assert.equal((await client.call('Email/query', {})).ids.length, 0)
})

test('RFC 8621 §4.1.1: a mail that is read in one folder only is unread; marking another way touches no other mark', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { id, mid, folder } = await room.deliver(mail('One'), { flags: Flag.seen })
  const archive = await room.folder('archive')
  await room.apply({ op: 'copy', from: folder, items: { mids: [mid] }, to: archive.id })
  await room.apply({ op: 'flag', folder: archive.id, items: { uids: [1 as never] }, clear: Flag.seen })
  const keywords = async () =>
    (await client.call('Email/get', { ids: [id], properties: ['keywords'] })).list[0].keywords
  assert.deepEqual(await keywords(), {})
  await client.call('Email/set', { update: { [id]: { 'keywords/$flagged': true } } })
  const rows = await (await room.mailbox()).scan({ folder, columns: ['flags'] })
  assert.deepEqual([...rows.flags], [Flag.seen | Flag.flagged])
  await client.call('Email/set', { update: { [id]: { 'keywords/$seen': true } } })
  assert.deepEqual(await keywords(), { $seen: true, $flagged: true })
})

test('RFC 8621 §4.8, §4.9: import and parse of an upload; a forwarded mail inside', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const inner = mail('Inner', [], 'Deep inside.')
  const outer = [
    'Subject: Outer',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'See below.',
    '--b',
    'Content-Type: message/rfc822',
    '',
    inner,
    '--b--',
    '',
  ]
    .join('\n')
    .replaceAll('\n', '\r\n')
  const { blobId } = await client.upload(outer, 'message/rfc822')
  const { blobId: junk } = await client.upload('no header at all', 'message/rfc822')
  const { parsed, notParsable, notFound } = await client.call('Email/parse', {
    blobIds: [blobId, junk, 'Bnone'],
    properties: ['subject', 'attachments', 'id', 'preview'],
  })
  assert.deepEqual(
    [notParsable, notFound, parsed[blobId].subject, parsed[blobId].id],
    [[junk], ['Bnone'], 'Outer', null],
  )
  const nested = parsed[blobId].attachments[0].blobId
  const deep = await client.call('Email/parse', {
    blobIds: [nested],
    properties: ['subject', 'bodyValues'],
    fetchTextBodyValues: true,
  })
  assert.equal(deep.parsed[nested].subject, 'Inner')
  const values = Object.values(deep.parsed[nested].bodyValues as Record<string, Args>)
  assert.deepEqual(
    values.map((one) => one.value),
    ['Deep inside.\n'],
  )
  const answer = await client.call('Email/import', {
    emails: {
      a: { blobId, mailboxIds: { F3: true }, keywords: { $seen: true }, receivedAt: '2020-01-01T00:00:00Z' },
      b: { blobId: junk, mailboxIds: { F3: true } },
      c: { blobId: 'Uno', mailboxIds: { F3: true } },
    },
  })
  assert.deepEqual(types(answer.notCreated), { b: ['invalidEmail'], c: ['blobNotFound', 'Uno'] })
  const { list } = await client.call('Email/get', {
    ids: [answer.created.a.id],
    properties: ['subject', 'keywords', 'receivedAt'],
  })
  assert.deepEqual(list, [
    { id: answer.created.a.id, subject: 'Outer', keywords: { $seen: true }, receivedAt: '2020-01-01T00:00:00Z' },
  ])
  const stored = (await client.call('Email/get', { ids: [answer.created.a.id], properties: ['attachments'] })).list[0]
    .attachments[0].blobId
  assert.equal(
    (await client.call('Email/parse', { blobIds: [stored], properties: ['subject'] })).parsed[stored].subject,
    'Inner',
  )
})

test('RFC 8621 §4.7: Email/copy between accounts, and the original goes', async () => {
  await using room = await Room.open([{}, { fullAccess: ['alice'] }])
  const client = await room.client()
  const { id } = await room.deliver(mail('One'), { flags: Flag.seen, received: 1_000_000_000_000 })
  const answers = await client.request([
    [
      'Email/copy',
      {
        fromAccountId: 'A1',
        accountId: 'A2',
        create: { a: { id, mailboxIds: { F3: true } }, b: { id: 'M999', mailboxIds: { F3: true } } },
        onSuccessDestroyOriginal: true,
      },
      '0',
    ],
  ])
  assert.deepEqual(
    answers.map(([name]) => name),
    ['Email/copy', 'Email/set'],
  )
  assert.equal(answers[0]?.[1].notCreated.b.type, 'notFound')
  assert.deepEqual(answers[1]?.[1].destroyed, [id])
  const copy = await client.call('Email/get', {
    accountId: 'A2',
    ids: [answers[0]?.[1].created.a.id],
    properties: ['subject', 'keywords', 'receivedAt'],
  })
  assert.deepEqual(
    [copy.list[0].subject, copy.list[0].keywords, copy.list[0].receivedAt],
    ['One', { $seen: true }, '2001-09-09T01:46:40Z'],
  )
  await assert.rejects(client.call('Email/copy', { fromAccountId: 'A1', create: {} }), fails('invalidArguments'))
  await assert.rejects(client.call('Email/copy', { fromAccountId: 'A77', create: {} }), fails('fromAccountNotFound'))
})

test('RFC 8620 §5.3: what cannot change may be sent back as it is; anything else of it is refused by name', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { mid } = await room.deliver(mail('One', ['Cc: Zoe <zoe@example.net>', 'References: <a@b>']))
  const {
    list: [email],
  } = await client.call('Email/get', { ids: null })
  assert.ok(mid > 0)
  const {
    list: [whole],
  } = await client.call('Email/get', { ids: [email.id], properties: [...Object.keys(email), 'header:Subject:asText'] })
  const back = await client.call('Email/set', { update: { [email.id]: { ...whole, keywords: { $seen: true } } } })
  assert.deepEqual(Object.keys(back.updated), [email.id])
  const read = async (): Promise<Args> =>
    (await client.call('Email/get', { ids: [email.id], properties: ['keywords'] })).list[0].keywords
  assert.deepEqual(await read(), { $seen: true })
  const other = await client.call('Email/set', {
    update: { [email.id]: { ...whole, subject: 'Two', 'header:X-New': ' y', nonsense: 1, 'from/0': null } },
  })
  assert.deepEqual(types(other.notUpdated), {
    [email.id]: ['invalidProperties', 'subject', 'header:X-New', 'nonsense', 'from/0'],
  })
})

test('RFC 8620 §5.3: a path of a patch that goes on below a keyword or a mailbox is no patch', async () => {
  await using room = await Room.open()
  const client = await room.client()
  await room.deliver(mail('One'))
  const {
    ids: [id],
  } = await client.call('Email/query')
  for (const path of ['keywords/$seen/x', 'mailboxIds/F4/x', 'keywords/a/b/c']) {
    const { notUpdated } = await client.call('Email/set', { update: { [id]: { [path]: true } } })
    assert.deepEqual(types(notUpdated), { [id]: ['invalidPatch'] }, path)
  }
  const { updated } = await client.call('Email/set', { update: { [id]: { 'keywords/a~1b': true } } })
  assert.deepEqual(Object.keys(updated), [id])
})

test('RFC 8621 §4.6: no size of what the server encodes, no field twice in the header of message and root part', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const part = (more: object) => ({
    mailboxIds: { F4: true },
    subject: 'One',
    bodyValues: { t: { value: 'text' } },
    bodyStructure: { partId: 't', type: 'text/plain', ...more },
  })
  const inside = {
    ...part({}),
    bodyStructure: { type: 'multipart/mixed', subParts: [{ partId: 't', 'header:Subject': ' of the part' }] },
  }
  const { created, notCreated } = await client.call('Email/set', {
    create: {
      size: part({ size: 4 }),
      subject: part({ 'header:Subject': ' Two' }),
      date: part({ 'header:Date': ' Thu, 1 Jan 2026 00:00:00 +0000' }),
      language: part({ language: ['en'], 'header:Content-Language': ' fr' }),
      good: part({ 'header:X-Part': ' yes' }),
      inside,
    },
  })
  const refused = ['invalidProperties', 'bodyStructure']
  assert.deepEqual(types(notCreated), { size: refused, subject: refused, date: refused, language: refused })
  assert.deepEqual(Object.keys(created).sort(), ['good', 'inside'])
})
