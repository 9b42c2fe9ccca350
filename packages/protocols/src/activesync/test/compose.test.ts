import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag, type Item, type Mid, Pid, type Submission, type SubmitRefusal } from '@postrider/domain'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { htmlToText, scanMessage, findBodies, partText, HeaderFields } from '@postrider/wire/mime'
import { type Child, child, el, text } from '@postrider/wire/wbxml'
import { submitStatus } from '../compose/status.ts'
import { easVersions } from '../version.ts'
import { crlf, crowd, encrypted, fetch, outgoing, propertiesOf, rich, serverIdOf, signed } from './mails.ts'
import { Room } from './room.ts'

const messageOf = (submission: Submission | undefined): string =>
  Buffer.from(submission?.message ?? []).toString('utf8')
const headerOf = (submission: Submission | undefined): HeaderFields =>
  new HeaderFields(submission?.message ?? new Uint8Array(0))
const statusOf = (reply: Reply): number => Number(text(reply.document, 'ComposeMail:Status') ?? Number.NaN)

/** The bodies of what was sent. */
function bodiesOf(submission: Submission | undefined) {
  const bytes = submission?.message ?? new Uint8Array(0)
  const tree = scanMessage(bytes)
  const { text, html, attachments, inline } = findBodies(tree)
  return {
    text: text === undefined ? '' : partText(bytes, text),
    html: html === undefined ? undefined : partText(bytes, html),
    attachments: attachments.map((part) => part.filename ?? `${part.type}/${part.subtype}`),
    inline: inline.map((part) => part.contentId),
  }
}

const send = (phone: Phone, ...content: Child[]): Promise<Reply> =>
  phone.call({ command: 'SendMail', body: el('ComposeMail:SendMail', ...content) })
const clientId = (value = 'c1') => el('ComposeMail:ClientId', value)
const mime = (value: string) => el('ComposeMail:Mime', Buffer.from(value))

for (const version of easVersions) {
  test(`${version}: SendMail answers nothing, keeps a copy when asked, and sends once (MS-ASCMD_R463)`, async () => {
    await using room = await Room.open()
    const phone = await room.ready({ version })
    const reply = await phone.sendMail(outgoing({ subject: 'kept' }), 'c1', true)
    assert.deepEqual([reply.http, reply.body.length], [200, 0])
    await phone.sendMail(outgoing({ subject: 'not kept' }), 'c2', false)
    assert.deepEqual(await room.subjects('sentitems'), ['kept'])
    assert.deepEqual(
      room.sent.map((one) => headerOf(one).get('subject')),
      ['kept', 'not kept'],
    )
    const [copy] = await room.mailbox.get({
      by: { folder: (await room.folder('sentitems')).id, uids: [1] as never },
      columns: [],
    })
    assert.equal((copy?.flags ?? 0) & Flag.seen, Flag.seen)
  })
}

test('MS-ASCMD_R4848: the same ClientId again is 118, and nothing is sent; after a lost answer too', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  phone.loseReplies()
  assert.equal(statusOf(await phone.sendMail(outgoing(), 'c1')), 118)
  assert.equal(room.sent.length, 1)
  assert.equal((await phone.sendMail(outgoing(), 'c2')).body.length, 0, 'another ClientId is another mail')
  const other = await room.ready()
  assert.equal((await other.sendMail(outgoing(), 'c1')).body.length, 0, 'another device counts for itself')
  assert.equal(room.sent.length, 3)
})

test('12.1 has no ClientId: the same message again is answered as sent and not sent again', async () => {
  await using room = await Room.open()
  const phone = await room.ready({ version: '12.1' })
  const dated = outgoing({ more: ['Date: Sat, 21 Nov 2026 10:00:00 +0000'] })
  phone.loseReplies(2)
  assert.equal((await phone.sendMail(dated, '')).http, 200)
  assert.equal(room.sent.length, 1)
  await phone.sendMail(outgoing(), '')
  await phone.sendMail(outgoing(), '')
  assert.equal(room.sent.length, 3, 'without a Date two equal mails are two mails')
})

