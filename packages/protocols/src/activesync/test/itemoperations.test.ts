import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FolderId, Mid } from '@postrider/domain'
import { mailboxId } from '@postrider/domain'
import type { Phone } from '@postrider/testkit/activesync'
import { type Child, child, children, decodeWbxml, type Element, el, integer, text } from '@postrider/wire/wbxml'
import { parseByteRange } from '../commands/itemoperations-fetch.ts'
import { fileReference, longId, parseFileReference, parseLongId, parseServerId } from '../ids.ts'
import { bodyOf, crlf, fetch, itemOperations, preference, propertiesOf, rich, serverIdOf, statusesOf } from './mails.ts'
import { Room } from './room.ts'

const store = (name = 'Mailbox') => el('ItemOperations:Store', name)
const fetchOf = (...content: Child[]): Element => el('ItemOperations:Fetch', store(), ...content)
const reference = (value: string | undefined) => el('AirSyncBase:FileReference', value)
const options = (...content: Child[]): Element => el('ItemOperations:Options', ...content)

/** The FileReferences of a mail by name. */
async function references(phone: Phone, folder: { id: FolderId }, mid: Mid): Promise<Map<string, string>> {
  const properties = propertiesOf(await fetch(phone, folder, mid))
  return new Map(
    children(child(properties, 'AirSyncBase:Attachments'), 'AirSyncBase:Attachment').map((one) => [
      text(one, 'AirSyncBase:DisplayName') ?? '',
      text(one, 'AirSyncBase:FileReference') ?? '',
    ]),
  )
}

test('attachments by FileReference: whole, by range, empty, and what is none (MS-ASAIRS_R214)', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const known = await references(phone, inbox, mid)
  const pdf = known.get('résumé.pdf')
  const get = async (...content: Child[]) => {
    const reply = await itemOperations(phone, fetchOf(...content))
    const one = child(child(reply.document, 'ItemOperations:Response'), 'ItemOperations:Fetch')
    const properties = propertiesOf(one)
    return {
      status: integer(one, 'ItemOperations:Status'),
      type: text(properties, 'AirSyncBase:ContentType'),
      range: text(properties, 'ItemOperations:Range'),
      total: text(properties, 'ItemOperations:Total'),
      data: Buffer.from(text(properties, 'ItemOperations:Data') ?? '', 'base64').toString(),
    }
  }
  const whole = '%PDF-1.7 the file'
  assert.deepEqual(await get(reference(pdf)), {
    status: 1,
    type: 'application/pdf',
    range: undefined,
    total: undefined,
    data: whole,
  })
  const range = (value: string) => options(el('ItemOperations:Range', value))
  assert.deepEqual(await get(reference(pdf), range('5-7')), {
    status: 1,
    type: 'application/pdf',
    range: '5-7',
    total: String(whole.length),
    data: whole.slice(5, 8),
  })
  const rest = await get(reference(pdf), range('9-999999'))
  assert.deepEqual([rest.range, rest.data], [`9-${whole.length - 1}`, whole.slice(9)], 'MS-ASCMD_R3715')
  for (const wrong of ['7-5', 'x', '-', '17-20', '5', '1-']) {
    assert.equal((await get(reference(pdf), range(wrong))).status, 8, `MS-ASCMD_R4160: ${wrong}`)
  }
  const inner = await get(reference(known.get('inside.eml')))
  assert.equal(inner.type, 'message/rfc822')
  assert.match(inner.data, /^From: carol@example.org\r\nSubject: inside\r\n\r\nThe inner mail/)
  for (const none of ['', 'x', '1:1', `2:${mid}:0`, `1:${mid}:77`, '1:999999:0', `1:${mid}:00`, `${pdf} `.repeat(50)]) {
    assert.equal((await get(reference(none))).status, 15, JSON.stringify(none))
  }
})

