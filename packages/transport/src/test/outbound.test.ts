import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { QueueRecipient } from '@postrider/domain'
import { decodeWords, HeaderFields, mailboxesOf, parseAddressList } from '@postrider/wire/mime'
import type { TransportSettings } from '../settings.ts'
import { Remote } from './remote.ts'
import { MAIL, MINUTE, world } from './world.ts'

let remote: Remote
let usual: Remote['behaviour']
before(async () => {
  remote = await Remote.start()
  usual = remote.behaviour
})
after(() => remote.stop())
beforeEach(() => {
  remote.behaviour = { ...usual }
})
afterEach(() => {
  remote.messages.length = 0
  remote.lines.length = 0
  remote.connections = 0
})

async function ready(settings: Partial<TransportSettings> = {}) {
  const w = await world({ outboundPort: remote.port, ...settings })
  w.resolver.point('remote.example')
  return w
}
type W = Awaited<ReturnType<typeof ready>>
const submit = (
  w: W,
  to: readonly (string | QueueRecipient)[],
  message = MAIL,
  more: { envelopeId?: string; ret?: 'full' | 'hdrs' } = {},
) => w.send('bob@example.com', to, message, { as: w.bob, ...more })
/** The machine-readable part of the newest report in Bob's Inbox. */
const report = async (w: W): Promise<string> => (await w.text(w.bob.mailbox)).at(-1) ?? ''

test('a submission reaches the other server, without Return-Path, with our Received', async () => {
  const w = await ready()
  await submit(w, ['x@remote.example', 'y@remote.example'])
  await w.run()
  const [message] = remote.messages
  assert.match(message!.mail, /^MAIL bob@example\.com \{"size":\d+\}$/)
  assert.deepEqual(message!.rcpt, ['RCPT x@remote.example {}', 'RCPT y@remote.example {}'])
  assert.match(message!.message, /^Received: from client\.example/)
  assert.ok(message!.message.endsWith(MAIL))
  assert.deepEqual(await w.queue(), [])
  assert.equal(await report(w), '')
})

test('P8: dots are stuffed and only CRLF goes out: one message sent is one received', async () => {
  const w = await ready()
  await submit(w, ['x@remote.example'], `${MAIL}.\r\nMAIL FROM:<evil@e.example>\r\n..\r\n.x`)
  await w.run()
  assert.equal(remote.messages.length, 1)
  assert.ok(remote.messages[0]!.message.endsWith('body\r\n.\r\nMAIL FROM:<evil@e.example>\r\n..\r\n.x\r\n'))
})

test('several messages to one destination share a connection', async () => {
  const w = await ready()
  for (let i = 0; i < 3; i++) await submit(w, ['x@remote.example'])
  await w.run()
  assert.equal(remote.messages.length, 3)
  assert.ok(remote.connections <= 2)
})

test('4xx is tried again by the schedule: six times after 5 minutes, then every 10, for two days', async () => {
  const w = await ready()
  remote.behaviour.reply = (verb) => (verb === 'RCPT' ? '450 4.2.0 greylisted' : undefined)
  await submit(w, [{ address: 'x@remote.example', notify: ['failure'] }])
  const waits: number[] = []
  let tries = 0
  for (; tries < 400; tries++) {
    await w.run()
    const [row] = await w.queue()
    if (row === undefined || row.destination !== 'remote.example') break
    waits.push((row.due - w.clock.now()) / MINUTE)
    assert.match(row.lastError, /4\.2\.0 450 4\.2\.0 greylisted/)
    w.clock.advance(row.due - w.clock.now())
  }
  assert.deepEqual(waits.slice(0, 8), [5, 5, 5, 5, 5, 5, 10, 10])
  // The lost hours of the attempts themselves do not count here: 2 days in all.
  assert.equal(
    waits.reduce((sum, wait) => sum + wait, 0),
    2 * 24 * 60,
  )
  assert.match(await report(w), /Status: 4\.4\.7/)
  assert.match(await report(w), /Diagnostic-Code: smtp; 450 4\.2\.0 greylisted\r\n/)
  assert.match(await report(w), /No attempt to deliver it was successful/)
})

