/** What well-known programs send, in their own words and order. Each line: the command and what its tagged answer must be. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { connect } from 'node:tls'
import { ImapClient } from '../src/imap/index.ts'
import { TestServer } from '../src/server/index.ts'

const ADDRESS = 'habit@example.com'
const PASSWORD = 'pa"ss\\ wörd'
const PLAIN = Buffer.from(`\0${ADDRESS}\0${PASSWORD}`).toString('base64')
const QUOTED = `"${Buffer.from(PASSWORD).toString('latin1').replace(/["\\]/g, '\\$&')}"`

let server: TestServer
before(async () => {
  server = await TestServer.start()
  await server.addUser(ADDRESS, PASSWORD)
  const client = await connected()
  for (let i = 0; i < 6; i++) {
    await client.append(
      'INBOX',
      `From: ann@a.example\r\nTo: bob@b.example\r\nSubject: mail ${i}\r\nMessage-ID: <${i}@a.example>\r\nContent-Type: text/plain\r\n\r\nbody of mail ${i}\r\n`,
    )
  }
  client.close()
})
after(() => server[Symbol.asyncDispose]())

async function connected(): Promise<ImapClient> {
  const client = await ImapClient.connect(server.port('imaps'))
  assert.equal((await client.command(`AUTHENTICATE PLAIN ${PLAIN}`)).status, 'OK')
  return client
}

/** A command; the start of its tagged answer (OK when left out, anything when empty); what must be among the untagged ones. */
type Line = readonly [command: string, tagged?: string, untagged?: RegExp]

const NOTE = 'From: habit@example.com\r\nSubject: sent\r\nMessage-ID: <sent@example.com>\r\n\r\nsent copy\r\n'
const append = (folder: string, flags: string): string => `APPEND ${folder} ${flags} {${NOTE.length}+}\r\n${NOTE}`

