import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { imapBody, imapBodyStructure, imapEnvelope, imapString, nstring, scanMessage } from './index.ts'

const crlf = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'utf8')
const envelope = (text: string, utf8 = false) =>
  Buffer.from(imapEnvelope(scanMessage(crlf(text)), { utf8 })).toString('utf8')
const structure = (text: string, utf8 = false) =>
  Buffer.from(imapBodyStructure(scanMessage(crlf(text)), { utf8 })).toString('utf8')
const plain = (text: string) => Buffer.from(imapBody(scanMessage(crlf(text)))).toString('utf8')

const DATE = 'Date: Thu, 15 Feb 2007 01:02:03 +0200\n'
const D = '"Thu, 15 Feb 2007 01:02:03 +0200"'

const ENVELOPES: readonly (readonly [what: string, header: string, envelope: string])[] = [
  [
    'every field',
    `Message-ID: <msg@id>\nIn-Reply-To: <reply@to.id>\n${DATE}Subject: subject header\nFrom: From Real <fromuser@fromdomain.org>\nTo: To Real <touser@todomain.org>\nCc: Cc Real <ccuser@ccdomain.org>\nBcc: Bcc Real <bccuser@bccdomain.org>\nSender: Sender Real <senderuser@senderdomain.org>\nReply-To: ReplyTo Real <replytouser@replytodomain.org>\n`,
    `(${D} "subject header" (("From Real" NIL "fromuser" "fromdomain.org")) (("Sender Real" NIL "senderuser" "senderdomain.org")) (("ReplyTo Real" NIL "replytouser" "replytodomain.org")) (("To Real" NIL "touser" "todomain.org")) (("Cc Real" NIL "ccuser" "ccdomain.org")) (("Bcc Real" NIL "bccuser" "bccdomain.org")) "<reply@to.id>" "<msg@id>")`,
  ],
  [
    'Sender and Reply-To default to From, empty ones too',
    `${DATE}From: user@domain (Real Name)\nSender: \nReply-To: \n`,
    `(${D} NIL (("Real Name" NIL "user" "domain")) (("Real Name" NIL "user" "domain")) (("Real Name" NIL "user" "domain")) NIL NIL NIL NIL NIL)`,
  ],
  [
    'groups',
    `${DATE}To: group: g1@d1.org, g2@d2.org;, group2: g3@d3.org;\nCc: group:;, group2: (foo) ;\n`,
    `(${D} NIL NIL NIL NIL ((NIL NIL "group" NIL)(NIL NIL "g1" "d1.org")(NIL NIL "g2" "d2.org")(NIL NIL NIL NIL)(NIL NIL "group2" NIL)(NIL NIL "g3" "d3.org")(NIL NIL NIL NIL)) ((NIL NIL "group" NIL)(NIL NIL NIL NIL)(NIL NIL "group2" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)`,
  ],
  [
    'source route',
    'From: <@route:user@domain>\n',
    '(NIL NIL ((NIL "@route" "user" "domain")) ((NIL "@route" "user" "domain")) ((NIL "@route" "user" "domain")) NIL NIL NIL NIL NIL)',
  ],
  [
    'quotes and backslashes',
    'Subject: say "hi" \\o/\nTo: "a \\"b\\" \\\\c" <"d e"@f>\n',
    '(NIL "say \\"hi\\" \\\\o/" NIL NIL NIL (("a \\"b\\" \\\\c" NIL "d e" "f")) NIL NIL NIL NIL)',
  ],
  ['empty subject is no absent subject', 'Subject:\n', '(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)'],
  ['folded subject', 'Subject: a\n b\n', '(NIL "a b" NIL NIL NIL NIL NIL NIL NIL NIL)'],
  ['encoded-words stay', 'Subject: =?utf-8?Q?=C3=A9?=\n', '(NIL "=?utf-8?Q?=C3=A9?=" NIL NIL NIL NIL NIL NIL NIL NIL)'],
  [
    'no domain is an empty host, not a group',
    'To: root\n',
    '(NIL NIL NIL NIL NIL ((NIL NIL "root" "")) NIL NIL NIL NIL)',
  ],
  [
    'raw UTF-8 becomes 7-bit before UTF8=ACCEPT',
    'Subject: Grüße\nTo: Jörg <jörg@bücher.example>\n',
    '(NIL "=?utf-8?B?R3LDvMOfZQ==?=" NIL NIL NIL (("=?utf-8?B?SsO2cmc=?=" NIL "=?utf-8?B?asO2cmc=?=" "xn--bcher-kva.example")) NIL NIL NIL NIL)',
  ],
]