test('R: after four hours the sender hears of the delay, once; NOTIFY decides who does', async () => {
  const w = await ready()
  remote.behaviour.reply = (verb) => (verb === 'RCPT' ? '450 4.2.0 later' : undefined)
  await submit(w, [
    'x@remote.example',
    { address: 'never@remote.example', notify: ['never'] },
    { address: 'f@remote.example', notify: ['failure'] },
  ])
  for (let i = 0; i < 50; i++) {
    await w.run()
    w.clock.advance(10 * MINUTE)
  }
  const reports = await w.text(w.bob.mailbox)
  assert.equal(reports.length, 1)
  assert.match(reports[0]!, /Subject: Delivery delayed: hello/)
  assert.match(reports[0]!, /Action: delayed\r\nStatus: 4\.2\.0/)
  assert.match(reports[0]!, /Will-Retry-Until: Mon, 23 Nov 2026 12:00:00 \+0000/)
  assert.doesNotMatch(reports[0]!, /never@|f@remote/)
})

test('RFC 3464: a refusal becomes a report with what the server said; nobody answers a report', async () => {
  const w = await ready()
  remote.behaviour.reply = (verb, line) =>
    verb === 'RCPT' && line.includes(' bad@') ? '550 5.1.1 no such user' : undefined
  await submit(
    w,
    ['good@remote.example', { address: 'bad@remote.example', originalRecipient: 'rfc822;Bad+1@old.example' }],
    MAIL,
    { envelopeId: 'env 1' },
  )
  await w.run()
  assert.deepEqual(remote.messages[0]!.rcpt, ['RCPT good@remote.example {}'])
  const text = await report(w)
  for (const line of [
    'Return-Path: <>',
    'Auto-Submitted: auto-replied',
    'Subject: Undeliverable: hello',
    'In-Reply-To: <m1@outside.example>',
    'Reporting-MTA: dns; mail.example.com',
    'Original-Envelope-Id: env 1',
    'Original-Recipient: rfc822; Bad+1@old.example',
    'Final-Recipient: rfc822; bad@remote.example',
    'Action: failed',
    'Status: 5.1.1',
    'Remote-MTA: dns; mx.remote.example',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
  ])
    assert.ok(text.includes(`${line}\r\n`), line)
  assert.match(text, /Content-Type: multipart\/report;\s+report-type=delivery-status/)
  assert.match(text, /Content-Type: text\/rfc822-headers/)
  assert.ok(!text.includes('good@remote.example') || !/Final-Recipient: rfc822; good/.test(text))
  const [item] = await w.items(w.bob.mailbox)
  assert.equal(item!.promoted!.class, 'REPORT.IPM.Note.NDR')
})

test('RFC 3461: RET=FULL brings the message back; NOTIFY=NEVER and the null sender bring nothing', async () => {
  const w = await ready()
  remote.behaviour.reply = (verb) => (verb === 'RCPT' ? '550 5.1.1 no' : undefined)
  await submit(w, ['x@remote.example'], MAIL, { ret: 'full' })
  await w.run()
  assert.match(await report(w), /Content-Type: message\/rfc822\r\n\r\nReceived:[\s\S]*\r\n\r\nbody\r\n/)
  const quiet = await ready()
  await submit(quiet, [{ address: 'x@remote.example', notify: ['never'] }])
  await quiet.send('', ['x@remote.example'], MAIL, { as: quiet.bob })
  await quiet.run()
  assert.equal(await report(quiet), '')
  assert.deepEqual(await quiet.queue(), [])
})