test('the header leaves complete: Date, Message-ID, MIME-Version; Bcc only in the copy', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  await phone.sendMail(
    'To: bob@example.net\nBcc: eve@example.org, Frank <frank@example.org>\nContent-Type: text/plain\nReturn-Path: <x@y>\n\nhello\nyou\n',
    'c1',
  )
  const [submission] = room.sent
  const header = headerOf(submission)
  assert.equal(header.get('from'), 'Alice Example <alice@example.com>', 'MS-ASCMD_R448')
  assert.match(header.get('message-id') ?? '', /^<[^<>]+@example\.com>$/)
  assert.ok(header.has('date') && header.has('mime-version'))
  assert.ok(!header.has('bcc') && !header.has('return-path'))
  assert.ok(!/[^\r]\n/.test(messageOf(submission)), 'CRLF throughout')
  assert.match(Buffer.from(submission?.save?.message ?? []).toString(), /^Bcc: eve@example.org/m)
  assert.deepEqual(
    submission?.recipients.map(({ address }) => address),
    ['bob@example.net', 'eve@example.org', 'frank@example.org'],
  )
})

test('From: own addresses and SendAs stay, SendOnBehalf adds Sender, anything else becomes the user', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  const table: [string, string, string | undefined, string][] = [
    ['"Me" <alice@example.com>', '"Me" <alice@example.com>', undefined, 'alice@example.com'],
    ['ally@example.com', 'ally@example.com', undefined, 'ally@example.com'],
    ['Boss <boss@example.com>', 'Boss <boss@example.com>', undefined, 'boss@example.com'],
    ['desk@example.com', 'desk@example.com', 'Alice Example <alice@example.com>', 'alice@example.com'],
    ['ceo@example.org', 'Alice Example <alice@example.com>', undefined, 'alice@example.com'],
    ['alice@example.com, ceo@example.org', 'Alice Example <alice@example.com>', undefined, 'alice@example.com'],
    ['', 'Alice Example <alice@example.com>', undefined, 'alice@example.com'],
  ]
  for (const [i, [written, from, sender, envelope]] of table.entries()) {
    await phone.sendMail(crlf([`From: ${written}`, 'Sender: x@example.org', 'To: bob@example.net', '', 'x']), `c${i}`)
    const submission = room.sent.at(-1)
    const header = headerOf(submission)
    assert.deepEqual([header.all('from'), header.get('sender'), submission?.from], [[from], sender, envelope], written)
  }
})

test('a name without an address is looked up; one that means nobody or several is 116', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  await phone.sendMail(outgoing({ to: 'Front Desk, bob@example.net' }), 'c1')
  assert.equal(headerOf(room.sent[0]).get('to'), 'Front Desk <desk@example.com>, bob@example.net')
  assert.deepEqual(
    room.sent[0]?.recipients.map(({ address }) => address),
    ['desk@example.com', 'bob@example.net'],
  )
  assert.equal(statusOf(await phone.sendMail(outgoing({ to: 'carol' }), 'c2')), 116)
  assert.equal(statusOf(await phone.sendMail(outgoing({ to: 'nobody' }), 'c3')), 116)
})

test('statuses of SendMail', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const table: [string, number, Child[]][] = [
    ['MS-ASCMD_R1334: no ClientId', 103, [mime(outgoing())]],
    ['MS-ASCMD_R952: a ClientId too long', 103, [clientId('x'.repeat(41)), mime(outgoing())]],
    ['no Mime', 103, [clientId()]],
    ['MS-ASCMD_R4826: what is no MIME', 107, [clientId(), mime('not a message')]],
    ['nothing', 107, [clientId(), mime('')]],
    ['MS-ASCMD_R4853: no recipient', 119, [clientId(), mime(crlf(['Subject: x', '', 'x']))]],
    ['MS-ASCMD_R724: an account there is not', 166, [clientId(), el('ComposeMail:AccountId', 'x'), mime(outgoing())]],
    ['rights management', 168, [clientId(), mime(outgoing()), el('RightsManagement:TemplateID', 'x')]],
  ]
  for (const [what, status, content] of table) assert.equal(statusOf(await send(phone, ...content)), status, what)
  assert.equal(room.sent.length, 0)
  const old = await room.ready({ version: '12.1' })
  assert.equal((await old.sendMail('not a message', '')).http, 400)
  assert.equal((await old.sendMail(crlf(['Subject: x', '', 'x']), '')).http, 500)
})

