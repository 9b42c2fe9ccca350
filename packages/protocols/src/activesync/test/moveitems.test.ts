import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { type Child, children, el, text } from '@postrider/wire/wbxml'
import { serverIdOf } from './mails.ts'
import { Room } from './room.ts'

const move = (source: string, from: string | number, ...to: (string | number)[]): Child =>
  el(
    'Move:Move',
    el('Move:SrcMsgId', source),
    el('Move:SrcFldId', String(from)),
    ...to.map((id) => el('Move:DstFldId', String(id))),
  )
const moveItems = (phone: Phone, ...moves: Child[]): Promise<Reply> =>
  phone.call({ command: 'MoveItems', body: el('Move:MoveItems', ...moves) })
const answersOf = (reply: Reply) =>
  children(reply.document, 'Move:Response').map((one) => ({
    source: text(one, 'Move:SrcMsgId'),
    status: text(one, 'Move:Status'),
    target: text(one, 'Move:DstMsgId'),
  }))

test('MS-ASCMD_R4217, R289: moved, with the new id; the next Sync says Delete there and Add here', async () => {
  await using room = await Room.open()
  const mids = [await room.deliver('one'), await room.deliver('two'), await room.deliver('three')]
  const [inbox, archive] = [await room.folder('inbox'), await room.folder('archive')]
  const phone = await room.ready()
  await phone.syncAll(String(inbox.id))
  await phone.syncAll(String(archive.id))
  const ids = mids.map((mid) => serverIdOf(inbox, mid))
  const reply = await moveItems(phone, move(ids[2]!, inbox.id, archive.id), move(ids[0]!, inbox.id, archive.id))
  const answers = answersOf(reply)
  assert.deepEqual(
    answers.map(({ source, status }) => [source, status]),
    [
      [ids[2], '3'],
      [ids[0], '3'],
    ],
  )
  for (const { target } of answers) assert.match(target ?? '', new RegExp(`^${archive.id}:\\d+$`))
  assert.deepEqual(await room.subjects('archive'), ['one', 'three'])
  await phone.syncAll(String(inbox.id))
  await phone.syncAll(String(archive.id))
  assert.deepEqual(phone.mirror.values(String(inbox.id), 'Email:Subject'), ['two'])
  assert.deepEqual(
    [...phone.mirror.items(String(archive.id)).keys()].sort(),
    answers.map(({ target }) => target).sort(),
  )
})

test('a lost answer: asked again, the same place is named', async () => {
  await using room = await Room.open()
  const mid = await room.deliver('one')
  const [inbox, archive, trash] = [
    await room.folder('inbox'),
    await room.folder('archive'),
    await room.folder('deleteditems'),
  ]
  const phone = await room.ready()
  const id = serverIdOf(inbox, mid)
  phone.loseReplies(2)
  const [first] = answersOf(await moveItems(phone, move(id, inbox.id, archive.id)))
  assert.equal(first?.status, '3')
  const rows = await room.mailbox.scan({ folder: archive.id, columns: ['mid'] })
  assert.equal(first?.target, `${archive.id}:${rows.mid[0]}`)
  assert.equal(rows.count, 1)
  // Somewhere else it never went, and another device has not moved it.
  assert.equal(answersOf(await moveItems(phone, move(id, inbox.id, trash.id)))[0]?.status, '1')
  const other = await room.ready()
  assert.equal(answersOf(await moveItems(other, move(id, inbox.id, archive.id)))[0]?.status, '1')
  // And where it is no longer, it is not said to be.
  await room.write({ op: 'remove', folder: archive.id, items: { mids: Array.from(rows.mid) as never } })
  assert.equal(answersOf(await moveItems(phone, move(id, inbox.id, archive.id)))[0]?.status, '1')
})

test('statuses of MoveItems: [MS-ASCMD] §2.2.3.177.10', async () => {
  await using room = await Room.open()
  const mid = await room.deliver('one')
  const [inbox, archive, calendar] = [
    await room.folder('inbox'),
    await room.folder('archive'),
    await room.folder('calendar'),
  ]
  const phone = await room.ready()
  const id = serverIdOf(inbox, mid)
  const table: [string, string, Child][] = [
    ['MS-ASCMD_R4207: no such source folder', '1', move(id, '9999', archive.id)],
    ['an item that is none', '1', move('x', inbox.id, archive.id)],
    ['MS-ASCMD_R4208: an item that is not there', '1', move(`${inbox.id}:999999`, inbox.id, archive.id)],
    ['an item of another folder', '1', move(id, archive.id, inbox.id)],
    ['MS-ASCMD_R4212: no such destination', '2', move(id, inbox.id, '9999')],
    ['a destination that is none', '2', move(id, inbox.id, 'x')],
    ['MS-ASCMD_R4219: the same', '4', move(id, inbox.id, inbox.id)],
    ['MS-ASCMD_R4222: two destinations', '5', move(id, inbox.id, archive.id, calendar.id)],
    ['mail into a calendar', '5', move(id, inbox.id, calendar.id)],
    ['MS-ASCMD_R4821: the recipient information cache', '105', move(id, inbox.id, 'RI')],
  ]
  const reply = await moveItems(phone, ...table.map(([, , element]) => element))
  assert.deepEqual(
    answersOf(reply).map(({ status }, i) => [table[i]?.[0], status]),
    table.map(([what, status]) => [what, status]),
  )
  assert.deepEqual(await room.subjects('inbox'), ['one'])
  const twice = answersOf(await moveItems(phone, move(id, inbox.id, archive.id), move(id, inbox.id, archive.id)))
  assert.deepEqual(
    twice.map(({ status }) => status),
    ['3', '1'],
    'an item moves once',
  )
})

test('MS-ASCMD_R5653: more than 1000 moves, none, or half of one are 103', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const outer = async (...moves: Child[]) => text((await moveItems(phone, ...moves)).document, 'Move:Status')
  assert.equal(await outer(), '103')
  assert.equal(await outer(el('Move:Move', el('Move:SrcMsgId', '2:1'))), '103')
  assert.equal(await outer(...Array.from({ length: 1001 }, () => move('2:1', 2, 3))), '103')
})