test('RFC 3461: success is reported by us where the next server cannot, by it where it can; local delivery always', async () => {
  const w = await ready()
  const success: QueueRecipient = { address: 'x@remote.example', notify: ['success', 'failure'] }
  await submit(w, [success], MAIL, { envelopeId: 'e1', ret: 'hdrs' })
  await w.run()
  assert.match(remote.messages[0]!.mail, /"ret":"HDRS","envid":"e1"/)
  assert.match(remote.messages[0]!.rcpt[0]!, /"notify":\["SUCCESS","FAILURE"\]/)
  assert.equal(await report(w), '')
  remote.behaviour.keywords = ['PIPELINING']
  await submit(w, [success])
  await w.run()
  assert.doesNotMatch(remote.messages[1]!.mail, /ret|envid/)
  assert.match(await report(w), /Subject: Relayed: hello[\s\S]*Action: relayed/)
  await submit(w, [
    { address: 'alice@example.com', notify: ['success'] },
    { address: 'carol@example.com', notify: ['success'] },
  ])
  await w.run()
  const delivered = (await w.text(w.bob.mailbox)).filter((text) => /Action: delivered/.test(text)).join('')
  assert.match(delivered, /Final-Recipient: rfc822; alice@example\.com/)
  assert.match(delivered, /Final-Recipient: rfc822; carol@example\.com/)
})

test('RFC 3461 §5.2.7.3: a group is said to be expanded, once; of its members only failures are told', async () => {
  const w = await ready()
  await w.directory.addGroup({
    address: 'team@example.com',
    members: ['alice@example.com', 'carol@example.com', 'x@remote.example'],
  })
  remote.behaviour.reply = (verb) => (verb === 'RCPT' ? '550 5.1.1 nobody' : undefined)
  await submit(w, [{ address: 'team@example.com', notify: ['success', 'failure'] }])
  await w.run()
  const texts = await w.text(w.bob.mailbox)
  assert.equal(texts.filter((text) => /Action: delivered/.test(text)).length, 0, 'nothing of those it reached')
  const [said, ...more] = texts.filter((text) => /Action: expanded/.test(text))
  assert.match(
    said ?? '',
    /Subject: Expanded: hello[\s\S]*Final-Recipient: rfc822; team@example\.com\r\nAction: expanded\r\nStatus: 2\.0\.0/,
  )
  assert.equal(more.length, 0)
  const failed = texts.find((text) => /Action: failed/.test(text)) ?? ''
  assert.match(failed, /Original-Recipient: rfc822; team@example\.com\r\nFinal-Recipient: rfc822; x@remote\.example/)
  await submit(w, [{ address: 'team@example.com', notify: ['success'] }])
  await w.run()
  assert.equal((await w.text(w.bob.mailbox)).filter((text) => /Action: failed/.test(text)).length, 1, 'none more')
})

test('D11: the reply after the final dot lost means once more, so at most one duplicate', async () => {
  const w = await ready()
  let calls = 0
  remote.behaviour.final = () => (++calls === 1 ? 'drop' : '250 2.0.0 ok')
  await submit(w, ['x@remote.example'])
  await w.run()
  assert.equal(remote.messages.length, 1)
  const [row] = await w.queue()
  assert.match(row!.lastError, /4\.4\.2 connection lost after the message was sent/)
  w.clock.advance(6 * MINUTE)
  await w.run()
  assert.equal(remote.messages.length, 2)
  assert.deepEqual(await w.queue(), [])
})

test('MX order, dead hosts passed over, no MX means the domain itself, null MX and NXDOMAIN bounce at once', async () => {
  const w = await ready()
  w.resolver.records.set('two.example', {
    kind: 'found',
    records: [
      { exchange: 'alive.two.example', priority: 20 },
      { exchange: 'dead.two.example', priority: 10 },
    ],
  })
  w.resolver.hosts.set('dead.two.example', { kind: 'found', records: ['127.0.0.2'] })
  w.resolver.hosts.set('alive.two.example', { kind: 'found', records: ['127.0.0.1'] })
  w.resolver.records.set('nomx.example', { kind: 'noData' })
  w.resolver.hosts.set('nomx.example', { kind: 'found', records: ['127.0.0.1'] })
  w.resolver.records.set('null.example', { kind: 'found', records: [{ exchange: '', priority: 0 }] })
  w.resolver.records.set('loop.example', { kind: 'found', records: [{ exchange: 'MAIL.example.com', priority: 5 }] })
  w.resolver.records.set('dns.example', { kind: 'failed', error: 'ESERVFAIL' })
  await submit(
    w,
    ['two', 'nomx', 'null', 'loop', 'nowhere', 'dns'].map((name) => `x@${name}.example`),
  )
  await w.run()
  assert.deepEqual(remote.messages.map((one) => one.rcpt[0]!.split(' ')[1]).sort(), ['x@nomx.example', 'x@two.example'])
  const reports = (await w.text(w.bob.mailbox)).join('')
  assert.match(reports, /x@null\.example\r\nAction: failed\r\nStatus: 5\.1\.10/)
  assert.match(reports, /x@loop\.example\r\nAction: failed\r\nStatus: 5\.4\.6/)
  assert.match(reports, /x@nowhere\.example\r\nAction: failed\r\nStatus: 5\.1\.2/)
  assert.deepEqual(
    (await w.queue()).map((row) => [row.destination, row.lastError]),
    [['dns.example', '4.4.3 DNS: ESERVFAIL']],
  )
})

