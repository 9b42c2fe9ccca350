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