test('what the submitter refuses has a status of its own each', () => {
  const table: Record<SubmitRefusal, number> = {
    duplicate: 118,
    noRecipient: 119,
    recipientInvalid: 116,
    senderRefused: 120,
    tooLarge: 122,
    tooManyRecipients: 115,
    mailboxFull: 113,
    throttled: 115,
    sourceGone: 150,
    later: 111,
  }
  for (const [refusal, status] of Object.entries(table)) assert.equal(submitStatus(refusal as SubmitRefusal), status)
})

interface Smart {
  readonly item: () => Promise<Item>
  readonly mid: Mid
  readonly phone: Phone
  call(kind: 'SmartReply' | 'SmartForward', message: string, ...more: Child[]): Promise<Reply>
}

async function smartOn(room: Room, original: string, version: '12.1' | '14.1' | '16.1' = '16.1'): Promise<Smart> {
  const mid = await room.deliverMime(original)
  const inbox = await room.folder('inbox')
  const phone = await room.ready({ version })
  let count = 0
  return {
    phone,
    mid,
    item: async () => {
      const [item] = await room.mailbox.get({ by: { mids: [mid] }, columns: ['props'] })
      assert.ok(item)
      return item
    },
    call: (kind, message, ...more) =>
      version === '12.1'
        ? phone.call({
            command: kind,
            body: Buffer.from(message),
            contentType: 'message/rfc822',
            parameters: { CollectionId: String(inbox.id), ItemId: serverIdOf(inbox, mid), SaveInSent: true },
          })
        : phone.call({
            command: kind,
            body: el(
              `ComposeMail:${kind}`,
              clientId(`s${count++}`),
              el(
                'ComposeMail:Source',
                el('ComposeMail:FolderId', String(inbox.id)),
                el('ComposeMail:ItemId', serverIdOf(inbox, mid)),
              ),
              el('ComposeMail:SaveInSentItems'),
              ...more,
              mime(message),
            ),
          }),
  }
}

const reply = outgoing({ to: 'bob@example.net', subject: 'Re: Rich', body: 'My answer\r\n' })

for (const version of ['12.1', '14.1', '16.1'] as const) {
  test(`${version}: a reply stands above the original, is threaded, and marks it for everybody`, async () => {
    await using room = await Room.open()
    const smart = await smartOn(room, rich(), version)
    const done = await smart.call('SmartReply', reply)
    assert.deepEqual([done.http, done.body.length], [200, 0], 'MS-ASCMD_R605')
    const [submission] = room.sent
    const { text: plain, html, attachments, inline } = bodiesOf(submission)
    assert.match(plain, /^My answer\r\n\r\n-----Original Message-----\r\nFrom: Böb <bob@example.net>\r\n/)
    assert.match(plain, /^> Grüße aus Köln\r?$/m)
    assert.match(htmlToText(html ?? ''), /My answer[\s\S]*From: Böb[\s\S]*Grüße/)
    assert.match(html ?? '', /<blockquote[^>]*><p>Grüße <img src="cid:pic@x"><\/p><\/blockquote>/)
    assert.deepEqual([attachments, inline], [[], ['<pic@x>']], 'pictures of the HTML go along, files do not')
    assert.match(messageOf(submission), /charset=utf-8/, 'MS-ASCMD_R584')
    const header = headerOf(submission)
    assert.equal(header.get('in-reply-to'), '<rich@example.net>')
    assert.equal(header.get('references'), '<first@example.net> <second@example.net> <rich@example.net>')
    assert.equal(Buffer.from(header.get('thread-index') ?? '', 'base64').length, 27)
    const item = await smart.item()
    assert.equal(item.flags & Flag.answered, Flag.answered)
    assert.equal(item.props?.get(Pid.TagLastVerbExecuted), 102)
    const shown = propertiesOf(await fetch(await room.ready(), await room.folder('inbox'), smart.mid))
    assert.equal(text(shown, 'Email2:LastVerbExecuted'), '1', 'MS-ASEMAIL_R516')
    assert.ok(child(shown, 'Email2:LastVerbExecutionTime'))
    assert.deepEqual(await room.subjects('sentitems'), ['Re: Rich'])
  })
}

