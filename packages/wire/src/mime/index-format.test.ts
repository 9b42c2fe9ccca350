import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  COVERED_FIELDS,
  findBodies,
  headerFields,
  imapBody,
  imapBodyStructure,
  imapEnvelope,
  MessageIndexError,
  packMessageIndex,
  prepareMessage,
  readMessageIndex,
  scanMessage,
  selectFields,
  summarize,
} from './index.ts'

const crlf = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'utf8')

const MAIL = crlf(`Received: by x; Thu, 15 Feb 2007 01:02:03 +0200
From: =?utf-8?Q?J=C3=B6rg?= <a@b.test>
To: "C" <c@d.test>,
 grp: e@f.test;
Subject: Grüße
Date: Thu, 15 Feb 2007 01:02:03 +0200
Message-ID: <m@b.test>
In-Reply-To: <r@b.test>
References: <q@b.test>
 <r@b.test>
Importance: High
Sensitivity: Private
List-Id: A list <l.b.test>
Auto-Submitted: Auto-Generated
Thread-Topic: topic
Thread-Index: AAAA
 BBBB
X-Custom: y
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Hello there
--b
Content-Type: image/png; name*=utf-8''%C3%A9.png
Content-Disposition: attachment
Content-ID: <i@x>
Content-Language: en, de
Content-MD5: m
Content-Location: l
Content-Description: d
Content-Transfer-Encoding: base64

AAAA
--b--
`)

test('the index holds what the tree says', () => {
  const tree = scanMessage(MAIL)
  const index = readMessageIndex(packMessageIndex(MAIL))
  assert.deepEqual(index.parts, tree.parts)
  assert.deepEqual(Buffer.from(index.envelope), Buffer.from(imapEnvelope(tree)))
  assert.deepEqual(Buffer.from(index.body), Buffer.from(imapBody(tree)))
  assert.deepEqual(Buffer.from(index.bodyStructure), Buffer.from(imapBodyStructure(tree)))
  assert.deepEqual(Buffer.from(index.envelopeUtf8), Buffer.from(imapEnvelope(tree, { utf8: true })))
  assert.deepEqual(Buffer.from(index.bodyUtf8), Buffer.from(imapBody(tree, { utf8: true })))
  assert.deepEqual(Buffer.from(index.bodyStructureUtf8), Buffer.from(imapBodyStructure(tree, { utf8: true })))
  assert.equal(index.size, MAIL.length)
  assert.equal(index.headerSize, tree.parts[0]!.bodyStart)
  assert.equal(index.hasAttachments, true)
  assert.equal(index.class, 'IPM.Note')
  assert.equal(index.preview, 'Hello there')
  assert.equal(index.partCount, 3)
  assert.deepEqual(findBodies(index), findBodies(tree))
})

test('RFC 9051 §6.4.5.1: BODY[HEADER.FIELDS (…)] from the index', () => {
  const index = readMessageIndex(packMessageIndex(MAIL))
  const fields = (...names: string[]) => {
    const bytes = headerFields(index, names)
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
  }
  assert.equal(fields('SUBJECT', 'to', 'Subject'), 'To: "C" <c@d.test>,\r\n grp: e@f.test;\r\nSubject: Grüße\r\n\r\n')
  assert.equal(fields('Newsgroups', 'x-spam-flag'), '\r\n')
  assert.equal(fields('From', 'X-Custom'), undefined)
  assert.equal(fields('received'), undefined)
  assert.equal(fields('__proto__'), undefined)
  assert.equal(fields(), '\r\n')
  const selection = selectFields(['Date'])
  assert.equal(Buffer.from(headerFields(index, selection)!).toString(), 'Date: Thu, 15 Feb 2007 01:02:03 +0200\r\n\r\n')
})

