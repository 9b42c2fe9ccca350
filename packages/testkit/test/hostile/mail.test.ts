/**
 * Mail that is meant to hurt (reliability.md P3, P8, P10, P14): bombs are delivered as what they are and shown by every protocol, smuggled
 * mail is refused, and nobody relays.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Phone } from '../../src/activesync/index.ts'
import { Arena, MALLORY, Raw } from '../../src/hostile/index.ts'
import { ImapClient } from '../../src/imap/index.ts'

const INBOX = 2
let arena: Arena
before(async () => {
  arena = await Arena.open()
})
after(() => arena.close())

const k = (text: string, thousands: number): string => text.repeat(thousands * 1_000)
const many = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('')

const bombs: readonly (readonly [string, string])[] = [
  ['10^4 multiparts deep', many(10_000, (i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`)],
  ['10^4 messages deep', many(10_000, () => 'Content-Type: message/rfc822\r\n\r\n')],
  ['10^5 parts', `Content-Type: multipart/mixed; boundary=b\r\n\r\n${k('--b\r\n\r\nx\r\n', 100)}--b--\r\n`],
  [
    '10^4 parameters in pieces',
    `Content-Type: text/plain;\r\n${many(10_000, (i) => ` name*${i}*=%41;\r\n`)} x=y\r\n\r\nx\r\n`,
  ],
  ['10^4 addresses', `To: ${many(10_000, (i) => `<a${i}@b.example>,\r\n `)}<z@b.example>\r\n\r\nx\r\n`],
  ['a group in a group', `To: ${k('g:', 50)}${k(';', 50)}\r\n\r\nx\r\n`],
  ['comments 10^5 deep', `To: ${k('(', 100)}${k(')', 100)} <a@b.example>\r\n\r\nx\r\n`],
  ['encoded words without end', `Subject: ${k('=?utf-8?q?=41?=\r\n ', 10)}\r\n\r\nx\r\n`],
  ['boundaries that almost are', `Content-Type: multipart/mixed; boundary=b\r\n\r\n${k('--b-\r\n', 300)}`],
  ['an empty boundary', 'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\n----\r\n'],
  ['traps', '__proto__: 1\r\nconstructor: 2\r\nContent-Type: text/plain; __proto__=x; constructor=y\r\n\r\nx\r\n'],
  ['HTML 10^5 deep', `Content-Type: text/html\r\n\r\n${k('<div>\r\n', 100)}`],
  ['entities and attributes', `Content-Type: text/html\r\n\r\n${k('&#x26;<a ', 100)}\r\n`],
  ['charsets there are none of', 'Content-Type: text/plain; charset="__proto__"\r\n\r\n\xff\xfe\xfd\r\n'],
  ['references without end', `References: ${k('<a@b>\r\n ', 20)}\r\n\r\nx\r\n`],
]

test('P3: mail bombs are delivered, and IMAP and ActiveSync show them', { timeout: 120_000 }, async (t) => {
  const port = arena.server.port('https')
  const phone = new Phone({ port, tls: true, user: MALLORY.address, password: MALLORY.password, deviceId: 'BOMBED' })
  await phone.provision()
  await phone.folderSync()
  const inbox = phone.folderOfType(INBOX)
  await phone.syncAll(inbox)
  const imap = await ImapClient.login(arena.server.port('imaps'), MALLORY.address, MALLORY.password)
  await imap.command('SELECT INBOX')
  let count = 0
  for (const [name, text] of bombs)
    await t.test(name, () =>
      arena.attack(async () => {
        using raw = await Raw.connect(arena.server.port('smtp'))
        await raw.until(/^220.*\r\n/)
        await raw.ask('EHLO evil.example\r\n', /^250 .*\r\n/m)
        const open = `MAIL FROM:<a@evil.example>\r\nRCPT TO:<${MALLORY.address}>\r\nDATA\r\n`
        await raw.ask(open, /^354.*\r\n/m)
        const answer = await raw.ask(`Subject: ${name}\r\n${text}\r\n.\r\n`, /^(250|55[24]) .*\r\n$/m, 20_000)
        // A header beyond 256 KB is refused, everything else is somebody's mail.
        if (!answer.includes('250 ')) return
        count++
        await imap.command('NOOP')
        const shown = await imap.command(
          `FETCH ${count} (ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[1] BODY.PEEK[HEADER])`,
        )
        assert.equal(shown.status, 'OK')
        assert.equal((await imap.command(`SEARCH TEXT nowhere`)).status, 'OK')
        await phone.syncAll(inbox)
        assert.equal(phone.mirror.collections.get(inbox)?.size, count)
      }),
    )
  imap.close()
})

/** Ends of data that are none, and what a smuggler hopes follows: CVE-2023-51764 and its kin. */
const smuggled = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\r\n.\r\r\n',
  '\n.\r',
]

