import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailItem } from './mail.ts'
import { Pid } from './props/tags.ts'

const mail = (lines: readonly string[]): Uint8Array => Buffer.from(lines.join('\r\n'))
const RECEIVED = Date.UTC(2026, 5, 1)

test('RFC 5322 bytes become an item with columns, recipients and the untouched original', () => {
  const bytes = mail([
    'From: =?utf-8?q?Zo=C3=AB?= <Zoe@Contoso.com>',
    'Sender: <desk@contoso.com>',
    'To: Bob <bob@example.com>, carol@example.com',
    'Cc: team:dave@example.com;',
    'Subject: Re: plans',
    'Message-ID: <2@contoso.com>',
    'References: <0@contoso.com> <1@contoso.com>',
    'Importance: high',
    'Date: Mon, 1 Jun 2026 10:00:00 +0200',
    '',
    'Let us meet.',
    '',
  ])
  const item = mailItem(bytes, { received: RECEIVED, flags: 1 })
  assert.equal(item.promoted.fromAddress, 'zoe@contoso.com')
  assert.equal(item.promoted.fromName, 'Zoë')
  assert.equal(item.promoted.displayTo, 'Bob; carol@example.com')
  assert.equal(item.promoted.importance, 2)
  assert.equal(item.promoted.sent, Date.UTC(2026, 5, 1, 8))
  assert.equal(item.props.get(Pid.TagSenderSmtpAddress), 'desk@contoso.com')
  assert.deepEqual(
    item.recipients.map((one) => [one.type, one.address]),
    [
      [1, 'bob@example.com'],
      [1, 'carol@example.com'],
      [2, 'dave@example.com'],
    ],
  )
  assert.deepEqual(item.original, { bytes })
  assert.equal(item.size, bytes.length)
})

test('a conversation holds the first mail and all its answers, whatever their prefix, and no other', () => {
  const of = (...lines: string[]): string =>
    mailItem(mail([...lines, '', 'x']), { received: RECEIVED }).promoted.conversation
  const first = of('Subject: plans', 'Message-ID: <0@contoso.com>')
  assert.equal(of('Subject: Re: plans', 'Message-ID: <1@x>', 'In-Reply-To: <0@contoso.com>'), first)
  assert.equal(of('Subject: AW: RE: Plans', 'Message-ID: <2@x>', 'References: <0@contoso.com> <1@x>'), first)
  assert.notEqual(of('Subject: plans', 'Message-ID: <9@contoso.com>'), first)
  assert.notEqual(of('Subject: other', 'Message-ID: <3@x>', 'References: <0@contoso.com>'), first)
  assert.match(first, /^[0-9a-f]{32}$/)
})

test('attachments point into the original by section number', () => {
  const item = mailItem(
    mail([
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'text',
      '--b',
      'Content-Type: application/pdf; name="plan.pdf"',
      'Content-Disposition: attachment; filename="plan.pdf"',
      'Content-Transfer-Encoding: base64',
      '',
      'AAAA',
      '--b--',
      '',
    ]),
    { received: RECEIVED },
  )
  assert.equal(item.promoted.hasAttachments, true)
  assert.deepEqual(
    item.attachments.map((one) => [one.name, one.type, one.size, one.source, one.inline]),
    [['plan.pdf', 'application/pdf', 3, { part: '2' }, false]],
  )
})

test('any bytes become an item', () => {
  for (const text of ['', '\r\n', 'garbage', 'Subject\r\n', '\0\0\0', 'From: <<<>>>,,;;:\r\nTo: "'])
    assert.equal(mailItem(Buffer.from(text), { received: RECEIVED }).size, Buffer.byteLength(text))
})
