import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  conversationKey,
  conversationTopic,
  decodeParameters,
  decodeText,
  decodeWords,
  encodeWords,
  formatDate,
  formatParameterized,
  messageIds,
  parseDate,
  parseDateTime,
  parseParameterized,
  readSubject,
  subjectPrefix,
} from './index.ts'

const WORDS: readonly (readonly [text: string, decoded: string])[] = [
  ['=?US-ASCII?Q?Keith_Moore?=', 'Keith Moore'],
  [
    '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
    'If you can read this you understand the example.',
  ],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
  ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
  // One character over two words.
  ['=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=', 'é'],
  ['=?utf-8?B?w6k=?= =?UTF-8?q?=C3=A9?=', 'éé'],
  ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
  ['=?iso-2022-jp?B?GyRCRnwbKEI=?= =?iso-2022-jp?B?GyRCS1wbKEI=?=', '日本'],
  ['=?gb2312?B?1tC5+g==?=', '中国'],
  ['=?ks_c_5601-1987?B?x9GxuQ==?=', '한국'],
  ['=?utf-8*en?Q?a?=', 'a'],
  ['=?bogus?Q?=C3=A9?=', 'é'],
  ['=?bogus?Q?=E9?=', 'é'],
  ['x=?utf-8?Q?y?=z', 'xyz'],
  ['=?utf-8?Q?a b?=', 'a b'],
  ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
  ['=?utf-8?Q?a', '=?utf-8?Q?a'],
  ['=?', '=?'],
  ['=?utf-8?Q??=', ''],
  // A decoded line break must not reach a header or a log (P9).
  ['=?utf-8?Q?a=0D=0ABcc:_x?=', 'a  Bcc: x'],
  ['=?utf-8?B?w6k?=', 'é'],
]

for (const [text, decoded] of WORDS)
  test(`RFC 2047 decodes ${JSON.stringify(text)}`, () => assert.equal(decodeWords(text), decoded))

test('RFC 2047 §2: words of at most 75 characters, readable text stays, no line breaks', () => {
  assert.equal(encodeWords('Hello world'), 'Hello world')
  assert.equal(encodeWords('Re: Grüße aus Köln, Bob'), 'Re: =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4s?= Bob')
  assert.equal(encodeWords('a\r\nBcc: b'), 'a Bcc: b')
  for (const word of encodeWords('日本語のとても長い件名です。'.repeat(20)).split(' ')) assert.ok(word.length <= 75)
  assert.equal(decodeWords(encodeWords('=?utf-8?Q?x?=')), '=?utf-8?Q?x?=')
})

test('property: encoded text decodes to itself', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (raw) => {
      const text = raw.replace(/[\x00-\x1f\x7f]/g, '').toWellFormed()
      const encoded = encodeWords(text)
      assert.match(encoded, /^[\x20-\x7e]*$/)
      assert.equal(decodeWords(encoded), text)
    }),
    { numRuns: 500 },
  ))

test('RFC 2231: continuations, charsets, the forms mailers write', () => {
  const read = (text: string) => Object.fromEntries(decodeParameters(parseParameterized(text).parameters))
  assert.deepEqual(read(`message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/x"`), {
    'access-type': 'URL',
    url: 'ftp://cs.utk.edu/x',
  })
  assert.deepEqual(read(`a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A`), { title: 'This is ***fun***' })
  assert.deepEqual(
    read(`a/b; t*0*=us-ascii'en'This%20is%20even%20more%20; t*1*=%2A%2A%2Afun%2A%2A%2A%20; t*2="isn't it!"`),
    {
      t: "This is even more ***fun*** isn't it!",
    },
  )
  // A character over two segments, and segments out of order.
  assert.deepEqual(read(`a/b; f*1*=%A9b; f*0*=utf-8''a%C3`), { f: 'aéb' })
  assert.deepEqual(read(`a/b; filename=plain; filename*=utf-8''%C3%A9`), { filename: 'é' })
  assert.deepEqual(read(`a/b; filename="=?utf-8?Q?=C3=A9?="`), { filename: 'é' })
  assert.deepEqual(read(`a/b; name=my file (1).pdf; charset=us-ascii (comment)`), {
    name: 'my file (1).pdf',
    charset: 'us-ascii',
  })
  assert.deepEqual(read(`a/b; x="a\\"b;c" ; y = z`), { x: 'a"b;c', y: 'z' })
  assert.deepEqual(read(`a/b; f*=utf-8''a%0D%0Ab; g="unterminated`), { f: 'a  b', g: 'unterminated' })
  assert.equal(parseParameterized('Text/ (comment) Plain; a=b').value, 'text/plain')
})

