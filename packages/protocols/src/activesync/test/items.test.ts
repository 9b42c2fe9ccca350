import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, type Element, el, has, integer, text } from '@postrider/wire/wbxml'
import { easVersions } from '../version.ts'
import { bodyOf, crlf, encrypted, fetch, preference, propertiesOf, rich, serverIdOf, signed } from './mails.ts'
import { Room } from './room.ts'

const mimeSupport = (value: number): Element => el('AirSync:MIMESupport', value)

for (const version of easVersions) {
  test(`${version}: a mail with everything, only in elements the version knows`, async () => {
    await using room = await Room.open()
    const mid = await room.deliverMime(rich())
    const inbox = await room.folder('inbox')
    const phone = await room.ready({ version })
    const properties = propertiesOf(await fetch(phone, inbox, mid, preference(2)))
    assert.equal(text(properties, 'Email:To'), '"Example, Alice" <alice@example.com>, "Carol" <carol@example.org>')
    assert.equal(text(properties, 'Email:Cc'), 'dave@example.org')
    assert.equal(text(properties, 'Email:From'), '"Böb" <bob@example.net>')
    assert.equal(text(properties, 'Email:Subject'), 'Re: Rich')
    assert.equal(text(properties, 'Email:ThreadTopic'), 'Rich')
    assert.equal(
      text(properties, 'Email:ReplyTo'),
      'list@example.net;"Bob, too" <bob2@example.net>',
      'MS-ASEMAIL_R711: separated by semicolons',
    )
    assert.equal(text(properties, 'Email:DisplayTo'), 'Example, Alice; Carol', 'MS-ASEMAIL_R400')
    assert.equal(text(properties, 'Email:Importance'), '2')
    assert.equal(text(properties, 'Email:Read'), '0')
    assert.equal(text(properties, 'Email:MessageClass'), 'IPM.Note')
    assert.equal(text(properties, 'Email:InternetCPID'), '28591', 'MS-ASEMAIL_R496: the code page of the body')
    assert.equal(text(properties, 'Email:ContentClass'), 'urn:content-classes:message', 'MS-ASEMAIL_R342')
    assert.equal(child(properties, 'Email:Flag')?.children.length, 0, 'MS-ASEMAIL_R437: an empty Flag')
    assert.equal(text(properties, 'AirSyncBase:NativeBodyType'), '2')
    const conversation = child(properties, 'Email2:ConversationId')?.children[0]
    assert.equal(
      conversation instanceof Uint8Array ? conversation.length : undefined,
      version === '12.1' ? undefined : 16,
    )
    const index = child(properties, 'Email2:ConversationIndex')?.children[0]
    assert.equal(index instanceof Uint8Array ? index.length : undefined, version === '12.1' ? undefined : 5)
    assert.equal(has(properties, 'Email:Categories'), version !== '12.1', 'MS-ASEMAIL_R318, R1159')
    assert.equal(has(properties, 'Email2:IsDraft'), version.startsWith('16'), 'MS-ASEMAIL_R1282, R1283')
    assert.ok(!has(properties, 'Email2:Sender'), 'MS-ASEMAIL_R1065')
    assert.ok(!has(properties, 'Email2:ReceivedAsBcc'), 'MS-ASEMAIL_R649')
  })
}

test('attachments: name, reference, method, size, place in the HTML', async () => {
  await using room = await Room.open()
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const properties = propertiesOf(await fetch(phone, await room.folder('inbox'), mid, preference(2)))
  const list = children(child(properties, 'AirSyncBase:Attachments'), 'AirSyncBase:Attachment')
  const shown = list.map((one) => [
    text(one, 'AirSyncBase:DisplayName'),
    integer(one, 'AirSyncBase:Method'),
    text(one, 'AirSyncBase:ContentId'),
    text(one, 'AirSyncBase:IsInline'),
  ])
  assert.deepEqual(shown, [
    ['résumé.pdf', 1, undefined, undefined],
    // MS-ASAIRS_R2299: an embedded message ends in .eml.
    ['inside.eml', 5, undefined, undefined],
    ['pic.png', 1, 'pic@x', '1'],
  ])
  for (const one of list) assert.ok((integer(one, 'AirSyncBase:EstimatedDataSize') ?? 0) > 0, 'MS-ASAIRS_R93')
  assert.equal(new Set(list.map((one) => text(one, 'AirSyncBase:FileReference'))).size, 3)
})

