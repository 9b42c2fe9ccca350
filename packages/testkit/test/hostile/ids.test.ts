/**
 * An id is an address, never authority (reliability.md P20): everything one mailbox gives out, used by another user, finds nothing and
 * changes nothing, in every protocol.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Element, el, encodeWbxml, type Tag } from '@postrider/wire/wbxml'
import { Phone } from '../../src/activesync/index.ts'
import { Arena, MALLORY } from '../../src/hostile/index.ts'
import { ImapClient } from '../../src/imap/index.ts'
import { SmtpClient } from '../../src/smtp/index.ts'

const VICTIM = { address: 'victim@example.com', password: 'victim-password' } as const
const SECRET = 'xyzzy-plugh-4711'
const INBOX = 2

let arena: Arena
let victim: Phone
let mallory: Phone
/** What the victim's phone and mail program were told. */
const known = {
  inbox: '',
  hidden: '',
  serverId: '',
  hiddenId: '',
  file: '',
  longId: '',
  conversation: new Uint8Array() as Uint8Array,
  syncKey: '',
  folderKey: '',
  imap: { email: '', thread: '', mailbox: '' },
}

const mail = (folder: string): string =>
  [
    `From: <ann@outside.example>`,
    `To: <${VICTIM.address}>`,
    `Subject: ${SECRET} in ${folder}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    `${SECRET} body`,
    '--b',
    'Content-Type: text/plain; name=secret.txt',
    'Content-Disposition: attachment; filename=secret.txt',
    '',
    `${SECRET} attachment`,
    '--b--',
    '',
  ].join('\r\n')

/** All elements of a tag, wherever they stand. */
function every(root: Element | undefined, tag: Tag): Element[] {
  if (root === undefined) return []
  const found = root.tag === tag ? [root] : []
  for (const one of root.children) if (typeof one === 'object' && 'tag' in one) found.push(...every(one, tag))
  return found
}
const idIn = (root: Element | undefined, tag: Tag): string => {
  const [found] = every(root, tag)
  const value = found?.children[0]
  assert.equal(typeof value, 'string', `${tag} was given out`)
  return String(value)
}

async function phoneOf(
  user: { address: string; password: string },
  deviceId: string,
  version: '16.1' | '14.1' = '16.1',
) {
  const phone = new Phone({
    port: arena.server.port('https'),
    tls: true,
    user: user.address,
    password: user.password,
    deviceId,
    version,
  })
  await phone.provision()
  await phone.folderSync()
  await phone.syncAll(phone.folderOfType(INBOX))
  return phone
}

before(async () => {
  arena = await Arena.open()
  await arena.server.addUser(VICTIM.address, VICTIM.password)
  const smtp = await SmtpClient.connect(arena.server.port('smtp'))
  await smtp.deliver('ann@outside.example', VICTIM.address, mail('Inbox'))
  smtp.close()
  const imap = await ImapClient.login(arena.server.port('imaps'), VICTIM.address, VICTIM.password)
  await imap.command('CREATE Hidden')
  await imap.append('Hidden', mail('Hidden'))
  const status = (await imap.command('STATUS Hidden (MAILBOXID)')).untagged.join()
  await imap.command('SELECT Hidden')
  const fetched = (await imap.command('FETCH 1 (EMAILID THREADID)')).untagged.join()
  known.imap.mailbox = /MAILBOXID \((\S+?)\)/.exec(status)?.[1] ?? assert.fail(status)
  known.imap.email = /EMAILID \((\S+?)\)/.exec(fetched)?.[1] ?? assert.fail(fetched)
  known.imap.thread = /THREADID \((\S+?)\)/.exec(fetched)?.[1] ?? assert.fail(fetched)
  imap.close()

  victim = await phoneOf(VICTIM, 'VICTIM1')
  known.inbox = victim.folderOfType(INBOX)
  known.hidden = [...victim.folders.values()].find((one) => one.name === 'Hidden')?.serverId ?? assert.fail()
  await victim.syncAll(known.hidden)
  known.syncKey = victim.syncKey(known.inbox)
  known.folderKey = victim.folderKey
  const adds = victim.answers.flatMap((answer) => every(answer, 'AirSync:Add'))
  known.serverId = idIn(adds[0], 'AirSync:ServerId')
  known.hiddenId = idIn(adds[1], 'AirSync:ServerId')
  known.file = idIn(adds[0], 'AirSyncBase:FileReference')
  const conversation = every(adds[0], 'Email2:ConversationId')[0]?.children[0]
  assert.ok(conversation instanceof Uint8Array)
  known.conversation = conversation
  const found = await searched(victim, known.hidden, SECRET)
  known.longId = idIn(found, 'Search:LongId')
  mallory = await phoneOf(MALLORY, 'MALLORY1')
})
after(() => arena.close())

async function searched(phone: Phone, collection: string, words: string): Promise<Element | undefined> {
  const query = el(
    'Search:Query',
    el(
      'Search:And',
      el('AirSync:Class', 'Email'),
      el('AirSync:CollectionId', collection),
      el('Search:FreeText', words),
    ),
  )
  const options = el('Search:Options', el('Search:Range', '0-9'), el('Search:RebuildResults'))
  const body = el('Search:Search', el('Search:Store', el('Search:Name', 'Mailbox'), query, options))
  return (await phone.call({ command: 'Search', body })).document
}

/** The answer holds nothing of the victim's. */
function nothing(what: string, bytes: Uint8Array | string): void {
  assert.ok(
    !Buffer.from(bytes as Uint8Array)
      .toString('latin1')
      .includes(SECRET),
    `${what} shows the victim's mail`,
  )
}

