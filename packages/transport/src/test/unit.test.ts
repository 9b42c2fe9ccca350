import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isPrivateAddress } from '../egress/private.ts'
import { hasBareLineEnd, hasLongLine, recode } from '../outbound/recode.ts'
import { chooseSendConnector } from '../settings.ts'

test('P11: inner addresses in every spelling', () => {
  const inner = [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
  ]
  const innerSix = [
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ]
  for (const address of [...inner, ...innerSix, 'localhost', '', '0x7f.1', '2130706433'])
    assert.ok(isPrivateAddress(address), address)
  for (const address of ['1.1.1.1', '172.32.0.1', '192.0.2.1', '2606:4700::1', '::ffff:1.1.1.1'])
    assert.ok(!isPrivateAddress(address), address)
})

test('send connectors: the most specific address space', () => {
  const connector = (name: string, ...addressSpaces: string[]) => ({
    name,
    addressSpaces,
    smartHosts: [],
    tls: 'opportunistic' as const,
  })
  const all = [
    connector('rest', '*'),
    connector('sub', '*.example.org'),
    connector('one', 'example.org', 'mail.example.org'),
  ]
  const chosen = (domain: string) => chooseSendConnector(all, domain)?.name
  assert.deepEqual(['example.org', 'a.example.org', 'mail.example.org', 'other.example'].map(chosen), [
    'one',
    'sub',
    'one',
    'rest',
  ])
  assert.equal(chooseSendConnector([all[1]!], 'other.example'), undefined)
})

test('long lines and bare line ends are found as by looking at each line', () => {
  const word = fc.constantFrom('\r\n', '\n', '\r', 'x'.repeat(500), 'y'.repeat(997), 'z', '')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const text = words.join('')
      assert.equal(hasBareLineEnd(Buffer.from(text)), /\r(?!\n)|(?<!\r)\n/.test(text))
      if (!hasBareLineEnd(Buffer.from(text)))
        assert.equal(
          hasLongLine(Buffer.from(text)),
          text.split('\r\n').some((line) => line.length > 998),
        )
    }),
    { numRuns: 500 },
  )
})

test('recode: whatever the message, the result is 7-bit with short lines when its parts were found', () => {
  const line = fc.constantFrom('Grüße', 'x'.repeat(1200), 'plain', '', '--b', '--b--')
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const head =
        'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
      const text = `${head}${lines.join('\r\n')}\r\n--b--\r\n`
      const out = recode(Buffer.from(text), false).toString('latin1')
      const body = out.slice(out.indexOf('--b\r\n'))
      const inside = body.slice(0, body.indexOf('--b--'))
      assert.ok(!/[\x80-\xff]/.test(inside.split('\r\n--b')[0]!))
    }),
    { numRuns: 200 },
  )
  const fine = Buffer.from('Subject: x\r\n\r\nplain\r\n')
  assert.equal(recode(fine, false), fine)
})

test('RFC 6152: nothing of a message stays 8-bit: headers of parts and what stands around them neither', () => {
  const text = [
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    'vorweg: \u00fc',
    '--b',
    'Content-Disposition: attachment; filename="\u00fc.txt"',
    '',
    'plain',
    '--b',
    'Content-Type: text/plain; charset=utf-8; name="\u00e4"',
    '',
    'gr\u00fcn',
    '--b--',
    'danach: \u00fc',
    '',
  ].join('\r\n')
  const out = recode(Buffer.from(text), false).toString('latin1')
  assert.match(out, /^[\x00-\x7f]*$/)
  assert.match(out, /filename\*=utf-8''%C3%BC\.txt\r\n\r\nplain\r\n--b/)
  assert.match(out, /name\*=utf-8''%C3%A4\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BCn\r\n--b--/)
  assert.match(out, /vorweg: \?\?\r\n--b/)
})

test('RFC 2045 §4: a message that was no MIME becomes one when it is encoded, behind the fields it has', () => {
  const recoded = (body: Buffer | string, header = ''): string =>
    recode(Buffer.concat([Buffer.from(`Received: x\r\n${header}\r\n`), Buffer.from(body)]), false).toString('latin1')
  assert.equal(
    recoded('Gr\u00fc\u00dfe\r\n', 'Subject: x\r\n'),
    'Received: x\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      'Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n',
  )
  assert.match(recoded(Buffer.from('\u00fc\r\n', 'latin1')), /charset=unknown-8bit/)
  assert.match(recoded(`${'x'.repeat(1200)}\r\n`), /charset=us-ascii/)
  const html = recoded('\u00fc\r\n', 'Content-Type: text/html; charset=utf-8\r\n')
  assert.match(
    html,
    /^Received: x\r\nContent-Type: text\/html; charset=utf-8\r\nMIME-Version: 1\.0\r\nContent-Transfer-/,
  )
})