test('items by LongId and ServerId; what is missing, moved, or of another mailbox is not found (MS-ASCMD_R4158)', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliver('one')
  const phone = await room.ready()
  const status = async (...content: Child[]) => statusesOf(await itemOperations(phone, fetchOf(...content)))[0]
  const collection = (id: string | number) => el('AirSync:CollectionId', String(id))
  const server = (id: string) => el('AirSync:ServerId', id)
  const long = (id: string) => el('Search:LongId', id)
  const good = serverIdOf(inbox, mid)
  assert.equal(await status(collection(inbox.id), server(good)), 1)
  assert.equal(await status(long(`L1:${mid}`)), 1)
  const table: [string, number, Child[]][] = [
    ['nothing named', 2, []],
    ['no CollectionId', 2, [server(good)]],
    ['both', 2, [collection(inbox.id), server(good), long(`L1:${mid}`)]],
    ['another folder', 6, [collection(5), server(good)]],
    ['an id that is none', 6, [collection(inbox.id), server('x')]],
    ['an item there is not', 6, [collection(inbox.id), server(`${inbox.id}:999999`)]],
    ['a LongId of another mailbox', 6, [long(`L2:${mid}`)]],
    ['a LongId that is none', 6, [long(`${mid}`)]],
  ]
  for (const [what, expected, content] of table) assert.equal(await status(...content), expected, what)
  const trash = await room.folder('deleteditems')
  await room.write({ op: 'move', from: inbox.id, items: { mids: [mid] }, to: trash.id })
  assert.equal(await status(collection(inbox.id), server(good)), 6)
})

test('other stores: unknown 9, none 2, documents denied (MS-ASCMD_R4161, R4157)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const link = (value: string) => el('DocumentLibrary:LinkId', value)
  const status = async (...content: Child[]) =>
    statusesOf(await itemOperations(phone, el('ItemOperations:Fetch', ...content)))[0]
  assert.equal(await status(store('Elsewhere'), reference('1:1:0')), 9)
  const nowhere = await itemOperations(phone, el('ItemOperations:Fetch', reference('1:1:0')))
  assert.equal(text(nowhere.document, 'ItemOperations:Status'), '2')
  assert.equal(await status(store('DocumentLibrary'), link('\\\\server\\share\\a.doc')), 5)
  assert.equal(await status(store('DocumentLibrary'), link('nonsense')), 4)
})

test('the multipart answer: count, offsets, lengths, and Part instead of Data (MS-ASCMD_R5505 to R5518, R245)', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const known = await references(phone, inbox, mid)
  const reply = await phone.call({
    command: 'ItemOperations',
    acceptMultiPart: true,
    body: el(
      'ItemOperations:ItemOperations',
      fetchOf(
        el('AirSync:CollectionId', String(inbox.id)),
        el('AirSync:ServerId', serverIdOf(inbox, mid)),
        options(preference(1)),
      ),
      fetchOf(reference(known.get('résumé.pdf'))),
      fetchOf(reference('1:1:1')),
    ),
  })
  assert.equal(reply.headers['content-type'], 'application/vnd.ms-sync.multipart')
  const bytes = Buffer.from(reply.body)
  const parts = Array.from({ length: bytes.readUInt32LE(0) }, (_, i) => {
    const [offset, length] = [bytes.readUInt32LE(4 + i * 8), bytes.readUInt32LE(8 + i * 8)]
    return bytes.subarray(offset, offset + length)
  })
  assert.equal(parts.length, 3)
  assert.equal(4 + 3 * 8 + parts.reduce((sum, part) => sum + part.length, 0), bytes.length)
  const decoded = decodeWbxml(parts[0] as Buffer)
  assert.ok(decoded.ok)
  const fetches = children(child(decoded.document.root, 'ItemOperations:Response'))
  assert.deepEqual(
    fetches.map((one) => integer(one, 'ItemOperations:Status')),
    [1, 1, 15],
  )
  const body = child(propertiesOf(fetches[0]), 'AirSyncBase:Body')
  assert.equal(text(body, 'AirSyncBase:Data'), undefined, 'MS-ASAIRS_R176')
  assert.equal(text(body, 'ItemOperations:Part'), '1')
  assert.equal(parts[1]?.toString('utf8'), 'Grüße aus Köln')
  assert.equal(text(propertiesOf(fetches[1]), 'ItemOperations:Part'), '2')
  assert.equal(parts[2]?.toString(), '%PDF-1.7 the file')
})

