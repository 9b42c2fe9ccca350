/** The habits of known phones, end to end over the real program. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { child, children, type Element, el, integer, text } from '@postrider/wire/wbxml'
import type { Phone, Reply } from '../../src/activesync/index.ts'
import { sleep } from '../../src/process/index.ts'
import { append, Court, folderTypes, mail, options, preference, statusOf } from './judge.ts'

let court: Court
before(async () => {
  court = await Court.open('many', 'huge', 'none', 'folders', 'ios', 'android')
})
after(async () => {
  await court?.[Symbol.asyncDispose]()
})

const estimateOf = async (phone: Phone, id: string): Promise<string | undefined> => {
  const reply = await phone.call({
    command: 'GetItemEstimate',
    body: el(
      'GetItemEstimate:GetItemEstimate',
      el(
        'GetItemEstimate:Collections',
        el(
          'GetItemEstimate:Collection',
          el('AirSync:SyncKey', phone.syncKey(id)),
          el('GetItemEstimate:CollectionId', id),
        ),
      ),
    ),
  })
  const response = child(reply.document, 'GetItemEstimate:Response')
  return text(child(response, 'GetItemEstimate:Collection'), 'GetItemEstimate:Estimate')
}

/** The parts of a multipart answer: [MS-ASCMD] §2.2.1.10.1.1. */
function partsOf(reply: Reply): Buffer[] {
  const count = reply.body.readUInt32LE(0)
  return Array.from({ length: count }, (_, i) => {
    const at = reply.body.readUInt32LE(4 + i * 8)
    return reply.body.subarray(at, at + reply.body.readUInt32LE(8 + i * 8))
  })
}

test('an account without mail: the first sync ends, the estimate is 0, a Ping waits and rings', async () => {
  for (const version of ['12.1', '16.1'] as const) {
    const phone = await court.ready('none', { version })
    const inbox = phone.folderOfType(folderTypes.inbox)
    const before = phone.mirror.items(inbox).size
    await phone.syncAll(inbox)
    assert.equal(await estimateOf(phone, inbox), '0')
    assert.equal((await phone.sync(inbox)).document, undefined)
    const ping = phone.ping(480, [inbox])
    await sleep(200)
    const imap = await court.imap('none')
    await append(imap, 'INBOX', mail('first'))
    assert.deepEqual((await ping).folders, [inbox])
    assert.equal(await estimateOf(phone, inbox), '1')
    await phone.syncAll(inbox)
    assert.equal(phone.mirror.items(inbox).size, before + 1)
    await imap.command('SELECT INBOX')
    await imap.command('STORE 1:* +FLAGS (\\Deleted)')
    await imap.command('EXPUNGE')
    imap.close()
    await phone.syncAll(inbox)
    assert.equal(phone.mirror.items(inbox).size, 0)
  }
})

test('5,000 mails come in windows, each as fast as the first', { timeout: 240_000 }, async () => {
  await Promise.all(
    Array.from({ length: 5 }, async (_, part) => {
      const imap = await court.imap('many')
      for (let n = 0; n < 1_000; n++) await append(imap, 'INBOX', mail(`mail ${part}-${n}`, 'x'.repeat(2_000)))
      imap.close()
    }),
  )
  for (const windowSize of [100, 512]) {
    const phone = await court.ready('many')
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.sync(inbox)
    const times: number[] = []
    const wanted = options(preference(el('AirSyncBase:Type', 2), el('AirSyncBase:TruncationSize', 500)))
    for (let more = true; more; ) {
      const began = performance.now()
      const result = await phone.sync(inbox, { windowSize, options: wanted })
      times.push(performance.now() - began)
      assert.equal(result.status, 1)
      assert.ok(result.commands.length <= windowSize)
      more = result.more
    }
    assert.equal(phone.mirror.items(inbox).size, 5_000)
    assert.equal(times.length, Math.ceil(5_000 / windowSize))
    const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!
    const third = Math.floor(times.length / 3)
    const [first, last] = [median(times.slice(0, third)), median(times.slice(-third))]
    assert.ok(last < 4 * first + 20, `${last.toFixed(0)} ms at the end, ${first.toFixed(0)} ms at the beginning`)
  }
})

