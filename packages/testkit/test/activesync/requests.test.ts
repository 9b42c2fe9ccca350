/**
 * What a request may hold and what is said of one that is not right: [MS-ASAIRS] §3.2.5.1, [MS-ASCMD] §2.2.3, §3.1.5.10. In every version;
 * 12.1 says 103 and the like as HTTP.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, child, children, type Element, el, ownText, type Tag, text } from '@postrider/wire/wbxml'
import type { Reply } from '../../src/activesync/index.ts'
import {
  append,
  type Case,
  Court,
  check,
  collection,
  folderTypes,
  keyed,
  mail,
  options,
  preference,
  statusOf,
  versions,
} from './judge.ts'

let court: Court
before(async () => {
  court = await Court.open('asks', 'ann.smith', 'ann.miller', 'switched')
  const imap = await court.imap('asks')
  for (let n = 0; n < 6; n++) await append(imap, 'INBOX', mail(`mail ${n}`))
  imap.close()
})
after(async () => {
  await court?.[Symbol.asyncDispose]()
})

const find = (reply: Reply, ...path: Tag[]): Element | undefined =>
  path.reduce<Element | undefined>((element, tag) => child(element, tag), reply.document)

/** Status of the one operation, else that of the root. */
const inner = (reply: Reply, ...path: Tag[]): string => {
  const element = find(reply, ...path)
  const status = children(element).find(({ tag }) => tag.endsWith(':Status'))
  return status === undefined ? statusOf(reply) : ownText(status)
}

const commands = (...list: Element[]): Element => el('AirSync:Commands', ...list)
const gone = (folder: string): Child => el('AirSync:ServerId', `${folder}:99999`)
const data = (...content: Child[]): Element => el('AirSync:ApplicationData', ...content)
const body = (...content: Child[]): Element => el('AirSyncBase:BodyPreference', ...content)
const ofType = (type: number | string, ...more: Child[]): Element => preference(el('AirSyncBase:Type', type), ...more)

