import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AddressItem,
  cleanAddress,
  formatAddress,
  formatAddressList,
  mailboxesOf,
  parseAddress,
  parseAddressList,
} from './index.ts'

/** `name <address>` of every item, groups as `name: …;`: short enough to read in a table. */
function shown(items: readonly AddressItem[]): string {
  return items
    .map((item) => (item.kind === 'group' ? `${item.name}: ${shown(item.members)};` : `${item.name} <${item.address}>`))
    .join(' | ')
}

const READABLE: readonly (readonly [text: string, items: string])[] = [
  ['a@b.c', ' <a@b.c>'],
  [
    'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
    'Mary Smith <mary@x.test> |  <jdoe@example.org> | Who? <one@y.test>',
  ],
  [
    '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
    ' <boss@nil.test> | Giant; "Big" Box <sysservices@example.net>',
  ],
  [
    'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
    'A Group: Ed Jones <c@a.test> |  <joe@where.test> | John <jdoe@one.test>;',
  ],
  ['Undisclosed recipients:;', 'Undisclosed recipients: ;'],
  ['"Joe Q. Public" <john.q.public@example.com>', 'Joe Q. Public <john.q.public@example.com>'],
  ['Joe Q. Public <john.q.public@example.com>', 'Joe Q. Public <john.q.public@example.com>'],
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', 'Pete <pete@silly.test>'],
  ['jdoe@test   . example', ' <jdoe@test.example>'],
  ['john . doe @ example . com', ' <john.doe@example.com>'],
  ['<@a.test,@b.test:mary@example.net>', ' <mary@example.net>'],
  ['user@domain (Real Name)', 'Real Name <user@domain>'],
  ['group: g1@d1.org, g2@d2.org;, group2: (foo) ;', 'group:  <g1@d1.org> |  <g2@d2.org>; | group2: ;'],
  ['"very unusual"@x.test', ' <"very unusual"@x.test>'],
  ['"a"."b"@x.test', ' <a.b@x.test>'],
  ['x@[192.0.2.1], y@[IPv6:2001:db8::1]', ' <x@[192.0.2.1]> |  <y@[IPv6:2001:db8::1]>'],
  ['foo..bar@docomo.example, baz.@docomo.example', ' <"foo..bar"@docomo.example> |  <"baz."@docomo.example>'],
  ['=?utf-8?Q?J=C3=B6rg?= =?utf-8?Q?_M=C3=BCller?= <j@x.test>', 'Jörg Müller <j@x.test>'],
  ['"=?utf-8?B?w6k=?=" <e@x.test>', 'é <e@x.test>'],
  ['Grüße <jörg@müller.example>', 'Grüße <jörg@müller.example>'],
  ['a@b.test; c@d.test;', ' <a@b.test> |  <c@d.test>'],
  ['Foo <a@b.test', 'Foo <a@b.test>'],
  ['<a@b.test> <c@d.test>', ' <a@b.test> |  <c@d.test>'],
  ['Joe joe@x.test', 'Joe <joe@x.test>'],
  [',,a@b.test,,', ' <a@b.test>'],
  ['a@b.test.', ' <a@b.test>'],
  ["O'Neil, Pat <p@x.test>", "O'Neil <> | Pat <p@x.test>"],
  ['[Ext] Bob <b@x.test>', '[Ext] Bob <b@x.test>'],
  ['', ''],
  ['<>', ''],
]

for (const [text, items] of READABLE)
  test(`RFC 5322 §3.4 reads ${JSON.stringify(text)}`, () => assert.equal(shown(parseAddressList(text)), items))

/** Texts whose quoted, commented or encoded parts must never become a recipient, and who may. */
const SAFE: readonly (readonly [text: string, recipients: string])[] = [
  // CVE-2025-13033, CVE-2026-121424: an address inside a quoted local part.
  ['"xclow3n@gmail.com x"@internal.domain', '"xclow3n@gmail.com x"@internal.domain'],
  ['"evil@x.test" <good@y.test>', 'good@y.test'],
  ['"evil@x.test, other@x.test" <good@y.test>', 'good@y.test'],
  ['"a <evil@x.test>" <good@y.test>', 'good@y.test'],
  ['good(evil@x.test)@y.test', 'good@y.test'],
  ['(evil@x.test, <evil@x.test>) good@y.test', 'good@y.test'],
  ['(a(b(evil@x.test))) good@y.test', 'good@y.test'],
  ['evil@x.test <good@y.test>', 'good@y.test'],
  ['=?utf-8?Q?evil=40x.test?= <good@y.test>', 'good@y.test'],
  ['=?utf-8?Q?evil@x.test,?= <good@y.test>', 'good@y.test'],
  ['=?utf-8?q?evil=40x.test=3e=00?=@y.test', ''],
  ['=?x?q?evil@x.test?=', ''],
  ['"unterminated <evil@x.test>', ''],
  ['(unterminated <evil@x.test>', ''],
  ['evil@x.test@y.test', ''],
  ['<evil@x.test@y.test>', ''],
  ['a@b.test c@d.test', ''],
  ['"a"b@c.test', ''],
  ['<john doe@x.test>', ''],
  ['a@b.test\r\nBcc: evil@x.test', ''],
  ['a@"b.test"', ''],
  ['a@b..test, @b.test, a@, a@.b', ''],
  ['a\\@b@c.test', ''],
  ['a@[192.0.2.1]evil.test', ''],
  ['a@b.test\0.evil.test', ''],
]