test('P11: a name of the Internet that leads inside is not followed', async () => {
  const w = await ready({ allowPrivateAddresses: false })
  await submit(w, ['x@remote.example', 'x@[127.0.0.1]', 'x@[IPv6:::ffff:127.0.0.1]'])
  await w.run()
  assert.equal(remote.connections, 0)
  for (const row of await w.queue()) assert.match(row.lastError, /is a private address/)
})

test('a smart host from the configuration may be inside; its password goes only through TLS', async () => {
  const smartHost = { host: 'relay.inside', port: remote.port, login: { user: 'u', password: 'p' } }
  const connector = { name: 'Out', addressSpaces: ['*'], smartHosts: [smartHost], tls: 'opportunistic' as const }
  const w = await ready({ allowPrivateAddresses: false, sendConnectors: [connector] })
  w.resolver.hosts.set('relay.inside', { kind: 'found', records: ['127.0.0.1'] })
  await submit(w, ['x@anywhere.example'])
  await w.run()
  assert.equal(remote.messages.length, 0)
  assert.match((await w.queue())[0]!.lastError, /offers no TLS: the password stays here/)
  remote.behaviour.keywords = ['STARTTLS', 'AUTH PLAIN LOGIN', 'PIPELINING']
  w.clock.advance(6 * MINUTE)
  await w.run()
  assert.equal(remote.messages.length, 1)
  assert.ok(remote.messages[0]!.tls)
  assert.equal(remote.behaviour.login, '\0u\0p')
})

test('TLS: used when offered, done without when broken, insisted on when required; P7: injected replies end it', async () => {
  remote.behaviour.keywords = ['STARTTLS', 'PIPELINING']
  const w = await ready()
  await submit(w, ['x@remote.example'])
  await w.run()
  assert.equal(remote.messages.at(-1)!.tls, true)
  remote.behaviour.breakTls = true
  await submit(w, ['x@remote.example'])
  await w.run()
  assert.equal(remote.messages.at(-1)!.tls, false)
  const strict = (tls: 'encryption' | 'certificate') =>
    ready({ sendConnectors: [{ name: 'Out', addressSpaces: ['*'], smartHosts: [], tls }] })
  const broken = await strict('encryption')
  await submit(broken, ['x@remote.example'])
  await broken.run()
  assert.equal(remote.messages.length, 2)
  remote.behaviour.breakTls = false
  const verified = await strict('certificate')
  await submit(verified, ['x@remote.example'])
  await verified.run()
  assert.equal(remote.messages.length, 2)
  assert.match((await verified.queue())[0]!.lastError, /4\.7\.5/)
  remote.behaviour.inject = '250 injected\r\n'
  const injected = await strict('encryption')
  await submit(injected, ['x@remote.example'])
  await injected.run()
  assert.match((await injected.queue())[0]!.lastError, /injected before TLS/)
})

