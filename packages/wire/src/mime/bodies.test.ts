import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  findBodies,
  htmlToText,
  type MessageBodies,
  partBytes,
  partText,
  scanMessage,
  searchText,
  summarize,
  textToHtml,
} from './index.ts'

const crlf = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'utf8')
const type = (subtype: string, boundary: string, extra = '') =>
  `Content-Type: multipart/${subtype}; boundary=${boundary}${extra}\n\n`
const part = (boundary: string, header: string, body = 'x') => `--${boundary}\n${header}\n\n${body}\n`
const shown = (bodies: MessageBodies) => ({
  text: bodies.text?.section,
  html: bodies.html?.section,
  calendar: bodies.calendar?.section,
  inline: bodies.inline.map((one) => one.section).join(),
  more: bodies.more.map((one) => one.section).join(),
  attachments: bodies.attachments.map((one) => one.section).join(),
})

const SHAPES: readonly (readonly [what: string, source: string, expected: string])[] = [
  ['plain text', 'Content-Type: text/plain\n\nx', 't1'],
  ['no header', '\nx', 't1'],
  ['html', 'Content-Type: text/html\n\nx', 'h1'],
  ['a multipart without its boundary', 'Content-Type: multipart/mixed\n\n--b\n\nx\n--b--', 't1'],
  ['a multipart whose boundary never appears', `${type('mixed', 'm')}x\n`, 't1'],
  [
    'alternative',
    `${type('alternative', 'a')}${part('a', 'Content-Type: text/plain')}${part('a', 'Content-Type: text/html')}--a--`,
    't1 h2',
  ],
  [
    'mixed of alternative with related, and a file',
    `${type('mixed', 'm')}--m\n${type('alternative', 'a')}${part('a', 'Content-Type: text/plain')}--a\n${type('related', 'r')}${part('r', 'Content-Type: text/html')}${part('r', 'Content-Type: image/png\nContent-ID: <i>')}--r--\n--a--\n${part('m', 'Content-Type: application/pdf')}--m--`,
    't1.1 h1.2.1 i1.2.2 a2',
  ],
  [
    'related with a start parameter',
    `${type('related', 'r', '; start="<h>"')}${part('r', 'Content-Type: image/png\nContent-ID: <i>')}${part('r', 'Content-Type: text/html\nContent-ID: <h>')}--r--`,
    'h2 i1',
  ],
  [
    'text, picture, text (Apple Mail)',
    `${type('mixed', 'm')}${part('m', 'Content-Type: text/plain')}${part('m', 'Content-Type: image/jpeg\nContent-Disposition: inline; filename=a.jpg')}${part('m', 'Content-Type: text/plain')}--m--`,
    't1 m3 a2',
  ],
  [
    'signed mail and its signature',
    `${type('signed', 's')}${part('s', 'Content-Type: text/plain')}${part('s', 'Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Disposition: attachment')}--s--`,
    't1',
  ],
  [
    'signed mixed with a file',
    `${type('signed', 's')}--s\n${type('mixed', 'm')}${part('m', 'Content-Type: text/plain')}${part('m', 'Content-Type: image/png')}--m--\n${part('s', 'Content-Type: application/pgp-signature')}--s--`,
    't1.1 a1.2',
  ],
  [
    'delivery report',
    `${type('report', 'r', '; report-type=delivery-status')}${part('r', 'Content-Type: text/plain')}${part('r', 'Content-Type: message/delivery-status')}${part('r', 'Content-Type: message/rfc822', 'Subject: s\n\nx')}--r--`,
    't1 a3',
  ],
  [
    'invitation',
    `${type('mixed', 'm')}--m\n${type('alternative', 'a')}${part('a', 'Content-Type: text/plain')}${part('a', 'Content-Type: text/html')}${part('a', 'Content-Type: text/calendar; method=REQUEST')}--a--\n${part('m', 'Content-Type: application/ics; name=invite.ics\nContent-Disposition: attachment')}--m--`,
    't1.1 h1.2 c1.3 a2',
  ],
  [
    'iMIP outside an alternative',
    `${type('mixed', 'm')}${part('m', 'Content-Type: text/plain')}${part('m', 'Content-Type: text/calendar; method=REPLY')}--m--`,
    't1 c2',
  ],
  [
    'embedded message keeps its parts',
    `${type('mixed', 'm')}${part('m', 'Content-Type: text/plain')}--m\nContent-Type: message/rfc822\n\n${type('mixed', 'i')}${part('i', 'Content-Type: application/pdf')}--i--\n--m--`,
    't1 a2',
  ],
  ['a file only', 'Content-Type: application/pdf\n\nx', 'a1'],
  [
    'text that is a file',
    `${type('mixed', 'm')}${part('m', 'Content-Type: text/plain')}${part('m', 'Content-Type: text/plain; name=log.txt')}--m--`,
    't1 a2',
  ],
  [
    'two html bodies of an alternative: the last',
    `${type('alternative', 'a')}${part('a', 'Content-Type: text/html')}${part('a', 'Content-Type: text/html')}--a--`,
    'h2',
  ],
  ['digest', `${type('digest', 'd')}--d\n\nSubject: a\n\nx\n--d\n\nSubject: b\n\nx\n--d--`, 'a1,2'],
]

