import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import { createDeflateRaw, createInflateRaw, constants } from 'node:zlib'
import { Flag } from '@postrider/domain'
import fc from 'fast-check'
import type { ImapSettings } from './index.ts'
import { type Client, mail, openRoom, type Room } from './test/room.ts'

function room(name: string, run: (it: Room) => Promise<void>, settings: Partial<ImapSettings> = {}): void {
  test(name, async () => {
    const it = await openRoom(settings)
    try {
      await run(it)
    } finally {
      await it.close()
    }
  })
}

const last = async (client: Client, command: string): Promise<string> =>
  (await client.command(command)).at(-1) ?? '(closed)'
const b64 = (text: string): string => Buffer.from(text).toString('base64')

room('RFC 7677: SCRAM-SHA-256 logs in, a wrong password does not', async (it) => {
  const scram = async (password: string): Promise<{ final: string; answer: string | undefined }> => {
    const client = await it.connect()
    const bare = 'n=bob@example.com,r=clientnonce'
    client.send(`s AUTHENTICATE SCRAM-SHA-256 ${b64(`n,,${bare}`)}\r\n`)
    const serverFirst = Buffer.from((await client.line())?.slice(2) ?? '', 'base64').toString()
    const [, nonce = '', salt = '', iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256')
    const mac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
    const clientKey = mac(salted, 'Client Key')
    const without = `c=biws,r=${nonce}`
    const message = `${bare},${serverFirst},${without}`
    const signature = mac(createHash('sha256').update(clientKey).digest(), message)
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
    client.send(`${b64(`${without},p=${proof.toString('base64')}`)}\r\n`)
    const answer = await client.line()
    if (!answer?.startsWith('+ ')) return { final: '', answer }
    const final = Buffer.from(answer.slice(2), 'base64').toString()
    assert.equal(final, `v=${mac(mac(salted, 'Server Key'), message).toString('base64')}`)
    client.send('\r\n')
    return { final, answer: await client.line() }
  }
  assert.match((await scram('secret')).answer ?? '', /^s OK /)
  assert.match((await scram('wrong')).answer ?? '', /^s NO \[AUTHENTICATIONFAILED\]/)
})

room('RFC 9051 §4.3.1: NUL goes out in a literal8 of BINARY and in no other answer', async (it) => {
  const body = `a\0b${'x'.repeat(300 * 1024)}\0\r\n`
  await it.deliver(mail('Small', { 'X-Odd': 'n\0n' }, 'a\0b\r\n'))
  await it.deliver(mail('Large', {}, body))
  const client = await it.login()
  await client.command('SELECT INBOX')
  for (const [items, length] of [
    ['1 (BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[1] RFC822.HEADER BODY.PEEK[HEADER.FIELDS (X-Odd)])', 0],
    ['2 (BODY.PEEK[TEXT])', body.length],
  ] as const) {
    const from = client.received.length
    client.send(`n FETCH ${items}\r\n`)
    while (!/^n OK/m.test(client.received.subarray(from).toString('latin1'))) await client.more()
    const answer = client.received.subarray(from)
    assert.ok(!answer.includes(0), 'no NUL')
    assert.match(answer.toString('latin1'), /a\x80b/, 'an octet in its place: sizes stay')
    if (length > 0) assert.match(answer.toString('latin1'), new RegExp(`BODY\\[TEXT\\] \\{${length}\\}`))
  }
  const from = client.received.length
  client.send('b FETCH 1:2 (BINARY.PEEK[1])\r\n')
  while (!/^b OK/m.test(client.received.subarray(from).toString('latin1'))) await client.more()
  const answer = client.received.subarray(from).toString('latin1')
  assert.match(answer, /1 FETCH \(BINARY\[1\] ~\{5\}\r\na\0b\r\n\)/)
  assert.ok(answer.includes(`2 FETCH (BINARY[1] ~{${body.length}}\r\na\0b`))
})

room('CVE-2025-59028: invalid base64 ends one login and no other', async (it) => {
  const [one, two] = [await it.connect(), await it.connect()]
  one.send('a AUTHENTICATE PLAIN\r\n')
  two.send('a AUTHENTICATE PLAIN\r\n')
  await Promise.all([one.line(), two.line()])
  one.send('%%%\r\n')
  assert.match((await one.line()) ?? '', /^a BAD/)
  two.send(`${b64('\0bob@example.com\0secret')}\r\n`)
  assert.match((await two.line()) ?? '', /^a OK/)
})

room('R28: an account that is disabled loses its live sessions, IDLE included', async (it) => {
  const [idle, busy] = [await it.login(), await it.login()]
  await idle.command('SELECT INBOX')
  idle.send('i IDLE\r\n')
  await idle.line()
  await it.directory.updateMailbox(it.bob.account, { protocols: { imap: false } })
  assert.match((await idle.line()) ?? '', /^\* BYE \[UNAVAILABLE\]/)
  assert.equal(await idle.line(), undefined)
  assert.match((await busy.line()) ?? '', /^\* BYE/)
})

room(
  'MaxConnectionsPerUser: one more is refused until another leaves',
  async (it) => {
    const [one] = [await it.login(), await it.login()]
    const third = await it.connect()
    assert.match(await last(third, 'LOGIN bob@example.com secret'), /^NO \[LIMIT\]/)
    await one.command('LOGOUT')
    assert.match(await last(third, 'LOGIN bob@example.com secret'), /^OK/)
    assert.equal(it.service.size, 2)
  },
  { maxConnectionsPerUser: 2 },
)

room('shutdown says BYE to everybody and takes nobody new', async (it) => {
  const [idle, fresh] = [await it.login(), await it.connect()]
  idle.send('i IDLE\r\n')
  await idle.line()
  await it.service.drain(100)
  assert.match((await idle.line()) ?? '', /^\* BYE/)
  assert.match((await fresh.line()) ?? '', /^\* BYE/)
  assert.equal(it.service.size, 0)
  await assert.rejects(async () => {
    const late = await it.connect()
    assert.equal(late.ended, false, 'greeted with BYE')
  })
})

room(
  'P1: who does not log in, or does nothing, is sent away; IDLE is no inactivity',
  async (it) => {
    const slow = await it.connect()
    const quiet = await it.login()
    const idle = await it.login()
    await idle.command('SELECT INBOX')
    idle.send('i IDLE\r\n')
    assert.equal(await idle.line(), '+ idling')
    for (let i = 0; i < 4; i++) {
      slow.send('x')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.match((await slow.line()) ?? '', /^\* BYE/)
    assert.match((await quiet.line()) ?? '', /^\* BYE/)
    for (let i = 0; i < 3; i++) assert.equal(await idle.line(), '* OK Still here')
    assert.equal(idle.ended, false)
  },
  { preAuthenticatedTimeout: 700, authenticatedTimeout: 900, idleKeepAlive: 600 },
)

room('COMPRESS=DEFLATE: both ways, and rubbish ends the session', async (it) => {
  await it.deliver(mail('One', {}, 'x'.repeat(50_000)))
  const client = await it.login()
  assert.match(await last(client, 'COMPRESS DEFLATE'), /^OK/)
  const inflate = createInflateRaw()
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH })
  let text = ''
  inflate.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  let sent = 0
  client.write = (bytes) => {
    sent += bytes.length
    inflate.write(bytes)
    return true
  }
  deflate.on('data', (chunk: Buffer) => client.send(chunk))
  deflate.write('a SELECT INBOX\r\nb FETCH 1 BODY.PEEK[]\r\nc COMPRESS DEFLATE\r\n')
  while (!text.includes('\r\nc ')) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.match(text, /b OK/)
  assert.match(text, /c NO \[COMPRESSIONACTIVE\]/)
  assert.ok(sent < 5_000, 'deflated')
  client.send(Buffer.alloc(1000, 0xff))
  while (!client.ended) await new Promise((resolve) => setTimeout(resolve, 5))
  inflate.destroy()
  deflate.destroy()
})

