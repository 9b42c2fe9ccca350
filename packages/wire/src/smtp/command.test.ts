import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDomain, mailCommand, parseCommand, parseMailbox, rcptCommand, SmtpValueError } from './index.ts'

const parse = (line: string) => parseCommand(Buffer.from(line, 'utf8'))
const codeOf = (line: string) => {
  const command = parse(line)
  return command.verb === 'error' ? `${command.reply.code} ${command.reply.status}` : command.verb
}

test('RFC 5321 §4.1.1: MAIL and RCPT with their parameters', () => {
  const mail = parse('mail from:<A.b+c@Example.ORG> SIZE=1000 BODY=8bitmime RET=HDRS ENVID=a+2Bb AUTH=<>')
  assert.ok(mail.verb === 'MAIL')
  assert.deepEqual(mail.from, { localPart: 'A.b+c', domain: 'example.org', address: 'A.b+c@example.org', utf8: false })
  assert.deepEqual(mail.parameters, { size: 1000, body: '8BITMIME', ret: 'HDRS', envid: 'a+b', auth: null })
  const rcpt = parse('RCPT TO:<b@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2B1@b.example')
  assert.ok(rcpt.verb === 'RCPT')
  assert.deepEqual(rcpt.parameters, {
    notify: ['SUCCESS', 'DELAY'],
    orcpt: { addressType: 'rfc822', address: 'b+1@b.example' },
  })
  const never = parse('RCPT TO:<b@b.example> NOTIFY=NEVER')
  assert.ok(never.verb === 'RCPT' && never.parameters.notify?.length === 0)
})

test('the null path, the postmaster without a domain, spaces after the colon, missing brackets', () => {
  const nullPath = parse('MAIL FROM:<>')
  assert.ok(nullPath.verb === 'MAIL' && nullPath.from === null)
  const postmaster = parse('RCPT TO:<Postmaster>')
  assert.ok(postmaster.verb === 'RCPT' && postmaster.to.domain === '')
  assert.equal(codeOf('MAIL FROM: <a@b.example>'), 'MAIL')
  assert.equal(codeOf('MAIL FROM:a@b.example SIZE=3'), 'MAIL')
  assert.equal(codeOf('NOOP   '), 'NOOP')
})

test('P10: quoted local parts keep their meaning, source routes are dropped and said', () => {
  const quoted = parse('RCPT TO:<"a b\\"c>@x.example"@d.example>')
  assert.ok(quoted.verb === 'RCPT')
  assert.equal(quoted.to.localPart, 'a b"c>@x.example')
  assert.equal(quoted.to.address, '"a b\\"c>@x.example"@d.example')
  const plain = parse('RCPT TO:<"simple"@d.example>')
  assert.ok(plain.verb === 'RCPT' && plain.to.address === 'simple@d.example')
  const routed = parse('RCPT TO:<@one.example,@two.example:user@three.example>')
  assert.ok(routed.verb === 'RCPT' && routed.sourceRoute && routed.to.address === 'user@three.example')
})

test('malformed addresses and arguments get the reply of their kind', () => {
  const refused: [string, string][] = [
    ['MAIL', '501 5.5.4'],
    ['MAIL <a@b>', '501 5.5.4'],
    ['MAIL FROM:<a@b', '501 5.1.7'],
    ['MAIL FROM:<a@>', '501 5.1.7'],
    ['MAIL FROM:<a..b@c>', '501 5.1.7'],
    ['MAIL FROM:<a@b@c>', '501 5.1.7'],
    ['MAIL FROM:<a@b>SIZE=1', '501 5.1.7'],
    ['MAIL FROM:<a@-b.example>', '501 5.1.7'],
    ['MAIL FROM:<a@b> SIZE=x', '501 5.5.4'],
    ['MAIL FROM:<a@b> SIZE=1 SIZE=2', '501 5.5.4'],
    ['MAIL FROM:<a@b> FUN=1', '555 5.5.4'],
    ['MAIL FROM:<jürgen@b>', '550 5.6.7'],
    ['MAIL FROM:<postmaster>', '501 5.1.7'],
    ['RCPT TO:<>', '501 5.1.3'],
    ['RCPT TO:<a b@c>', '501 5.1.3'],
    ['RCPT TO:<a@b> NOTIFY=NEVER,SUCCESS', '501 5.5.4'],
    ['RCPT TO:<a@b> ORCPT=rfc822', '501 5.5.4'],
    ['EHLO', '501 5.5.4'],
    ['DATA now', '501 5.5.4'],
    ['VRFY', '501 5.5.4'],
    ['AUTH', '501 5.5.4'],
    ['AUTH PLAIN =bad= =', '501 5.5.4'],
    ['FROB', '500 5.5.1'],
    ['<<<', '500 5.5.2'],
    ['', '500 5.5.2'],
    ['__proto__ x', '500 5.5.2'],
    ['CONSTRUCTOR', '500 5.5.1'],
  ]
  for (const [line, reply] of refused) assert.equal(codeOf(line), reply, line)
})

