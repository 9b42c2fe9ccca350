import { crlf, type Draft, mail, raw, utf8 } from './mail.ts'

/** Mails of one text, and mails that are hardly any. */
export const plain: readonly Draft[] = [
  mail(
    'plain text',
    ['Content-Type: text/plain; charset=us-ascii'],
    'Hello Bob,',
    '',
    'see you at the harbour.',
    'Ann',
  ),
  mail('no MIME fields at all', [], 'Just text, needle-in-body.'),
  raw('no blank line', 'From: ann@sender.example\r\nSubject: no blank line\r\n'),
  raw('header without line end', 'From: ann@sender.example\r\nSubject: header without line end'),
  raw('empty body', crlf('From: ann@sender.example', 'Subject: empty body', '')),
  raw('no header', crlf('', 'A body and no header.', 'Second line.')),
  raw('only a line end', '\r\n'),
  raw('text without a colon', crlf('this is no header field', 'and neither is this', '', 'after the blank line')),
  raw(
    'junk between fields',
    crlf('Subject: junk between fields', 'this line is no field', 'From: ann@sender.example', '', 'body'),
  ),
  raw(
    'mbox line on top',
    crlf('From ann@sender.example Fri Nov 20 10:11:12 2026', 'Subject: mbox line on top', '', 'body'),
  ),
  raw('starts with a folded line', crlf(' folded onto nothing', 'Subject: starts with a folded line', '', 'body')),
  mail('From lines in the body', [], 'From the start', '>From quoted', ' From indented'),
  raw('no line end at the end', `${crlf('Subject: no line end at the end', 'From: ann@sender.example', '')}last line`),
  mail('trailing white space', [], 'a  ', '\t', '   ', 'b \t '),
  mail('many empty lines', [], '', '', '', '', 'text', '', '', ''),
  mail('dots alone', [], '.', '..', '.text'),
  mail(
    '8-bit latin1 body',
    ['Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit'],
    'Gr\xfc\xdfe aus K\xf6ln, na\xefve caf\xe9',
  ),
  mail(
    'utf-8 body',
    ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
    utf8('Grüße aus Köln, Привет, 日本語'),
  ),
  mail('8-bit without charset', [], utf8('Grüße')),
  mail(
    'quoted-printable body',
    ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable'],
    'Gr=C3=BC=C3=9Fe, soft=',
    'break, needle-in-quoted=2Dprintable',
    'space at end =20',
    'bad =ZZ escape',
    'end=',
  ),
  mail(
    'base64 body',
    ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: base64'],
    Buffer.from('needle-in-base64 Grüße\r\nsecond line\r\n').toString('base64'),
  ),
  mail(
    'base64 with noise',
    ['Content-Type: text/plain', 'Content-Transfer-Encoding: base64'],
    'bmVl ZGxl',
    '-aW4t',
    'bm9pc2U',
    '=',
    'trailing words',
  ),
  mail(
    'koi8-r quoted-printable',
    ['Content-Type: text/plain; charset=koi8-r', 'Content-Transfer-Encoding: quoted-printable'],
    '=F0=D2=C9=D7=C5=D4',
  ),
  mail('unknown charset', ['Content-Type: text/plain; charset=x-martian'], 'needle-in-martian \xff\xfe'),
  mail('iso-2022-jp body', ['Content-Type: text/plain; charset=iso-2022-jp'], '\x1b$BF|K\\8l\x1b(B'),
  mail(
    'format flowed',
    ['Content-Type: text/plain; format=flowed; delsp=yes'],
    'flowed text that goes on ',
    'and on ',
    'until here',
    '-- ',
    'signature',
  ),
  mail(
    'html only',
    ['Content-Type: text/html; charset=utf-8'],
    '<html><head><style>p{}</style></head><body><p>needle<b>-in-</b>html &amp; more</p></body></html>',
  ),
  mail('uuencoded', [], 'begin 644 test.txt', '#0V%T', '`', 'end'),
  mail('yenc', [], '=ybegin line=128 size=3 name=a.bin', '\x8d\x8e\x8f', '=yend size=3'),
  mail('one huge line', [], 'x'.repeat(120_000)),
  mail(
    'huge folded header',
    [
      `X-Long: ${'word '.repeat(2_000)}`,
      `X-Folded: ${Array.from({ length: 300 }, (_, i) => `item-${i}`).join(',\r\n\t')}`,
    ],
    'body',
  ),
  mail(
    '400 received fields',
    Array.from(
      { length: 400 },
      (_, i) => `Received: from h${i}.example by h${i + 1}.example; Fri, 20 Nov 2026 10:11:12 +0000`,
    ),
    'body',
  ),
  mail(
    'large text',
    [],
    ...Array.from({ length: 4_000 }, (_, i) => `Line ${i} of a text that is long enough to be read in pieces.`),
  ),
]

/** Mails whose line ends or octets are not those of RFC 5322 §2.3. */
export const brokenLines: readonly Draft[] = [
  raw(
    'bare line feeds',
    'From: ann@sender.example\nSubject: bare line feeds\nContent-Type: text/plain\n\nline one\nline two\n',
  ),
  raw('mixed line ends', 'From: ann@sender.example\r\nSubject: mixed line ends\n\r\none\ntwo\r\nthree\n'),
  raw(
    'bare line feeds in a multipart',
    'Subject: bare line feeds in a multipart\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\none\n--b\n\ntwo\n--b--\n',
  ),
  raw(
    'bare carriage returns',
    'From: ann@sender.example\r\nSubject: bare carriage returns\r\n\r\none\rtwo\r\rthree\r\n',
  ),
  raw(
    'doubled carriage returns',
    'From: ann@sender.example\r\r\nSubject: doubled carriage returns\r\r\n\r\nbody\r\r\n',
  ),
  raw('nul in the body', 'Subject: nul in the body\r\n\r\nbefore\0after\r\n'),
  raw('nul in the header', 'Subject: nul in\0 the header\r\nFrom: ann@sender.example\r\n\r\nbody\r\n'),
  raw(
    'control characters',
    'Subject: control \x01\x07\x1b characters\r\nFrom: "Bell \x07 Ringer" <ann@sender.example>\r\n\r\n\x01\x02\x1b[0m\r\n',
  ),
]
