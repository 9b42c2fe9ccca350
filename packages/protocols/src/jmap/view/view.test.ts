import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mail, Room } from '../test/room.ts'
import { Views } from './cache.ts'

test('a view has every mail once a folder, newest first', async () => {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const { mid } = await room.deliver(mail('One'), { received: 1_000 })
  const archive = await room.folder('archive')
  // Copies are cheap: the same mail in one folder many times is one mail; in another it has another place.
  await room.apply({ op: 'copy', from: inbox.id, items: { mids: [mid] }, to: archive.id })
  for (let i = 0; i < 30; i++) await room.deliver(mail(`Mail ${i}`), { received: 2_000 + ((i * 7) % 30) })
  const view = await new Views().of(await room.mailbox())
  const inFolder = view.inFolder(inbox.id)
  assert.equal(inFolder.length, 31)
  const times = inFolder.map((one) => one.places[0]?.received ?? 0)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  )
  assert.deepEqual(view.inFolder(archive.id), inFolder.slice(-1))
})

test('views used least lately go when they hold too much together', async () => {
  await using room = await Room.open()
  for (const name of ['alice', 'bob']) for (let i = 0; i < 3; i++) await room.deliver(mail(`${i}`), { name })
  const views = new Views(4)
  const alice = await views.of(await room.mailbox('alice'))
  await views.of(await room.mailbox('bob'))
  assert.equal(views.size, 1)
  assert.notEqual(await views.of(await room.mailbox('alice')), alice)
})
