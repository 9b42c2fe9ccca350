import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { clientFrontend, defaultFrontend, relayConnector } from '../index.ts'
import { type World, world } from './harness.ts'

let it: World
before(async () => {
  it = await world()
})
after(() => it.close())
afterEach(() => it.hangUp())
beforeEach(() => {
  it.intake.mails.length = 0
  it.intake.result = { outcome: 'accepted' }
  it.intake.state = 'ready'
  it.intake.full.clear()
})

const MESSAGE = 'From: a@outside.example\r\nTo: bob@example.com\r\nSubject: hello\r\n\r\n..text\r\n.\r\n'

test('a message from outside reaches the intake byte for byte, and 250 waits for it', async () => {
  const client = await it.mx()
  assert.deepEqual(await client.talk('MAIL FROM:<a@outside.example> SIZE=100', 'RCPT TO:<Bob@Example.COM>', 'DATA'), [
    '250 2.1.0',
    '250 2.1.5',
    '354 Start',
  ])
  client.send(MESSAGE)
  assert.match(await client.reply(), /^250 2\.6\.0 /)
  const [mail] = it.intake.mails
  assert.equal(mail!.from, 'a@outside.example')
  assert.deepEqual(
    mail!.recipients.map((r) => r.address),
    ['Bob@example.com'],
  )
  assert.equal(mail!.message.toString(), MESSAGE.replace('..text', '.text').replace(/\.\r\n$/, ''))
  assert.equal(mail!.trace.protocol, 'ESMTP')
  assert.equal(mail!.principal, undefined)
  assert.deepEqual(await client.talk('QUIT'), ['221 2.0.0'])
  assert.ok(client.ended)
})

test('EHLO shows what may be used now: no AUTH before TLS (R25), no STARTTLS inside', async () => {
  const plain = await it.connect([clientFrontend('mail.example.com')])
  assert.match(await plain.reply(), /^220 /)
  plain.send('EHLO x\r\n')
  const before = await plain.reply()
  for (const word of [
    'SIZE 37748736',
    'PIPELINING',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'CHUNKING',
    'DSN',
    'STARTTLS',
  ])
    assert.ok(before.split('|').includes(word), word)
  assert.ok(!before.includes('AUTH'))
  assert.deepEqual(await plain.talk('AUTH PLAIN AGEAYg==', 'MAIL FROM:<bob@example.com>'), ['538 5.7.11', '530 5.7.0'])
  assert.deepEqual(await plain.talk('STARTTLS'), ['220 2.0.0'])
  // P7: everything is forgotten, what was pipelined too.
  assert.deepEqual(await plain.talk('MAIL FROM:<bob@example.com>'), ['503 5.5.1'])
  plain.send('EHLO x\r\n')
  const inside = await plain.reply()
  assert.ok(inside.includes('AUTH SCRAM-SHA-256 PLAIN LOGIN') && !inside.includes('STARTTLS'))
  assert.deepEqual(await plain.talk('STARTTLS', 'MAIL FROM:<bob@example.com>'), ['503 5.5.1', '530 5.7.0'])
})

test('P7: commands in the same segment as STARTTLS are thrown away', async () => {
  const client = await it.connect([defaultFrontend('mail.example.com')])
  await client.reply()
  await client.talk('EHLO x')
  client.send('STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@evil.example>\r\n')
  assert.match(await client.reply(), /^220 /)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await client.talk('NOOP', 'MAIL FROM:<a@b.example>'), ['250 2.0.0', '503 5.5.1'])
})