test('P14: names of object prototypes are ordinary parameter names', () => {
  const map = decodeParameters(parseParameterized('a/b; __proto__=1; constructor=2; toString*0=3').parameters)
  assert.deepEqual(
    [...map],
    [
      ['__proto__', '1'],
      ['constructor', '2'],
      ['tostring', '3'],
    ],
  )
})

test('property: parameters round trip', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 150 }), (raw) => {
      const value = raw.replace(/[\x00-\x1f\x7f]/g, ' ').toWellFormed()
      const text = formatParameterized('application/pdf', [
        ['filename', value],
        ['x', 'y'],
      ])
      assert.match(text, /^[\x20-\x7e]*$/)
      const parsed = parseParameterized(text)
      assert.equal(parsed.value, 'application/pdf')
      assert.equal(decodeParameters(parsed.parameters).get('filename'), value)
      assert.equal(decodeParameters(parsed.parameters).get('x'), 'y')
    }),
    { numRuns: 500 },
  ))

test('charsets: names, aliases, guesses', () => {
  const bytes = (...list: number[]) => Uint8Array.from(list)
  assert.equal(decodeText(bytes(0x80), 'windows-1252'), '€')
  assert.equal(decodeText(bytes(0xe9), 'ISO-8859-1'), 'é')
  assert.equal(decodeText(bytes(0xa4), 'ISO_8859-15'), '€')
  assert.equal(decodeText(bytes(0xc3, 0xa9), 'us-ascii'), 'é')
  assert.equal(decodeText(bytes(0xe9), 'us-ascii'), 'é')
  assert.equal(decodeText(bytes(0xe9), undefined), 'é')
  assert.equal(decodeText(bytes(0xe9), 'no-such-charset'), 'é')
  assert.equal(decodeText(bytes(0x82), 'cp437'), 'é')
  assert.equal(decodeText(bytes(0x88, 0xea), 'cp932'), '一')
  assert.equal(decodeText(bytes(0xef, 0xbb, 0xbf, 0x61), 'utf-8'), 'a')
  assert.equal(decodeText(Buffer.from('A+ImIDkQ-.+- +AOk'), 'utf-7'), 'A≢Α.+ é')
  assert.equal(decodeText(Buffer.from('~{VPND~}.~~'), 'hz-gb-2312'), '中文.~')
  assert.equal(decodeText(Buffer.from('\x1b$)C\x0eGQ19\x0f!'), 'iso-2022-kr'), '한국!')
  assert.equal(decodeText(bytes(0xc3), 'utf-8'), '\ufffd')
})

test('property: any bytes in any charset give text', () =>
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.constantFrom(
        'utf-8',
        'utf-7',
        'hz-gb-2312',
        'iso-2022-kr',
        'iso-2022-jp',
        'gb18030',
        'utf-16',
        'cp850',
        '',
        '__proto__',
        'x\0y',
      ),
      (bytes, charset) => assert.equal(typeof decodeText(bytes, charset), 'string'),
    ),
  ))