for (const [what, source, expected] of SHAPES)
  test(`bodies: ${what}`, () => {
    const found = shown(findBodies(scanMessage(crlf(source))))
    const text = Object.entries(found)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([key, value]) => `${key[0]}${value}`)
    assert.equal(text.join(' '), expected)
  })

test('RFC 2045 §6: partText and partBytes undo transfer encoding and charset', () => {
  const latin = scanMessage(
    crlf('Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe=\n!'),
  )
  assert.equal(partText(latin.bytes, latin.parts[0]!), 'Grüße!')
  const base64 = scanMessage(
    crlf('Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: BASE64\n\nR3LDvMOfZQ==\n'),
  )
  assert.equal(partText(base64.bytes, base64.parts[0]!), 'Grüße')
  assert.equal(Buffer.from(partBytes(base64.bytes, base64.parts[0]!)).toString('utf8'), 'Grüße')
  const meta = scanMessage(
    Buffer.from('Content-Type: text/html\r\n\r\n<meta http-equiv=x content="text/html; charset=koi8-r">\xc1', 'latin1'),
  )
  assert.ok(partText(meta.bytes, meta.parts[0]!).endsWith('а'))
})

const HTML: readonly (readonly [html: string, text: string])[] = [
  ['<p>Hello &amp; <b>you</b></p><p>there</p>', 'Hello & you\n\nthere'],
  ['a<br>b<br/><br>c', 'a\nb\n\nc'],
  ['<ul><li>one<li>two</ul>', '• one\n• two'],
  ['<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a b\nc'],
  ['<head><title>t</title><style>p > a {}</style><script>if (a < b) "</p>"</script></head>x', 'x'],
  ['<!-- <p>no</p> -->yes<!doctype html>', 'yes'],
  ['<a title="a > b" href=x>y</a>', 'y'],
  ['1 < 2 && 3 > 2', '1 < 2 && 3 > 2'],
  ['&eacute;&#233;&#xe9;&nbsp;&bogus;&#0;&copy', 'ééé &bogus;\ufffd©'],
  ['<pre>a\n  b</pre>c', 'a\n  b\n\nc'],
  ['  lots \n\t of   space ', 'lots of space'],
  ['<img alt="logo" src=x> text', 'logo text'],
  ['<p unclosed', ''],
  ['<script>never closed', ''],
  ['<DIV>A</DIV><Div>B</div>', 'A\nB'],
  ['<a "x>y</a>', 'y'],
]

for (const [html, text] of HTML) test(`htmlToText ${JSON.stringify(html)}`, () => assert.equal(htmlToText(html), text))