test('a file of 20 MB goes up and comes down, whole, by ranges and in parts', { timeout: 120_000 }, async () => {
  const file = randomBytes(20 * 1024 * 1024)
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const encoded = file.toString('base64').replace(/(.{76})/g, '$1\r\n')
  const mime = mail(
    'big',
    [
      '--m',
      'Content-Type: text/plain',
      '',
      'with a file',
      '--m',
      'Content-Type: application/zip; name=big.zip',
      'Content-Disposition: attachment; filename=big.zip',
      'Content-Transfer-Encoding: base64',
      '',
      encoded,
      '--m--',
    ],
    ['Content-Type: multipart/mixed; boundary=m'],
  ).replace('judge@example.com', 'huge@example.com')
  for (const version of ['12.1', '16.1'] as const) {
    const phone = await court.ready('huge', { version })
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    const ping = phone.ping(480, [inbox])
    const other = court.phone('huge', { version, deviceId: `SENDER${version.replace('.', '')}` })
    await other.provision()
    const sent = await other.sendMail(mime.replace('Subject: big', `Subject: big ${version}`), `big-${version}`)
    assert.equal(sent.http, 200)
    assert.equal(sent.document, undefined)
    assert.equal((await ping).status, 2)
    await phone.syncAll(inbox)
    const id = phone.mirror.bySubject(inbox, `big ${version}`)
    const attachments = phone.mirror.items(inbox).get(id)?.properties.get('AirSyncBase:Attachments')
    const attachment = children(attachments, 'AirSyncBase:Attachment')[0]
    assert.equal(text(attachment, 'AirSyncBase:DisplayName'), 'big.zip')
    const reference = text(attachment, 'AirSyncBase:FileReference')!
    const fetch = (range?: string): Element =>
      el(
        'ItemOperations:ItemOperations',
        el(
          'ItemOperations:Fetch',
          el('ItemOperations:Store', 'Mailbox'),
          el('AirSyncBase:FileReference', reference),
          range !== undefined && el('ItemOperations:Options', el('ItemOperations:Range', range)),
        ),
      )
    const whole = await phone.call({ command: 'ItemOperations', body: fetch(), acceptMultiPart: true })
    assert.equal(whole.headers['content-type'], 'application/vnd.ms-sync.multipart')
    assert.equal(digest(partsOf(whole)[1]!), digest(file))
    const inline = await phone.call({ command: 'ItemOperations', body: fetch() })
    const properties = (reply: Reply) =>
      child(
        child(child(reply.document, 'ItemOperations:Response'), 'ItemOperations:Fetch'),
        'ItemOperations:Properties',
      )
    const data = Buffer.from(text(properties(inline), 'ItemOperations:Data') ?? '', 'base64')
    assert.equal(digest(data), digest(file))
    const pieces: Buffer[] = []
    const step = 7 * 1024 * 1024
    for (let at = 0; at < file.length; at += step) {
      const piece = await phone.call({ command: 'ItemOperations', body: fetch(`${at}-${at + step - 1}`) })
      assert.equal(integer(properties(piece), 'ItemOperations:Total'), file.length)
      pieces.push(Buffer.from(text(properties(piece), 'ItemOperations:Data') ?? '', 'base64'))
    }
    assert.equal(digest(Buffer.concat(pieces)), digest(file))
    assert.equal(
      statusOf(await phone.call({ command: 'ItemOperations', body: fetch(`${file.length}-${file.length + 5}`) })),
      '1',
    )
  }
})

