import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeaderFields, imapBodyStructure, type MimeTree, partBySection, prepareMessage, scanMessage } from './index.ts'

const crlf = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'utf8')
const body = (tree: MimeTree, index: number) => {
  const part = tree.parts[index]!
  return Buffer.from(tree.bytes.subarray(part.bodyStart, part.bodyEnd)).toString('latin1')
}
/** One line per part: section, type, lines. */
const outline = (tree: MimeTree) =>
  tree.parts.map((part) => `${part.section} ${part.type}/${part.subtype} ${part.lines}`)

const NESTED = `From: user@domain.org
Mime-Version: 1.0
Content-Type: multipart/mixed; boundary="foo
 bar"

Root MIME prologue

--foo bar
Content-Type: text/x-myown; charset=us-ascii

hello

--foo bar
Content-Type: message/rfc822

From: sub@domain.org
Subject: submsg
Content-Type: multipart/alternative; boundary="sub1"

Sub MIME prologue
--sub1
Content-Type: text/html

<p>Hello world</p>

--sub1
Content-Type: text/plain

Hello another world

--sub1--
Sub MIME epilogue

--foo bar--
Root MIME epilogue
`

for (const [ends, source] of [
  ['CRLF', crlf(NESTED)],
  ['bare LF', Buffer.from(NESTED)],
] as const)
  test(`RFC 2046 §5.1, RFC 9051 §6.4.5.1: nested parts and their sections with ${ends}`, () => {
    const tree = scanMessage(source)
    assert.deepEqual(outline(tree), [
      'TEXT multipart/mixed 0',
      '1 text/x-myown 1',
      '2 message/rfc822 17',
      '2.TEXT multipart/alternative 0',
      '2.1 text/html 1',
      '2.2 text/plain 1',
    ])
    const nl = ends === 'CRLF' ? '\r\n' : '\n'
    assert.equal(body(tree, 1), `hello${nl}`)
    assert.equal(body(tree, 4), `<p>Hello world</p>${nl}`)
    assert.ok(body(tree, 2).endsWith(`Sub MIME epilogue${nl}`))
    assert.ok(body(tree, 0).endsWith(`Root MIME epilogue${nl}`))
    assert.equal(tree.header(3).get('subject'), 'submsg')
    assert.equal(tree.header(1).get('content-type'), 'text/x-myown; charset=us-ascii')
    assert.deepEqual(
      ['1', '2', '2.1', '2.2', '2.3', '1.1', '3', '0', 'x', ''].map(
        (section) => partBySection(tree.parts, section)?.index,
      ),
      [1, 2, 4, 5, undefined, undefined, undefined, undefined, undefined, undefined],
    )
  })

test('RFC 9051 §6.4.5.1: a message that is no multipart has part 1; messages in messages', () => {
  const tree = scanMessage(crlf('Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: x\n\nhi\n'))
  assert.deepEqual(outline(tree), ['1 message/rfc822 5', '1.1 message/rfc822 3', '1.1.1 text/plain 1'])
  assert.deepEqual(
    ['1', '1.1', '1.1.1', '1.1.1.1'].map((section) => partBySection(tree.parts, section)?.index),
    [0, 1, 2, undefined],
  )
})

