/** Conversations that always go to one folder: [MS-ASCON] §3.2.5.3. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONVERSATION_ACTIONS, type MailboxEntry, resultOf } from '@postrider/domain'
import { type World, world } from './world.ts'

const mail = (id: string, ...head: string[]) =>
  ['From: a@outside.example', 'Subject: Re: ship', `Message-ID: <${id}>`, ...head, '', `text of ${id}`, ''].join('\r\n')
const answer = (id: string) => mail(id, 'References: <root@x> <other@x>', 'In-Reply-To: <other@x>')

/** From now on the conversation of the mail in the Inbox goes to a folder of its own. */
async function moveAlways(w: World, entry: MailboxEntry) {
  const [item] = await w.items(entry.mailbox)
  const parent = (await w.store.folders(entry.mailbox)).find((one) => one.role === 'msgfolderroot')!
  const made = await w.store.apply(entry.mailbox, [
    { op: 'createFolder', parent: parent.id, name: 'Ship', class: 'IPF.Note' },
  ])
  const folder = resultOf(made, 0, 'createFolder').folder
  const value = Buffer.from(String(folder))
  await w.apply(entry, [{ op: 'putState', client: CONVERSATION_ACTIONS, key: item!.promoted!.conversation, value }])
  return {
    folder,
    count: async () => (await w.store.scan(entry.mailbox, { folder: folder, columns: ['mid'] })).count,
  }
}

test('MS-ASCON_R130: what comes later goes there, whoever it comes from, and nothing else does', async () => {
  const w = await world()
  const send = async (message: string, to = ['bob@example.com']) => {
    await w.send('a@outside.example', to, message)
    await w.transport.settled()
  }
  await send(mail('root@x'))
  const place = await moveAlways(w, w.bob)
  await send(answer('one@x'))
  // Two recipients: one of them gets it over the queue.
  await send(answer('two@x'), ['alice@example.com', 'bob@example.com'])
  await send(mail('three@x', 'References: <root@x>'))
  assert.equal(await place.count(), 3)
  assert.equal((await w.items(w.bob.mailbox)).length, 1)
  assert.equal((await w.items(w.alice.mailbox)).length, 1, 'it is Bob who wanted it')
  await send(mail('alone@x'))
  await send(mail('else@x', 'References: <else@x>'))
  assert.equal((await w.items(w.bob.mailbox)).length, 3)
})

test('a folder that is gone moves nothing', async () => {
  const w = await world()
  await w.send('a@outside.example', ['bob@example.com'], mail('root@x'))
  const place = await moveAlways(w, w.bob)
  await w.apply(w.bob, [{ op: 'deleteFolder', folder: place.folder, recursive: true }])
  await w.send('a@outside.example', ['bob@example.com'], answer('one@x'))
  await w.transport.settled()
  assert.equal((await w.items(w.bob.mailbox)).length, 2)
})