test('MS-ASAIRS_R77: the stored form before a converted one, else the order of the client', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const html = await room.deliverMime(rich())
  const plain = await room.deliver('plain', { body: 'First line\r\nSecond <line>' })
  const phone = await room.ready()
  const get = async (mid: typeof html, ...options: Element[]) =>
    bodyOf(propertiesOf(await fetch(phone, inbox, mid, ...options)))
  assert.equal((await get(html, preference(1), preference(2))).type, 2)
  assert.equal((await get(plain, preference(2), preference(1))).type, 1)
  const converted = await get(plain, preference(2))
  assert.equal(converted.type, 2)
  assert.match(converted.data ?? '', /First line<br>\s*Second &lt;line&gt;/)
  const text = await get(html, preference(1))
  assert.deepEqual([text.type, text.data], [1, 'Grüße aus Köln'])
  assert.match((await get(html, preference(2))).data ?? '', /Grüße/)
  // RTF is not made: the stored form goes instead.
  assert.equal((await get(html, preference(3))).type, 2)
  // MS-ASAIRS_R241: the two agree where nothing was converted.
  assert.equal((await get(html)).type, 2)
})

test('MS-ASAIRS_R276, R202: truncation counts bytes, keeps characters whole, and says the whole size', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const body = 'aé€😀'.repeat(100)
  const mid = await room.deliver('long', { body })
  const whole = Buffer.byteLength(`${body}\r\n`)
  const phone = await room.ready()
  for (let size = 1; size <= 30; size++) {
    const cut = bodyOf(propertiesOf(await fetch(phone, inbox, mid, preference(1, size))))
    assert.equal(cut.size, whole)
    assert.equal(cut.truncated, '1')
    const data = cut.data ?? ''
    assert.ok(body.startsWith(data), `${size}: ${data}`)
    assert.ok(Buffer.byteLength(data) <= size && Buffer.byteLength(data) > size - 4, `${size}`)
  }
  const all = bodyOf(propertiesOf(await fetch(phone, inbox, mid, preference(1, whole))))
  assert.deepEqual([all.truncated, all.data?.length], [undefined, body.length + 2], 'MS-ASAIRS_R277')
  const none = bodyOf(propertiesOf(await fetch(phone, inbox, mid, preference(1, 0))))
  assert.deepEqual([none.truncated, none.data, none.size], ['1', undefined, whole])
})

test('MS-ASAIRS_R63, R80: AllOrNone goes on to the next preference, or sends nothing', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const get = async (...options: Element[]) => bodyOf(propertiesOf(await fetch(phone, inbox, mid, ...options)))
  const next = await get(preference(2, 10, true), preference(1, 10))
  assert.equal(next.type, 1)
  assert.equal(next.truncated, '1')
  const nothing = await get(preference(2, 10, true))
  assert.deepEqual([nothing.type, nothing.data, nothing.truncated], [2, undefined, '1'])
  const fits = await get(preference(2, 10_000, true), preference(1))
  assert.equal(fits.type, 2)
  // MS-ASAIRS_R75: without TruncationSize it means nothing.
  assert.equal((await get(preference(2, undefined, true))).truncated, undefined)
})

test('MS-ASAIRS_R250, R1001036: Preview has at most the characters asked for, and none beside plain text', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const html = bodyOf(propertiesOf(await fetch(phone, inbox, mid, preference(2, undefined, false, 4))))
  assert.equal(html.preview, 'Grüß')
  const plain = bodyOf(propertiesOf(await fetch(phone, inbox, mid, preference(1, undefined, false, 4))))
  assert.equal(plain.preview, undefined)
  const old = await room.ready({ version: '12.1' })
  assert.equal(bodyOf(propertiesOf(await fetch(old, inbox, mid, preference(2)))).preview, undefined)
})