test('RFC 6152: for a server without 8BITMIME the parts are encoded, and decode to the same text', async () => {
  remote.behaviour.keywords = []
  const w = await ready()
  const head =
    'From: bob@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
  const parts =
    '--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nJürgen grüßt\r\n--b\r\n\r\nplain part\r\n--b--\r\n'
  await submit(w, ['x@remote.example'], head + parts)
  await w.run()
  const { message } = remote.messages[0]!
  assert.ok(/^[\x00-\x7f]*$/.test(message))
  assert.match(message, /Content-Transfer-Encoding: quoted-printable/)
  assert.match(message, /J=C3=BCrgen gr=C3=BC=C3=9Ft/)
  assert.match(message, /--b\r\n\r\nplain part\r\n--b--/)
  assert.doesNotMatch(message, /8bit/)
  remote.behaviour.keywords = ['8BITMIME']
  await submit(w, ['x@remote.example'], head + parts)
  await w.run()
  assert.match(remote.messages[1]!.mail, /"body":"8BITMIME"/)
  assert.ok(Buffer.from(remote.messages[1]!.message, 'latin1').toString().includes('Jürgen grüßt'))
})

test('lines too long for SMTP are encoded; bare line ends travel by BDAT where they can', async () => {
  const w = await ready()
  await submit(w, ['x@remote.example'], `${MAIL}${'x'.repeat(1500)}\r\n`)
  await w.run()
  assert.ok(remote.messages[0]!.message.split('\r\n').every((line) => line.length <= 998))
  assert.match(remote.messages[0]!.message, /quoted-printable/)
  await submit(w, ['x@remote.example'], `${MAIL}bare\nline\r\n`)
  await w.run()
  assert.equal(remote.messages[1]!.how, 'BDAT')
  assert.ok(remote.messages[1]!.message.endsWith('bare\nline\r\n'))
  remote.behaviour.keywords = ['8BITMIME']
  await submit(w, ['x@remote.example'], `${MAIL}bare\nline\r\n`)
  await w.run()
  assert.equal(remote.messages[2]!.how, 'DATA')
  assert.ok(remote.messages[2]!.message.endsWith('bare\r\nline\r\n'))
})

test('RFC 6531: SMTPUTF8 is asked for only when needed; a server without it gets what it can take, else a report', async () => {
  const w = await ready()
  w.resolver.point('xn--bcher-kva.example')
  remote.behaviour.keywords = ['8BITMIME']
  await submit(w, ['x@bücher.example'])
  await w.run()
  assert.match(remote.messages[0]!.rcpt[0]!, /RCPT x@xn--bcher-kva\.example/)
  await submit(w, ['jürgen@remote.example'])
  await w.run()
  assert.equal(remote.messages.length, 1)
  assert.match(await report(w), /Status: 5\.6\.7/)
  // No server said so: RFC 3464 §2.3.6.
  assert.match(await report(w), /Diagnostic-Code: x-postrider; the server does not take/)
  remote.behaviour.keywords = ['8BITMIME', 'SMTPUTF8']
  await submit(w, ['jürgen@remote.example'])
  await w.run()
  assert.match(remote.messages[1]!.mail, /"smtpUtf8":true/)
})

test('raw 8-bit header fields go to a server without SMTPUTF8 as encoded-words, addresses and body unharmed', async () => {
  const w = await ready()
  remote.behaviour.keywords = ['8BITMIME']
  const header = [
    'From: Jürgen Bär <bob@example.com>',
    'To: "Müller, Zoë" <x@remote.example>, ann@remote.example',
    'SUBJECT: Grüße',
    'Content-Type: text/plain; charset=utf-8; name="ä.txt"',
  ].join('\r\n')
  await submit(w, ['x@remote.example'], `${header}\r\n\r\nschön\r\n`)
  await w.run()
  const text = Buffer.from(remote.messages[0]!.message, 'latin1').toString()
  const [head = '', body] = text.split('\r\n\r\n')
  assert.match(head, /^[\x00-\x7f]*$/)
  const fields = new HeaderFields(Buffer.from(head))
  assert.equal(decodeWords(fields.get('subject')!), 'Grüße')
  assert.match(head, /^SUBJECT: /m)
  assert.deepEqual(
    mailboxesOf(parseAddressList(fields.get('to')!)).map(({ name, address }) => [name, address]),
    [
      ['Müller, Zoë', 'x@remote.example'],
      ['', 'ann@remote.example'],
    ],
  )
  assert.match(head, /name\*=utf-8''%C3%A4\.txt/)
  assert.equal(body, 'schön\r\n')
  // An address that is outside ASCII itself cannot be said otherwise.
  await submit(w, ['x@remote.example'], 'From: bob@example.com\r\nCc: jürgen@remote.example\r\n\r\nx\r\n')
  await w.run()
  assert.equal(remote.messages.length, 1)
  assert.match(await report(w), /Status: 5\.6\.7/)
})

