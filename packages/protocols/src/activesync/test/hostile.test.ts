import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeaderFields } from '@postrider/wire/mime'
import { type Child, child, children, el, text } from '@postrider/wire/wbxml'
import { bodyOf, crlf, fetch, outgoing, preference, propertiesOf, serverIdOf } from './mails.ts'
import { Room } from './room.ts'

const mimeSupport = (value: number): Child => el('AirSync:MIMESupport', value)

test('mail of any bytes: shown in every form, answered, forwarded; every answer passes the schemas', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = await room.folder('inbox')
  const lines = [
    'From: a@example.org',
    'From: =?x?q?=ff?= <',
    'To: ;;,,<>"',
    'Subject: =?utf-8?b?////?=',
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: text/html; charset=nonsense',
    'Content-Type: message/rfc822',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="\u0001../../x"',
    'Content-ID: <>',
    '',
    '--b',
    '--b--',
    '<html><body><style>',
    '\u0000\u0001\u001b',
    'plain',
  ]
  const mime = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.constantFrom(...lines), { maxLength: 20 }).map((list) => Buffer.from(crlf(list))),
  )
  const samples = fc.sample(mime, { numRuns: 25, seed: 7 })
  let count = 0
  for (const bytes of samples) {
    const mid = await room.deliverMime(bytes)
    for (const options of [
      [preference(1, 10)],
      [preference(2)],
      [mimeSupport(2), preference(4)],
      [preference(1), el('AirSyncBase:BodyPartPreference', el('AirSyncBase:Type', 2))],
    ]) {
      const fetched = await fetch(phone, inbox, mid, ...options)
      assert.equal(text(fetched, 'ItemOperations:Status'), '1', bytes.toString('latin1'))
      for (const one of children(child(propertiesOf(fetched), 'AirSyncBase:Attachments'))) {
        assert.notEqual(text(one, 'AirSyncBase:DisplayName') ?? '', '')
      }
    }
    for (const kind of ['SmartReply', 'SmartForward'] as const) {
      const reply = await phone.call({
        command: kind,
        body: el(
          `ComposeMail:${kind}`,
          el('ComposeMail:ClientId', `c${count++}`),
          el('ComposeMail:Source', el('ComposeMail:ItemId', serverIdOf(inbox, mid))),
          el('ComposeMail:Mime', Buffer.from(outgoing())),
        ),
      })
      assert.deepEqual([reply.http, reply.body.length], [200, 0], bytes.toString('latin1'))
    }
  }
  assert.equal(room.sent.length, samples.length * 2)
})

test('MIME of any bytes to send: sent or refused, never an error of the server', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const pieces = [
    'To: b@example.org',
    'Bcc: c@example.org',
    'to:',
    'From: x',
    'Content-Type: multipart/mixed',
    ' folded',
    '',
    'text',
    '\u0000',
  ]
  const mime = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((list) => Buffer.from(list.join('\r\n'))),
  )
  let count = 0
  for (const bytes of fc.sample(mime, { numRuns: 60, seed: 3 })) {
    const reply = await phone.call({
      command: 'SendMail',
      body: el('ComposeMail:SendMail', el('ComposeMail:ClientId', `c${count++}`), el('ComposeMail:Mime', bytes)),
    })
    const status = text(reply.document, 'ComposeMail:Status')
    assert.ok([undefined, '103', '107', '116', '119'].includes(status), `${status}: ${bytes.toString('latin1')}`)
  }
  for (const { message } of room.sent) assert.ok(!new HeaderFields(message).has('bcc'))
})

test('a body of 20 MB is cut without being converted whole', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = await room.folder('inbox')
  const block = `<p>${'word '.repeat(200)}</p>\r\n`
  const html = `<html><body>${block.repeat(Math.ceil((20 * 1024 * 1024) / block.length))}</body></html>`
  const mid = await room.deliverMime(
    crlf([
      'From: a@example.org',
      'Subject: huge',
      'MIME-Version: 1.0',
      'Content-Type: text/html; charset=utf-8',
      '',
      html,
    ]),
  )
  const start = performance.now()
  const body = bodyOf(propertiesOf(await fetch(phone, inbox, mid, preference(1, 500))))
  const elapsed = performance.now() - start
  assert.equal(body.truncated, '1')
  assert.ok((body.data ?? '').length > 400 && (body.data ?? '').length <= 500)
  assert.ok((body.size ?? 0) > 10 * 1024 * 1024)
  assert.ok(elapsed < 2_000, `${elapsed} ms`)
})

test('an invitation is shown as mail with the event as a file', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(
    crlf([
      'From: a@example.org',
      'Subject: invited',
      'MIME-Version: 1.0',
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'come',
      '--b',
      'Content-Type: text/calendar; method=REQUEST; charset=utf-8',
      '',
      'BEGIN:VCALENDAR',
      'METHOD:REQUEST',
      'END:VCALENDAR',
      '--b--',
    ]),
  )
  const properties = propertiesOf(await fetch(phone, inbox, mid, preference(1)))
  assert.equal(text(properties, 'Email:MessageClass'), 'IPM.Note')
  const [file] = children(child(properties, 'AirSyncBase:Attachments'))
  assert.equal(text(file, 'AirSyncBase:DisplayName'), 'invite.ics')
  const reply = await phone.call({
    command: 'ItemOperations',
    body: el(
      'ItemOperations:ItemOperations',
      el(
        'ItemOperations:Fetch',
        el('ItemOperations:Store', 'Mailbox'),
        el('AirSyncBase:FileReference', text(file, 'AirSyncBase:FileReference')),
      ),
    ),
  })
  const got = propertiesOf(child(child(reply.document, 'ItemOperations:Response'), 'ItemOperations:Fetch'))
  assert.match(Buffer.from(text(got, 'ItemOperations:Data') ?? '', 'base64').toString(), /^BEGIN:VCALENDAR/)
})