test('a folder is renamed, moved and deleted by IMAP while a phone has it', async () => {
  const imap = await court.imap('folders')
  await imap.command('CREATE Project')
  await append(imap, 'Project', mail('in the project'))
  const phone = await court.ready('folders')
  const inbox = phone.folderOfType(folderTypes.inbox)
  const named = (name: string) => [...phone.folders.values()].find((folder) => folder.name === name)?.serverId
  const project = named('Project')!
  await phone.syncAll(inbox)
  await phone.syncAll(project)
  // MS-ASCMD_R4257: the folder list is out of date, a held Ping says so.
  const ping = phone.ping(480, [inbox, project])
  await sleep(300)
  await imap.command('RENAME Project Plan')
  assert.equal((await ping).status, 7)
  await phone.folderSync()
  assert.equal(named('Plan'), project, 'the ServerId stays')
  assert.equal((await phone.sync(project)).document, undefined, 'and so does the state')
  // Changed between the FolderSync and the Ping: said once, then waited.
  await imap.command('CREATE Other')
  assert.equal((await phone.ping(480, [inbox])).status, 7)
  const deaf = phone.ping(480, [inbox])
  await sleep(300)
  await append(imap, 'INBOX', mail('rings'))
  assert.equal((await deaf).status, 2, 'a phone that does not mind 7 hears of mail all the same')
  await phone.folderSync()
  assert.notEqual(named('Other'), undefined)
  await imap.command('DELETE Plan')
  assert.equal((await phone.sync(project)).status, 12)
  assert.equal((await phone.ping(480, [inbox, project])).status, 7)
  await phone.folderSync()
  assert.equal(named('Plan'), undefined)
  imap.close()
})

const find = (reply: Reply, ...path: Parameters<typeof child>[1][]): Element | undefined =>
  path.reduce<Element | undefined>((element, tag) => child(element, tag), reply.document)

