/**
 * The main job, end to end: a mail from outside rings a held Ping and an IDLE, is read, answered, flagged, moved and deleted from ActiveSync,
 * IMAP and POP3, and everybody else agrees; a mail from the phone reaches the Postfix next door.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { el, text } from '@postrider/wire/wbxml'
import { changeOf, deleteOf, Phone } from '../src/activesync/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { type PostfixPeer, startPostfix } from '../src/peers/index.ts'
import { Pop3Client } from '../src/pop3/index.ts'
import { freePorts, run, sleep, until } from '../src/process/index.ts'
import { findProgram, without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const ADDRESS = 'dora@example.com'
const PASSWORD = 'dora-password'
const RING_MS = 1_000
const INBOX = 2
const DRAFTS = 3
const SENT = 5
const neighbours = findProgram('postfix') !== undefined && process.getuid?.() === 0

let server: TestServer
let postfix: PostfixPeer | undefined

before(async () => {
  const base = await freePorts(8)
  if (neighbours) postfix = await startPostfix({ 'example.com': base + 5 })
  server = await TestServer.start({
    ...(postfix === undefined ? {} : { config: { delivery: { smartHost: `127.0.0.1:${postfix.port}` } } }),
    env: { POSTRIDER_PORT_BASE: String(base) },
  })
  await server.addUser(ADDRESS, PASSWORD)
})
after(async () => {
  await server[Symbol.asyncDispose]()
  await postfix?.[Symbol.asyncDispose]()
})

async function phoneOf(version: '12.1' | '14.1' | '16.1', deviceId: string): Promise<Phone> {
  const phone = new Phone({
    port: server.port('https'),
    tls: true,
    user: ADDRESS,
    password: PASSWORD,
    version,
    deviceId,
    deviceType: 'TestPhone',
  })
  await phone.provision()
  await phone.folderSync()
  await phone.syncAll(phone.folderOfType(INBOX))
  return phone
}

async function fromOutside(subject: string): Promise<string> {
  const { id, text } = testMail({ from: 'ann@outside.example', to: ADDRESS, subject })
  const client = await SmtpClient.connect(server.port('smtp'))
  await client.deliver('ann@outside.example', ADDRESS, text)
  client.close()
  return id
}

const flagsOf = async (imap: ImapClient, subject: string): Promise<string | undefined> => {
  await imap.command('NOOP')
  const found = await imap.command(`UID SEARCH SUBJECT "${subject}"`)
  const uid = /SEARCH (\d+)/.exec(found.untagged.join('\n'))?.[1]
  if (uid === undefined) return undefined
  return (await imap.command(`UID FETCH ${uid} (FLAGS)`)).untagged.find((line) => line.includes('FETCH'))
}

for (const version of ['12.1', '14.1', '16.1'] as const)
  test(`R3, R44: a mail from outside rings a held Ping (${version}) and an IDLE within a second`, async () => {
    const phone = await phoneOf(version, `RING${version.replace('.', '')}`)
    const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
    await imap.command('SELECT INBOX')
    const idle = await imap.idle()
    const inbox = phone.folderOfType(INBOX)
    const ping = phone.ping(480, [inbox])
    await sleep(300)
    await fromOutside(`ring ${version}`)
    const accepted = performance.now()
    const [rung] = await Promise.all([ping, idle.wait(/EXISTS/, 5_000)])
    assert.ok(performance.now() - accepted < RING_MS, `${performance.now() - accepted} ms`)
    assert.equal(rung.status, 2)
    assert.deepEqual(rung.folders, [inbox])
    await phone.syncAll(inbox)
    assert.ok(phone.mirror.bySubject(inbox, `ring ${version}`))
    assert.deepEqual(phone.mirror.violations, [])
    await idle.stop()
    imap.close()
  })

test('R35: what the phone does, IMAP and POP3 see; what IMAP does, the phone sees', async () => {
  const phone = await phoneOf('16.1', 'AGREE161')
  const inbox = phone.folderOfType(INBOX)
  const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
  await imap.command('SELECT INBOX')
  for (const subject of ['to read', 'to flag', 'to move', 'to delete']) await fromOutside(subject)
  await phone.syncAll(inbox)

  // The phone reads, flags, moves and deletes.
  const read = phone.mirror.bySubject(inbox, 'to read')
  const flag = phone.mirror.bySubject(inbox, 'to flag')
  const done = await phone.sync(inbox, {
    commands: [
      changeOf(read, el('Email:Read', '1')),
      changeOf(flag, el('Email:Flag', el('Email:Status', '2'), el('Email:FlagType', 'Flag for follow up'))),
      deleteOf(phone.mirror.bySubject(inbox, 'to delete')),
    ],
  })
  assert.equal(done.status, 1)
  assert.match((await flagsOf(imap, 'to read')) ?? '', /\\Seen/)
  assert.match((await flagsOf(imap, 'to flag')) ?? '', /\\Flagged/)
  assert.equal(await flagsOf(imap, 'to delete'), undefined)
  const moved = await phone.call({
    command: 'MoveItems',
    body: el(
      'Move:MoveItems',
      el(
        'Move:Move',
        el('Move:SrcMsgId', phone.mirror.bySubject(inbox, 'to move')),
        el('Move:SrcFldId', inbox),
        el('Move:DstFldId', phone.folderOfType(DRAFTS)),
      ),
    ),
  })
  assert.match(JSON.stringify(moved.document), /"Move:Status","children":\["3"\]/)
  assert.equal(await flagsOf(imap, 'to move'), undefined)
  const trash = await imap.command('STATUS "Deleted Items" (MESSAGES)')
  assert.match(trash.untagged.join(), /MESSAGES 1\b/, 'the deleted one is in Deleted Items')

  // IMAP flags and deletes.
  await imap.command('UID SEARCH SUBJECT "to read"')
  const uid = /SEARCH (\d+)/.exec((await imap.command('UID SEARCH SUBJECT "to read"')).untagged.join('\n'))?.[1]
  await imap.command(`UID STORE ${uid} -FLAGS (\\Seen)`)
  const other = /SEARCH (\d+)/.exec((await imap.command('UID SEARCH SUBJECT "to flag"')).untagged.join('\n'))?.[1]
  await imap.command(`UID STORE ${other} +FLAGS (\\Deleted)`)
  await imap.command(`UID EXPUNGE ${other}`)
  await phone.syncAll(inbox)
  assert.equal(phone.mirror.value(inbox, read, 'Email:Read'), '0')
  assert.equal(phone.mirror.items(inbox).has(flag), false)
  assert.deepEqual(phone.mirror.violations, [])

  // POP3 fetches and deletes one; both others lose it.
  const pop = await Pop3Client.login(server.port('pop3s'), ADDRESS, PASSWORD)
  const count = Number((await pop.command('STAT')).split(' ')[1])
  let victim = 0
  for (let n = 1; n <= count; n++) if ((await pop.lines(`TOP ${n} 0`)).includes('Subject: to read')) victim = n
  assert.ok(victim > 0)
  await pop.command(`DELE ${victim}`)
  assert.notEqual(await flagsOf(imap, 'to read'), undefined, 'R34: nothing is deleted before QUIT')
  await pop.quit()
  assert.equal(await flagsOf(imap, 'to read'), undefined)
  await phone.syncAll(inbox)
  assert.equal(phone.mirror.items(inbox).has(read), false)
  imap.close()
})

test('an answer from the phone marks the original everywhere, and Sent Items has it once', async () => {
  const phone = await phoneOf('16.1', 'ANSWER161')
  const inbox = phone.folderOfType(INBOX)
  await fromOutside('please answer')
  await phone.syncAll(inbox)
  const source = phone.mirror.bySubject(inbox, 'please answer')
  const body = el(
    'ComposeMail:SmartReply',
    el('ComposeMail:ClientId', 'answer-1'),
    el('ComposeMail:Source', el('ComposeMail:FolderId', inbox), el('ComposeMail:ItemId', source)),
    el('ComposeMail:SaveInSentItems'),
    el(
      'ComposeMail:Mime',
      Buffer.from(
        `From: ${ADDRESS}\r\nTo: ${ADDRESS}\r\nSubject: Re: please answer\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n`,
      ),
    ),
  )
  phone.loseReplies(2)
  const reply = await phone.call({ command: 'SmartReply', body })
  assert.equal(reply.http, 200)
  const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
  await imap.command('SELECT "Sent Items"')
  const sent = await imap.command('SEARCH SUBJECT "Re: please answer"')
  assert.match(sent.untagged.join(), /SEARCH \d+$/, 'sent once although two replies got lost')
  await imap.command('SELECT INBOX')
  assert.match((await flagsOf(imap, 'please answer')) ?? '', /FLAGS/)
  const answered = await imap.command('SEARCH ANSWERED')
  assert.match(answered.untagged.join(), /SEARCH \d+/)
  const arrived = await until('the answer in the inbox', async () => {
    await phone.syncAll(inbox)
    return phone.mirror.bySubject(inbox, 'Re: please answer')
  })
  assert.ok(arrived)
  assert.equal(phone.mirror.value(inbox, source, 'Email2:LastVerbExecuted'), '1')
  imap.close()
})

test('a mail from the phone reaches the Postfix next door', {
  skip: neighbours ? false : without('postfix') || 'Postfix wants root',
}, async () => {
  const phone = await phoneOf('16.1', 'POSTFIX161')
  phone.loseReplies(1)
  const reply = await phone.sendMail(
    `From: ${ADDRESS}\r\nTo: carl@postfix.example\r\nSubject: from the phone\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n`,
    'phone-1',
  )
  assert.equal(reply.http, 200)
  const mail = await until('the mail in Postfix', () => postfix?.mails('carl')[0], 20_000)
  assert.match(mail, /^Subject: from the phone$/m)
  await sleep(500)
  assert.equal(postfix?.mails('carl').length, 1, 'once, although the reply got lost')
  await phone.syncAll(phone.folderOfType(SENT))
  assert.ok(phone.mirror.bySubject(phone.folderOfType(SENT), 'from the phone'))
})

test('swaks from outside rings too', { skip: without('swaks') }, async () => {
  const phone = await phoneOf('14.1', 'SWAKS141')
  const inbox = phone.folderOfType(INBOX)
  const ping = phone.ping(480, [inbox])
  await sleep(200)
  const { code } = await run('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    String(server.port('smtp')),
    '--from',
    'ann@outside.example',
    '--to',
    ADDRESS,
  ])
  assert.equal(code, 0)
  const accepted = performance.now()
  assert.equal((await ping).status, 2)
  assert.ok(performance.now() - accepted < RING_MS)
  assert.equal(
    text((await phone.ping(60, [inbox])).document, 'Ping:Status'),
    '2',
    'not fetched yet: it rings again at once',
  )
})