test('MS-ASCMD_R7490, R7238: more than 100 operations are 11, none or unknown ones 2', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const outer = async (...operations: Element[]) =>
    text((await itemOperations(phone, ...operations)).document, 'ItemOperations:Status')
  assert.equal(await outer(...Array.from({ length: 101 }, () => fetchOf(reference('x')))), '11')
  assert.equal(await outer(), '2')
  assert.equal(await outer(el('ItemOperations:Store', 'x')), '2')
  const mixed = await itemOperations(phone, fetchOf(reference('x')), fetchOf(reference('y')))
  assert.equal(text(mixed.document, 'ItemOperations:Status'), '1')
  assert.deepEqual(statusesOf(mixed), [15, 15], 'MS-ASCMD_R194: a status each')
})

test('EmptyFolderContents: the items, with DeleteSubFolders what lies below too (MS-ASCMD_R2244)', async () => {
  await using room = await Room.open()
  const trash = await room.folder('deleteditems')
  for (let n = 0; n < 3; n++) await room.deliver(`mail ${n}`, { folder: 'deleteditems' })
  await room.write({ op: 'createFolder', parent: trash.id, name: 'Sub', class: 'IPF.Note' })
  const phone = await room.ready()
  const empty = async (id: string, deep: boolean) =>
    statusesOf(
      await itemOperations(
        phone,
        el(
          'ItemOperations:EmptyFolderContents',
          el('AirSync:CollectionId', id),
          deep && options(el('ItemOperations:DeleteSubFolders')),
        ),
      ),
    )[0]
  const below = async () => (await room.mailbox.folders()).filter(({ parent }) => parent === trash.id).length
  assert.equal(await empty(String(trash.id), false), 1)
  assert.deepEqual(await room.subjects('deleteditems'), [])
  assert.equal(await below(), 1)
  assert.equal(await empty(String(trash.id), true), 1)
  assert.equal(await below(), 0)
  assert.equal(await empty('9999', false), 6)
  assert.equal(await empty('x', false), 6)
  assert.equal(await empty('RI', false), 16, 'MS-ASCMD_R196')
  const none = await itemOperations(phone, el('ItemOperations:EmptyFolderContents'))
  assert.equal(text(none.document, 'ItemOperations:Status'), '2')
})

test('Move: the whole conversation but for Sent Items, and remembered (MS-ASCON_R213, R215)', async () => {
  await using room = await Room.open()
  const thread = (n: number, folder?: 'sentitems' | 'archive') =>
    room.deliverMime(
      crlf([
        'From: a@example.org',
        `Subject: ${n === 0 ? '' : 'Re: '}topic`,
        `Message-ID: <m${n}@x>`,
        ...(n === 0 ? [] : ['References: <m0@x>']),
        '',
        'x',
      ]),
      folder === undefined ? {} : { folder },
    )
  const first = await thread(0)
  await thread(1)
  await thread(2, 'archive')
  await thread(3, 'sentitems')
  await room.deliver('other')
  const inbox = await room.folder('inbox')
  const trash = await room.folder('deleteditems')
  const calendar = await room.folder('calendar')
  const phone = await room.ready()
  const id = child(propertiesOf(await fetch(phone, inbox, first)), 'Email2:ConversationId')?.children[0] as Uint8Array
  const move = async (target: string, conversation: Uint8Array | undefined = id, always = true) => {
    const reply = await itemOperations(
      phone,
      el(
        'ItemOperations:Move',
        conversation.length > 0 && el('ItemOperations:ConversationId', conversation),
        el('ItemOperations:DstFldId', target),
        always && options(el('ItemOperations:MoveAlways')),
      ),
    )
    return statusesOf(reply)[0]
  }
  assert.equal(await move(String(trash.id), id, false), 155, 'MS-ASCMD_R3475')
  assert.equal(await move(String(calendar.id)), 156, 'MS-ASCMD_R4173')
  assert.equal(await move('9999'), 6, 'MS-ASCON_R317')
  assert.equal(await move('RI'), 105, 'MS-ASCON_R262')
  assert.equal(await move(String(trash.id), Buffer.alloc(16)), 6, 'MS-ASCON_R146')
  assert.equal(await move(String(trash.id), Buffer.alloc(3)), 6)
  assert.equal(await move(String(trash.id)), 1)
  assert.deepEqual(await room.subjects('deleteditems'), ['Re: topic', 'Re: topic', 'topic'])
  assert.deepEqual(await room.subjects('inbox'), ['other'])
  assert.deepEqual(await room.subjects('sentitems'), ['Re: topic'])
  const remembered = await room.mailbox.state('conversationactions')
  assert.deepEqual(
    remembered.map(({ key, value }) => [key, Buffer.from(value).toString()]),
    [[Buffer.from(id).toString('hex'), String(trash.id)]],
  )
  const old = await room.ready({ version: '12.1' })
  const operation = el('ItemOperations:Move', el('ItemOperations:ConversationId', id))
  assert.equal(text((await itemOperations(old, operation)).document, 'ItemOperations:Status'), '2', '14.0 and newer')
})