room('P4: a deflate bomb ends the session', async (it) => {
  const client = await it.login()
  await client.command('COMPRESS DEFLATE')
  const deflate = createDeflateRaw({ level: 9 })
  const pieces: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => pieces.push(chunk))
  const made = new Promise((resolve) => deflate.on('end', resolve))
  const zeros = Buffer.alloc(1 << 20, 'x')
  for (let i = 0; i < 40; i++) deflate.write(zeros)
  deflate.end()
  await made
  const before = process.memoryUsage().rss
  client.send(Buffer.concat(pieces))
  while (!client.ended) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
})

room('P1: a client that does not read is waited for, and holds a bounded amount', async (it) => {
  const body = 'y'.repeat(300_000)
  for (let i = 0; i < 20; i++) await it.deliver(mail(`Big ${i}`, {}, body))
  const client = await it.login()
  await client.command('SELECT INBOX')
  client.reading = false
  client.send('f FETCH 1:* BODY.PEEK[]\r\n')
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(client.pendingBytes < 1_000_000, `${client.pendingBytes}`)
  client.read()
  let bytes = 0
  for (let line = await client.line(); line !== undefined && !line.startsWith('f '); line = await client.line())
    bytes += line.length
  assert.ok(bytes > 20 * body.length)
})

room(
  'P1: a client that never reads is cut off',
  async (it) => {
    for (let i = 0; i < 5; i++) await it.deliver(mail(`Big ${i}`, {}, 'y'.repeat(300_000)))
    const client = await it.login()
    await client.command('SELECT INBOX')
    client.reading = false
    client.send('f FETCH 1:* BODY.PEEK[]\r\n')
    const until = Date.now() + 4_000
    while (!client.ended && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(client.ended)
    assert.equal(it.service.size, 0)
  },
  { writeTimeout: 300, authenticatedTimeout: 600 },
)

room('a large message comes back byte for byte, whole and in parts', async (it) => {
  const message = Buffer.concat([
    Buffer.from(mail('Large')),
    Buffer.from(Array.from({ length: 900_000 }, (_, i) => 1 + ((i * 7919) % 255))),
  ])
  await it.deliver(message)
  const client = await it.login()
  await client.command('SELECT INBOX')
  const fetched = async (what: string): Promise<Buffer> => {
    client.send(`f FETCH 1 (${what})\r\n`)
    while (!/\r\nf (OK|NO|BAD)[^\r\n]*\r\n$/.test(client.received.toString('latin1').slice(-60))) await client.more()
    const all = client.received
    client.received = Buffer.alloc(0)
    const head = /\{(\d+)\}\r\n/.exec(all.toString('latin1').slice(0, 200))
    const start = (head?.index ?? 0) + (head?.[0].length ?? 0)
    return all.subarray(start, start + Number(head?.[1]))
  }
  assert.ok((await fetched('BODY.PEEK[]')).equals(message))
  assert.ok((await fetched('BODY.PEEK[]<1000.500000>')).equals(message.subarray(1000, 501_000)))
  const header = message.indexOf('\r\n\r\n') + 4
  assert.ok((await fetched('BODY.PEEK[TEXT]')).equals(message.subarray(header)))
})

room('P21: a full mailbox refuses before the message is sent, and still deletes', async (it) => {
  await it.deliver(mail('One'))
  await it.store.apply(it.bob.mailbox, [{ op: 'setQuota', quota: 2_000 }])
  const client = await it.login()
  assert.match(await last(client, 'APPEND INBOX {3000}'), /^NO \[OVERQUOTA\]/)
  const [root, quota] = await client.command('GETQUOTAROOT INBOX')
  assert.deepEqual([root, quota], ['* QUOTAROOT INBOX ""', '* QUOTA "" (STORAGE 1 1)'])
  await client.command('SELECT INBOX')
  await client.command('STORE 1 +FLAGS (\\Deleted)')
  assert.deepEqual(await client.command('EXPUNGE'), ['* 1 EXPUNGE', 'OK EXPUNGE completed'])
})

room(
  'a session asks once what others did when it changes flags or expunges, and never what it did itself',
  async (it) => {
    for (const name of ['One', 'Two', 'Three']) await it.deliver(mail(name))
    const client = await it.login()
    await client.command('SELECT INBOX')
    let asked = 0
    const changes = it.store.changes.bind(it.store)
    it.store.changes = (...args) => {
      asked++
      return changes(...args)
    }
    const asks = async (command: string): Promise<{ asked: number; lines: string[] }> => {
      asked = 0
      return { lines: await client.command(command), asked }
    }
    const told = '* 1 FETCH (UID 1 FLAGS (\\Flagged))'
    assert.deepEqual(await asks('UID STORE 1 +FLAGS (\\Flagged)'), { lines: [told, 'OK STORE completed'], asked: 1 })
    await client.command('STORE 1 +FLAGS.SILENT (\\Deleted)')
    // Together with the question whether the folder is as it is remembered.
    assert.deepEqual(await asks('EXPUNGE'), { lines: ['* 1 EXPUNGE', 'OK EXPUNGE completed'], asked: 2 })
    await it.deliver(mail('Four'))
    assert.deepEqual((await asks('STORE 1 +FLAGS (\\Seen)')).lines.slice(0, 1), ['* 3 EXISTS'])
  },
)

room(
  'RFC 7888, RFC 3502: messages that nobody waited with leave nothing behind when one of them is refused',
  async (it) => {
    const client = await it.login()
    const several = (count: number, bytes: number): string =>
      Array.from({ length: count }, () => ` {${bytes}+}\r\n${mail('Big').padEnd(bytes, 'x')}`).join('')
    assert.match(await last(client, `APPEND Nowhere${several(2, 300)}`), /^NO \[TRYCREATE\]/)
    // More than is taken before its place is known.
    assert.match(await last(client, `APPEND Nowhere${several(5, 60_000)}`), /^NO \[TRYCREATE\]/)
    assert.match(await last(client, `APPEND INBOX${several(1, 300)} (\\Foo)${several(1, 300)}`), /^BAD/)
    await it.store.apply(it.bob.mailbox, [{ op: 'setQuota', quota: 100_000 }])
    assert.match(await last(client, `APPEND INBOX${several(2, 60_000)}`), /^NO \[OVERQUOTA\]/)
    assert.equal((await it.store.info(it.bob.mailbox)).items, 0)
    assert.match(await last(client, `APPEND INBOX${several(3, 300)}`), /^OK \[APPENDUID \d+ 1:3\]/)
  },
)

room('RFC 9051 §6.3.12: a mailbox that goes away while its message comes is to be created', async (it) => {
  const [client, other] = [await it.login(), await it.login()]
  await other.command('CREATE Short')
  client.send('a APPEND Short {300}\r\n')
  assert.equal(await client.line(), '+ OK')
  await other.command('DELETE Short')
  client.send(`${mail('Late').padEnd(300, 'x')}\r\n`)
  assert.match((await client.line()) ?? '', /^a NO \[TRYCREATE\]/)
})

room(
  'memory set aside for messages on their way is bounded, and given back when the client goes',
  async (it) => {
    const [one, two] = [await it.login(), await it.login()]
    one.send('a APPEND INBOX {60000}\r\n')
    assert.equal(await one.line(), '+ OK')
    assert.match(await last(two, 'APPEND INBOX {60000}'), /^NO \[INUSE\]/)
    one.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    two.send('b APPEND INBOX {60000}\r\n')
    assert.equal(await two.line(), '+ OK')
  },
  { appendMemory: 100_000 },
)

room('commands sent in one go are answered in order; input waits while a command runs', async (it) => {
  await it.deliver(mail('One'))
  const client = await it.login()
  const commands = Array.from({ length: 300 }, (_, i) => `p${i} NOOP\r\n`).join('')
  client.send(`s SELECT INBOX\r\n${commands}`)
  for (let line = await client.line(); !line?.startsWith('s '); line = await client.line());
  for (let i = 0; i < 300; i++) assert.equal(await client.line(), `p${i} OK NOOP completed`)
})

room(
  'capabilities can be switched off for the listener and for one account, and are refused then',
  async (it) => {
    const client = await it.login()
    const [line = ''] = await client.command('CAPABILITY')
    assert.doesNotMatch(line, /MOVE|SORT|IDLE/)
    assert.match(line, /UIDPLUS/)
    await client.command('SELECT INBOX')
    assert.match(await last(client, 'MOVE 1 Archive'), /^BAD/)
    assert.match(await last(client, 'IDLE'), /^BAD/)
  },
  { disabledCapabilities: new Set(['MOVE', 'SORT']), disabledFor: () => new Set(['IDLE']) },
)

room('a selected mailbox that another session deletes ends in BYE; one’s own is closed', async (it) => {
  const [one, two] = [await it.login(), await it.login()]
  await one.command('CREATE Gone')
  await one.command('SELECT Gone')
  await two.command('SELECT Gone')
  assert.match(await last(two, 'DELETE Gone'), /^OK/)
  assert.match(await last(two, 'FETCH 1 FLAGS'), /^BAD/)
  one.send('n NOOP\r\n')
  const lines = [await one.line(), await one.line()]
  assert.ok(lines.some((line) => line?.startsWith('* BYE')))
})

room('a store that cannot be reached is NO [UNAVAILABLE], and the session lives on', async (it) => {
  const client = await it.login()
  await client.command('SELECT INBOX')
  await it.store.close()
  assert.match(await last(client, 'STATUS INBOX (MESSAGES)'), /^NO \[UNAVAILABLE\]/)
  assert.match(await last(client, 'CAPABILITY'), /^OK/)
})

room('pruned tombstones: a session compares instead, QRESYNC tells all that is missing', async (it) => {
  for (const subject of ['a', 'b', 'c', 'd']) await it.deliver(mail(subject))
  const [watcher, other] = [await it.login(), await it.login()]
  const opened = await watcher.command('SELECT INBOX')
  const validity = /UIDVALIDITY (\d+)/.exec(opened.join())?.[1]
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(opened.join())?.[1]
  await other.command('SELECT INBOX')
  await other.command('STORE 2:3 +FLAGS.SILENT (\\Deleted)')
  await other.command('EXPUNGE')
  await other.command('STORE 1 +FLAGS.SILENT (\\Flagged)')
  await it.store.forgetTombstones(it.bob.mailbox)
  await it.deliver(mail('e'))
  assert.deepEqual(await watcher.command('NOOP'), [
    '* 3 EXPUNGE',
    '* 2 EXPUNGE',
    '* 3 EXISTS',
    '* 0 RECENT',
    '* 1 FETCH (FLAGS (\\Flagged))',
    'OK NOOP completed',
  ])
  await watcher.command('ENABLE QRESYNC')
  const again = await watcher.command(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`)
  assert.ok(again.includes('* VANISHED (EARLIER) 2:3'), again.join('\n'))
})

room('RFC 9051 §6.4.6: STORE tells all flags of a message, keywords too that came after SELECT', async (it) => {
  for (const subject of ['a', 'b', 'c']) await it.deliver(mail(subject))
  const [one, other] = [await it.login(), await it.login()]
  await one.command('SELECT INBOX')
  await other.command('SELECT INBOX')
  const fetched = async (command: string): Promise<readonly string[]> =>
    (await one.command(command)).filter((line) => line.includes(' FETCH '))
  assert.deepEqual(await fetched('STORE 1:2 +FLAGS (\\Seen)'), [
    '* 1 FETCH (FLAGS (\\Seen))',
    '* 2 FETCH (FLAGS (\\Seen))',
  ])
  // One of them is as it was.
  assert.deepEqual(await fetched('STORE 2:3 +FLAGS (\\Seen)'), [
    '* 2 FETCH (FLAGS (\\Seen))',
    '* 3 FETCH (FLAGS (\\Seen))',
  ])
  await other.command('STORE 3 +FLAGS.SILENT (later)')
  await it.deliver(mail('d'))
  await other.command('NOOP')
  await other.command('STORE 4 +FLAGS.SILENT (fresh)')
  await one.command('NOOP')
  assert.deepEqual(await fetched('STORE 3:4 +FLAGS (\\Flagged)'), [
    '* 3 FETCH (FLAGS (\\Seen \\Flagged later))',
    '* 4 FETCH (FLAGS (\\Flagged fresh))',
  ])
})

room(
  'too many commands that are none end the session',
  async (it) => {
    const client = await it.connect()
    for (let i = 0; i < 4; i++) client.send(`${i} FOO\r\n`)
    for (let i = 0; i < 4; i++) assert.match((await client.line()) ?? '', /BAD/)
    assert.match((await client.line()) ?? '', /^\* BYE/)
  },
  { maxBadCommands: 4 },
)

room('RFC 9051 §6.4.4: SENT dates are the sender’s days, whatever the zone', async (it) => {
  await it.deliver(mail('late', { Date: 'Tue, 1 Feb 2022 23:30:00 -0800' }))
  await it.deliver(mail('early', { Date: 'Wed, 2 Feb 2022 00:30:00 +1000' }))
  await it.deliver(mail('none', { Date: '' }))
  await it.deliver(mail('far', { Date: 'Wed, 2 Mar 2022 12:00:00 +0000' }))
  const client = await it.login()
  await client.command('SELECT INBOX')
  const found = async (key: string): Promise<string | undefined> => (await client.command(`SEARCH ${key}`))[0]
  assert.equal(await found('SENTON 1-Feb-2022'), '* SEARCH 1')
  assert.equal(await found('SENTON 2-Feb-2022'), '* SEARCH 2')
  assert.equal(await found('SENTSINCE 2-Feb-2022'), '* SEARCH 2 4')
  assert.equal(await found('SENTBEFORE 2-Feb-2022'), '* SEARCH 1')
  assert.equal(await found('OR SENTON 1-Feb-2022 SUBJECT far'), '* SEARCH 1 4')
  assert.equal(await found('NOT SENTON 1-Feb-2022 FROM ann'), '* SEARCH 2 3 4')
})

room('a SEARCH program too large for one question is answered in parts', async (it) => {
  for (let i = 0; i < 5; i++) await it.deliver(mail(`Number ${i}`))
  const client = await it.login()
  await client.command('SELECT INBOX')
  const nested = `${'NOT '.repeat(100)}SUBJECT "Number 3"`
  assert.equal((await client.command(`SEARCH ${nested}`))[0], '* SEARCH 4')
  const wide = `${Array.from({ length: 250 }, (_, i) => `OR SUBJECT "Number ${i + 3}"`).join(' ')} SUBJECT "Number 1"`
  assert.equal((await client.command(`SEARCH ${wide}`))[0], '* SEARCH 2 4 5')
})

room('a French mailbox has INBOX too, and a folder named inbox does not hide it', async (it) => {
  const anne = await it.directory.addMailbox({ address: 'anne@example.com', password: 'secret', language: 'fr' })
  await it.store.create(anne.mailbox, { language: 'fr', quota: undefined, database: anne.database })
  const top = (await it.store.folders(anne.mailbox)).find((one) => one.role === 'msgfolderroot')
  assert.ok(top)
  await it.store.apply(anne.mailbox, [{ op: 'createFolder', parent: top.id, name: 'Inbox', class: 'IPF.Note' }])
  const client = await it.connect()
  await client.command('LOGIN anne@example.com secret')
  const names = (await client.command('LIST "" *')).map((line) => line.replace(/^.* "\/" /, ''))
  assert.deepEqual(names.slice(0, 2), ['INBOX', 'Archive'])
  assert.ok(names.includes('"Courrier ind&AOk-sirable"'))
  assert.ok(names.some((name) => /^"Inbox \(\d+\)"$/.test(name)))
  assert.match(await last(client, 'SELECT INBOX'), /^OK/)
})

room('an item another protocol made without a message is shown as one, the same each time', async (it) => {
  const folders = await it.store.folders(it.bob.mailbox)
  const inbox = folders.find((one) => one.role === 'inbox')
  assert.ok(inbox)
  await it.store.apply(it.bob.mailbox, [
    {
      op: 'add',
      folder: inbox.id,
      item: {
        flags: Flag.draft,
        keywords: ['Red Category'],
        received: 0,
        associated: false,
        size: 0,
        original: undefined,
        index: new Uint8Array(0),
        promoted: {
          class: 'IPM.Note',
          subject: 'Größe\r\nX: y',
          fromAddress: 'ann@example.net',
          fromName: 'Ann',
          displayTo: 'Bob',
          displayCc: '',
          sent: undefined,
          messageId: '<1@x>\r\n',
          preview: 'Hi',
          hasAttachments: false,
          importance: 1,
          conversation: 'ab',
        },
        props: new Map(),
        recipients: [{ type: 1, name: 'Bob', address: 'bob@example.com' }],
        attachments: [],
      },
    },
  ])
  const client = await it.login()
  await client.command('SELECT INBOX')
  const [size] = await client.command('FETCH 1 (FLAGS RFC822.SIZE)')
  const octets = Number(/RFC822\.SIZE (\d+)/.exec(size ?? '')?.[1])
  assert.match(size ?? '', /FLAGS \(\\Draft\)/, 'a keyword that is no atom is not shown')
  const body = await client.command('FETCH 1 BODY.PEEK[]')
  assert.match(body[0] ?? '', new RegExp(`\\{${octets}\\}$`))
  assert.ok(!body.some((line) => line.startsWith('X: y')), 'P9')
  assert.match((await client.command('FETCH 1 ENVELOPE'))[0] ?? '', /"Ann" NIL "ann" "example.net"/)
})

room('P5: hostile bytes in every state; the server answers others as before', async (it) => {
  const words = [
    'LOGIN',
    'SELECT INBOX',
    'FETCH 1:*',
    'BODY[',
    '(',
    ')',
    '"',
    '{3+}\r\n',
    '{9}\r\n',
    'UID',
    'SEARCH',
    '\r\n',
    'a ',
    '*',
    '\\Seen',
    'STORE 1 FLAGS',
    'IDLE',
    'DONE',
    'APPEND INBOX',
  ]
  const hostile = fc.array(
    fc.oneof(
      fc.constantFrom(...words),
      fc.uint8Array({ maxLength: 30 }).map((raw) => Buffer.from(raw).toString('latin1')),
    ),
    {
      maxLength: 25,
    },
  )
  await it.deliver(mail('One'))
  const states = [
    () => it.connect(),
    () => it.login(),
    async () => {
      const client = await it.login()
      await client.command('SELECT INBOX')
      return client
    },
  ]
  await fc.assert(
    fc.asyncProperty(fc.nat(2), hostile, async (state, words) => {
      const client = await (states[state] as () => Promise<Client>)()
      client.send(Buffer.from(words.join(' '), 'latin1'))
      await new Promise((resolve) => setImmediate(resolve))
      client.destroy()
    }),
    { numRuns: 150 },
  )
  assert.match(await last(await it.login(), 'NOOP'), /^OK/)
})
