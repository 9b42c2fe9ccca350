import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag, type Mid } from '@postrider/domain'
import { child, el, flag, has, text } from '@postrider/wire/wbxml'
import { changeOf, deleteOf, type Phone } from '@postrider/testkit/activesync'
import { easVersions } from '../version.ts'
import { Room } from './room.ts'

const plainBody = el(
  'AirSync:Options',
  el('AirSync:FilterType', 0),
  el('AirSyncBase:BodyPreference', el('AirSyncBase:Type', 1), el('AirSyncBase:TruncationSize', 4096)),
)

const read = (phone: Phone, inbox: string, id: string): string | undefined =>
  phone.mirror.value(inbox, id, 'Email:Read')

for (const version of easVersions) {
  for (const form of ['plain', 'base64'] as const) {
    test(`${version}, ${form} query: provision, folders, first sync, a new mail, read, delete`, async () => {
      await using room = await Room.open()
      for (let n = 1; n <= 3; n++) await room.deliver(`mail ${n}`)
      const phone = await room.ready({ version, form, unpadded: true, gzip: version === '14.1' })
      const inbox = phone.folderOfType(2)
      await phone.syncAll(inbox, { options: plainBody })
      assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['mail 1', 'mail 2', 'mail 3'])

      await room.deliver('mail 4')
      await phone.sync(inbox)
      assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['mail 1', 'mail 2', 'mail 3', 'mail 4'])

      // The phone reads one and deletes another; the mailbox agrees, and nothing of it comes back.
      const first = phone.mirror.bySubject(inbox, 'mail 1')
      const second = phone.mirror.bySubject(inbox, 'mail 2')
      const written = await phone.sync(inbox, {
        commands: [changeOf(first, el('Email:Read', 1)), deleteOf(second)],
      })
      assert.equal(written.status, 1)
      assert.deepEqual(written.responses, [])
      assert.deepEqual(written.commands, [])
      phone.mirror.items(inbox).delete(second)
      assert.deepEqual(await room.subjects('inbox'), ['mail 1', 'mail 3', 'mail 4'])
      assert.deepEqual(await room.subjects('deleteditems'), ['mail 2'])
      const again = await phone.sync(inbox)
      assert.equal(again.document, undefined, 'MS-ASCMD_R679: nothing to say is an empty answer')
    })
  }
}

test('MS-ASCMD_R5121, R5122: a lost answer is given again, byte for byte', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  phone.loseReplies()
  await phone.sync(inbox)
  phone.loseReplies(2)
  await phone.sync(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one'])
  await room.deliver('two')
  phone.loseReplies()
  await phone.sync(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one', 'two'])
  assert.deepEqual(phone.mirror.violations, [])
})

test('a change whose answer was lost is done once, and the answers of both tries are equal', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const id = phone.mirror.bySubject(inbox, 'one')
  phone.loseReplies()
  const result = await phone.sync(inbox, { commands: [deleteOf(id)] })
  assert.equal(result.status, 1)
  phone.mirror.items(inbox).delete(id)
  assert.deepEqual(await room.subjects('inbox'), [])
  assert.deepEqual(await room.subjects('deleteditems'), ['one'])
})

test('a lost answer and another request: the state goes back, and nothing is lost or doubled', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.sync(inbox)
  const key = phone.syncKey(inbox)
  await phone.sync(inbox)
  await room.deliver('two')
  // The phone never took the answer with 'one': it shows the old key, with another window.
  phone.setSyncKey(inbox, key)
  phone.mirror.collections.delete(inbox)
  await phone.sync(inbox, { windowSize: 50 })
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one', 'two'])
})

test('windows: the newest first, MoreAvailable until all is there, new mail meanwhile', async () => {
  await using room = await Room.open()
  const now = Date.now()
  for (let n = 0; n < 25; n++) await room.deliver(`mail ${String(n).padStart(2, '0')}`, { received: now - n * 60_000 })
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.sync(inbox)
  const first = await phone.sync(inbox, { windowSize: 10 })
  assert.equal(first.commands.length, 10)
  assert.ok(first.more, 'MS-ASCMD_R4771')
  assert.ok(phone.mirror.values(inbox, 'Email:Subject').includes('mail 00'))
  assert.ok(!phone.mirror.values(inbox, 'Email:Subject').includes('mail 20'))
  await room.deliver('brand new')
  const second = await phone.sync(inbox, { windowSize: 10 })
  assert.ok(phone.mirror.values(inbox, 'Email:Subject').includes('brand new'), 'new mail does not wait for the walk')
  assert.equal(second.commands.length, 10)
  await phone.syncAll(inbox, { windowSize: 10 })
  assert.equal(phone.mirror.items(inbox).size, 26)
})