test('a reply to all is one: others of the original are among its recipients (MS-ASEMAIL_R517)', async () => {
  await using room = await Room.open()
  const smart = await smartOn(room, rich())
  await smart.call('SmartReply', outgoing({ to: 'bob@example.net, CAROL@example.org' }))
  assert.equal((await smart.item()).props?.get(Pid.TagLastVerbExecuted), 103)
})

test('a forward takes text, files and the embedded mail along, and marks $Forwarded (MS-ASCMD_R545)', async () => {
  await using room = await Room.open()
  const smart = await smartOn(room, rich())
  await smart.call('SmartForward', outgoing({ to: 'zoe@example.org', subject: 'Fwd: Rich', body: 'FYI' }))
  const { text: plain, html, attachments, inline } = bodiesOf(room.sent[0])
  assert.match(plain, /^FYI[\s\S]*\r\n\r\nGrüße aus Köln/)
  assert.doesNotMatch(html ?? '', /<blockquote/)
  assert.deepEqual(attachments, ['résumé.pdf', 'attachment2.eml'])
  assert.deepEqual(inline, ['<pic@x>'])
  assert.match(messageOf(room.sent[0]), /The inner mail/)
  const item = await smart.item()
  assert.equal(item.flags & Flag.forwarded, Flag.forwarded)
  assert.equal(item.props?.get(Pid.TagLastVerbExecuted), 104)
})

test('plain text answers plain text in plain text; French speaks French', async () => {
  await using room = await Room.open()
  const smart = await smartOn(
    room,
    crlf(['From: bob@example.net', 'To: alice@example.com', 'Subject: s', '', 'one', '> two', '']),
  )
  await smart.phone.call({
    command: 'SmartReply',
    headers: { 'Accept-Language': 'fr-FR' },
    body: el(
      'ComposeMail:SmartReply',
      clientId('fr'),
      el('ComposeMail:Source', el('ComposeMail:LongId', `L1:${smart.mid}`)),
      mime(reply),
    ),
  })
  const { text: plain, html } = bodiesOf(room.sent[0])
  assert.equal(html, undefined)
  assert.match(plain, /-----Message d’origine-----\r\nDe : bob@example.net\r\n/)
  assert.match(plain, /> one\r\n>> two/)
})

test('MS-ASCMD_R3775: with ReplaceMime nothing of the original is added, but the marks are set', async () => {
  await using room = await Room.open()
  const smart = await smartOn(room, rich())
  await smart.call('SmartForward', outgoing({ body: 'all mine' }), el('ComposeMail:ReplaceMime'))
  const { text: plain, attachments } = bodiesOf(room.sent[0])
  assert.deepEqual([plain.trim(), attachments], ['all mine', []])
  assert.equal((await smart.item()).flags & Flag.forwarded, Flag.forwarded)
})

test('what is signed or encrypted is never taken apart', async () => {
  await using room = await Room.open()
  const onPlain = await smartOn(room, rich())
  const mine = signed.replace('From: bob@example.net', 'From: alice@example.com')
  await onPlain.call('SmartReply', mine)
  const body = (message: string) => message.slice(message.indexOf('\r\n\r\n'))
  assert.equal(body(messageOf(room.sent[0])), body(mine), 'a signed answer goes as it is')
  const pgp = outgoing({ body: '-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----' })
  await onPlain.call('SmartReply', pgp)
  assert.doesNotMatch(messageOf(room.sent[1]), /Original Message/)
  const onSecret = await smartOn(room, encrypted)
  await onSecret.call('SmartReply', reply)
  assert.doesNotMatch(messageOf(room.sent[2]), /sealed|pkcs7/)
  await onSecret.call('SmartForward', outgoing({ body: 'see inside' }))
  assert.ok(messageOf(room.sent[3]).includes(encrypted), 'forwarded whole')
  const onSigned = await smartOn(room, signed)
  await onSigned.call('SmartForward', outgoing({ body: 'signed one' }))
  assert.ok(messageOf(room.sent[4]).includes(signed))
  assert.match(bodiesOf(room.sent[4]).text, /What was signed/, 'readable, so quoted too')
})

