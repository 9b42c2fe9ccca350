import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  buildMessage,
  conversationTopic,
  decodeBase64,
  decodeQuotedPrintable,
  decodeUuencode,
  decodeWords,
  encodeQuotedPrintable,
  encodeWords,
  htmlToText,
  messageIds,
  parseAddressList,
  parseDateTime,
  parseParameterized,
  prepareMessage,
  readSubject,
  rewriteHeaders,
  scanMessage,
  searchText,
  textToHtml,
  toCrlf,
} from './index.ts'

/** Hostile text of about `size` characters. */
type Attack = (size: number) => string
const times = (unit: string): Attack => {
  return (size) => unit.repeat(Math.ceil(size / unit.length))
}
const head = 'From: a@b\r\nMIME-Version: 1.0\r\n'
const multipart = (boundary: string, lines: Attack): Attack => {
  return (size) => `${head}Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${lines(size)}`
}

const MESSAGES: Record<string, Attack> = {
  'near-boundary lines': multipart('bbbbbbbbbb', times('--bbbbbbbbbc\r\n')),
  'dashes only': multipart('b', times('--\n')),
  'empty parts (RFC 2046)': multipart('b', times('--b\r\n\r\nx\r\n')),
  'parts without headers': multipart('b', times('--b\n')),
  'closing delimiters': multipart('b', times('--b--\n')),
  'nested multiparts with one boundary each': (size) => {
    let out = head
    for (let i = 0; out.length < size; i++) out += `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`
    return out
  },
  'nested multiparts with the same boundary': times('Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'),
  'nested message/rfc822 (CVE-2026-26312)': times('Content-Type: message/rfc822\r\n\r\n'),
  'many RFC 2231 parameters (CVE-2026-27859)': (size) => {
    let out = `${head}Content-Type: text/plain`
    for (let i = 0; out.length < size; i++) out += `;\r\n a*${i}*=%41`
    return `${out}\r\n\r\nx`
  },
  'one boundary parameter of everything': (size) =>
    `${head}Content-Type: multipart/mixed; boundary="${'b'.repeat(size)}"\r\n\r\n--b`,
  'many header fields': times('X-A: b\r\n'),
  'one folded field': (size) => `Subject: a${'\r\n b'.repeat(size / 4)}\r\n\r\nx`,
  'many addresses': (size) => `To: ${'aaa@bbb.cc, '.repeat(size / 12)}\r\n\r\nx`,
  'many To fields': times('To: a@b\r\n'),
  'encoded-word flood': (size) => `Subject: ${'=?utf-8?Q?=41?= '.repeat(size / 16)}\r\n\r\nx`,
  'encoded-word beginnings': (size) =>
    `Subject: ${'=?a?Q?'.repeat(size / 6)}\r\nTo: ${'=?a?Q?'.repeat(size / 6)}\r\n\r\nx`,
  'eight-bit header': (size) => `Subject: ${'\u00e9'.repeat(size / 2)}\r\n\r\nx`,
  'references flood': (size) => `References: ${'<a@b> '.repeat(size / 6)}\r\n\r\nx`,
  'references opened': (size) => `References: ${'<'.repeat(size)}\r\n\r\nx`,
  'line feeds': times('\n'),
  'carriage returns in a header': (size) => `Subject: ${'\r'.repeat(size)}\n\nx`,
  colons: times(':'),
  'nested div (51 s in a peer)': (size) => `${head}Content-Type: text/html\r\n\r\n${'<div>'.repeat(size / 5)}`,
  'open tags': (size) => `${head}Content-Type: text/html\r\n\r\n${'<a href="'.repeat(size / 9)}`,
  'quoted-printable soft breaks': (size) =>
    `${head}Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'=  '.repeat(size / 3)}`,
  'base64 padding': (size) =>
    `${head}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${'=A'.repeat(size / 2)}`,
  'plain text': (size) => `${head}Content-Type: text/plain\r\n\r\n${'All work and no play.\r\n'.repeat(size / 23)}`,
}