for (const [what, header, expected] of ENVELOPES)
  test(`RFC 9051 §7.5.2 ENVELOPE: ${what}`, () => assert.equal(envelope(`${header}\nbody\n`), expected))

test('RFC 6855: the UTF-8 forms after ENABLE UTF8=ACCEPT', () => {
  assert.equal(
    envelope('Subject: Grüße\nTo: Jörg <jörg@bücher.example>\n\n', true),
    '(NIL "Grüße" NIL NIL NIL (("Jörg" NIL "jörg" "bücher.example")) NIL NIL NIL NIL)',
  )
  const raw = 'Content-Type: image/png; name="grün.png"\n\n'
  assert.equal(structure(raw, true), '("image" "png" ("name" "grün.png") NIL NIL "7bit" 0 NIL NIL NIL NIL)')
  assert.equal(structure(raw), '("image" "png" ("name" "=?utf-8?B?Z3LDvG4ucG5n?=") NIL NIL "7bit" 0 NIL NIL NIL NIL)')
})

test('RFC 9051 §7.5.2 BODY and BODYSTRUCTURE: text, basic, message, multipart', () => {
  assert.equal(
    plain('Content-Type: text/x-myown; charset=us-ascii\n\nhello\n'),
    '("text" "x-myown" ("charset" "us-ascii") NIL NIL "7bit" 7 1)',
  )
  assert.equal(plain('\nhello\n'), '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1)')
  assert.equal(
    structure(
      'Content-Type: application/pdf\nContent-Transfer-Encoding: BASE64\nContent-ID: <a@b>\nContent-Description: d\nContent-MD5: m\nContent-Disposition: attachment; filename=x.pdf\nContent-Language: en, de\nContent-Location: l\n\nAAAA\n',
    ),
    '("application" "pdf" NIL "<a@b>" "d" "base64" 6 "m" ("attachment" ("filename" "x.pdf")) ("en" "de") "l")',
  )
  const message = 'Content-Type: message/rfc822\n\nSubject: inner\n\nhi\n'
  assert.equal(
    plain(message),
    '("message" "rfc822" NIL NIL NIL "7bit" 22 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1) 3)',
  )
  assert.equal(
    structure(
      'Content-Type: multipart/mixed; boundary="foo\n bar"\nContent-Language: en\n\n--foo bar\nContent-Disposition: inline\n\nhello\n\n--foo bar--\n',
    ),
    '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1 NIL ("inline" NIL) NIL NIL) "mixed" ("boundary" "foo bar") NIL "en" NIL)',
  )
})

test('RFC 2045 §5.2: a multipart that nothing divides is plain text, without the boundary and with its charset', () => {
  for (const parameter of ['', '; boundary=""', '; boundary=b', `; boundary=${'b'.repeat(2_000)}`])
    assert.equal(
      structure(
        `Content-Type: multipart/alternative; charset=utf-8${parameter}\nContent-Transfer-Encoding: base64\n\n--a\n\nx\n`,
      ),
      '("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 10 3 NIL NIL NIL NIL)',
    )
})

test('a multipart without parts shows an empty text, a closed message/rfc822 shows octets', () => {
  const empty = 'Content-Type: multipart/mixed; boundary=b\n\n--b--\n'
  assert.equal(plain(empty), '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "mixed")')
  assert.match(structure(empty), /0 0 NIL NIL NIL NIL\) "mixed" \("boundary" "b"\) NIL NIL NIL\)$/)
  assert.equal(
    plain('Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA\n'),
    '("application" "octet-stream" NIL NIL NIL "base64" 6)',
  )
})