test('the attachments of the phone stay beside those of the original', async () => {
  await using room = await Room.open()
  const smart = await smartOn(room, rich())
  await smart.call(
    'SmartForward',
    crlf([
      'To: zoe@example.org',
      'Subject: Fwd',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=p',
      '',
      '--p',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<html><body>above</body></html>',
      '--p',
      'Content-Type: image/jpeg; name=photo.jpg',
      'Content-Disposition: attachment; filename=photo.jpg',
      'Content-Transfer-Encoding: base64',
      '',
      'AAAA',
      '--p--',
    ]),
  )
  const { attachments, html } = bodiesOf(room.sent[0])
  assert.deepEqual(attachments, ['photo.jpg', 'résumé.pdf', 'attachment2.eml'])
  assert.match(html ?? '', /^<html><body>above[\s\S]*<\/body><\/html>\s*$/)
})

test('sources that are none: 103, 105, 106, 150, 104, 146, 178, 179', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const sent = await room.folder('sentitems')
  const smart = await smartOn(room, rich())
  const source = (...ids: Child[]) => el('ComposeMail:Source', ...ids)
  const folder = (id: string | number) => el('ComposeMail:FolderId', String(id))
  const item = (id: string) => el('ComposeMail:ItemId', id)
  const long = (id: string) => el('ComposeMail:LongId', id)
  const good = serverIdOf(inbox, smart.mid)
  let count = 0
  const call = async (...content: Child[]) =>
    statusOf(
      await smart.phone.call({
        command: 'SmartForward',
        body: el('ComposeMail:SmartForward', clientId(`x${count++}`), ...content),
      }),
    )
  const table: [string, number, Child[]][] = [
    ['no Source', 103, [mime(reply)]],
    ['an empty Source', 105, [source(), mime(reply)]],
    ['LongId beside ItemId', 105, [source(item(good), long(`L1:${smart.mid}`)), mime(reply)]],
    ['MS-ASCMD_R4824: no id at all', 106, [source(folder(inbox.id), item('x')), mime(reply)]],
    ['a LongId of another mailbox', 106, [source(long(`L2:${smart.mid}`)), mime(reply)]],
    ['MS-ASCMD_R4930: an item that is gone', 150, [source(folder(inbox.id), item(`${inbox.id}:999999`)), mime(reply)]],
    ['an item of another folder', 150, [source(folder(sent.id), item(good)), mime(reply)]],
    [
      'MS-ASCMD_R541: an instance that is no date',
      104,
      [source(item(good), el('ComposeMail:InstanceId', 'x')), mime(reply)],
    ],
    [
      'an instance of what does not recur',
      146,
      [source(item(good), el('ComposeMail:InstanceId', '2026-11-21T00:00:00.000Z')), mime(reply)],
    ],
    ['MS-ASCMD_R7470: Forwardees of a mail', 179, [source(item(good)), el('ComposeMail:Forwardees')]],
    ['MS-ASCMD_R7467: Forwardees and Mime', 178, [source(item(good)), el('ComposeMail:Forwardees'), mime(reply)]],
    ['what is no MIME', 107, [source(item(good)), mime('x')]],
  ]
  for (const [what, status, content] of table) assert.equal(await call(...content), status, what)
  assert.equal(room.sent.length, 0)
  assert.equal((await smart.item()).flags & Flag.forwarded, 0)
})

test('a lost answer to SmartReply: sent once, 118', async () => {
  await using room = await Room.open()
  const smart = await smartOn(room, rich())
  smart.phone.loseReplies()
  assert.equal(statusOf(await smart.call('SmartReply', reply)), 118)
  assert.equal(room.sent.length, 1)
})
