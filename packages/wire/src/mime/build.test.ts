import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  attachmentPart,
  buildMessage,
  buildMultipart,
  findBodies,
  headerField,
  messagePart,
  newMessageId,
  partBytes,
  partText,
  renderNode,
  rewriteHeaders,
  scanMessage,
  summarize,
  textPart,
} from './index.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8')
const from = [{ name: 'Jörg', address: 'j@x.test' }]

/** What every message we write keeps: CRLF only, lines within 998 octets. */
function assertWellFormed(bytes: Uint8Array): void {
  const raw = Buffer.from(bytes).toString('latin1')
  assert.doesNotMatch(raw, /(?<!\r)\n|\r(?!\n)/)
  for (const line of raw.split('\r\n')) assert.ok(line.length <= 998, `line of ${line.length}`)
}

test('RFC 5322: a plain message', () => {
  const bytes = buildMessage({
    from: [{ address: 'a@b.test' }],
    to: [{ name: 'C, D', address: 'c@d.test' }],
    subject: 'Hi',
    date: 0,
    messageId: '<m@x>',
    text: 'one\ntwo\n',
  })
  assert.equal(
    text(bytes),
    'Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nFrom: a@b.test\r\nTo: "C, D" <c@d.test>\r\nSubject: Hi\r\nMessage-ID: <m@x>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\none\r\ntwo\r\n',
  )
})