const DAMAGED: readonly (readonly [what: string, source: string, outline: string[]])[] = [
  ['nothing', '', ['1 text/plain 0']],
  ['no header', '\nbody\n', ['1 text/plain 1']],
  ['no body', 'Subject: x\n', ['1 text/plain 0']],
  ['no blank line and no field', 'body only', ['1 text/plain 0']],
  [
    'missing final delimiter',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n',
    ['TEXT multipart/mixed 0', '1 text/plain 1'],
  ],
  [
    'missing inner final delimiter',
    'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--a\n\ny\n--a--\n',
    ['TEXT multipart/mixed 0', '1 multipart/mixed 0', '1.1 text/plain 0', '2 text/plain 0'],
  ],
  ['delimiter never seen', 'Content-Type: multipart/mixed; boundary=b\n\nno parts\n', ['1 text/plain 1']],
  ['no boundary parameter', 'Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n', ['1 text/plain 4']],
  [
    'no boundary parameter in an embedded message and in a part',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/signed\n\nx\n\n--b\nContent-Type: multipart/related\n\ny\n--b--\n',
    ['TEXT multipart/mixed 0', '1 message/rfc822 3', '1.1 text/plain 1', '2 text/plain 0'],
  ],
  ['the closing delimiter alone', 'Content-Type: multipart/mixed; boundary=b\n\n--b--\n', ['TEXT multipart/mixed 0']],
  [
    'part without a blank line',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\nx\n--b--',
    ['TEXT multipart/mixed 0', '1 text/html 0', '2 text/plain 0'],
  ],
  [
    'white space behind delimiters',
    'Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx\n--b-- \n',
    ['TEXT multipart/mixed 0', '1 text/plain 0'],
  ],
  [
    'boundary that is the beginning of another',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\nx\n--b1--\n--b--\n',
    ['TEXT multipart/mixed 0', '1 multipart/mixed 0', '1.1 text/plain 0'],
  ],
  [
    'delimiter as the first line of a body',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--\n',
    ['TEXT multipart/mixed 0', '1 text/plain 0'],
  ],
  [
    'text that looks like a delimiter',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n-- \n--bb\n --b\nx--b\n--b--\n',
    ['TEXT multipart/mixed 0', '1 text/plain 3'],
  ],
  [
    'boundary with two dashes at its end',
    'Content-Type: multipart/mixed; boundary="b--"\n\n--b--\n\nx\n--b----\n',
    ['TEXT multipart/mixed 0', '1 text/plain 0'],
  ],
  [
    'parts after the final delimiter',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n--b\n\ny\n',
    ['TEXT multipart/mixed 0', '1 text/plain 0'],
  ],
  [
    'digest',
    'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\nhi\n--b--\n',
    ['TEXT multipart/digest 0', '1 message/rfc822 2', '1.1 text/plain 0'],
  ],
  [
    'base64 message/rfc822',
    'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0K\n',
    ['1 message/rfc822 1'],
  ],
  [
    'broken types',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text\n\n--b\nContent-Type: what is this\n\n--b\nContent-Type: a/b/c\n\n--b--',
    ['TEXT multipart/mixed 0', '1 text/plain 0', '2 text/plain 0', '3 text/plain 0'],
  ],
  [
    'types whose subtype is broken',
    'Content-Type: multipart; boundary=b\n\n--b\nContent-Type: image/\n\n--b\nContent-Type: application\n\n--b\nContent-Type: text/html charset=utf-8\n\n--b--',
    ['TEXT multipart/mixed 0', '1 application/octet-stream 0', '2 application/octet-stream 0', '3 text/html 0'],
  ],
]

for (const [what, source, expected] of DAMAGED)
  test(`lenient scan: ${what}`, () => {
    assert.deepEqual(outline(scanMessage(crlf(source))), expected)
    assert.deepEqual(outline(scanMessage(Buffer.from(source))), expected)
  })

test('RFC 2183, RFC 2231: what a part says about itself', () => {
  const tree = scanMessage(
    crlf(`Content-Type: application/pdf; name*0*=utf-8''a%C3; name*1*=%A9.pdf
Content-Disposition: ATTACHMENT; filename="=?utf-8?Q?gr=C3=BC=C3=9Fe.pdf?="; size=5
Content-Transfer-Encoding: Base64 (yes)
Content-ID: <c@d>
Content-Description: a thing
Content-MD5: Q2hlY2s=
Content-Language: en, de-CH
Content-Location: http://x.test/
 a.pdf

AAAA`),
  )
  const part = tree.parts[0]!
  assert.equal(part.filename, 'grüße.pdf')
  assert.equal(part.parameters.get('name'), 'aé.pdf')
  assert.equal(part.disposition, 'attachment')
  assert.equal(part.dispositionParameters.get('size'), '5')
  assert.equal(part.encoding, 'base64')
  assert.equal(part.contentId, '<c@d>')
  assert.equal(part.description, 'a thing')
  assert.equal(part.md5, 'Q2hlY2s=')
  assert.deepEqual(part.language, ['en', 'de-CH'])
  assert.equal(part.location, 'http://x.test/a.pdf')
  assert.equal(part.isAttachment, true)
})

const ATTACHED: readonly (readonly [header: string, attached: boolean])[] = [
  ['Content-Type: text/plain', false],
  ['Content-Type: text/plain; name=a.txt', true],
  ['Content-Type: text/plain\nContent-Disposition: attachment', true],
  ['Content-Type: image/png', true],
  ['Content-Type: image/png\nContent-ID: <x>\nContent-Disposition: inline; filename=x.png', false],
  [
    'Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Disposition: attachment; filename=smime.p7s',
    false,
  ],
  ['Content-Type: message/rfc822', true],
  ['Content-Type: text/calendar; method=REQUEST', false],
  ['Content-Type: message/delivery-status', false],
]