test('MS-ASCMD_R4776: the window over all collections holds too, and the rest follows', async () => {
  await using room = await Room.open()
  for (let n = 0; n < 6; n++) {
    await room.deliver(`in ${n}`)
    await room.deliver(`junk ${n}`, { folder: 'sentitems' })
  }
  const phone = await room.ready()
  const [inbox, other] = [phone.folderOfType(2), phone.folderOfType(5)]
  await phone.syncMany([{ collectionId: inbox }, { collectionId: other }])
  const rounds = [{ collectionId: inbox }, { collectionId: other }]
  const [a, b] = await phone.syncMany(rounds, { windowSize: 4 })
  assert.equal(a!.commands.length + b!.commands.length, 4)
  for (let round = 0; round < 5; round++) await phone.syncMany(rounds, { windowSize: 4 })
  assert.equal(phone.mirror.items(inbox).size, 6)
  assert.equal(phone.mirror.items(other).size, 6)
})

test('what others do reaches the phone: flags, moves, deletions', async () => {
  await using room = await Room.open()
  const one = await room.deliver('one')
  const two = await room.deliver('two')
  const three = await room.deliver('three')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const folder = await room.folder('inbox')
  const archive = await room.folder('archive')
  await room.write(
    { op: 'flag', folder: folder.id, items: { mids: [one] }, set: Flag.seen },
    { op: 'remove', folder: folder.id, items: { mids: [two] } },
    { op: 'move', from: folder.id, items: { mids: [three] }, to: archive.id },
  )
  const result = await phone.sync(inbox)
  assert.equal(result.commands.length, 3)
  const [change] = result.commands
  const data = child(change, 'AirSync:ApplicationData')
  assert.equal(data?.children.length, 1, 'MS-ASEMAIL_R75: only Read')
  assert.equal(flag(data, 'Email:Read'), true)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one'])
})

test('an item that came and went between two syncs is never spoken of', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const mid = await room.deliver('ghost')
  const folder = await room.folder('inbox')
  await room.write({ op: 'remove', folder: folder.id, items: { mids: [mid] } })
  assert.equal((await phone.sync(inbox)).document, undefined)
})

test('two phones and a desktop agree', async () => {
  await using room = await Room.open()
  for (let n = 0; n < 5; n++) await room.deliver(`mail ${n}`)
  const [a, b] = [await room.ready({ version: '14.1' }), await room.ready({ version: '16.1' })]
  const inbox = a.folderOfType(2)
  await a.syncAll(inbox)
  await b.syncAll(inbox)
  await a.sync(inbox, { commands: [changeOf(a.mirror.bySubject(inbox, 'mail 0'), el('Email:Read', 1))] })
  const gone = b.mirror.bySubject(inbox, 'mail 1')
  await b.sync(inbox, { commands: [deleteOf(gone)] })
  b.mirror.items(inbox).delete(gone)
  await a.syncAll(inbox)
  await b.syncAll(inbox)
  assert.deepEqual(a.mirror.values(inbox, 'Email:Subject'), b.mirror.values(inbox, 'Email:Subject'))
  assert.equal(read(b, inbox, b.mirror.bySubject(inbox, 'mail 0')), '1')
  assert.deepEqual(a.mirror.values(inbox, 'Email:Subject'), await room.subjects('inbox'))
})

test('FilterType: what is older stays away, a wider one brings it, a narrower one takes it away (MS-ASCMD_R2987, R3064)', async () => {
  await using room = await Room.open()
  const day = 24 * 3600 * 1000
  await room.deliver('today')
  await room.deliver('last week', { received: Date.now() - 5 * day })
  await room.deliver('last month', { received: Date.now() - 20 * day })
  await room.deliver('last year', { received: Date.now() - 300 * day })
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  const filter = (type: number) => el('AirSync:Options', el('AirSync:FilterType', type))
  await phone.syncAll(inbox, { options: filter(3) })
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['last week', 'today'])
  await phone.syncAll(inbox, { options: filter(5) })
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['last month', 'last week', 'today'])
  const narrower = await phone.sync(inbox, { options: filter(1) })
  assert.ok(narrower.commands.every((command) => command.tag === 'AirSync:SoftDelete'))
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['today'])
  // Options stay: the next request without them has the same filter (R3598).
  await room.deliver('old mail moved in', { received: Date.now() - 40 * day })
  assert.equal((await phone.sync(inbox)).document, undefined)
  await phone.syncAll(inbox, { options: filter(0) })
  assert.equal(phone.mirror.items(inbox).size, 5)
})

test('a mail outside the filter that is deleted is not spoken of', async () => {
  await using room = await Room.open()
  const old = await room.deliver('old', { received: Date.now() - 20 * 24 * 3600 * 1000 })
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox, { options: el('AirSync:Options', el('AirSync:FilterType', 1)) })
  const folder = await room.folder('inbox')
  await room.write({ op: 'remove', folder: folder.id, items: { mids: [old] } })
  assert.equal((await phone.sync(inbox)).document, undefined)
})