test('a message larger than the server takes is not sent', async () => {
  const w = await ready()
  remote.behaviour.keywords = ['SIZE 100']
  await submit(w, ['x@remote.example'])
  await w.run()
  assert.deepEqual(
    remote.lines.filter((line) => line.startsWith('MAIL')),
    [],
  )
  assert.match(await report(w), /Status: 5\.3\.4/)
})

test('a 5xx greeting, 421 or a dead server is the server’s trouble, not the message’s', async () => {
  const w = await ready()
  remote.behaviour.greeting = '554 no service'
  await submit(w, ['x@remote.example'])
  await w.run()
  assert.match((await w.queue())[0]!.lastError, /4\.4\.2 greeting: 554/)
  remote.behaviour.greeting = '220 hi'
  remote.behaviour.reply = (verb) => (verb === 'MAIL' ? '421 4.3.2 going down' : undefined)
  w.clock.advance(6 * MINUTE)
  await w.run()
  const [row] = await w.queue()
  assert.match(row!.lastError, /421 4\.3\.2 going down/)
  assert.equal(row!.attempts, 2)
})

test('leases: a row whose runner died is taken over when its lease ends, or at once by a sole runner', async () => {
  const w = await ready()
  await submit(w, ['x@remote.example'])
  const [claimed] = await w.store.queueClaim({ now: w.clock.now(), leaseMs: 15 * MINUTE, limit: 10, exclude: [] })
  assert.ok(claimed !== undefined)
  await w.run()
  assert.equal(remote.messages.length, 0)
  w.clock.advance(15 * MINUTE)
  await w.run()
  assert.equal(remote.messages.length, 1)
  await submit(w, ['y@remote.example'])
  await w.store.queueClaim({ now: w.clock.now(), leaseMs: 15 * MINUTE, limit: 10, exclude: [] })
  const { runner } = w.make()
  await runner.start({ sole: true })
  await runner.idle()
  await runner.stop()
  assert.equal(remote.messages.length, 2)
})

test('limits: never more connections to one destination than allowed', async () => {
  const w = await ready({ maxPerDomainOutboundConnections: 2 })
  let open = 0
  let most = 0
  remote.behaviour.final = () => {
    open--
    return '250 ok'
  }
  remote.behaviour.reply = (verb) => {
    if (verb === 'MAIL') most = Math.max(most, ++open)
    return undefined
  }
  for (let i = 0; i < 12; i++) await submit(w, [`x${i}@remote.example`])
  await w.run()
  assert.equal(remote.messages.length, 12)
  assert.ok(most <= 2 && remote.connections <= 12)
})

test('how much waits, and for how long, can be watched', async () => {
  const w = await ready()
  remote.behaviour.reply = (verb) => (verb === 'RCPT' ? '450 4.2.0 later' : undefined)
  await submit(w, ['x@remote.example'])
  await submit(w, ['y@remote.example'])
  await w.run()
  w.clock.advance(MINUTE)
  await w.run()
  assert.equal(w.gauges.get('queue_messages'), 2)
  assert.equal(w.gauges.get('queue_oldest_seconds'), 60)
})

test('a held row stays where it is', async () => {
  const w = await ready()
  await submit(w, ['x@remote.example'])
  const [row] = await w.queue()
  await w.store.apply(row!.mailbox, [{ op: 'queueChange', change: { id: row!.id, kind: 'update', held: true } }])
  await w.run()
  assert.equal(remote.messages.length, 0)
})

test('5.4.6: a message that has passed too many servers goes no further', async () => {
  const w = await ready()
  await submit(w, ['x@remote.example'], `${'Received: by somewhere\r\n'.repeat(61)}${MAIL}`)
  await w.run()
  assert.equal(remote.messages.length, 0)
  assert.match(await report(w), /Status: 5\.4\.6/)
})