const habits: Readonly<Record<string, readonly Line[]>> = {
  Thunderbird: [
    ['CAPABILITY', 'OK', /CONDSTORE/],
    ['ID ("name" "Thunderbird" "version" "140.5.0")', 'OK', /^\* ID \(/],
    ['ENABLE UTF8=ACCEPT', 'OK', /ENABLED UTF8=ACCEPT/],
    ['NAMESPACE', 'OK', /NAMESPACE \(\("" "\/"\)\) NIL NIL/],
    ['LIST (SUBSCRIBED) "" "*" RETURN (SPECIAL-USE)'],
    ['LIST "" "*" RETURN (SPECIAL-USE)', 'OK', /\\Trash/],
    ['LIST (SUBSCRIBED) "" "INBOX"'],
    ['SELECT "INBOX" (CONDSTORE)', 'OK [READ-WRITE]', /HIGHESTMODSEQ/],
    ['UID FETCH 1:* (FLAGS)', 'OK', /FETCH \(UID 1 FLAGS/],
    [
      'UID FETCH 1:6 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Resent-Message-ID Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])',
      'OK',
      /mail 5/,
    ],
    ['UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[]<0.16384>)', 'OK', /BODY\[\]<0> \{/],
    ['UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[]<16384.16384>)', 'OK', /BODY\[\]<16384> ""/],
    ['UID STORE 1 +FLAGS (\\Seen NonJunk $label1)', 'OK', /NonJunk/],
    ['UID SEARCH UNDELETED BODY "body of mail 3"', 'OK', /^\* SEARCH 4$/],
    // RFC 6855 §3: no CHARSET once UTF8=ACCEPT is enabled.
    ['UID SEARCH SUBJECT {6+}\r\nmail 2', 'OK', /^\* SEARCH 3$/],
    [append('"Sent Items"', '(\\Seen)'), 'OK [APPENDUID'],
    ['CREATE "Entw&APw-rfe alt"', 'OK'],
    ['SUBSCRIBE "Entw&APw-rfe alt"'],
    ['RENAME "Entw&APw-rfe alt" "Archiv 2026"'],
    ['UNSUBSCRIBE "Archiv 2026"'],
    ['DELETE "Archiv 2026"'],
    ['UID COPY 6 "Deleted Items"', 'OK [COPYUID'],
    ['UID STORE 6 +FLAGS (\\Deleted)'],
    ['UID EXPUNGE 6', 'OK', /^\* 6 EXPUNGE$/],
    ['GETQUOTAROOT "INBOX"', 'OK', /QUOTAROOT/],
    ['CLOSE'],
    ['LOGOUT', 'OK', /BYE/],
  ],
  'Apple Mail': [
    ['ID ("name" "Mac OS X Mail" "version" "16.0" "os" "Mac OS X" "vendor" "Apple Inc.")'],
    ['ID ("name" "iPhone Mail" "version" "22G86" "os" "iOS" "os-version" "18.6 (22G86)")'],
    ['ENABLE CONDSTORE', 'OK', /ENABLED CONDSTORE/],
    ['LIST "" ""', 'OK', /LIST \(\\Noselect\) "\/" ""/i],
    ['LIST "" "*"', 'OK', /INBOX/],
    ['LSUB "" "*"'],
    ['XLIST "" "*"', 'BAD'],
    ['LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ))', 'OK', /STATUS/],
    ['STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)', 'OK', /HIGHESTMODSEQ/],
    ['SELECT INBOX (CONDSTORE)'],
    ['FETCH 1:* (FLAGS UID)', 'OK', /UID/],
    ['UID SEARCH 1:* NOT DELETED', 'OK', /SEARCH 1 2 3/],
    ['UID SEARCH RETURN (ALL) 1:* UNSEEN', 'OK', /ESEARCH/],
    [
      'UID FETCH 1:* (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date subject from to cc message-id in-reply-to references content-type x-priority x-uniform-type-identifier x-universally-unique-identifier list-id list-unsubscribe bimi-indicator bimi-location x-bimi-indicator-hash authentication-results dkim-signature)])',
      'OK',
      /mail 0/,
    ],
    ['UID FETCH 2 (BODYSTRUCTURE BODY.PEEK[HEADER])', 'OK', /"text" "plain"/i],
    ['UID FETCH 2 (BODY.PEEK[1]<0.2048> BODY.PEEK[1.MIME])'],
    ['UID STORE 2 +FLAGS.SILENT (\\Seen $NotJunk)'],
    ['UID MOVE 2 "Deleted Items"', 'OK', /COPYUID/],
    ['NOOP'],
    [append('"Sent Items"', '(\\Seen $NotJunk NotJunk)'), 'OK [APPENDUID'],
    ['CREATE "Notes&2D3eAA-"', 'OK'],
    ['DELETE "Notes&2D3eAA-"'],
  ],
  'Outlook for Windows': [
    ['CAPABILITY'],
    ['ID ("name" "Microsoft Outlook" "version" "16.0")'],
    ['LSUB "" "INBOX"'],
    ['LIST "" "*"'],
    ['LSUB "" "*"'],
    ['SELECT "INBOX"'],
    ['UID FETCH 1:* (UID FLAGS)'],
    ['UID FETCH 3 (UID BODY.PEEK[HEADER] RFC822.SIZE INTERNALDATE)'],
    ['UID FETCH 3 (UID RFC822.SIZE BODY.PEEK[])'],
    ['UID STORE 3 FLAGS (\\Seen \\Answered)'],
    ['CREATE "Sent Items 2"'],
    ['CREATE "Junk E-mail/"'],
    ['SUBSCRIBE "Sent Items 2"'],
    ['DELETE "Sent Items 2"'],
    ['CHECK'],
  ],
  'K-9 and FairEmail': [
    ['ID ("name" "FairEmail" "version" "1.2290")'],
    ['NAMESPACE'],
    ['LIST "" "*" RETURN (SPECIAL-USE)'],
    ['LSUB "" "*"'],
    ['SELECT "INBOX"'],
    ['UID SEARCH 1:* NOT DELETED SINCE 1-Jan-2020'],
    ['UID SEARCH 1:*'],
    [
      'UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (date subject from content-type to cc reply-to message-id references in-reply-to list-unsubscribe sender X-K9mail-Identity Chat-Version)])',
    ],
    ['FETCH 1:* (ENVELOPE INTERNALDATE RFC822.SIZE FLAGS BODYSTRUCTURE UID)'],
    ['UID FETCH 1 (BODY.PEEK[TEXT]<0.32768>)'],
    ['UID STORE 1 +FLAGS.SILENT (\\Flagged)'],
    ['UID SEARCH HEADER Message-ID "<1@a.example>"'],
    ['UID SEARCH OR OR SUBJECT "mail" BODY "mail" FROM "mail"', 'OK', /SEARCH 1/],
    ['UID SEARCH OR OR SUBJECT "mail" BODY "mail" OR FROM "mail" TO "mail"', 'OK', /SEARCH 1/],
    ['GETQUOTAROOT INBOX'],
    ['CREATE "K-9 Ordner/&MFMwkzBrMGEwbw-"'],
    ['DELETE "K-9 Ordner/&MFMwkzBrMGEwbw-"'],
    ['DELETE "K-9 Ordner"'],
  ],
  'mutt, isync, offlineimap, Evolution': [
    ['CAPABILITY'],
    ['LIST "" ""'],
    ['STATUS "INBOX" (UIDNEXT UIDVALIDITY UNSEEN RECENT MESSAGES)'],
    ['SELECT "INBOX"'],
    [
      'FETCH 1:4 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SENDER SUBJECT TO CC MESSAGE-ID REFERENCES CONTENT-TYPE CONTENT-DESCRIPTION IN-REPLY-TO REPLY-TO LINES LIST-POST LIST-SUBSCRIBE LIST-UNSUBSCRIBE X-LABEL X-ORIGINAL-TO)])',
    ],
    ['UID FETCH 1:* (UID FLAGS)'],
    ['UID FETCH 1 BODY.PEEK[]'],
    ['UID STORE 1 +FLAGS.SILENT (\\Answered)'],
    ['UID SEARCH HEADER X-TUID "abcdefghijkl"'],
    ['FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-TUID MESSAGE-ID)])'],
    ['UID FETCH 1:* (UID FLAGS ENVELOPE)'],
    ['UID SEARCH (BODY "mail 1" (SUBJECT "mail"))'],
    ['UNSELECT'],
    ['EXAMINE INBOX', 'OK [READ-ONLY]'],
    ['CREATE A/B/C'],
    ['CREATE "Archiv Neu" (USE (\\Archive))', ''],
    ['LIST (SPECIAL-USE) "" "*"', 'OK', /\\Sent/],
    ['RENAME A/B A/X'],
    ['LIST "" "A/*"', 'OK', /A\/X\/C/],
    ['DELETE A/X/C'],
    ['DELETE A/X'],
    ['DELETE A'],
  ],
}

for (const [program, lines] of Object.entries(habits)) {
  test(`${program}: every command is answered as it expects`, async () => {
    const client = await connected()
    for (const [command, tagged = 'OK', untagged] of lines) {
      const answer = await client.command(command)
      const said = `${answer.status} ${answer.text}`
      assert.ok(said.startsWith(tagged), `${command}\n${said}`)
      if (untagged !== undefined) assert.match(answer.untagged.join('\n'), new RegExp(untagged.source, 'im'), command)
    }
    client.close()
  })
}

test('log-ins in every form: quoted, literals, non-synchronising, AUTHENTICATE with and without an initial response', async () => {
  const octets = Buffer.from(PASSWORD)
  const forms: ((client: ImapClient) => Promise<{ status: string }>)[] = [
    (client) => client.command(`AUTHENTICATE PLAIN ${PLAIN}`),
    (client) => client.command('authenticate plain', PLAIN),
    (client) => client.command(`LOGIN {${ADDRESS.length}+}\r\n${ADDRESS} {${octets.length}}`, octets),
    (client) => client.command(`login ${ADDRESS} {${octets.length}}`, octets),
  ]
  for (const [i, form] of forms.entries()) {
    const client = await ImapClient.connect(server.port('imaps'))
    assert.equal((await form(client)).status, 'OK', `form ${i}`)
    client.close()
  }
  const client = await ImapClient.connect(server.port('imaps'))
  client.send(Buffer.from(`q LOGIN "${ADDRESS}" ${QUOTED}\r\n`, 'latin1'))
  assert.match(await client.next(), /^q OK/)
  client.close()
})

test('pipelined commands are answered in order, and a set of ten thousand UIDs is read', async () => {
  const client = await connected()
  const set = Array.from({ length: 10_000 }, (_, i) => 2 * i + 1).join(',')
  client.send(`p1 SELECT INBOX\r\np2 UID FETCH ${set} (FLAGS)\r\np3 NOOP\r\np4 UNSELECT\r\np5 LOGOUT\r\n`)
  const tagged: string[] = []
  while (tagged.length < 5) {
    const line = await client.next()
    if (!line.startsWith('*')) tagged.push(line.split(' ', 2).join(' '))
  }
  assert.deepEqual(tagged, ['p1 OK', 'p2 OK', 'p3 OK', 'p4 OK', 'p5 OK'])
})

test('IDLE ended and begun again at once loses nothing', async () => {
  const watcher = await connected()
  const other = await connected()
  await watcher.command('SELECT INBOX')
  for (let i = 0; i < 5; i++) {
    const idle = await watcher.idle()
    await other.append('INBOX', NOTE)
    await idle.wait(/EXISTS/)
    await idle.stop()
  }
  watcher.close()
  other.close()
})

test('names in UTF-8 (IMAP4rev2) and modified UTF-7 (rev1) are the same mailboxes', async () => {
  const old = await connected()
  const modern = await connected()
  await modern.command('ENABLE IMAP4rev2')
  assert.equal((await old.command('CREATE "&ZeVnLIqe-/&AMQA1gDc- &- Co"')).status, 'OK')
  const listed = (await modern.command('LIST "" "*"')).untagged.join('\n')
  assert.ok(listed.includes(Buffer.from('日本語/ÄÖÜ & Co').toString('latin1')), listed)
  const utf8 = Buffer.from('DELETE "日本語/ÄÖÜ & Co"').toString('latin1')
  modern.send(Buffer.from(`d ${utf8}\r\n`, 'latin1'))
  assert.match(await modern.next(), /^d OK/)
  assert.equal((await old.command('DELETE "&ZeVnLIqe-"')).status, 'OK')
  old.close()
  modern.close()
})

test('COMPRESS=DEFLATE as mail programs do it: a sync flush behind every command', async () => {
  const socket = connect({ port: server.port('imaps'), host: '127.0.0.1', rejectUnauthorized: false })
  const inflate = createInflateRaw()
  const deflate = createDeflateRaw()
  deflate.on('data', (chunk: Buffer) => socket.write(chunk))
  let text = ''
  let compressed = false
  socket.on('data', (chunk: Buffer) => {
    if (compressed) inflate.write(chunk)
    else text += chunk.toString('latin1')
  })
  inflate.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const until = async (pattern: RegExp): Promise<void> => {
    for (let i = 0; !pattern.test(text) && i < 500; i++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.match(text, pattern)
  }
  socket.write(`a AUTHENTICATE PLAIN ${PLAIN}\r\n`)
  await until(/^a OK/m)
  socket.write('b COMPRESS DEFLATE\r\n')
  await until(/^b OK/m)
  compressed = true
  for (let i = 0; i < 3; i++) {
    deflate.write(
      `c${i} FETCH 1 FLAGS\r\n${i === 0 ? `d SELECT INBOX\r\n` : `e${i} UID FETCH 1:* (FLAGS BODY.PEEK[])\r\n`}`,
    )
    deflate.flush(constants.Z_SYNC_FLUSH)
    await until(i === 0 ? /^d OK/m : new RegExp(`^e${i} OK`, 'm'))
  }
  assert.match(text, /body of mail 0/)
  socket.destroy()
})