for (const [header, attached] of ATTACHED)
  test(`attachment or not: ${header.replace(/\n/g, ' · ')}`, () => {
    const tree = scanMessage(crlf(`Content-Type: multipart/mixed; boundary=b\n\n--b\n${header}\n\nx\n--b--\n`))
    assert.equal(tree.parts[1]!.isAttachment, attached)
  })

test('RFC 5322 §2.2, §4.5: header fields', () => {
  const header = new HeaderFields(
    crlf(
      'From user@x Fri Feb 22\nSubject : a\n\tb\n c\nX-A:1\nx-a: 2\nnot a field\n: no name\n__proto__: p\nEmpty:\n\nX-A: body\n',
    ),
  )
  assert.equal(header.get('SUBJECT'), 'a\tb c')
  assert.deepEqual(header.all('x-a'), ['1', '2'])
  assert.equal(header.get('__proto__'), 'p')
  assert.equal(header.get('constructor'), undefined)
  assert.equal(header.get('empty'), '')
  assert.equal(header.has('from'), false)
  assert.equal(Buffer.from(header.raw(header.fieldsNamed('subject')[0]!)).toString(), 'Subject : a\r\n\tb\r\n c\r\n')
})

test('RFC 6532: raw octets in a header are UTF-8, else windows-1252', () => {
  assert.equal(new HeaderFields(Buffer.from('Subject: Grüße\n')).get('subject'), 'Grüße')
  assert.equal(new HeaderFields(Buffer.from('Subject: Gr\xfc\xdfe\n', 'latin1')).get('subject'), 'Grüße')
  assert.equal(new HeaderFields(Buffer.from('Subject: a\0b\x01c\rd\n')).get('subject'), 'a b cd')
})

/** Offsets that hang together, whatever the bytes. */
function assertSound(tree: MimeTree): void {
  tree.parts.forEach((part, index) => {
    assert.equal(part.index, index)
    assert.ok(part.headerStart <= part.bodyStart && part.bodyStart <= part.bodyEnd && part.bodyEnd <= tree.bytes.length)
    if (part.parent >= 0) {
      const parent = tree.parts[part.parent]!
      assert.ok(part.parent < index && part.headerStart >= parent.bodyStart && part.bodyEnd <= parent.bodyEnd)
    }
    if (part.nextSibling >= 0) {
      const next = tree.parts[part.nextSibling]!
      assert.ok(next.parent === part.parent && next.headerStart >= part.bodyEnd)
    }
    if (!part.section.endsWith('TEXT')) assert.equal(partBySection(tree.parts, part.section), part)
  })
}

const PIECES = [
  '\r\n',
  '\n',
  '--b',
  '--c',
  '--',
  'Content-Type: multipart/mixed; boundary=b\r\n',
  'Content-Type: multipart/alternative; boundary="c"\r\n',
  'Content-Type: message/rfc822\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'Subject: x\r\n',
  ' folded',
  'text',
  'é',
  '\0',
  'To: "a" <b@c>, (d\r\n',
]

test('property: any bytes give a sound tree and a prepared message', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      const tree = scanMessage(bytes)
      assertSound(tree)
      assert.match(Buffer.from(imapBodyStructure(tree)).toString('latin1'), /^[\x09\x0a\x0d\x20-\x7e]+$/)
      assert.equal(prepareMessage(bytes).summary.size, bytes.length)
    }),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assertSound(scanMessage(bytes))
      prepareMessage(bytes)
    }),
    { numRuns: 300 },
  )
})

test('a header that runs into the delimiter of an outer part ends inside its parents', () => {
  for (const inner of ['', 'Subject: x\n'])
    assertSound(
      scanMessage(
        crlf(
          `Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${inner}--a--\n`,
        ),
      ),
    )
})

test('property: a mail with changed bytes still gives a sound tree', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(NESTED.length + 30), fc.nat(255)), { maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(crlf(NESTED))
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      assertSound(scanMessage(bytes))
      prepareMessage(bytes)
    }),
    { numRuns: 500 },
  ))