test('iOS Mail: account, windows, a Ping, pictures by range, an answer, the bin, a search, a draft that is sent', async () => {
  for (const version of ['14.1', '16.1'] as const) {
    const imap = await court.imap('ios')
    for (let n = 0; n < 130; n++) await append(imap, 'INBOX', mail(`${version} mail ${n}`))
    const phone = court.phone('ios', { version, deviceType: 'iPhone', userAgent: 'Apple-iPhone15C3/2101.123' })
    assert.equal((await phone.options()).headers['ms-asprotocolversions'], '12.1,14.0,14.1,16.0,16.1')
    const user = {
      command: 'Settings',
      body: el('Settings:Settings', el('Settings:UserInformation', el('Settings:Get'))),
    }
    // Before it is provisioned: refused by name, not with an error of HTTP.
    assert.equal(statusOf(await phone.call({ ...user, policyKey: 0 })), '142')
    await phone.provision()
    const information = find(await phone.call(user), 'Settings:UserInformation')
    const account = child(child(child(information, 'Settings:Get'), 'Settings:Accounts'), 'Settings:Account')
    assert.equal(text(child(account, 'Settings:EmailAddresses'), 'Settings:PrimarySmtpAddress'), 'ios@example.com')
    await phone.folderSync()
    const inbox = phone.folderOfType(folderTypes.inbox)
    const trash = phone.folderOfType(folderTypes.trash)
    const drafts = phone.folderOfType(folderTypes.drafts)
    const sent = phone.folderOfType(folderTypes.sent)
    const wanted = options(
      el('AirSync:FilterType', 0),
      preference(el('AirSyncBase:Type', 1), el('AirSyncBase:TruncationSize', 500)),
      preference(el('AirSyncBase:Type', 4), el('AirSyncBase:TruncationSize', 500)),
      el('AirSync:MIMETruncation', 1),
      el('AirSync:MIMESupport', 0),
    )
    await phone.sync(inbox, { options: wanted })
    assert.ok(Number(await estimateOf(phone, inbox)) >= 130)
    let rounds = 0
    for (let more = true; more; rounds++) more = (await phone.sync(inbox, { windowSize: 25, options: wanted })).more
    assert.ok(rounds >= 6)
    for (const folder of [trash, drafts, sent]) await phone.syncAll(folder)
    const ping = phone.ping(480, [inbox, drafts])
    await sleep(200)
    const picture = Buffer.from(Array.from({ length: 90_000 }, (_, i) => i % 251))
    await append(
      imap,
      'INBOX',
      mail(
        `${version} picture`,
        [
          '--m',
          'Content-Type: text/html; charset=utf-8',
          '',
          '<p>look <img src="cid:a@b"></p>',
          '--m',
          'Content-Type: image/jpeg; name=a.jpg',
          'Content-ID: <a@b>',
          'Content-Disposition: inline; filename=a.jpg',
          'Content-Transfer-Encoding: base64',
          '',
          picture.toString('base64').replace(/(.{76})/g, '$1\r\n'),
          '--m--',
        ],
        ['Content-Type: multipart/related; boundary=m'],
      ).replace('judge@example.com', 'ios@example.com'),
    )
    assert.deepEqual((await ping).folders, [inbox])
    await phone.syncAll(inbox)
    const id = phone.mirror.bySubject(inbox, `${version} picture`)
    const attachment = children(phone.mirror.items(inbox).get(id)?.properties.get('AirSyncBase:Attachments'))[0]
    assert.equal(text(attachment, 'AirSyncBase:ContentId'), 'a@b')
    const piece = await phone.call({
      command: 'ItemOperations',
      body: el(
        'ItemOperations:ItemOperations',
        el(
          'ItemOperations:Fetch',
          el('ItemOperations:Store', 'Mailbox'),
          el('AirSyncBase:FileReference', text(attachment, 'AirSyncBase:FileReference')),
          el('ItemOperations:Options', el('ItemOperations:Range', '1000-1999')),
        ),
      ),
    })
    const properties = find(piece, 'ItemOperations:Response', 'ItemOperations:Fetch', 'ItemOperations:Properties')
    assert.deepEqual(Buffer.from(text(properties, 'ItemOperations:Data') ?? '', 'base64'), picture.subarray(1000, 2000))
    const reply = (clientId: string) => ({
      command: 'SmartReply',
      body: el(
        'ComposeMail:SmartReply',
        el('ComposeMail:ClientId', clientId),
        el('ComposeMail:SaveInSentItems'),
        el('ComposeMail:Source', el('ComposeMail:FolderId', inbox), el('ComposeMail:ItemId', id)),
        el('ComposeMail:ReplaceMime'),
        el('ComposeMail:Mime', Buffer.from(mail(`Re: ${version} picture`, 'all mine').replace('judge@', 'ios@'))),
      ),
    })
    assert.equal(statusOf(await phone.call(reply(`ios-${version}`))), 'empty')
    assert.equal(statusOf(await phone.call(reply(`ios-${version}`))), '118', 'a second time it is not sent')
    await phone.syncAll(inbox)
    assert.equal(phone.mirror.value(inbox, id, 'Email2:LastVerbExecuted'), '1')
    await phone.syncAll(sent)
    phone.mirror.bySubject(sent, `Re: ${version} picture`)
    const moved = await phone.call({
      command: 'MoveItems',
      body: el(
        'Move:MoveItems',
        el('Move:Move', el('Move:SrcMsgId', id), el('Move:SrcFldId', inbox), el('Move:DstFldId', trash)),
      ),
    })
    assert.equal(text(find(moved, 'Move:Response'), 'Move:Status'), '3')
    await phone.syncAll(inbox)
    await phone.syncAll(trash)
    assert.equal(phone.mirror.items(inbox).has(id), false)
    assert.equal(
      phone.mirror.bySubject(trash, `${version} picture`),
      text(find(moved, 'Move:Response'), 'Move:DstMsgId'),
    )
    const search = await phone.call({
      command: 'Search',
      body: el(
        'Search:Search',
        el(
          'Search:Store',
          el('Search:Name', 'Mailbox'),
          el(
            'Search:Query',
            el(
              'Search:And',
              el('AirSync:Class', 'Email'),
              el('AirSync:CollectionId', inbox),
              el('Search:FreeText', `mail`),
            ),
          ),
          el(
            'Search:Options',
            el('Search:RebuildResults'),
            el('Search:DeepTraversal'),
            el('Search:Range', '0-99'),
            preference(el('AirSyncBase:Type', 1), el('AirSyncBase:TruncationSize', 200)),
          ),
        ),
      ),
    })
    const store = find(search, 'Search:Response', 'Search:Store')
    assert.ok(Number(text(store, 'Search:Total')) >= 130)
    assert.equal(text(store, 'Search:Range'), '0-99')
    assert.equal(children(store, 'Search:Result').length, 100)
    if (phone.since('16.0')) await draft(phone, drafts, sent)
    imap.close()
  }
  court.verdict()
})

