/** Bad requests and their statuses, in every version and both query forms: [MS-ASCMD] §2.2.2, §2.2.3.177, [MS-ASAIRS] §3.2.5.1. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Child, el } from '@postrider/wire/wbxml'
import { append, check, collection, Court, folderTypes, keyed, mail, options, preference, versions } from './judge.ts'

let court: Court
before(async () => {
  court = await Court.open('status')
})
after(async () => {
  await court?.[Symbol.asyncDispose]()
})

for (const [index, version] of versions.entries())
  test(`${version}: bad requests and their statuses`, async () => {
    const form = index % 2 === 0 ? 'base64' : 'plain'
    const phone = await court.ready('status', { version, form })
    const imap = await court.imap('status')
    await append(imap, 'INBOX', mail(`one ${version}`))
    imap.close()
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    const key = phone.syncKey(inbox)
    const [item] = [...(phone.mirror.collections.get(inbox)?.keys() ?? [])]
    assert.ok(item)
    const old = version === '12.1'
    const xml = old ? 'HTTP 400' : '103'
    const ofType = (type: number, ...more: Child[]) => preference(el('AirSyncBase:Type', type), ...more)
    const withOptions = (...content: Child[]) => keyed(key, inbox, options(...content))
    const fk = phone.folderKey
    const H = (tag: 'FolderCreate' | 'FolderDelete' | 'FolderUpdate', ...content: Child[]) =>
      el(`FolderHierarchy:${tag}`, ...content)
    const sk = (value: string) => el('FolderHierarchy:SyncKey', value)
    const id = (value: string) => el('FolderHierarchy:ServerId', value)
    const parent = (value: string) => el('FolderHierarchy:ParentId', value)
    const name = (value: string) => el('FolderHierarchy:DisplayName', value)
    const type = (value: number | string) => el('FolderHierarchy:Type', value)
    const estimate = (...content: Child[]) =>
      el(
        'GetItemEstimate:GetItemEstimate',
        el('GetItemEstimate:Collections', el('GetItemEstimate:Collection', ...content)),
      )
    const gid = (value: string) => el('GetItemEstimate:CollectionId', value)
    const move = (...content: Child[]) => el('Move:MoveItems', el('Move:Move', ...content))
    const src = (value: string) => el('Move:SrcMsgId', value)
    const from = (value: string) => el('Move:SrcFldId', value)
    const to = (value: string) => el('Move:DstFldId', value)
    const ping = (...content: Child[]) => el('Ping:Ping', ...content)
    const folder = (value: string) => el('Ping:Folder', el('Ping:Id', value), el('Ping:Class', 'Email'))
    const operations = (...content: Child[]) => el('ItemOperations:ItemOperations', ...content)
    const fetch = (...content: Child[]) =>
      operations(el('ItemOperations:Fetch', el('ItemOperations:Store', 'Mailbox'), ...content))
    const wrong = await check(phone, [
      ['R4572 FolderSync without key', '10', 'FolderSync', el('FolderHierarchy:FolderSync')],
      ['FolderSync empty key', '10', 'FolderSync', el('FolderHierarchy:FolderSync', sk(''))],
      ['R4581 FolderSync unknown key', '9', 'FolderSync', el('FolderHierarchy:FolderSync', sk('unknown-9'))],
      ['R4573 FolderCreate key', '9', 'FolderCreate', H('FolderCreate', sk('x-1'), parent('0'), name('a'), type(12))],
      ['FolderCreate no key', '10', 'FolderCreate', H('FolderCreate', parent('0'), name('a'), type(12))],
      ['R4012 exists', '2', 'FolderCreate', H('FolderCreate', sk(fk), parent('0'), name('Inbox'), type(12))],
      ['R4018 no parent', '5', 'FolderCreate', H('FolderCreate', sk(fk), parent('999999'), name('a'), type(12))],
      ['R4035 default', '10', 'FolderCreate', H('FolderCreate', sk(fk), parent('0'), name('a'), type(2))],
      [
        'FolderCreate type no number',
        '10',
        'FolderCreate',
        H('FolderCreate', sk(fk), parent('0'), name('a'), type('x')),
      ],
      ['FolderCreate no name', '10', 'FolderCreate', H('FolderCreate', sk(fk), parent('0'), type(12))],
      ['FolderCreate empty name', '10', 'FolderCreate', H('FolderCreate', sk(fk), parent('0'), name(''), type(12))],
      ['R4046 special', '3', 'FolderDelete', H('FolderDelete', sk(fk), id(inbox))],
      ['R4048 missing', '4', 'FolderDelete', H('FolderDelete', sk(fk), id('999999'))],
      ['FolderDelete no id', '10', 'FolderDelete', H('FolderDelete', sk(fk))],
      ['R4059', '9', 'FolderDelete', H('FolderDelete', sk('0'), id(inbox))],
      ['R4102', '2', 'FolderUpdate', H('FolderUpdate', sk(fk), id(inbox), parent('0'), name('b'))],
      ['R4105', '4', 'FolderUpdate', H('FolderUpdate', sk(fk), id('999999'), parent('0'), name('b'))],
      ['R4119', '9', 'FolderUpdate', H('FolderUpdate', sk('0'), id(inbox), parent('0'), name('b'))],
      ['FolderUpdate no parent', '10', 'FolderUpdate', H('FolderUpdate', sk(fk), id(inbox), name('b'))],

      ['Sync without collections', '4', 'Sync', el('AirSync:Sync', el('AirSync:WindowSize', 5))],
      ['R4545 no CollectionId', '4', 'Sync', collection(el('AirSync:SyncKey', key))],
      ['no SyncKey', '4', 'Sync', collection(el('AirSync:CollectionId', inbox))],
      ['unknown key', '3', 'Sync', keyed('abc', inbox)],
      ['unknown folder', '12', 'Sync', keyed('0', '999999')],
      ['R3128 GetChanges with key 0', '4', 'Sync', keyed('0', inbox, el('AirSync:GetChanges', 1))],
      [
        'R930 one class twice',
        '4',
        'Sync',
        keyed(key, inbox, options(el('AirSync:Class', 'Email')), options(el('AirSync:Class', 'Email'))),
      ],
      [
        'R935 classes',
        '4',
        'Sync',
        keyed(key, inbox, options(el('AirSync:Class', 'Email')), options(el('AirSync:Class', 'Calendar'))),
      ],
      ['Class that is none', '4', 'Sync', withOptions(el('AirSync:Class', 'Nonsense'))],
      ['FilterType 6 for mail', '4', 'Sync', withOptions(el('AirSync:FilterType', 6))],
      ['FilterType 9', xml, 'Sync', withOptions(el('AirSync:FilterType', 9))],
      ['Conflict 2', xml, 'Sync', withOptions(el('AirSync:Conflict', 2))],
      ['MIMESupport 3', xml, 'Sync', withOptions(el('AirSync:MIMESupport', 3))],
      ['MIMETruncation 9', xml, 'Sync', withOptions(el('AirSync:MIMETruncation', 9))],
      ['MS-ASAIRS_R349 two of a type', '4', 'Sync', withOptions(ofType(1), ofType(1))],
      [
        'MS-ASAIRS_R350',
        '4',
        'Sync',
        withOptions(ofType(1, el('AirSyncBase:TruncationSize', 9), el('AirSyncBase:AllOrNone', 'x'))),
      ],
      [
        'MS-ASAIRS_R351',
        '4',
        'Sync',
        withOptions(
          ofType(
            1,
            el('AirSyncBase:TruncationSize', 9),
            el('AirSyncBase:AllOrNone', 1),
            el('AirSyncBase:AllOrNone', 1),
          ),
        ),
      ],
      [
        'MS-ASAIRS_R348',
        '4',
        'Sync',
        withOptions(preference(el('AirSyncBase:TruncationSize', 9), el('AirSyncBase:Type', 1))),
      ],
      ['MS-ASAIRS_R347, R10014: Type 5', '6', 'Sync', withOptions(ofType(5))],
    ])
    await phone.folderSync('0')
    assert.equal(phone.folderOfType(folderTypes.inbox), inbox, 'R885')
    // The Change above gave a new key: the phone starts anew.
    phone.setSyncKey(inbox, '0')
    phone.mirror.collections.delete(inbox)
    await phone.syncAll(inbox)
    const now = phone.syncKey(inbox)
    wrong.push(
      ...(await check(phone, [
        ['R4135', '2', 'GetItemEstimate', estimate(el('AirSync:SyncKey', now), gid('999999'))],
        ['R4139', '3', 'GetItemEstimate', estimate(el('AirSync:SyncKey', '0'), gid(inbox))],
        ['R4594', '4', 'GetItemEstimate', estimate(el('AirSync:SyncKey', 'abc'), gid(inbox))],
        [
          'R4142 not primed',
          '3',
          'GetItemEstimate',
          estimate(el('AirSync:SyncKey', 'abc'), gid(phone.folderOfType(folderTypes.sent))),
        ],
        ['R4206', '1', 'MoveItems', move(src('999:1'), from(inbox), to(phone.folderOfType(folderTypes.trash)))],
        ['R4207', '1', 'MoveItems', move(src(item), from('999999'), to(phone.folderOfType(folderTypes.trash)))],
        ['R4211', '2', 'MoveItems', move(src(item), from(inbox), to('999999'))],
        ['R4218', '4', 'MoveItems', move(src(item), from(inbox), to(inbox))],
        [
          'R4222',
          '5',
          'MoveItems',
          move(
            src(item),
            from(inbox),
            to(phone.folderOfType(folderTypes.trash)),
            to(phone.folderOfType(folderTypes.sent)),
          ),
        ],
        ['MoveItems nothing', xml, 'MoveItems', el('Move:MoveItems')],
        ['Ping nothing cached', '3', 'Ping', undefined],
        ['Ping without folders', '3', 'Ping', ping(el('Ping:HeartbeatInterval', 480))],
        [
          'Ping unknown folder',
          '7',
          'Ping',
          ping(el('Ping:HeartbeatInterval', 480), el('Ping:Folders', folder('999999'))),
        ],
        ['Ping interval low', '5', 'Ping', ping(el('Ping:HeartbeatInterval', 1), el('Ping:Folders', folder(inbox)))],
        [
          'Ping interval high',
          '5',
          'Ping',
          ping(el('Ping:HeartbeatInterval', 9999), el('Ping:Folders', folder(inbox))),
        ],
        [
          'Ping interval no number',
          '4',
          'Ping',
          ping(el('Ping:HeartbeatInterval', 'abc'), el('Ping:Folders', folder(inbox))),
        ],
        [
          'R6699 twice',
          '4',
          'Ping',
          ping(el('Ping:HeartbeatInterval', 480), el('Ping:Folders', folder(inbox), folder(inbox))),
        ],
        ['ItemOperations nothing', '2', 'ItemOperations', operations()],
        ['MS-ASAIRS_R214', '1', 'ItemOperations', fetch(el('AirSyncBase:FileReference', ''))],
        ['Search nothing', xml, 'Search', el('Search:Search')],
        ['Settings nothing', '2', 'Settings', el('Settings:Settings')],
        [
          'Provision of another type',
          '1',
          'Provision',
          el(
            'Provision:Provision',
            !old &&
              version !== '14.0' &&
              el('Settings:DeviceInformation', el('Settings:Set', el('Settings:Model', 'x'))),
            el('Provision:Policies', el('Provision:Policy', el('Provision:PolicyType', 'nonsense'))),
          ),
        ],
        [
          'Provision without Policies',
          old || version === '14.0' ? '1' : xml,
          'Provision',
          el(
            'Provision:Provision',
            !old &&
              version !== '14.0' &&
              el('Settings:DeviceInformation', el('Settings:Set', el('Settings:Model', 'x'))),
          ),
        ],
        ['SendMail nonsense', xml, 'SendMail', old ? undefined : el('ComposeMail:SendMail')],
      ])),
    )
    assert.deepEqual(wrong, [])
    court.verdict()
  })