for (const [text, recipients] of SAFE)
  test(`no wrong recipient from ${JSON.stringify(text)}`, () =>
    assert.equal(
      mailboxesOf(parseAddressList(text))
        .map((mailbox) => mailbox.address)
        .join(' '),
      recipients,
    ))

test('an address that is one: cleanAddress and parseAddress', () => {
  assert.equal(cleanAddress(' a@b.test '), 'a@b.test')
  assert.equal(cleanAddress('<a@b.test>'), 'a@b.test')
  for (const bad of ['', 'a', 'a@b, c@d', 'X <a@b>', 'a@b\r\nRCPT TO:<x@y>', 'a@b>', '"a@b', '<@x:a@b>']) {
    const clean = cleanAddress(bad)
    assert.ok(clean === undefined || clean === 'a@b', `${bad} → ${clean}`)
  }
  assert.equal(cleanAddress('a@b\r\nRCPT TO:<x@y>'), undefined)
  assert.equal(parseAddress('A <a@b.test>')?.name, 'A')
  assert.equal(parseAddress('a@b.test, c@d.test'), undefined)
})

test('formatting: quotes, encoded-words, A-labels, injection', () => {
  assert.equal(formatAddress({ name: 'Smith, John', address: 'j@x.test' }), '"Smith, John" <j@x.test>')
  assert.equal(
    formatAddress({ name: 'Jörg', address: 'j@bücher.example' }),
    '=?utf-8?B?SsO2cmc=?= <j@xn--bcher-kva.example>',
  )
  assert.equal(formatAddress({ address: 'jörg@bücher.example' }), 'jörg@bücher.example')
  assert.equal(formatAddress({ name: 'x\r\nBcc: e@v.il', address: 'j@x.test' }), '"x  Bcc: e@v.il" <j@x.test>')
  assert.equal(formatAddressList([{ address: 'a@b>, <e@v.il' }, { address: 'j@x.test' }]), 'j@x.test')
  assert.equal(formatAddress({ name: '=?utf-8?Q?x?=', address: 'j@x.test' }).includes('=?utf-8?Q?x?='), false)
  assert.equal(
    formatAddressList(parseAddressList('Team: a@b.test, "C, D" <c@d.test>;, e@f.test')),
    'Team: a@b.test, "C, D" <c@d.test>;, e@f.test',
  )
})

const local = fc.oneof(
  fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\.[a-z0-9]{1,8})?$/).filter((text) => !text.includes('=?')),
  fc.string({ minLength: 1, maxLength: 12 }).filter((text) => /^[\x20-\x7e]+$/.test(text)),
)
const domain = fc.stringMatching(/^[a-z0-9]{1,10}(\.[a-z]{2,6}){0,2}$/)
const name = fc.string({ unit: 'binary', maxLength: 30 }).map((text) =>
  text
    .replace(/[\x00-\x1f\x7f\s\u0085]+/g, ' ')
    .toWellFormed()
    .trim(),
)

test('signs of an encoded-word that share their question mark make none', () => {
  for (const local of ['?=?', '=?=', 'a=?b'])
    assert.equal(parseAddress(formatAddress({ address: `"${local}"@x.test` }))?.local, local)
})

test('property: what we format we parse', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(name, local, domain), { maxLength: 5 }), (people) => {
      const list = people.map(([name, local, domain]) => ({
        name,
        address: `${/^[a-z0-9.]+$/.test(local) ? local : `"${local.replace(/["\\]/g, '\\$&')}"`}@${domain}`,
      }))
      const parsed = mailboxesOf(parseAddressList(formatAddressList(list)))
      assert.deepEqual(
        parsed.map((mailbox) => [mailbox.name, mailbox.local, mailbox.domain]),
        people.map(([name, local, domain]) => [name, local, domain]),
      )
    }),
    { numRuns: 300 },
  ))

test('property: any text gives a value, and valid addresses survive formatting', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          'a',
          '@',
          '<',
          '>',
          '"',
          '\\',
          '(',
          ')',
          ',',
          ';',
          ':',
          '.',
          ' ',
          '[',
          ']',
          '=?x?q?a?=',
          'é',
          '\r\n',
        ),
        { maxLength: 25 },
      ),
      (pieces) => {
        const boxes = mailboxesOf(parseAddressList(pieces.join('')))
        assert.deepEqual(
          mailboxesOf(parseAddressList(boxes.map((box) => box.address).join(', '))).map((box) => [
            box.local,
            box.domain,
          ]),
          boxes.map((box) => [box.local, box.domain]),
        )
      },
    ),
    { numRuns: 1000 },
  ))