for (const version of versions) {
  test(`${version}: Sync and its options`, async () => {
    const phone = await court.ready('asks', { version })
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    const key = phone.syncKey(inbox)
    const ask = (...content: Child[]) => keyed(key, inbox, ...content)
    const cases: Case[] = [
      ['R3127 empty GetChanges is 1', 'empty', 'Sync', ask(el('AirSync:GetChanges'))],
      [
        'R5839 GetChanges 0 with key 0',
        '1',
        'Sync',
        keyed('0', phone.folderOfType(folderTypes.sent), el('AirSync:GetChanges', 0)),
      ],
      [
        'R5838 commands with key 0',
        '4',
        'Sync',
        keyed('0', phone.folderOfType(folderTypes.sent), commands(el('AirSync:Delete', gone(inbox)))),
      ],
      ['R2161 empty DeletesAsMoves', 'empty', 'Sync', ask(el('AirSync:DeletesAsMoves'))],
      ['DeletesAsMoves that is no boolean', '4', 'Sync', ask(el('AirSync:DeletesAsMoves', 2))],
      ['SoftDelete of a client', '4', 'Sync', ask(commands(el('AirSync:SoftDelete', gone(inbox))))],
      ['Change without ApplicationData', '4', 'Sync', ask(commands(el('AirSync:Change', gone(inbox))))],
      [
        'the same collection twice',
        '4',
        'Sync',
        el(
          'AirSync:Sync',
          el(
            'AirSync:Collections',
            ...children(child(ask(), 'AirSync:Collections')),
            ...children(child(ask(), 'AirSync:Collections')),
          ),
        ),
      ],
      ['Class and no CollectionId', '4', 'Sync', collection(el('AirSync:Class', 'Email'), el('AirSync:SyncKey', '0'))],
      [
        'R5645 201 commands',
        '4',
        'Sync',
        ask(commands(...Array.from({ length: 201 }, () => el('AirSync:Delete', gone(inbox))))),
      ],
      // MS-ASAIRS §3.2.5.1: the four of the table are 4 (statuses.test.ts), all others 6.
      ['R347 Type x', '6', 'Sync', ask(options(ofType('x')))],
      ['R347 Type 0', '6', 'Sync', ask(options(ofType(0)))],
      ['R347 TruncationSize x', '6', 'Sync', ask(options(ofType(1, el('AirSyncBase:TruncationSize', 'x'))))],
      ['R347 TruncationSize -1', '6', 'Sync', ask(options(ofType(1, el('AirSyncBase:TruncationSize', '-1'))))],
      ['R10027 no Type', '6', 'Sync', ask(options(body(el('AirSyncBase:TruncationSize', 5))))],
      ['R10027 Type twice', '6', 'Sync', ask(options(ofType(1, el('AirSyncBase:Type', 1))))],
      ['R10029 an element that has no place there', '6', 'Sync', ask(options(ofType(1, el('AirSyncBase:Data', 'x'))))],
    ]
    if (phone.since('14.0')) {
      cases.push(
        ['R347 Preview 256', '6', 'Sync', ask(options(ofType(1, el('AirSyncBase:Preview', 256))))],
        ['ConversationMode that is no boolean', '4', 'Sync', ask(el('AirSync:ConversationMode', 'x'))],
      )
    }
    if (phone.since('14.1')) {
      const part = (...content: Child[]) => options(el('AirSyncBase:BodyPartPreference', ...content))
      cases.push(
        ['164 BodyPart of another type', '164', 'Sync', ask(part(el('AirSyncBase:Type', 1)))],
        ['R347 BodyPart', '6', 'Sync', ask(part(el('AirSyncBase:Type', 2), el('AirSyncBase:TruncationSize', 'x')))],
      )
    }
    assert.deepEqual(await check(phone, cases), [])
  })

  test(`${version}: commands for items that are gone, or that are no good`, async () => {
    const phone = await court.ready('asks', { version })
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    const [item] = [...phone.mirror.items(inbox).keys()]
    const said = async (...list: Element[]) => {
      const { status, responses } = await phone.sync(inbox, { commands: list })
      assert.equal(status, 1)
      return responses.map((one) => [one.tag.split(':')[1], text(one, 'AirSync:Status')])
    }
    const id = el('AirSync:ServerId', item)
    assert.deepEqual(
      await said(el('AirSync:Change', gone(inbox), data(el('Email:Read', 1)))),
      [['Change', '8']],
      'R5846',
    )
    assert.deepEqual(await said(el('AirSync:Fetch', gone(inbox))), [['Fetch', '8']], 'R4447')
    assert.deepEqual(await said(el('AirSync:Delete', gone(inbox))), [], 'R6414')
    assert.deepEqual(await said(el('AirSync:Change', id, data(el('Email:Read', 2)))), [['Change', '6']], 'R4440')
    assert.deepEqual(await said(el('AirSync:Change', id, data(el('Email:Subject', 'mine')))), [['Change', '6']])
    assert.deepEqual(
      await said(el('AirSync:Add', el('AirSync:ClientId', 'c'), data(el('Email:Subject', 'x')))),
      [['Add', '6']],
      'mail is not added to an inbox',
    )
    // Responses stand for themselves: each command has its own status, in the order of the request.
    assert.deepEqual(
      await said(
        el('AirSync:Fetch', id),
        el('AirSync:Change', gone(inbox), data(el('Email:Read', 1))),
        el('AirSync:Fetch', gone(inbox)),
      ),
      [
        ['Fetch', '1'],
        ['Change', '8'],
        ['Fetch', '8'],
      ],
    )
  })

  test(`${version}: GetItemEstimate, MoveItems, ItemOperations`, async () => {
    const phone = await court.ready('asks', { version })
    const old = version === '12.1'
    const xml = old ? 'HTTP 400' : '103'
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    const [item] = [...phone.mirror.items(inbox).keys()]
    const trash = phone.folderOfType(folderTypes.trash)
    const estimate = (...content: Child[]) =>
      el(
        'GetItemEstimate:GetItemEstimate',
        el(
          'GetItemEstimate:Collections',
          el(
            'GetItemEstimate:Collection',
            el('AirSync:SyncKey', phone.syncKey(inbox)),
            el('GetItemEstimate:CollectionId', inbox),
            ...content,
          ),
        ),
      )
    const move = el(
      'Move:Move',
      el('Move:SrcMsgId', gone(inbox)),
      el('Move:SrcFldId', inbox),
      el('Move:DstFldId', trash),
    )
    const cases: Case[] = [
      [
        'R3007 FilterType of another class',
        old ? 'HTTP 500' : '110',
        'GetItemEstimate',
        estimate(options(el('AirSync:FilterType', 8))),
      ],
      ['R2984 FilterType 9', xml, 'GetItemEstimate', estimate(options(el('AirSync:FilterType', 9)))],
      [
        'R5647 1001 collections',
        xml,
        'GetItemEstimate',
        el(
          'GetItemEstimate:GetItemEstimate',
          el(
            'GetItemEstimate:Collections',
            ...Array.from({ length: 1001 }, () => el('GetItemEstimate:Collection', el('AirSync:SyncKey', '1'))),
          ),
        ),
      ],
      ['R5653 1001 moves', xml, 'MoveItems', el('Move:MoveItems', ...Array.from({ length: 1001 }, () => move))],
      [
        'a move without a destination',
        xml,
        'MoveItems',
        el('Move:MoveItems', el('Move:Move', el('Move:SrcMsgId', item), el('Move:SrcFldId', inbox))),
      ],
    ]
    if (!old) cases.push(['R3265 MaxItems', '2', 'GetItemEstimate', estimate(options(el('AirSync:MaxItems', 5)))])
    const wrong = await check(phone, cases)
    const fetch = (...content: Child[]) =>
      el('ItemOperations:ItemOperations', el('ItemOperations:Fetch', el('ItemOperations:Store', 'Mailbox'), ...content))
    const ids = [el('AirSync:CollectionId', inbox), el('AirSync:ServerId', item)]
    const wanted = (...content: Child[]) => fetch(...ids, el('ItemOperations:Options', ...content))
    const reference = (value: string) => el('AirSyncBase:FileReference', value)
    const fetches: [string, string, Element][] = [
      ['no ids', '2', fetch()],
      ['gone', '6', fetch(el('AirSync:CollectionId', inbox), gone(inbox))],
      ['MS-ASAIRS_R214', '15', fetch(reference(''))],
      ['R4166', '15', fetch(reference('abc'))],
      ['R765 two references', '2', fetch(reference('abc'), reference('abd'))],
      ['MS-ASAIRS_R345 Type x', '2', wanted(ofType('x'))],
      ['MS-ASAIRS_R10021 two of a type', '2', wanted(ofType(1), ofType(1))],
      ['MS-ASAIRS_R10022 order', '2', wanted(body(el('AirSyncBase:AllOrNone', 1), el('AirSyncBase:Type', 1)))],
    ]
    for (const [name, expected, request] of fetches) {
      const reply = await phone.call({ command: 'ItemOperations', body: request })
      const got = inner(reply, 'ItemOperations:Response', 'ItemOperations:Fetch')
      if (got !== expected) wrong.push(`${name}: ${got}, expected ${expected}`)
    }
    assert.deepEqual(wrong, [])
  })

  test(`${version}: Search`, async () => {
    const phone = await court.ready('asks', { version })
    const search = (query: Child, ...asked: Child[]) =>
      el(
        'Search:Search',
        el('Search:Store', el('Search:Name', 'Mailbox'), el('Search:Query', query), el('Search:Options', ...asked)),
      )
    const and = (...content: Child[]) => el('Search:And', el('AirSync:Class', 'Email'), ...content)
    const words = (value: string) => el('Search:FreeText', value)
    const date = (tag: 'Search:GreaterThan' | 'Search:LessThan', value: string) =>
      el(tag, el('Email:DateReceived'), el('Search:Value', value))
    const range = (value: string) => el('Search:Range', value)
    const cases: [string, string, string | undefined, string | undefined, Element][] = [
      ['R3733 all', '1', '0-5', '6', search(and(words('mail')))],
      ['R3729', '1', '0-0', '6', search(and(words('mail')), range('0-0'))],
      ['a later page', '1', '4-5', '6', search(and(words('mail')), range('4-9'))],
      ['R3850 nothing', '1', undefined, '0', search(and(words('zzz')))],
      ['R4361 past the end', '12', undefined, '6', search(and(words('mail')), range('50-59'))],
      ['R3736 more than can be had', '12', '0-5', '6', search(and(words('mail')), range('0-100'))],
      ['no range', '2', undefined, undefined, search(and(words('mail')), range('5-2'))],
      ['dates', '1', '0-5', '6', search(and(words('mail'), date('Search:GreaterThan', '2020-01-01T00:00:00.000Z')))],
      [
        'dates before',
        '1',
        undefined,
        '0',
        search(and(words('mail'), date('Search:LessThan', '2020-01-01T00:00:00.000Z'))),
      ],
      ['a date that is none', '2', undefined, undefined, search(and(words('mail'), date('Search:LessThan', 'x')))],
      ['R772 And in And', '8', undefined, undefined, search(and(and(words('mail'))))],
      ['R923 Class outside of And', '8', undefined, undefined, search(el('AirSync:Class', 'Email'))],
      ['R3105 FreeText outside of And', '8', undefined, undefined, search(words('mail'))],
      ['MS-ASEMAIL_R68', '2', undefined, undefined, search(and(words('mail'), el('Email:Subject', 'x')))],
      ['MS-ASAIRS_R10012', '2', undefined, undefined, search(and(words('mail')), ofType('x'))],
      [
        'R4358 unknown folder',
        '11',
        undefined,
        undefined,
        search(and(words('mail'), el('AirSync:CollectionId', '999999'))),
      ],
    ]
    for (const [name, status, found, total, request] of cases) {
      const reply = await phone.call({ command: 'Search', body: request })
      const store = find(reply, 'Search:Response', 'Search:Store')
      assert.equal(text(reply.document, 'Search:Status'), '1')
      assert.deepEqual(
        [text(store, 'Search:Status'), text(store, 'Search:Range'), text(store, 'Search:Total')],
        [status, found, total],
        name,
      )
      // An empty Result, and no other, when nothing is found.
      if (total === '0') assert.equal(children(children(store, 'Search:Result')[0]).length, 0, name)
    }
  })

  test(`${version}: Provision, Settings`, async () => {
    const phone = await court.ready('asks', { version })
    const policy = (...content: Child[]) => el('Provision:Policies', el('Provision:Policy', ...content))
    const type = el('Provision:PolicyType', 'MS-EAS-Provisioning-WBXML')
    const provision = (...content: Child[]) => el('Provision:Provision', ...content)
    const oof = (...content: Child[]) =>
      el('Settings:Settings', el('Settings:Oof', el('Settings:Set', el('Settings:OofState', 2), ...content)))
    assert.deepEqual(
      await check(phone, [
        ['R4989 no PolicyType', '2', 'Provision', provision(policy())],
        ['two policies', '2', 'Provision', provision(policy(type), policy(type))],
        [
          'MS-ASPROV_R66614 nothing is wiped',
          '1',
          'Provision',
          provision(el('Provision:RemoteWipe', el('Provision:Status', 1))),
        ],
      ]),
      [],
    )
    const start = el('Settings:StartTime', '2026-11-20T00:00:00.000Z')
    const end = el('Settings:EndTime', '2026-11-19T00:00:00.000Z')
    for (const [name, expected, request] of [
      ['R3992', '2', oof(start)],
      ['R5827', '2', oof(end)],
      ['R5583 the end before the start', '6', oof(start, end)],
    ] as const) {
      const reply = await phone.call({ command: 'Settings', body: request })
      assert.equal(text(reply.document, 'Settings:Status'), '1', 'R482')
      assert.equal(inner(reply, 'Settings:Oof'), expected, name)
    }
    // R480: answers in the order of the questions.
    const ask = [
      el('Settings:UserInformation', el('Settings:Get')),
      el('Settings:DeviceInformation', el('Settings:Set', el('Settings:Model', 'x'))),
      el('Settings:Oof', el('Settings:Get', el('Settings:BodyType', 'Text'))),
    ]
    const reply = await phone.call({ command: 'Settings', body: el('Settings:Settings', ...ask) })
    assert.deepEqual(
      children(reply.document).map(({ tag }) => tag),
      ['Settings:Status', ...ask.map(({ tag }) => tag)],
    )
    for (const part of children(reply.document).slice(1)) {
      assert.equal(children(part)[0]?.tag, 'Settings:Status', 'R486: the first of each')
    }
  })
}