test('fields too long for the index are known to be missing', () => {
  const long = crlf(`To: ${'a@b.test,\n '.repeat(2000)}c@d.test\nSubject: s\n\nx`)
  const index = readMessageIndex(packMessageIndex(long))
  assert.equal(headerFields(index, ['to', 'subject']), undefined)
  assert.equal(Buffer.from(headerFields(index, ['subject', 'cc'])!).toString(), 'Subject: s\r\n\r\n')
  const many = crlf(`${COVERED_FIELDS.map((name) => `${name}: ${'x'.repeat(900)}\n`).join('')}\nx`)
  const packed = readMessageIndex(packMessageIndex(many))
  assert.notEqual(headerFields(packed, ['from', 'subject', 'references']), undefined)
  assert.equal(headerFields(packed, [COVERED_FIELDS.at(-1)!]), undefined)
  assert.ok(COVERED_FIELDS.length <= 96)
})

test('a header that ends with the message still gives whole fields', () => {
  const index = readMessageIndex(packMessageIndex(Buffer.from('Subject: x')))
  assert.equal(Buffer.from(headerFields(index, ['subject'])!).toString(), 'Subject: x\r\n\r\n')
})

test('summary: decoded columns', () => {
  const { index, summary } = prepareMessage(MAIL)
  assert.deepEqual(summarize(MAIL), summary)
  assert.deepEqual(Buffer.from(index), Buffer.from(packMessageIndex(MAIL)))
  assert.deepEqual(
    { ...summary, from: summary.from[0], to: summary.to.map((mailbox) => mailbox.address) },
    {
      subject: 'Grüße',
      from: { kind: 'mailbox', name: 'Jörg', address: 'a@b.test', local: 'a', domain: 'b.test' },
      sender: [],
      replyTo: [],
      to: ['c@d.test', 'e@f.test'],
      cc: [],
      bcc: [],
      messageId: '<m@b.test>',
      inReplyTo: '<r@b.test>',
      references: ['<q@b.test>', '<r@b.test>'],
      date: Date.parse('2007-02-14T23:02:03Z'),
      importance: 2,
      sensitivity: 2,
      preview: 'Hello there',
      hasAttachments: true,
      class: 'IPM.Note',
      size: MAIL.length,
      listId: 'A list <l.b.test>',
      autoSubmitted: 'auto-generated',
      threadTopic: 'topic',
      threadIndex: 'AAAABBBB',
    },
  )
})

test('MS-OXCMAIL importance and sensitivity', () => {
  const of = (header: string) => summarize(crlf(`${header}\n\nx`))
  for (const [header, importance] of [
    ['Importance: high', 2],
    ['Importance: LOW', 0],
    ['X-Priority: 1 (Highest)', 2],
    ['X-Priority: 3', 1],
    ['X-Priority: 5', 0],
    ['Priority: urgent', 2],
    ['Priority: non-urgent', 0],
    ['X-MSMail-Priority: High', 2],
    ['Subject: x', 1],
  ] as const)
    assert.equal(of(header).importance, importance, header)
  assert.equal(of('Sensitivity: Company-Confidential').sensitivity, 3)
  assert.equal(of('Sensitivity: personal').sensitivity, 1)
})

test('bytes that are no index are refused', () => {
  const packed = packMessageIndex(MAIL)
  for (const bad of [
    new Uint8Array(0),
    new Uint8Array(100),
    packed.subarray(0, 50),
    packed.subarray(0, packed.length - 1),
  ])
    assert.throws(() => readMessageIndex(bad), MessageIndexError)
})

test('property: header fields from the index are the fields of the message', () => {
  const names = ['From', 'Subject', 'List-Id', 'X-Other', 'To']
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...names), fc.stringMatching(/^[ -~é]{0,40}$/)), { maxLength: 10 }),
      (fields) => {
        const lines = fields.map(([name, value]) => [name, `${name}: ${value}\r\n`] as const)
        const index = readMessageIndex(
          packMessageIndex(Buffer.from(`${lines.map(([, line]) => line).join('')}\r\nbody`)),
        )
        const wanted = ['subject', 'list-id', 'to']
        assert.equal(
          Buffer.from(headerFields(index, wanted)!).toString('utf8'),
          `${lines
            .filter(([name]) => wanted.includes(name.toLowerCase()))
            .map(([, line]) => line)
            .join('')}\r\n`,
        )
      },
    ),
  )
})