const operations = (...children: Element[]): Element => el('ItemOperations:ItemOperations', ...children)
const fetchOf = (...ids: Element[]): Element =>
  operations(el('ItemOperations:Fetch', el('ItemOperations:Store', 'Mailbox'), ...ids))

/** What Mallory's phone tries; the tag whose values say how it went, and the ones that say no. */
const tries: readonly (readonly [string, string, () => Element, Tag, readonly string[]])[] = [
  [
    'Fetch by ServerId',
    'ItemOperations',
    () => fetchOf(el('AirSync:CollectionId', known.inbox), el('AirSync:ServerId', known.serverId)),
    'ItemOperations:Status',
    ['6'],
  ],
  [
    'Fetch by LongId',
    'ItemOperations',
    () => fetchOf(el('Search:LongId', known.longId)),
    'ItemOperations:Status',
    ['6'],
  ],
  [
    'Fetch by FileReference',
    'ItemOperations',
    () => fetchOf(el('AirSyncBase:FileReference', known.file)),
    'ItemOperations:Status',
    ['15'],
  ],
  [
    'EmptyFolderContents',
    'ItemOperations',
    () => operations(el('ItemOperations:EmptyFolderContents', el('AirSync:CollectionId', known.hidden))),
    'ItemOperations:Status',
    ['2', '6', '105', '160'],
  ],
  [
    'move of a conversation',
    'ItemOperations',
    () =>
      operations(
        el(
          'ItemOperations:Move',
          el('ItemOperations:ConversationId', known.conversation),
          el('ItemOperations:DstFldId', mallory.folderOfType(INBOX)),
          el('ItemOperations:Options', el('ItemOperations:MoveAlways')),
        ),
      ),
    'ItemOperations:Status',
    ['2', '6'],
  ],
  [
    'MoveItems',
    'MoveItems',
    () =>
      el(
        'Move:MoveItems',
        el(
          'Move:Move',
          el('Move:SrcMsgId', known.hiddenId),
          el('Move:SrcFldId', known.hidden),
          el('Move:DstFldId', mallory.folderOfType(INBOX)),
        ),
      ),
    'Move:Status',
    ['1'],
  ],
  ['Sync with a key of the same collection', 'Sync', () => syncOf(known.inbox, known.syncKey), 'AirSync:Status', ['3']],
  ['Sync of a folder', 'Sync', () => syncOf(known.hidden, '0'), 'AirSync:Status', ['8', '12']],
  [
    'GetItemEstimate',
    'GetItemEstimate',
    () =>
      el(
        'GetItemEstimate:GetItemEstimate',
        el(
          'GetItemEstimate:Collections',
          el(
            'GetItemEstimate:Collection',
            el('AirSync:SyncKey', known.syncKey),
            el('GetItemEstimate:CollectionId', known.inbox),
          ),
        ),
      ),
    'GetItemEstimate:Status',
    ['4'],
  ],
  [
    'FolderSync with a key',
    'FolderSync',
    () => el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', known.folderKey)),
    'FolderHierarchy:Status',
    ['9'],
  ],
  [
    'FolderDelete',
    'FolderDelete',
    () =>
      el(
        'FolderHierarchy:FolderDelete',
        el('FolderHierarchy:SyncKey', mallory.folderKey),
        el('FolderHierarchy:ServerId', known.hidden),
      ),
    'FolderHierarchy:Status',
    ['4'],
  ],
  [
    'FolderUpdate',
    'FolderUpdate',
    () =>
      el(
        'FolderHierarchy:FolderUpdate',
        el('FolderHierarchy:SyncKey', mallory.folderKey),
        el('FolderHierarchy:ServerId', known.hidden),
        el('FolderHierarchy:ParentId', '0'),
        el('FolderHierarchy:DisplayName', 'Stolen'),
      ),
    'FolderHierarchy:Status',
    ['4'],
  ],
  [
    'Ping of a folder',
    'Ping',
    () =>
      el(
        'Ping:Ping',
        el('Ping:HeartbeatInterval', 60),
        el('Ping:Folders', el('Ping:Folder', el('Ping:Id', known.hidden), el('Ping:Class', 'Email'))),
      ),
    'Ping:Status',
    ['7'],
  ],
]