test('RFC 9051 §9: message/global has an envelope for those who know it, RFC 3501 §9: and is octets for others', () => {
  const message = crlf('Content-Type: message/global\n\nSubject: x\n\nhi\n')
  const text = (utf8: boolean) => Buffer.from(imapBody(scanMessage(message), { utf8 })).toString()
  assert.equal(text(false), '("message" "global" NIL NIL NIL "7bit" 18)')
  assert.match(text(true), /^\("message" "global" NIL NIL NIL "7bit" 18 \(NIL "x" .* 3\)$/)
})

test('RFC 2045 §5.1: a value that lost its semicolon keeps its parameters', () => {
  assert.equal(
    plain('Content-Type: text (x) / (y) plain (z) charset=utf-8\n\n'),
    '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 0 0)',
  )
})

test('RFC 9051 §7.5.2: RFC 2231 continuations are joined', () => {
  assert.equal(
    plain(`Content-Type: a/b; n*0="x"; n*1="y"; m*0*=utf-8''%C3; m*1*=%A9; o*=iso-8859-1''%E9; p=q\n\n`),
    `("a" "b" ("n" "xy" "m*" "utf-8''%C3%A9" "o*" "iso-8859-1''%E9" "p" "q") NIL NIL "7bit" 0)`,
  )
})

test('RFC 9051 §4.3: strings', () => {
  assert.equal(nstring(undefined, false), 'NIL')
  assert.equal(imapString('NIL', false), '"NIL"')
  assert.equal(imapString('a\r\nb\0c', false), '"a  b c"')
  assert.equal(imapString('x'.repeat(1001), false), `{1001}\r\n${'x'.repeat(1001)}`)
  assert.equal(imapString('é'.repeat(1001), true), `{2002}\r\n${'é'.repeat(1001)}`)
})

/** Reads an IMAP value back: the grammar of RFC 9051 §9 as far as these answers use it. */
function readValue(text: string): unknown {
  let at = 0
  const value = (): unknown => {
    if (text[at] === '(') {
      at++
      const list: unknown[] = []
      while (text[at] !== ')') {
        assert.ok(at < text.length, 'open list')
        list.push(value())
        if (text[at] === ' ') at++
      }
      at++
      return list
    }
    if (text[at] === '"') {
      const match = /"((?:[^"\\\r\n]|\\["\\])*)"/y
      match.lastIndex = at
      const found = match.exec(text)
      assert.ok(found, 'quoted string')
      at = match.lastIndex
      return found[1]!.replace(/\\(.)/g, '$1')
    }
    const literal = /\{(\d+)\}\r\n/y
    literal.lastIndex = at
    const size = literal.exec(text)
    if (size !== null) {
      at = literal.lastIndex + Number(size[1])
      return text.slice(literal.lastIndex, at)
    }
    const atom = /NIL|\d+/y
    atom.lastIndex = at
    const found = atom.exec(text)
    assert.ok(found, `value at ${text.slice(at, at + 20)}`)
    at = atom.lastIndex
    return found[0] === 'NIL' ? null : Number(found[0])
  }
  const result = value()
  assert.equal(at, text.length)
  return result
}

test('property: hostile headers give a well-formed 7-bit ENVELOPE of ten fields and a well-formed BODYSTRUCTURE', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.constantFrom(
            'From',
            'To',
            'Subject',
            'Date',
            'Message-ID',
            'Sender',
            'Content-Type',
            'Content-Disposition',
            'Content-ID',
            'Content-Language',
          ),
          fc.array(
            fc.constantFrom(
              'a',
              '@',
              '"',
              '\\',
              '(',
              ')',
              '<',
              '>',
              ',',
              ':',
              ';',
              '=',
              '/',
              ' ',
              '\r\n ',
              'é',
              '\xff',
              '\0',
              '{5}',
              '=?utf-8?Q?=0D=0A?=',
              'text',
              'x'.repeat(600),
              '*0*',
              "''%ZZ",
            ),
            { maxLength: 12 },
          ),
        ),
        { maxLength: 8 },
      ),
      (fields) => {
        const bytes = Buffer.from(
          `${fields.map(([name, pieces]) => `${name}: ${pieces.join('')}\r\n`).join('')}\r\nbody`,
          'latin1',
        )
        const tree = scanMessage(bytes)
        const text = Buffer.from(imapEnvelope(tree)).toString('latin1')
        assert.match(text, /^[\x09\x0a\x0d\x20-\x7e]*$/)
        assert.equal((readValue(text) as unknown[]).length, 10)
        for (const answer of [imapBody(tree), imapBodyStructure(tree)]) {
          assert.match(Buffer.from(answer).toString('latin1'), /^[\x09\x0a\x0d\x20-\x7e]*$/)
          assert.ok(Array.isArray(readValue(Buffer.from(answer).toString('latin1'))))
        }
      },
    ),
    { numRuns: 800 },
  ))