test('P10, R30: every relay probe from outside is refused, none reaches the intake', async () => {
  const probes = [
    'victim@outside.example',
    '"victim@outside.example"@example.com',
    '"victim@outside.example"',
    'victim%outside.example@example.com',
    'victim%outside.example@[192.0.2.1]',
    'outside.example!victim@example.com',
    'outside.example!victim',
    '@example.com:victim@outside.example',
    '@mail.example.com,@example.com:victim@outside.example',
    '"@example.com":victim@outside.example',
    'victim@outside.example@example.com',
    'bob@example.com@outside.example',
    'bob@example.com.outside.example',
    'victim@localhost',
    'victim@[127.0.0.1]',
    'victim@[IPv6:::1]',
    'victim',
    'bob@sub.example.com',
    'bob@EXAMPLE.COM\u0000.outside.example',
    'bob%40example.com@outside.example',
  ]
  const senders = ['<>', '<spam@outside.example>', '<bob@example.com>', '<postmaster@example.com>', '<a@[127.0.0.1]>']
  for (const sender of senders)
    for (const probe of probes) {
      it.hangUp()
      const client = await it.mx({ maxProtocolErrors: 1000 })
      const [from, to] = await client.talk(`MAIL FROM:${sender}`, `RCPT TO:<${probe}>`)
      assert.equal(from, '250 2.1.0')
      assert.match(to!, /^5\d\d /, `${sender} ${probe}`)
      assert.deepEqual(await client.talk('DATA'), ['503 5.5.1'])
    }
  const client = await it.mx()
  const answers = await client.talk('MAIL FROM:<>', 'RCPT TO:<victim@outside.example>', 'RCPT TO:<nobody@example.com>')
  assert.deepEqual(answers.slice(1), ['550 5.7.1', '550 5.1.1'])
  assert.equal(it.intake.mails.length, 0)
})

test('R30: a relay connector serves its listed addresses and no others; the narrowest range wins', async () => {
  const connectors = [
    defaultFrontend('mail.example.com'),
    relayConnector('mail.example.com', ['192.0.2.64/28', '2001:db8::7']),
  ]
  const outcome = async (from: string) => {
    const client = await it.connect(connectors, { from })
    await client.reply()
    return (await client.talk('EHLO x', 'MAIL FROM:<scan@printer.example>', 'RCPT TO:<someone@outside.example>')).at(-1)
  }
  assert.equal(await outcome('192.0.2.66'), '250 2.1.5')
  assert.equal(await outcome('::ffff:192.0.2.66'), '250 2.1.5')
  assert.equal(await outcome('2001:db8::7'), '250 2.1.5')
  assert.equal(await outcome('192.0.2.80'), '550 5.7.1')
  assert.equal(await outcome('2001:db8::8'), '550 5.7.1')
  const nobody = await it.connect([relayConnector('m', ['192.0.2.64/28'])], { from: '198.51.100.1' })
  assert.match(await nobody.reply(), /^554 5\.7\.1/)
})

test('R29: after login our users reach inside and outside; unknown insiders are still refused', async () => {
  const client = await it.submission()
  assert.deepEqual(
    await client.talk(
      'MAIL FROM:<bob@example.com>',
      'RCPT TO:<someone@outside.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@y.example',
      'RCPT TO:<alice@example.com>',
      'RCPT TO:<nobody@example.com>',
      'RCPT TO:<team@example.com>',
      'DATA',
    ),
    ['250 2.1.0', '250 2.1.5', '250 2.1.5', '550 5.1.1', '250 2.1.5', '354 Start'],
  )
  client.send('From: Bob <bob@example.com>\r\n\r\nx\r\n.\r\n')
  assert.match(await client.reply(), /^250 /)
  const [mail] = it.intake.mails
  assert.equal(mail!.principal?.address, 'bob@example.com')
  assert.equal(mail!.trace.protocol, 'ESMTPSA')
  assert.deepEqual(mail!.recipients[0], {
    address: 'someone@outside.example',
    notify: ['success', 'failure'],
    originalRecipient: 'rfc822;x@y.example',
  })
})

test('P10: a user sends only as itself: envelope and From header, SendAs included', async () => {
  const bob = await it.submission()
  assert.deepEqual(
    await bob.talk('MAIL FROM:<alice@example.com>', 'MAIL FROM:<x@outside.example>', 'MAIL FROM:<robert@example.com>'),
    ['550 5.7.60', '550 5.7.60', '250 2.1.0'],
  )
  const send = async (client: Awaited<ReturnType<World['submission']>>, from: string, header: string) => {
    await client.talk('RSET', `MAIL FROM:<${from}>`, 'RCPT TO:<alice@example.com>', 'DATA')
    client.send(`${header}\r\n\r\nx\r\n.\r\n`)
    return (await client.reply()).split(' ').slice(0, 2).join(' ')
  }
  assert.equal(await send(bob, 'bob@example.com', 'From: alice@example.com'), '550 5.7.60')
  assert.equal(await send(bob, 'bob@example.com', 'From: bob@example.com, ceo@example.com'), '550 5.7.60')
  assert.equal(await send(bob, 'bob@example.com', 'From: bob@example.com\r\nFrom: ceo@outside.example'), '550 5.7.60')
  assert.equal(await send(bob, 'bob@example.com', 'From: "bob@example.com" <ceo@outside.example>'), '550 5.7.60')
  assert.equal(await send(bob, 'bob@example.com', 'From: robert@example.com'), '250 2.6.0')
  const padded = `From: bob@example.com\r\n${'a:b\r\n'.repeat(6000)}From: ceo@outside.example`
  assert.equal(await send(bob, 'bob@example.com', padded), '550 5.7.60')
  const alice = await it.submission('alice')
  assert.equal(await send(alice, 'sales@example.com', 'From: sales@example.com'), '250 2.6.0')
})