test('Conflict: the server wins by default with status 7, the client with 0 (MS-ASCMD_R2066, R2067, R2069)', async () => {
  await using room = await Room.open()
  const mid = await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const id = phone.mirror.bySubject(inbox, 'one')
  const folder = await room.folder('inbox')
  const readBy = (items: Mid[]) => ({ op: 'flag', folder: folder.id, items: { mids: items }, set: Flag.seen }) as const
  await room.write(readBy([mid]))
  const lost = await phone.sync(inbox, { commands: [changeOf(id, el('Email:Read', 0))] })
  assert.equal(text(lost.responses[0], 'AirSync:Status'), '7')
  assert.equal(read(phone, inbox, id), '1', 'the server copy came along')
  await room.write({ op: 'flag', folder: folder.id, items: { mids: [mid] }, clear: Flag.seen })
  const options = el('AirSync:Options', el('AirSync:Conflict', 0))
  const won = await phone.sync(inbox, { options, commands: [changeOf(id, el('Email:Read', 1))] })
  assert.deepEqual(won.responses, [])
  const [item] = await room.mailbox.get({ by: { mids: [mid] }, columns: [] })
  assert.equal(item!.flags & Flag.seen, Flag.seen)
})

test('a change of Read does not conflict with a reply mark or a flag set elsewhere', async () => {
  await using room = await Room.open()
  const mid = await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const folder = await room.folder('inbox')
  await room.write({ op: 'flag', folder: folder.id, items: { mids: [mid] }, set: Flag.answered | Flag.flagged })
  const id = phone.mirror.bySubject(inbox, 'one')
  const result = await phone.sync(inbox, { commands: [changeOf(id, el('Email:Read', 1))] })
  assert.deepEqual(result.responses, [])
  const [item] = await room.mailbox.get({ by: { mids: [mid] }, columns: [] })
  assert.equal(item!.flags, Flag.seen | Flag.answered | Flag.flagged)
  // The flag set elsewhere still reaches the phone.
  assert.ok(result.commands.some((command) => has(child(command, 'AirSync:ApplicationData'), 'Email:Flag')))
})

test('DeletesAsMoves 0 removes for good (MS-ASCMD_R2158); in Deleted Items every delete does', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  await room.deliver('two', { folder: 'deleteditems' })
  const phone = await room.ready()
  const [inbox, bin] = [phone.folderOfType(2), phone.folderOfType(4)]
  await phone.syncAll(inbox)
  await phone.syncAll(bin)
  const [one, two] = [phone.mirror.bySubject(inbox, 'one'), phone.mirror.bySubject(bin, 'two')]
  await phone.sync(inbox, { deletesAsMoves: false, commands: [deleteOf(one)] })
  await phone.sync(bin, { commands: [deleteOf(two)] })
  phone.mirror.items(inbox).delete(one)
  phone.mirror.items(bin).delete(two)
  assert.deepEqual(await room.subjects('deleteditems'), [])
  assert.deepEqual(await room.subjects('inbox'), [])
})

test('Fetch brings the whole item, an unknown one is status 8', async () => {
  await using room = await Room.open()
  await room.deliver('long', { body: 'x'.repeat(5000) })
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  const options = el(
    'AirSync:Options',
    el('AirSyncBase:BodyPreference', el('AirSyncBase:Type', 1), el('AirSyncBase:TruncationSize', 100)),
  )
  await phone.syncAll(inbox, { options })
  const id = phone.mirror.bySubject(inbox, 'long')
  const fetch = (serverId: string) => el('AirSync:Fetch', el('AirSync:ServerId', serverId))
  const result = await phone.sync(inbox, { commands: [fetch(id), fetch(`${inbox}:999999`)] })
  const [whole, missing] = result.responses
  const body = child(child(whole, 'AirSync:ApplicationData'), 'AirSyncBase:Body')
  assert.ok((text(body, 'AirSyncBase:Data') ?? '').length >= 5000)
  assert.equal(text(missing, 'AirSync:Status'), '8')
})

test('GetChanges 0 brings nothing and loses nothing (MS-ASCMD_R3125)', async () => {
  await using room = await Room.open()
  await room.deliver('one')
  const phone = await room.ready()
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  await room.deliver('two')
  const id = phone.mirror.bySubject(inbox, 'one')
  const quiet = await phone.sync(inbox, { getChanges: false, commands: [changeOf(id, el('Email:Read', 1))] })
  assert.deepEqual(quiet.commands, [])
  await phone.sync(inbox)
  assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['one', 'two'])
})

test('folders of other classes answer: a key, another key, then nothing', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  for (const type of [7, 8, 9, 10]) {
    const id = phone.folderOfType(type)
    const first = await phone.sync(id)
    assert.equal(first.status, 1)
    const primed = phone.syncKey(id)
    const second = await phone.sync(id)
    assert.equal(second.status, 1)
    assert.notEqual(phone.syncKey(id), primed)
    assert.equal((await phone.sync(id)).document, undefined)
  }
})