test('htmlToText: link targets on request, a maximum', () => {
  assert.equal(htmlToText('<a href="https://x.test/">here</a>', { links: true }), 'here <https://x.test/>')
  assert.equal(htmlToText('<a href="https://x.test/">https://x.test/</a>', { links: true }), 'https://x.test/')
  assert.equal(htmlToText('<a href="javascript:x()">here</a>', { links: true }), 'here')
  assert.equal(htmlToText('<p>abc</p>'.repeat(1000), { max: 10 }).length, 10)
})

test('textToHtml escapes markup, keeps lines and spaces, links web addresses', () => {
  const html = textToHtml('a <b> & "c"\n  d  https://x.test/?a=b&c.')
  assert.ok(
    html.includes(
      'a &lt;b&gt; &amp; &quot;c&quot;<br>\r\n&nbsp; d&nbsp; <a href="https://x.test/?a=b&amp;c">https://x.test/?a=b&amp;c</a>.',
    ),
  )
  assert.equal(htmlToText(textToHtml('one\ntwo <x>')), 'one\ntwo <x>')
})

test('preview: text before HTML, style sheets and padding skipped, at most 255 characters', () => {
  const preview = (source: string) => summarize(crlf(source)).preview
  assert.equal(preview('Content-Type: text/plain\n\n  Hello\n\n  world \n'), 'Hello world')
  assert.equal(
    preview(`Content-Type: text/html\n\n<style>${'p{}'.repeat(3000)}</style><p>Hi&zwnj; &zwnj; &#847; &shy;there`),
    'Hi there',
  )
  assert.equal(
    preview(
      `${type('alternative', 'a')}${part('a', 'Content-Type: text/plain', ' ')}${part('a', 'Content-Type: text/html', '<p>Hi')}--a--`,
    ),
    'Hi',
  )
  assert.equal(preview(`Content-Type: text/plain\n\n${'x'.repeat(1000)}`).length, 255)
  assert.equal(preview(`Content-Type: text/plain; charset=utf-8\n\n${'😀'.repeat(300)}`), '😀'.repeat(127))
  assert.equal(preview('Content-Type: image/png\n\nx'), '')
})

test('searchText: bodies, embedded texts, names, bounded', () => {
  const source = crlf(
    `From: =?utf-8?Q?J=C3=B6rg?= <j@x.test>\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n${type('mixed', 'm')}${part('m', 'Content-Type: text/html', '<p>needle</p>')}--m\nContent-Type: message/rfc822\n\nSubject: inner\n\nhaystack\n${part('m', "Content-Type: application/pdf; name*=utf-8''%C3%A9.pdf")}--m--`,
  )
  const found = searchText(source)
  assert.equal(found.subject, 'Grüße')
  assert.equal(found.addresses, 'Jörg <j@x.test>')
  for (const word of ['needle', 'haystack']) assert.ok(found.body.includes(word), word)
  assert.ok(!found.body.includes('inner'))
  assert.ok(found.partFields.includes('subject: inner'))
  assert.ok(!found.body.includes('<p>'))
  assert.deepEqual(found.attachmentNames, ['é.pdf'])
  assert.ok(searchText(crlf(`Content-Type: text/plain\n\n${'word '.repeat(1000)}`), 100).body.length <= 100)
})

test('RFC 9051 §6.4.4: every part of type text or message is searched, other ones are not', () => {
  const bodyOf = (...parts: [string, string][]) =>
    searchText(
      crlf(
        `${type('mixed', 'm')}${parts.map(([head, text]) => part('m', `Content-Type: ${head}`, text)).join('')}--m--`,
      ),
    ).body
  const body = bodyOf(
    ['text/plain', 'one'],
    ['text/calendar', 'BEGIN:VCALENDAR'],
    ['text/csv; name=a.csv\nContent-Disposition: attachment', 'two;three'],
    ['message/delivery-status', 'Final-Recipient: rfc822; gone@g.test'],
    ['text/rfc822-headers', 'Subject: returned'],
    ['application/octet-stream', 'octets'],
  )
  for (const word of ['one', 'VCALENDAR', 'two;three', 'gone@g.test', 'returned']) assert.ok(body.includes(word), word)
  assert.ok(!body.includes('octets'))
  assert.equal(
    bodyOf(['text/plain', 'the same words'], ['text/html', '<p>the <b>same</b>\nwords']).trim(),
    'the same words',
  )
  assert.match(bodyOf(['text/plain', 'see the other'], ['text/html', '<p>other words']), /see the other\s+other words/)
})