test('groups: insiders only where it is asked for', async () => {
  const client = await it.mx()
  assert.deepEqual(await client.talk('MAIL FROM:<>', 'RCPT TO:<team@example.com>', 'RCPT TO:<open@example.com>'), [
    '250 2.1.0',
    '550 5.7.133',
    '250 2.1.5',
  ])
})

test('P8: bare CR and LF are refused in DATA, allowed by BDAT; NUL never; one message is one message', async () => {
  const client = await it.mx()
  const send = async (body: string) => {
    await client.talk('RSET', 'MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
    client.send(`${body}\r\n.\r\n`)
    return (await client.reply()).slice(0, 10)
  }
  assert.match(await send('a: b\r\n\r\nx\ny'), /^550 5\.6\.11/)
  assert.match(await send('a: b\r\n\r\nx\n.\r\nMAIL FROM:<evil@e.example>'), /^550 5\.6\.11/)
  assert.match(await send('a: b\r\n\r\nx\r\n.\nMAIL FROM:<evil@e.example>'), /^550 5\.6\.11/)
  assert.match(await send('a: b\r\n\r\nx\ry'), /^550 5\.6\.11/)
  assert.match(await send('a: b\r\n\r\nx\0y'), /^550 5\.6\.0/)
  assert.equal(it.intake.mails.length, 0)
  await client.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>')
  client.send('BDAT 8\r\na: b\r\n\r\nBDAT 6 LAST\r\n\n.\n.\r\n')
  assert.match(await client.reply(), /^250 2\.0\.0/)
  assert.match(await client.reply(), /^250 2\.6\.0/)
  assert.equal(it.intake.mails[0]!.message.toString(), 'a: b\r\n\r\n\n.\n.\r\n')
  assert.deepEqual(await client.talk('NOOP'), ['250 2.0.0'])
})

test('RFC 3030: a refused chunk is read to its end and the message stays refused', async () => {
  const client = await it.mx()
  client.send('BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nRSET\r\n')
  assert.match(await client.reply(), /^503 5\.5\.1/)
  assert.match(await client.reply(), /^503 5\.5\.1/)
  const late = await it.mx()
  await late.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>')
  late.send('BDAT 3\r\na: RCPT TO:<alice@example.com>\r\n')
  assert.match(await late.reply(), /^250/)
  assert.match(await late.reply(), /^503 5\.5\.1/, 'nobody joins a message that has begun')
  const small = await it.mx({ maxMessageSize: 20 })
  await small.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>')
  small.send(`BDAT 30 LAST\r\n${'x'.repeat(30)}NOOP\r\n`)
  assert.match(await small.reply(), /^552 5\.3\.4/)
  assert.match(await small.reply(), /^250 2\.0\.0/)
  assert.deepEqual(await small.talk('MAIL FROM:<a@b.example> BODY=BINARYMIME'), ['555 5.6.1'])
  const broken = await it.mx()
  broken.send('BDAT nonsense\r\nNOOP\r\n')
  assert.match(await broken.reply(), /^501/)
  assert.ok(broken.ended)
})

test('limits: size, header, hops, recipients; SIZE is held against MAIL already', async () => {
  const client = await it.mx({ maxMessageSize: 1000, maxHeaderSize: 300, maxRecipientsPerMessage: 2 })
  const send = async (message: string) => {
    await client.talk('RSET', 'MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
    client.send(`${message}\r\n.\r\n`)
    return (await client.reply()).slice(0, 9)
  }
  assert.deepEqual(await client.talk('MAIL FROM:<a@b.example> SIZE=1001'), ['552 5.3.4'])
  assert.equal(await send(`a: b\r\n\r\n${'x'.repeat(1000)}`), '552 5.3.4')
  assert.equal(await send(`a: ${'b'.repeat(300)}\r\n\r\nx`), '552 5.3.4')
  assert.deepEqual(
    await client.talk('MAIL FROM:<a@b.example>', ...['bob', 'alice', 'sales'].map((u) => `RCPT TO:<${u}@example.com>`)),
    ['250 2.1.0', '250 2.1.5', '250 2.1.5', '452 4.5.3'],
  )
  const hops = await it.mx()
  await hops.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
  hops.send(`${'Received: x\r\n'.repeat(61)}\r\nx\r\n.\r\n`)
  assert.match(await hops.reply(), /^554 5\.4\.6/)
  assert.equal(it.intake.mails.length, 0)
})

test('P21, D4: full mailbox, full disk and a stopped service get their own temporary answers', async () => {
  const client = await it.mx()
  it.intake.full.add('bob@example.com')
  assert.deepEqual(
    await client.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'RCPT TO:<alice@example.com>'),
    ['250 2.1.0', '452 4.2.2', '250 2.1.5'],
  )
  for (const [outcome, reply] of [
    ['diskFull', '452 4.3.1'],
    ['unavailable', '451 4.3.0'],
    ['busy', '451 4.3.2'],
    ['overQuota', '452 4.2.2'],
  ] as const) {
    it.intake.result = { outcome }
    await client.talk('RSET', 'MAIL FROM:<a@b.example>', 'RCPT TO:<alice@example.com>', 'DATA')
    client.send('a: b\r\n\r\nx\r\n.\r\n')
    assert.equal((await client.reply()).slice(0, 9), reply)
  }
  it.intake.state = 'diskFull'
  assert.deepEqual(await client.talk('MAIL FROM:<a@b.example>'), ['452 4.3.1'])
})

test('sequence: what comes too early or twice is refused, RSET and EHLO begin anew', async () => {
  const client = await it.connect([defaultFrontend('mail.example.com', { maxProtocolErrors: 100 })])
  await client.reply()
  assert.deepEqual(await client.talk('MAIL FROM:<a@b.example>'), ['503 5.5.1'])
  const lines = [
    'HELO x',
    'RCPT TO:<bob@example.com>',
    'DATA',
    'MAIL FROM:<a@b.example> SIZE=3',
    'MAIL FROM:<a@b.example>',
  ]
  assert.deepEqual(await client.talk(...lines, 'MAIL FROM:<a@b.example>', 'DATA', 'RSET', 'DATA'), [
    '250 mail.example.com',
    '503 5.5.1',
    '503 5.5.1',
    '555 5.5.4',
    '250 2.1.0',
    '503 5.5.1',
    '503 5.5.1',
    '250 2.0.0',
    '503 5.5.1',
  ])
  assert.deepEqual(await client.talk('VRFY bob', 'EXPN team', 'HELP', 'NOOP x', 'TURN', 'AUTH PLAIN'), [
    '252 2.1.5',
    '502 5.5.1',
    '214 2.0.0',
    '250 2.0.0',
    '500 5.5.1',
    '502 5.5.1',
  ])
})

test('RFC 2920: a whole pipelined transaction in one segment is answered in order', async () => {
  const client = await it.mx()
  client.send('MAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@example.com>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n')
  const codes = []
  for (let i = 0; i < 4; i++) codes.push((await client.reply()).slice(0, 3))
  assert.deepEqual(codes, ['250', '550', '250', '354'])
  client.send(`${MESSAGE}MAIL FROM:<c@d.example>\r\nRSET\r\nQUIT\r\n`)
  for (let i = 0; i < 4; i++) codes.push((await client.reply()).slice(0, 3))
  assert.deepEqual(codes.slice(4), ['250', '250', '250', '221'])
})

test('MaxProtocolErrors and HTTP: a stranger that does not speak SMTP is shown the door', async () => {
  const client = await it.mx()
  for (let i = 0; i < 4; i++) assert.deepEqual(await client.talk('FROB'), ['500 5.5.1'])
  client.send('FROB\r\n')
  assert.match(await client.reply(), /^500/)
  assert.match(await client.reply(), /^421 4\.7\.0/)
  assert.ok(client.ended)
  const browser = await it.mx()
  browser.send('POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a@b>\r\n')
  assert.match(await browser.reply(), /^554 5\.5\.1/)
  assert.equal(await browser.reply(), 'closed')
})

test('tarpit: from the sixth wrong recipient on each answer waits', async () => {
  const client = await it.mx({ tarpitInterval: 600, tarpitAfter: 2 })
  const timed = async () => {
    const started = performance.now()
    await client.talk('RCPT TO:<nobody@example.com>')
    return performance.now() - started
  }
  await client.talk('MAIL FROM:<a@b.example>')
  assert.ok((await timed()) < 550)
  assert.ok((await timed()) < 550)
  assert.ok((await timed()) >= 550)
})

test('connections: all, and from one source; the machine itself is not counted', async () => {
  const connector = defaultFrontend('mail.example.com', { maxInboundConnectionPerSource: 2 })
  const open = []
  for (let i = 0; i < 2; i++) open.push(await it.connect([connector], { from: '198.51.100.9' }))
  const third = await it.connect([connector], { from: '198.51.100.9' })
  assert.match(await third.reply(), /^421 4\.3\.2/)
  assert.ok(third.ended)
  for (let i = 0; i < 5; i++) open.push(await it.connect([connector], { from: '127.0.0.1' }))
  for (const one of open) assert.match(await one.reply(), /^220 /)
  await open[0]!.talk('QUIT')
  const again = await it.connect([connector], { from: '198.51.100.9' })
  assert.match(await again.reply(), /^220 /)
})

test('P1: a client that only dribbles is told 421 and let go', async () => {
  const connector = defaultFrontend('m', { connectionInactivityTimeout: 120, connectionTimeout: 60_000 })
  const client = await it.connect([connector])
  await client.reply()
  await client.talk('EHLO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
  const dribble = setInterval(() => client.send('x'), 20)
  assert.match(await client.reply().finally(() => clearInterval(dribble)), /^421 4\.4\.2/)
  assert.ok(client.ended)
})

test('a connection whose time is up while a message is handed over: first the answer, then 421', async () => {
  const connector = defaultFrontend('m', { connectionTimeout: 100 })
  for (const more of ['', 'NOOP\r\n']) {
    const client = await it.connect([connector])
    await client.reply()
    await client.talk('EHLO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
    let done = (): void => {}
    it.intake.slow = new Promise((resolve) => (done = resolve))
    client.send(MESSAGE + more)
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(!client.ended)
    done()
    it.intake.slow = undefined
    assert.match(await client.reply(), /^250 2\.6\.0 /)
    assert.match(await client.reply(), /^421 4\.4\.2/)
    assert.ok(client.ended)
  }
})

test('SMTPUTF8 addresses need the parameter; with it they are taken', async () => {
  const client = await it.mx()
  assert.deepEqual(
    await client.talk(
      'MAIL FROM:<jürgen@outside.example>',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<jürgen@example.com>',
      'RSET',
    ),
    ['550 5.6.7', '250 2.1.0', '553 5.6.7', '250 2.0.0'],
  )
  assert.deepEqual(await client.talk('MAIL FROM:<jürgen@outside.example> SMTPUTF8', 'RCPT TO:<bob@example.com>'), [
    '250 2.1.0',
    '250 2.1.5',
  ])
})

test('memory: beyond the shared bound a message is refused and its bytes are not kept', async () => {
  const small = await world({ maxBufferedBytes: 50_000 })
  try {
    const client = await small.mx()
    const other = await small.mx()
    for (const one of [client, other]) await one.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
    client.send(`a: b\r\n\r\n${'x'.repeat(40_000)}`)
    other.send(`a: b\r\n\r\n${'x'.repeat(20_000)}\r\n.\r\n`)
    assert.match(await other.reply(), /^452 4\.3\.1/)
    client.send('\r\n.\r\n')
    assert.match(await client.reply(), /^250/)
    await other.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
    other.send(`a: b\r\n\r\n${'x'.repeat(20_000)}\r\n.\r\n`)
    assert.match(await other.reply(), /^250/)
  } finally {
    small.hangUp()
    small.close()
  }
})

test('drain: idle sessions are told, a running message is finished first', async () => {
  const own = await world()
  try {
    const idle = await own.mx()
    const busy = await own.mx()
    await busy.talk('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@example.com>', 'DATA')
    const drained = own.service.drain(5000)
    assert.match(await idle.reply(), /^421 4\.3\.2/)
    busy.send('a: b\r\n\r\nx\r\n.\r\n')
    assert.match(await busy.reply(), /^250/)
    assert.match(await busy.reply(), /^421 4\.3\.2/)
    await drained
    assert.match(await (await own.connect([defaultFrontend('m')])).reply(), /^421/)
  } finally {
    own.hangUp()
    own.close()
  }
})