const syncOf = (collection: string, key: string): Element =>
  el(
    'AirSync:Sync',
    el(
      'AirSync:Collections',
      el('AirSync:Collection', el('AirSync:SyncKey', key), el('AirSync:CollectionId', collection)),
    ),
  )

test('ActiveSync: ids of another mailbox find nothing', () =>
  arena.attack(async () => {
    for (const [name, command, body, tag, refusals] of tries) {
      const reply = await mallory.call({ command, body: body() })
      nothing(name, reply.body)
      const statuses = every(reply.document, tag).map((one) => String(one.children[0]))
      assert.ok(refusals.includes(statuses.at(-1) ?? ''), `${name}: HTTP ${reply.http}, status ${statuses.join()}`)
    }
  }))

test('ActiveSync: searches see one mailbox, whatever they name', () =>
  arena.attack(async () => {
    for (const collection of [known.inbox, known.hidden, '0']) {
      const answer = await searched(mallory, collection, SECRET)
      const shown = answer === undefined ? '' : Buffer.from(encodeWbxml(answer)).toString('latin1')
      assert.equal(every(answer, 'Search:LongId').length, 0)
      assert.ok(!shown.includes(`${SECRET} `))
    }
    const body = el(
      'Find:Find',
      el('Find:SearchId', '4711'),
      el(
        'Find:ExecuteSearch',
        el(
          'Find:MailBoxSearchCriterion',
          el(
            'Find:Query',
            el('AirSync:Class', 'Email'),
            el('AirSync:CollectionId', known.hidden),
            el('Find:FreeText', SECRET),
          ),
        ),
      ),
    )
    const reply = await mallory.call({ command: 'Find', body })
    assert.equal(every(reply.document, 'Find:Result').length, 0)
  }))

test('ActiveSync: a reply or forward of somebody else’s mail takes nothing from it', () =>
  arena.attack(async () => {
    const mime = Buffer.from(`To: <${MALLORY.address}>\r\nSubject: mine\r\n\r\nmine\r\n`)
    const sources = [
      el('ComposeMail:Source', el('ComposeMail:FolderId', known.inbox), el('ComposeMail:ItemId', known.serverId)),
      el('ComposeMail:Source', el('ComposeMail:LongId', known.longId)),
    ]
    for (const command of ['SmartForward', 'SmartReply'] as const)
      for (const [i, source] of sources.entries()) {
        const client = el('ComposeMail:ClientId', `${command}${i}`)
        const body = el(`ComposeMail:${command}`, client, source, el('ComposeMail:Mime', mime))
        const reply = await mallory.call({ command, body })
        nothing(command, reply.body)
        // 106 an id that is none here, 150 an item that is not there: [MS-ASCMD] §2.2.2.
        assert.match(idIn(reply.document, 'ComposeMail:Status'), /^(?:106|150)$/, `${command} ${i}`)
      }
    const imap = await ImapClient.login(arena.server.port('imaps'), MALLORY.address, MALLORY.password)
    await imap.command('SELECT INBOX')
    assert.equal((await imap.command(`SEARCH TEXT ${SECRET}`)).untagged.join(), '* SEARCH')
    imap.close()
  }))