test('MS-ASCMD_R3355 to R3357: MIME never, for S/MIME only, always; its bytes are the original ones', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const plain = await room.deliverMime(rich())
  const sealed = await room.deliverMime(encrypted)
  const clear = await room.deliverMime(signed)
  const phone = await room.ready()
  const get = async (mid: typeof plain, ...options: Element[]) =>
    bodyOf(propertiesOf(await fetch(phone, inbox, mid, ...options)))
  assert.equal((await get(plain, mimeSupport(0), preference(4))).type, 2)
  assert.equal((await get(plain, mimeSupport(1), preference(4), preference(1))).type, 1)
  assert.deepEqual(await get(sealed, mimeSupport(1), preference(4)), {
    type: 4,
    size: Buffer.byteLength(encrypted),
    truncated: '0',
    data: encrypted,
    preview: undefined,
  })
  assert.equal((await get(clear, mimeSupport(1), preference(4))).data, signed)
  assert.equal((await get(plain, mimeSupport(2), preference(4))).data, rich())
  const cut = await get(plain, mimeSupport(2), preference(4, 100))
  assert.deepEqual([cut.truncated, cut.size, cut.data], ['1', rich().length, rich().slice(0, 100)])
  const byLevel = await get(plain, mimeSupport(2), el('AirSync:MIMETruncation', 0), preference(4))
  assert.deepEqual([byLevel.truncated, byLevel.data], ['1', undefined], 'MIMETruncation 0: nothing')
})

test('a MIME body in an eight-bit charset keeps every byte', async () => {
  await using room = await Room.open()
  const mime = Buffer.concat([
    Buffer.from(crlf(['From: a@example.org', 'Content-Type: text/plain; charset=iso-8859-1', ''])),
    Buffer.from([0x47, 0x72, 0xfc, 0xdf, 0x65, 0x0d, 0x0a]),
  ])
  const mid = await room.deliverMime(mime)
  const phone = await room.ready()
  const fetched = await fetch(phone, await room.folder('inbox'), mid, mimeSupport(2), preference(4))
  const data = child(child(propertiesOf(fetched), 'AirSyncBase:Body'), 'AirSyncBase:Data')?.children[0]
  assert.deepEqual(data instanceof Uint8Array ? Buffer.from(data) : data, mime)
})

test('MS-ASCON_R245 to R248, R241: Body, BodyPart, both; a part of another type than HTML is 164', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready({ version: '14.1' })
  const part = (type: number) =>
    el(
      'AirSyncBase:BodyPartPreference',
      el('AirSyncBase:Type', type),
      el('AirSyncBase:TruncationSize', 20),
      el('AirSyncBase:Preview', 5),
    )
  const only = propertiesOf(await fetch(phone, inbox, mid, part(2)))
  assert.ok(!has(only, 'AirSyncBase:Body'))
  const shown = child(only, 'AirSyncBase:BodyPart')
  assert.deepEqual(
    shown?.children.map((one) => (one as Element).tag),
    ['Status', 'Type', 'EstimatedDataSize', 'Truncated', 'Data', 'Preview'].map((name) => `AirSyncBase:${name}`),
    'MS-ASAIRS_R126',
  )
  const both = propertiesOf(await fetch(phone, inbox, mid, preference(1), part(2)))
  assert.ok(has(both, 'AirSyncBase:Body') && has(both, 'AirSyncBase:BodyPart'))
  assert.equal(text(await fetch(phone, inbox, mid, part(1)), 'ItemOperations:Status'), '164')
})

test('12.1, 14.0: BodyPartPreference is not known yet and is passed over, in a Sync as in a Fetch', async () => {
  for (const version of ['12.1', '14.0'] as const) {
    await using room = await Room.open()
    const inbox = await room.folder('inbox')
    const mid = await room.deliverMime(rich())
    const phone = await room.ready({ version })
    const part = el('AirSyncBase:BodyPartPreference', el('AirSyncBase:Type', 1))
    const properties = propertiesOf(await fetch(phone, inbox, mid, preference(1), part))
    assert.ok(has(properties, 'AirSyncBase:Body') && !has(properties, 'AirSyncBase:BodyPart'), version)
    const folder = phone.folderOfType(2)
    await phone.sync(folder)
    const synced = await phone.sync(folder, { options: el('AirSync:Options', preference(1), part) })
    assert.equal(synced.status, 1, version)
  }
})