/** A draft of 16.x: made, changed, sent; it leaves the folder and stands in Sent Items. */
async function draft(phone: Phone, drafts: string, sent: string): Promise<void> {
  const data = (...content: Element[]) => el('AirSync:ApplicationData', ...content)
  const body = (words: string) => el('AirSyncBase:Body', el('AirSyncBase:Type', 2), el('AirSyncBase:Data', words))
  const made = await phone.sync(drafts, {
    commands: [
      el(
        'AirSync:Add',
        el('AirSync:ClientId', 'draft-1'),
        data(el('Email:To', 'ios@example.com'), el('Email:Subject', 'a draft'), body('<p>one</p>')),
      ),
    ],
  })
  const id = text(made.responses[0], 'AirSync:ServerId')!
  assert.equal(text(made.responses[0], 'AirSync:Status'), '1')
  // What the phone made itself it has, under the id it was told.
  phone.mirror.items(drafts).set(id, { serverId: id, properties: new Map() })
  const change = (...content: Element[]) => el('AirSync:Change', el('AirSync:ServerId', id), ...content)
  const changed = await phone.sync(drafts, { commands: [change(data(body('<p>two</p>')))] })
  assert.equal(changed.status, 1)
  assert.deepEqual(changed.commands, [], 'its own change does not come back')
  const gone = await phone.sync(drafts, {
    commands: [change(el('Email2:Send'), data(el('Email:Subject', 'a draft no more')))],
  })
  assert.equal(gone.status, 1)
  await phone.syncAll(drafts)
  await phone.syncAll(sent)
  assert.equal(phone.mirror.items(drafts).has(id), false)
  phone.mirror.bySubject(sent, 'a draft no more')
}

test('Gmail on Android: a probe, key 0 again and again, the outbox in a Ping, odd requests', async () => {
  for (const version of ['12.1', '14.0', '14.1', '16.0', '16.1'] as const) {
    const probe = court.phone('android', { version, deviceId: 'validate', deviceType: 'Android' })
    assert.equal((await probe.provision()).length, 2)
    const phone = await court.ready('android', {
      version,
      deviceType: 'Android',
      userAgent: 'Android-Mail/2026.01',
      form: 'base64',
      unpadded: true,
    })
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    const key = phone.syncKey(inbox)
    // The manual refresh: the states of the folders stay (MS-ASCMD_R885).
    await phone.folderSync('0')
    assert.equal(phone.folderOfType(folderTypes.inbox), inbox)
    assert.equal((await phone.sync(inbox)).status, undefined)
    assert.equal(phone.syncKey(inbox), key)
    const ping = phone.ping(480, [inbox, phone.folderOfType(folderTypes.outbox)])
    await sleep(200)
    const sent = await phone.sendMail(
      mail(`${version} to myself`).replace('judge@example.com', 'android@example.com'),
      `g-${version}`,
    )
    assert.equal(statusOf(sent), 'empty')
    assert.deepEqual((await ping).folders, [inbox])
    // The answer gets lost on the way: asked again, nothing is doubled.
    phone.loseReplies(2)
    await phone.syncAll(inbox)
    phone.mirror.bySubject(inbox, `${version} to myself`)
    phone.loseReplies(1)
    const again = await phone.sendMail(
      mail(`${version} again`).replace('judge@example.com', 'android@example.com'),
      `h-${version}`,
    )
    assert.equal(statusOf(again), version === '12.1' ? 'empty' : '118')
    await phone.syncAll(inbox)
    const subjects = phone.mirror.values(inbox, 'Email:Subject')
    assert.equal(subjects.filter((subject) => subject === `${version} again`).length, 1)
  }
  court.verdict()
})