test('ActiveSync: GetAttachment, the User of the query and a stolen DeviceId give nothing', () =>
  arena.attack(async () => {
    const old = await phoneOf(MALLORY, 'MALLORY2', '14.1')
    const got = await old.call({ command: 'GetAttachment', parameters: { AttachmentName: known.file } })
    nothing('GetAttachment', got.body)
    assert.ok(got.http >= 400, `HTTP ${got.http}`)

    const authorization = `Basic ${Buffer.from(`${MALLORY.address}:${MALLORY.password}`).toString('base64')}`
    for (const policyKey of [victim.policyKey, 0, undefined]) {
      // The victim's name, device and key; Mallory's password.
      const bodies = [syncOf(known.inbox, known.syncKey), fetchOf(el('Search:LongId', known.longId))] as const
      for (const body of bodies) {
        const reply = await victim.call({
          command: body.tag === 'AirSync:Sync' ? 'Sync' : 'ItemOperations',
          body,
          policyKey,
          headers: { Authorization: authorization },
        })
        nothing('a stolen device', reply.body)
        assert.ok(every(reply.document, 'AirSync:Add').length === 0)
      }
    }
    // And the victim's own device is none the worse.
    const own = await victim.sync(known.inbox)
    assert.ok(own.status === 1 || own.status === undefined, `status ${own.status}`)
  }))

test('IMAP: other users’ names, ids and paths lead nowhere', () =>
  arena.attack(async () => {
    const imap = await ImapClient.login(arena.server.port('imaps'), MALLORY.address, MALLORY.password)
    const user = VICTIM.address
    const [local] = user.split('@')
    const places = [
      'Hidden',
      `user/${local}`,
      `user.${local}`,
      `~${local}`,
      `~${user}/INBOX`,
      `#user/${user}/INBOX`,
      `Other Users/${user}`,
      `Other Users/${user}/INBOX`,
      `shared/${user}`,
      `${user}/INBOX`,
      `../${local}/INBOX`,
      '../../INBOX',
      '/INBOX',
      known.imap.mailbox,
      known.hidden,
    ]
    for (const place of places) {
      for (const command of ['SELECT', 'EXAMINE', 'DELETE', 'SUBSCRIBE'] as const) {
        const { status, untagged } = await imap.command(`${command} "${place}"`)
        nothing(`${command} ${place}`, untagged.join())
        if (command !== 'SUBSCRIBE') assert.equal(status, 'NO', `${command} ${place}`)
        else await imap.command(`UNSUBSCRIBE "${place}"`)
      }
      assert.equal((await imap.command(`STATUS "${place}" (MESSAGES)`)).status, 'NO')
    }
    await imap.command('SELECT INBOX')
    for (const key of [`EMAILID ${known.imap.email}`, `THREADID ${known.imap.thread}`, `TEXT ${SECRET}`]) {
      const { status, untagged } = await imap.command(`UID SEARCH ${key}`)
      assert.equal(status, 'OK')
      assert.equal(untagged.join(), '* SEARCH', key)
    }
    for (const command of [
      'UID FETCH 1:* (BODY[] PREVIEW)',
      'UID COPY 1:* Trash',
      'LIST "" "*" RETURN (STATUS (MESSAGES))',
      `GETQUOTA "${user}"`,
      `GETQUOTAROOT "Hidden"`,
    ])
      nothing(command, (await imap.command(command)).untagged.join('\n'))
    imap.close()
  }))

test('after all that the victim has every mail, in its place', async () => {
  const imap = await ImapClient.login(arena.server.port('imaps'), VICTIM.address, VICTIM.password)
  for (const folder of ['INBOX', 'Hidden']) {
    const { untagged } = await imap.command(`STATUS ${folder} (MESSAGES UNSEEN)`)
    assert.match(untagged.join(), /MESSAGES 1 UNSEEN 1|UNSEEN 1 MESSAGES 1/, folder)
  }
  imap.close()
})