test('RFC 6531: UTF-8 addresses with SMTPUTF8; invalid UTF-8 never', () => {
  const mail = parse('MAIL FROM:<jürgen@пример.example> SMTPUTF8')
  assert.ok(mail.verb === 'MAIL' && mail.from?.utf8 && mail.from.localPart === 'jürgen')
  const rcpt = parse('RCPT TO:<用户@例子.example>')
  assert.ok(rcpt.verb === 'RCPT' && rcpt.to.utf8)
  const bad = parseCommand(Buffer.from([...Buffer.from('MAIL FROM:<'), 0xff, 0xfe, ...Buffer.from('@b>')]))
  assert.ok(bad.verb === 'error')
})

test('domains and address literals', () => {
  const good = [
    'a',
    'a-b.example',
    'x_y.example',
    '[127.0.0.1]',
    '[IPv6:::1]',
    '[IPv6:2001:db8::1]',
    '[ipv6:1:2:3:4:5:6:7:8]',
  ]
  const bad = [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    '[1.2.3]',
    '[256.1.1.1]',
    '[IPv6:1]',
    '[IPv6:1::2::3]',
    'a b',
    `${'a'.repeat(64)}.b`,
  ]
  for (const domain of good) assert.ok(isDomain(domain), domain)
  for (const domain of bad) assert.ok(!isDomain(domain), domain)
})

test('what we write as MAIL or RCPT we read back the same', () => {
  const local = fc.stringMatching(/^[ -~]{1,30}$/)
  const text = fc.stringMatching(/^[ -~]{1,20}$/)
  fc.assert(
    fc.property(local, text, fc.boolean(), (localPart, envid, success) => {
      const mailbox = parseMailbox(`"${localPart.replace(/["\\]/g, '\\$&')}"@b.example`)
      assert.ok(mailbox !== undefined && mailbox.localPart === localPart)
      const mail = parse(mailCommand(mailbox.address, { envid, ret: 'FULL', size: 12 }).slice(0, -2))
      assert.ok(mail.verb === 'MAIL')
      assert.deepEqual(mail.from, mailbox)
      assert.deepEqual(mail.parameters, { size: 12, ret: 'FULL', envid })
      const notify: ('SUCCESS' | 'FAILURE')[] = success ? ['SUCCESS', 'FAILURE'] : []
      const parameters = { notify, orcpt: { addressType: 'rfc822', address: envid } }
      const rcpt = parse(rcptCommand(mailbox.address, parameters).slice(0, -2))
      assert.ok(rcpt.verb === 'RCPT')
      assert.deepEqual(rcpt.parameters, parameters)
    }),
    { numRuns: 500 },
  )
})

test('P9: no value can break out of a command line', () => {
  assert.throws(() => mailCommand('a@b\r\nRCPT TO:<x@y>', {}), SmtpValueError)
  assert.throws(() => mailCommand('a@b> SIZE=1', {}), SmtpValueError)
  assert.throws(() => rcptCommand('a b@c', {}), SmtpValueError)
  assert.throws(() => rcptCommand('"a\n"@c', {}), SmtpValueError)
  assert.equal(mailCommand('a@b', { envid: 'x\r\ny' }), 'MAIL FROM:<a@b> ENVID=x+0D+0Ay\r\n')
})

test('P5, P15: hostile command lines give a value, quickly', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const command = parseCommand(Buffer.from(bytes))
      assert.equal(typeof command.verb, 'string')
    }),
    { numRuns: 1000 },
  )
  for (const line of [
    `MAIL FROM:<${'"'.repeat(4000)}`,
    `RCPT TO:<${'a.'.repeat(2000)}@b>`,
    `RCPT TO:<@${'a,@'.repeat(1300)}:b@c>`,
    `NOOP ${' '.repeat(4000)}x`,
    `MAIL FROM:<a@b> ${'A=1 '.repeat(1000)}`,
  ]) {
    const started = workedMs()
    for (let i = 0; i < 20; i++) parse(line)
    assert.ok((workedMs() - started) / 20 < 5, line.slice(0, 30))
  }
})