test('Sender goes only where another person sent it, ReceivedAsBcc only to a blind recipient', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(
    crlf([
      'From: Boss <boss@example.org>',
      'Sender: Desk <desk@example.org>',
      'To: other@example.org',
      'Bcc: alice@example.com',
      'Subject: on behalf',
      '',
      'x',
    ]),
  )
  const phone = await room.ready()
  const properties = propertiesOf(await fetch(phone, inbox, mid))
  assert.equal(text(properties, 'Email2:Sender'), '"Desk" <desk@example.org>', 'MS-ASEMAIL_R724')
  assert.equal(text(properties, 'Email2:ReceivedAsBcc'), '1')
})

test('ReceivedAsBcc: a delivered mail that names the user nowhere; lists, groups, own and stored mail are none', async () => {
  await using room = await Room.open({
    directory: (base) => ({
      ...base,
      expand: (addresses) => ({
        mailboxes: addresses.includes('team@example.com') ? [...base.mailboxes()] : [],
        outside: [],
        unknown: [],
      }),
    }),
  })
  const inbox = await room.folder('inbox')
  const phone = await room.ready()
  const says = async (...lines: string[]): Promise<string | undefined> => {
    const mid = await room.deliverMime(crlf([...lines, 'Subject: blind', '', 'x']))
    return text(propertiesOf(await fetch(phone, inbox, mid)), 'Email2:ReceivedAsBcc')
  }
  const delivered = 'Return-Path: <bob@example.net>'
  const from = 'From: bob@example.net'
  assert.equal(await says(delivered, from, 'To: other@example.org'), '1')
  assert.equal(await says(delivered, from, 'To: undisclosed-recipients:;'), '1')
  assert.equal(await says(delivered, from), '1')
  for (const none of [
    [delivered, from, 'To: Alice@Example.com'],
    [delivered, from, 'To: other@example.org', 'Cc: "A" <alice@example.com>'],
    [delivered, from, 'To: team@example.com'],
    [delivered, from, 'To: talk@lists.example.org', 'List-Id: <talk.lists.example.org>'],
    [delivered, 'From: alice@example.com', 'To: other@example.org'],
    ['Return-Path: <>', from, 'To: other@example.org'],
    [from, 'To: other@example.org'],
  ]) {
    assert.equal(await says(...none), undefined, none.join(', '))
  }
})

test('MS-ASEMAIL_R63: Schema leaves only the elements it names', async () => {
  await using room = await Room.open()
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const schema = el('ItemOperations:Schema', el('Email:Subject'), el('AirSyncBase:Body'))
  const properties = propertiesOf(await fetch(phone, await room.folder('inbox'), mid, schema))
  assert.deepEqual(
    children(properties).map(({ tag }) => tag),
    ['Email:Subject', 'AirSyncBase:Body'],
  )
})

test('a mail without body, header or sense is shown all the same', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const phone = await room.ready()
  for (const mime of ['', 'no header at all', '\r\n\r\n', 'Subject: =?utf-8?q?=00=01=ff?=\r\n\r\n\x00\x01']) {
    const mid = await room.deliverMime(mime)
    const fetched = await fetch(phone, inbox, mid, preference(1))
    assert.equal(text(fetched, 'ItemOperations:Status'), '1', JSON.stringify(mime))
  }
  await phone.syncAll(phone.folderOfType(2))
  assert.equal(phone.mirror.collections.get(phone.folderOfType(2))?.size, 4)
  assert.ok(serverIdOf(inbox, 1 as never))
})

test('RFC 2045 §5.2: a multipart that nothing divides is shown as the plain text it is', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = await room.folder('inbox')
  for (const type of ['multipart/mixed', 'multipart/alternative; boundary=never']) {
    const mime = crlf(['From: bob@example.net', 'MIME-Version: 1.0', `Content-Type: ${type}`, '', 'All there is.', ''])
    const properties = propertiesOf(await fetch(phone, inbox, await room.deliverMime(mime), preference(1)))
    assert.equal(bodyOf(properties).data?.trim(), 'All there is.')
    assert.ok(!has(properties, 'AirSyncBase:Attachments'))
  }
})