const DATES: readonly (readonly [text: string, iso: string | undefined])[] = [
  ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z'],
  ['Tue, 1 Jul 2003 10:52:37 +0200', '2003-07-01T08:52:37.000Z'],
  ['Thu,\r\n 13 Feb 1969\r\n 23:32 -0330 (Newfoundland Time)', '1969-02-14T03:02:00.000Z'],
  ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z'],
  ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z'],
  ['15 Feb 07 01:02 EST', '2007-02-15T06:02:00.000Z'],
  ['Thu Feb 15 01:02:03 2007', '2007-02-15T01:02:03.000Z'],
  ['Thu Feb 15 01:02:03 PST 2007', '2007-02-15T09:02:03.000Z'],
  ['15-Feb-2007 01:02:03 +0100', '2007-02-15T00:02:03.000Z'],
  ['2007-02-15T01:02:03+01:00', '2007-02-15T00:02:03.000Z'],
  ['Mon, 31 Dec 2016 23:59:60 +0000', '2016-12-31T23:59:59.000Z'],
  ['1 Jan 104 00:00:00 +0000', '2004-01-01T00:00:00.000Z'],
  ['Tue, 30 Feb 2021 00:00:00 +0000', undefined],
  ['1 Jan 2021 24:00:00 +0000', undefined],
  ['yesterday', undefined],
  ['', undefined],
]

for (const [text, iso] of DATES)
  test(`RFC 5322 §3.3 reads ${JSON.stringify(text)}`, () => {
    const time = parseDate(text)
    assert.equal(time === undefined ? undefined : new Date(time).toISOString(), iso)
  })

test('property: dates round trip with their zone', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: -720, max: 840 }), (seconds, offset) => {
      assert.deepEqual(parseDateTime(formatDate(seconds * 1000, offset)), { time: seconds * 1000, offset })
    }),
  ))

const SUBJECTS: readonly (readonly [text: string, base: string, reply: boolean])[] = [
  ['Hello', 'Hello', false],
  ['Re: Hello', 'Hello', true],
  ['RE:  Fwd: [list] hello  world (fwd) (FWD)', 'hello world', true],
  ['[list] Re: [list] hello', 'hello', true],
  ['[fwd: Re: hello]', 'hello', true],
  ['[fwd: hello', '[fwd: hello', false],
  ['Re [x]: hello', 'hello', true],
  ['[a][b]', '[b]', false],
  ['=?utf-8?Q?Re=3A_h=C3=A9?=', 'hé', true],
  ['regards: x', 'regards: x', false],
  ['Re:', '', true],
]

for (const [text, base, reply] of SUBJECTS)
  test(`RFC 5256 §2.1 base subject of ${JSON.stringify(text)}`, () => {
    assert.deepEqual(readSubject(text), { base, reply })
  })

test('MS-OXCMSG 2.2.1.10: conversation topic without prefixes', () => {
  for (const subject of ['Plan', 'RE: Plan', 'AW: WG: Plan', 'Re: Fw:  Plan ', 'TR : Plan', 'Re[2]: Plan', 'Öt: Plan'])
    assert.equal(conversationTopic(subject), 'Plan')
  assert.equal(conversationTopic('Note: Plan'), 'Note: Plan')
  assert.equal(subjectPrefix('RE: Plan'), 'RE: ')
  assert.equal(subjectPrefix('Plan'), '')
  const key = conversationKey({ references: ['<a@b>', '<c@d>'], inReplyTo: '<c@d>', messageId: '<e@f>', topic: 'Plan' })
  assert.equal(key, conversationKey({ references: [], inReplyTo: '<a@b>', messageId: '<x@y>', topic: 'PLAN' }))
})

test('RFC 5322 §3.6.4: message identifiers, damaged ones too', () => {
  assert.deepEqual(messageIds('<a@b>\t<c@d>'), ['<a@b>', '<c@d>'])
  assert.deepEqual(messageIds('Your message of "Monday" <a@b> (x)'), ['<a@b>'])
  assert.deepEqual(messageIds('<<a@b>>'), ['<a@b>'])
  assert.deepEqual(messageIds('a@b'), ['<a@b>'])
  assert.deepEqual(messageIds('<a\r\n @b>'), ['<a@b>'])
  assert.deepEqual(messageIds(''), [])
  assert.deepEqual(messageIds('<a@b> <c'), ['<a@b>'])
})