const CLASSES: readonly (readonly [what: string, source: string, expected: string])[] = [
  ['note', '\nx', 'IPM.Note'],
  ['signed', `${type('signed', 's')}--s\n\nx\n--s--`, 'IPM.Note.SMIME.MultipartSigned'],
  [
    'encrypted',
    'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nx',
    'IPM.Note.SMIME',
  ],
  [
    'failed',
    `${type('report', 'r', '; report-type=delivery-status')}${part('r', 'Content-Type: message/delivery-status', 'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\nAction: failed')}--r--`,
    'REPORT.IPM.Note.NDR',
  ],
  [
    'delayed',
    `${type('report', 'r', '; report-type=delivery-status')}${part('r', 'Content-Type: message/delivery-status', 'Action: delayed')}--r--`,
    'REPORT.IPM.Note.Delayed',
  ],
  [
    'delivered',
    `${type('report', 'r', '; report-type=delivery-status')}${part('r', 'Content-Type: message/delivery-status', 'Action: delivered')}--r--`,
    'REPORT.IPM.Note.DR',
  ],
  [
    'read',
    `${type('report', 'r', '; report-type=disposition-notification')}${part('r', 'Content-Type: message/disposition-notification', 'Disposition: manual-action/MDN-sent-manually; displayed')}--r--`,
    'REPORT.IPM.Note.IPNRN',
  ],
  [
    'deleted unread',
    `${type('report', 'r', '; report-type=disposition-notification')}${part('r', 'Content-Type: message/disposition-notification', 'Disposition: manual-action/MDN-sent-manually; deleted')}--r--`,
    'REPORT.IPM.Note.IPNNRN',
  ],
  ['request', 'Content-Type: text/calendar; method=request\n\nx', 'IPM.Schedule.Meeting.Request'],
  [
    'request by body',
    'Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\n',
    'IPM.Schedule.Meeting.Request',
  ],
  ['cancel', 'Content-Type: text/calendar; method=CANCEL\n\nx', 'IPM.Schedule.Meeting.Canceled'],
  [
    'accepted',
    'Content-Type: text/calendar; method=REPLY\n\nATTENDEE;PARTST\n AT=ACCEPTED:mailto:a@b',
    'IPM.Schedule.Meeting.Resp.Pos',
  ],
  [
    'declined',
    'Content-Type: text/calendar; method=REPLY\n\nATTENDEE;PARTSTAT=DECLINED:mailto:a@b',
    'IPM.Schedule.Meeting.Resp.Neg',
  ],
  [
    'tentative',
    'Content-Type: text/calendar; method=REPLY\n\nATTENDEE;PARTSTAT=TENTATIVE:mailto:a@b',
    'IPM.Schedule.Meeting.Resp.Tent',
  ],
  ['published', 'Content-Type: text/calendar; method=PUBLISH\n\nx', 'IPM.Note'],
]

for (const [what, source, expected] of CLASSES)
  test(`MS-OXCMAIL message class: ${what}`, () => assert.equal(summarize(crlf(source)).class, expected))

test('RFC 8970 §3: a preview is of the text, whatever NUL, control characters and blank lines stand in it or before it', () => {
  const preview = (body: string): string => summarize(crlf(`Subject: x\n\n${body}`)).preview
  assert.equal(preview('he\0llo\0\0 there'), 'he llo there')
  assert.equal(preview(`${'\0'.repeat(3_000)}hello`), 'hello')
  assert.equal(preview(`${'\n'.repeat(3_000)}hello`), 'hello')
  assert.equal(preview('\0'.repeat(100_000)), '')
})