test('P8: no end of data but CRLF dot CRLF; bare CR and LF are refused', () =>
  arena.attack(async () => {
    const probe = 'smuggled-probe'
    for (const end of smuggled) {
      using raw = await Raw.connect(arena.server.port('smtp'))
      await raw.until(/^220.*\r\n/)
      await raw.ask('EHLO evil.example\r\n', /^250 .*\r\n/m)
      const open = `MAIL FROM:<a@evil.example>\r\nRCPT TO:<${MALLORY.address}>\r\nDATA\r\n`
      await raw.ask(open, /^354.*\r\n/m)
      raw.send(
        `Subject: outer\r\n\r\nouter${end}MAIL FROM:<ceo@example.com>\r\nRCPT TO:<${MALLORY.address}>\r\nDATA\r\n`,
      )
      raw.send(`Subject: ${probe}\r\n\r\ninner\r\n.\r\n`)
      const answer = await raw.until(/^\d\d\d .*\r\n/m)
      const rest = await raw.ask('NOOP\r\n', /^250 .*\r\n/m)
      const said = `${answer}${rest}`.match(/^\d\d\d /gm) ?? []
      assert.equal(said.length, 2, `${JSON.stringify(end)}: one answer to one message: ${answer}${rest}`)
      if (!/\0/.test(end)) assert.match(answer, /^5\d\d/, JSON.stringify(end))
    }
    const imap = await ImapClient.login(arena.server.port('imaps'), MALLORY.address, MALLORY.password)
    await imap.command('SELECT INBOX')
    assert.equal((await imap.command(`SEARCH SUBJECT ${probe}`)).untagged.join(), '* SEARCH')
    imap.close()
  }))

const relays = [
  'victim@outside.example',
  'victim%outside.example@example.com',
  'outside.example!victim@example.com',
  '@example.com:victim@outside.example',
  '@127.0.0.1,@example.com:victim@outside.example',
  '"victim@outside.example"@example.com',
  '"victim%outside.example"@example.com',
  'victim@outside.example@example.com',
  'victim@[127.0.0.1]',
  'victim@[IPv6:::1]',
  'victim@localhost',
  'mallory@example.com@outside.example',
  '"mallory@example.com"@outside.example',
  'victim@example.com.outside.example',
  'victim@outside.example.',
  'victim',
]
test('P10: nobody relays through port 25, whoever they say they are', () =>
  arena.attack(async () => {
    for (const from of ['', 'a@evil.example', MALLORY.address, 'postmaster@example.com', 'a@localhost'])
      for (const to of relays) {
        using raw = await Raw.connect(arena.server.port('smtp'), { from: '127.0.0.50' })
        await raw.until(/^220.*\r\n/)
        await raw.ask('EHLO example.com\r\n', /^250 .*\r\n/m)
        const mail = await raw.ask(`MAIL FROM:<${from}>\r\n`, /^\d\d\d .*\r\n/m)
        if (!mail.startsWith('250')) continue
        assert.match(await raw.ask(`RCPT TO:<${to}>\r\n`, /^\d\d\d .*\r\n/m), /^5\d\d/, `${from} to ${to}`)
      }
  }))

test('P10: a user sends as nobody else', () =>
  arena.attack(async () => {
    const auth = Buffer.from(`\0${MALLORY.address}\0${MALLORY.password}`).toString('base64')
    for (const from of [
      'witness@example.com',
      'administrator@example.com',
      'a@outside.example',
      'MALLORY%x@example.com',
    ]) {
      using raw = await Raw.connect(arena.server.port('submissions'), { tls: true })
      await raw.until(/^220.*\r\n/)
      await raw.ask('EHLO client.example\r\n', /^250 .*\r\n/m)
      await raw.ask(`AUTH PLAIN ${auth}\r\n`, /^235.*\r\n/m)
      const refused = await raw.ask(`MAIL FROM:<${from}>\r\n`, /^\d\d\d .*\r\n/m)
      assert.match(refused, /^5\d\d/, from)
    }
  }))