test('12.1: GetAttachment gives the bytes; what is gone is 500 (MS-ASCMD_R164, R166)', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready({ version: '12.1' })
  const known = await references(phone, inbox, mid)
  const get = (AttachmentName: string) => phone.call({ command: 'GetAttachment', parameters: { AttachmentName } })
  const reply = await get(known.get('pic.png') ?? '')
  assert.deepEqual([reply.http, reply.headers['content-type']], [200, 'image/png'])
  assert.equal(Buffer.from(reply.body).toString(), 'a picture')
  assert.equal((await get(`2:${mid}:0`)).http, 500)
  assert.equal((await get('../../etc/passwd')).http, 500)
  const newer = await room.ready({ version: '14.0' })
  const refused = await newer.call({ command: 'GetAttachment', parameters: { AttachmentName: 'x' } })
  assert.notEqual(refused.http === 200 && refused.body.length > 0 && refused.document === undefined, true)
})

test('a fetched body is the one Sync would send', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const mid = await room.deliverMime(rich())
  const phone = await room.ready()
  const collection = phone.folderOfType(2)
  await phone.syncAll(collection, { options: el('AirSync:Options', preference(2, 40)) })
  const id = serverIdOf(inbox, mid)
  const properties = el(
    'AirSync:ApplicationData',
    ...(phone.mirror.items(collection).get(id)?.properties.values() ?? []),
  )
  const fetched = propertiesOf(await fetch(phone, inbox, mid, preference(2, 40)))
  assert.deepEqual(bodyOf(properties), bodyOf(fetched))
})

test('ids: what is written reads back, anything else is no id and never an error', () => {
  const mailbox = mailboxId(3)
  const positive = fc.integer({ min: 1, max: 2 ** 31 })
  fc.assert(
    fc.property(positive, fc.nat(9999), (item, n) => {
      const mid = item as Mid
      assert.deepEqual(parseFileReference(mailbox, fileReference(mailbox, mid, n)), { mid, attachment: n })
      assert.equal(parseLongId(mailbox, longId(mailbox, mid)), mid)
      assert.equal(parseFileReference(mailboxId(4), fileReference(mailbox, mid, n)), undefined)
      assert.equal(parseLongId(mailboxId(4), longId(mailbox, mid)), undefined)
      assert.ok(fileReference(mailbox, mid, n).length <= 64)
    }),
    { numRuns: 200 },
  )
  const hostile = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9:L+. -]{0,80}$/),
    fc
      .array(fc.constantFrom('1', '0', ':', 'L', '9', '-', ' ', '\n', '\0', 'e'), { maxLength: 40 })
      .map((list) => list.join('')),
  )
  fc.assert(
    fc.property(hostile, (value) => {
      const file = parseFileReference(mailbox, value)
      if (file !== undefined) assert.equal(fileReference(mailbox, file.mid, file.attachment), value)
      const long = parseLongId(mailbox, value)
      if (long !== undefined) assert.equal(longId(mailbox, long), value)
      parseServerId(value)
      const range = parseByteRange(value)
      if (range !== undefined) assert.ok(range.start <= range.end)
    }),
    { numRuns: 500 },
  )
})