test('every answer against the schemas', () => {
  court.verdict()
})

test('ActiveSync switched off for a user: 126, HTTP 403 in 12.1; a wrong password stays 401; what is held ends', async () => {
  const folderSync = {
    command: 'FolderSync',
    body: el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', '0')),
  }
  const phones = await Promise.all(versions.map((version) => court.ready('switched', { version })))
  const [held] = phones
  const ended = held!.ping(480, [held!.folderOfType(folderTypes.inbox)]).then(
    () => 'answered',
    () => 'ended',
  )
  await sleep(300)
  await court.server.command(['user', 'set', 'switched@example.com', '--off', 'activesync'])
  assert.equal(await ended, 'ended')
  for (const phone of phones) {
    const old = phone.version === '12.1'
    for (const form of ['plain', 'base64'] as const) {
      const same = court.phone('switched', { ...phone.settings, form })
      // MS-ASCMD_R4869, R7555; MS-ASHTTP_R180.
      assert.equal(statusOf(await same.call(folderSync)), old ? 'HTTP 403' : '126', `${phone.version} ${form}`)
    }
    assert.equal((await phone.options()).http, 403)
    const guess = court.phone('switched', { ...phone.settings, password: 'wrong' })
    assert.equal((await guess.call(folderSync)).http, 401)
  }
  await court.server.command(['user', 'set', 'switched@example.com', '--on', 'activesync'])
  assert.equal(statusOf(await phones[0]!.call(folderSync)), '1')
  await court.server.command(['user', 'set', 'switched@example.com', '--disable'])
  assert.equal((await phones[1]!.call(folderSync)).http, 401)
})