test('text, HTML, pictures, an invitation, files and a message come back as they went in', () => {
  const embedded = Buffer.from('Subject: ü\r\n\r\nhi\r\n')
  const bytes = buildMessage({
    from,
    to: [{ address: 'c@d.test' }],
    subject: 'Grüße',
    text: 'Grüße\n',
    html: '<p>Grüße <img src="cid:c1"></p>',
    calendar: { method: 'request', ics: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n' },
    attachments: [
      { content: Buffer.from([1, 2, 3]), contentType: 'image/png', contentId: 'c1', inline: true, filename: 'p.png' },
      {
        content: Buffer.from('%PDF'),
        contentType: 'application/pdf',
        filename: '日本語のとても長いファイル名 (1).pdf',
      },
      { content: embedded, contentType: 'message/rfc822' },
    ],
  })
  assertWellFormed(bytes)
  const tree = scanMessage(bytes)
  const bodies = findBodies(tree)
  assert.equal(partText(bytes, bodies.text!), 'Grüße\r\n')
  assert.equal(partText(bytes, bodies.html!), '<p>Grüße <img src="cid:c1"></p>')
  assert.equal(partText(bytes, bodies.calendar!), 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n')
  assert.equal(bodies.calendar!.parameters.get('method'), 'REQUEST')
  assert.equal(bodies.inline[0]?.contentId, '<c1>')
  assert.deepEqual([...partBytes(bytes, bodies.inline[0]!)], [1, 2, 3])
  assert.deepEqual(
    bodies.attachments.map((part) => part.filename),
    ['日本語のとても長いファイル名 (1).pdf', undefined],
  )
  // RFC 2046 §5.2.1: an embedded message is never encoded; what holds it says 8bit.
  assert.equal(bodies.attachments[1]!.encoding, '8bit')
  assert.equal(tree.parts[0]!.encoding, '8bit')
  assert.deepEqual(Buffer.from(partBytes(bytes, bodies.attachments[1]!)), embedded)
  assert.equal(summarize(bytes).class, 'IPM.Schedule.Meeting.Request')
})

test('the encoding follows the text', () => {
  const encoding = (body: string) => scanMessage(buildMessage({ from, text: body })).parts[0]!.encoding
  assert.equal(encoding('plain'), '7bit')
  assert.equal(encoding('x'.repeat(1500)), 'quoted-printable')
  assert.equal(encoding('From me'), 'quoted-printable')
  assert.equal(encoding(`mostly ascii ${'é'.repeat(3)}${'x'.repeat(60)}`), 'quoted-printable')
  assert.equal(encoding('日本語'.repeat(30)), 'base64')
})

test('P9: no value adds a field or a recipient', () => {
  const evil = 'x\r\nBcc: evil@x.test\r\n\r\nbody'
  const bytes = buildMessage({
    from: [{ name: evil, address: 'a@b.test' }, { address: 'a@b.test>\r\nBcc: evil@x.test' }],
    to: [{ name: evil, address: 'c@d.test' }],
    subject: evil,
    messageId: `<a@b>${evil}`,
    inReplyTo: evil,
    references: [`<a@b\r\nBcc: evil@x.test>`, evil],
    headers: [
      ['X-Note', evil],
      ['X-Bad\r\nBcc', 'evil@x.test'],
      ['Bcc', 'evil@x.test'],
      ['X: Y', 'z'],
      ['Disposition-Notification-To', evil],
    ],
    text: 'body',
    attachments: [
      {
        content: Buffer.from('x'),
        filename: evil,
        contentType: `text/plain; x="${evil}"`,
        contentId: evil,
        description: evil,
        contentLocation: evil,
      },
    ],
  })
  assertWellFormed(bytes)
  const tree = scanMessage(bytes)
  for (let i = 0; i < tree.parts.length; i++) {
    const header = tree.header(i)
    assert.equal(header.has('bcc'), false)
    for (const field of header.fields)
      assert.match(
        field.name,
        /^(date|from|to|subject|message-id|in-reply-to|references|x-note|disposition-notification-to|mime-version|content-.*)$/,
      )
  }
  assert.deepEqual(
    summarize(bytes).to.map((mailbox) => mailbox.address),
    ['c@d.test'],
  )
})

test('RFC 5322 §2.1.1: folding within 78 where words allow, 998 always', () => {
  const field = headerField('References', Array.from({ length: 50 }, (_, i) => `<message-${i}@example.test>`).join(' '))
  for (const line of field.trimEnd().split('\r\n')) {
    assert.ok(line.length <= 78)
    assert.match(line, /\S/)
  }
  assert.equal(
    field
      .replace(/\r\n(?= )/g, '')
      .trimEnd()
      .split(' ').length,
    51,
  )
  for (const line of headerField('X', 'a'.repeat(5000)).split('\r\n')) assert.ok(line.length <= 998)
  for (const line of headerField('X', 'é'.repeat(5000)).split('\r\n')) assert.ok(Buffer.byteLength(line) <= 998)
  assert.equal(headerField('Bad Name', 'x'), '')
  assert.equal(headerField('X', ' '), 'X: \r\n')
})

test('the pieces: report with a message, nested by hand', () => {
  const report = buildMultipart(
    'report',
    [
      textPart('It failed.'),
      attachmentPart({ content: Buffer.from('Action: failed\r\n'), contentType: 'message/delivery-status' }),
      messagePart(Buffer.from('Subject: x\n\nhi')),
    ],
    [['report-type', 'delivery-status']],
  )
  const bytes = buildMessage({ from, subject: 'Undeliverable', body: report })
  assertWellFormed(bytes)
  const tree = scanMessage(bytes)
  assert.deepEqual(
    tree.parts.map((part) => `${part.type}/${part.subtype}`),
    ['multipart/report', 'text/plain', 'message/delivery-status', 'message/rfc822', 'text/plain'],
  )
  assert.equal(summarize(bytes).class, 'REPORT.IPM.Note.NDR')
  assert.ok(text(renderNode(textPart('x'))).endsWith('\r\n\r\nx'))
})

test('newMessageId: one domain, never anything else', () => {
  assert.match(newMessageId('x.test'), /^<[0-9a-f-]{36}@x\.test>$/)
  assert.match(newMessageId('bücher.example'), /@xn--bcher-kva\.example>$/)
  assert.match(newMessageId('x>\r\nBcc: y'), /^<[0-9a-f-]{36}@localhost>$/)
  assert.notEqual(newMessageId('x'), newMessageId('x'))
})

test('rewriteHeaders takes fields out and puts fields in front, nothing else changes', () => {
  const source = Buffer.from(
    'To: a@b\r\nBCC: x@y,\r\n z@y\r\nSubject:  odd \tspacing\r\nbcc : q@y\r\n\r\nBcc: body\r\n\xff',
    'latin1',
  )
  const out = rewriteHeaders(source, {
    remove: ['Bcc'],
    prepend: [
      ['Return-Path', '<s@x>'],
      ['Received', 'by x;\r\nBcc: evil@x'],
    ],
  })
  assert.equal(
    Buffer.from(out).toString('latin1'),
    'Return-Path: <s@x>\r\nReceived: by x; Bcc: evil@x\r\nTo: a@b\r\nSubject:  odd \tspacing\r\n\r\nBcc: body\r\n\xff',
  )
  assert.equal(text(rewriteHeaders(Buffer.from('body only'), { prepend: [['X', 'y']] })), 'X: y\r\n\r\nbody only')
  assert.equal(text(rewriteHeaders(source, {})), text(source))
})

test('rewriteHeaders: a Bcc behind 300 KB of header is removed too', () => {
  const source = Buffer.from(
    `${'X-A: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(6000)}Bcc: x@y\r\n\r\nb`,
  )
  assert.ok(!text(rewriteHeaders(source, { remove: ['bcc'] })).includes('Bcc'))
})

test('property: what we build we scan', () => {
  const words = fc.string({ unit: 'binary', maxLength: 80 }).map((raw) => raw.toWellFormed())
  const line = words.map((raw) => raw.replace(/[\x00-\x1f\x7f\s\u0085\ufeff]+/g, ' ').trim())
  const prose = words.map((raw) => raw.replace(/\r\n?|\n/g, '\r\n').replace(/^\ufeff/, ''))
  fc.assert(
    fc.property(
      line,
      prose,
      fc.option(prose, { nil: undefined }),
      fc.array(fc.record({ filename: line, content: fc.uint8Array({ maxLength: 200 }) }), { maxLength: 3 }),
      (subject, body, html, files) => {
        const bytes = buildMessage({ from, to: from, subject, text: body, html, attachments: files })
        assertWellFormed(bytes)
        const tree = scanMessage(bytes)
        const found = findBodies(tree)
        assert.equal(summarize(bytes).subject, subject)
        assert.equal(partText(bytes, found.text!), body)
        assert.equal(found.html && partText(bytes, found.html), html)
        assert.deepEqual(
          found.attachments.map((part) => [part.filename ?? '', [...partBytes(bytes, part)]]),
          files.map((file) => [file.filename, [...file.content]]),
        )
      },
    ),
    { numRuns: 300 },
  )
})