const TEXTS: Record<string, { run: (text: string) => unknown; attacks: Attack[] }> = {
  parseAddressList: {
    run: parseAddressList,
    attacks: [
      'a@b,',
      '<',
      '"',
      '(',
      '\\',
      'a ',
      '@',
      ':',
      ';',
      '=?a?q?',
      '<a@b>',
      'a: ',
      '[',
      'a@[',
      '.',
      '("',
      '=?=?',
      ') ',
    ].map(times),
  },
  decodeWords: {
    run: decodeWords,
    attacks: ['=?', '=?a?b?', '=?utf-8?q?a?= ', '=?utf-8?b?', '?=', '=?a?q?a?=x', ' '].map(times),
  },
  encodeWords: { run: encodeWords, attacks: ['\u00e9', 'a ', ' ', '=?', '\ud800'].map(times) },
  parseParameterized: {
    run: parseParameterized,
    attacks: ['a;b=', ';a="', '(', ';a=(', '\\', '"', ' ', '=', ';a = b', ';name=a '].map(times),
  },
  parseDateTime: { run: parseDateTime, attacks: ['1 ', '(', ': ', 'Mon, '].map(times) },
  readSubject: { run: readSubject, attacks: ['[a]', 're: ', '[fwd:', ' (fwd)', '[', ' '].map(times) },
  conversationTopic: { run: conversationTopic, attacks: ['re: ', 'a:', ' ', 'abc'].map(times) },
  messageIds: { run: messageIds, attacks: ['<', '>', '<a>', 'a@b ', ' '].map(times) },
  htmlToText: {
    run: (html) => htmlToText(html, { links: true }),
    attacks: [
      '<div>',
      '<',
      '<!--',
      '<a href="x">',
      '</a>',
      "<a b='",
      '<script>',
      '&amp;',
      '&',
      '&#',
      '<p',
      ' ',
      '<pre>',
      '<br>',
      '<a title="',
      '<img alt="',
    ].map(times),
  },
  textToHtml: { run: textToHtml, attacks: ['http://', ' ', '\n', '<', 'http://a)))'].map(times) },
  decodeBase64: { run: (text) => decodeBase64(Buffer.from(text)), attacks: ['=', 'A=', ' ', 'AAAA'].map(times) },
  decodeQuotedPrintable: {
    run: (text) => decodeQuotedPrintable(Buffer.from(text)),
    attacks: ['=', '= ', ' ', '=\n', ' \n'].map(times),
  },
  encodeQuotedPrintable: {
    run: (text) => encodeQuotedPrintable(Buffer.from(text)),
    attacks: ['=', '.', ' ', '\n', '\u00e9'].map(times),
  },
  decodeUuencode: {
    run: (text) => decodeUuencode(Buffer.from(text)),
    attacks: ['begin ', '\n', 'M\n', 'a'].map(times),
  },
  toCrlf: { run: (text) => toCrlf(Buffer.from(text)), attacks: ['\n', '\r', '\r\n'].map(times) },
  rewriteHeaders: {
    run: (text) => rewriteHeaders(Buffer.from(text), { remove: ['a'], prepend: [['X', text]] }),
    attacks: ['a: b\n', 'b: c\n', '\n', 'x', ' \n'].map(times),
  },
  buildMessage: {
    run: (text) =>
      buildMessage({ from: [{ address: 'a@b', name: text }], subject: text, text, html: text, references: [text] }),
    attacks: ['\u00e9', 'a ', 'a', '<a@b>', '\r\n'].map(times),
  },
}

const SMALL = 50_000
const LARGE = 500_000
/** Ten times the input may take this many times the time; what is too fast to measure passes. */
const RATIO = 25
const NOISE = 25

function clock(run: () => unknown): number {
  const start = workedMs()
  run()
  return workedMs() - start
}

/** Times are the best of ten, measured again only while they look wrong: the machine has other work. */
function assertLinear(what: string, run: (size: number) => () => unknown): void {
  let large = Number.POSITIVE_INFINITY
  let small = Number.POSITIVE_INFINITY
  for (let round = 0; round < 10; round++) {
    large = Math.min(large, clock(run(LARGE)))
    if (large < NOISE) return
    small = Math.min(small, clock(run(SMALL)))
    if (large < Math.max(small, 1) * RATIO) return
  }
  assert.fail(`${what}: ${small.toFixed(1)} ms for 50 kB, ${large.toFixed(1)} ms for 500 kB`)
}

for (const [name, attack] of Object.entries(MESSAGES))
  test(`P3, P15: linear time on ${name}`, () => {
    assertLinear(name, (size) => {
      const bytes = Buffer.from(attack(size))
      return () => {
        prepareMessage(bytes)
        searchText(bytes)
      }
    })
  })

for (const [name, { run, attacks }] of Object.entries(TEXTS))
  test(`P15: ${name} is linear`, () => {
    for (const attack of attacks)
      assertLinear(`${name} on ${JSON.stringify(attack(1).slice(0, 20))}`, (size) => {
        const text = attack(size)
        return () => run(text)
      })
  })

test('P3: a message beyond the limits is still one message with an opaque rest', () => {
  const parts = scanMessage(Buffer.from(multipart('b', times('--b\n\nx\n'))(200_000)), { parts: 50 })
  assert.equal(parts.parts.length, 50)
  assert.equal(parts.limited, true)
  assert.equal(parts.parts.at(-1)?.bodyEnd, parts.bytes.length)
  const deep = scanMessage(Buffer.from(times('Content-Type: message/rfc822\r\n\r\n')(10_000)), { depth: 7 })
  assert.equal(deep.parts.length, 8)
  assert.equal(deep.parts.at(-1)?.opaque, true)
})
