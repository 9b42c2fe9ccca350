/** ConversationMode: [MS-ASCMD] §2.2.3.36.1, §2.2.3.36.2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, el, text } from '@postrider/wire/wbxml'
import type { Phone } from '@postrider/testkit/activesync'
import { Room } from './room.ts'

const dayMs = 24 * 60 * 60 * 1000

/** A mail of a conversation, so many days old. */
function say(room: Room, topic: string, number: number, days: number) {
  const head = [
    'From: Bob <bob@example.net>',
    'To: alice@example.com',
    `Subject: ${number === 0 ? '' : 'Re: '}${topic}`,
    `Message-ID: <${topic}.${number}@example.net>`,
    ...(number === 0 ? [] : [`References: <${topic}.0@example.net>`, `In-Reply-To: <${topic}.0@example.net>`]),
    `X-Name: ${topic} ${number}`,
  ]
  const mime = [...head, 'Content-Type: text/plain', '', `words of ${topic} ${number}`, ''].join('\r\n')
  return room.deliverMime(mime, { received: Date.now() - days * dayMs })
}

const filter = (type: number) =>
  el(
    'AirSync:Options',
    el('AirSync:FilterType', type),
    el(
      'AirSyncBase:BodyPreference',
      el('AirSyncBase:Type', 1),
      el('AirSyncBase:TruncationSize', 500),
      el('AirSyncBase:Preview', 100),
    ),
  )
const week = 3

const previews = (phone: Phone, folder: string) =>
  [...phone.mirror.items(folder).values()].map(({ properties }) => {
    const body = properties.get('AirSyncBase:Body')
    return [text(body, 'AirSyncBase:Preview'), text(body, 'AirSyncBase:Data')?.trim()]
  })

async function estimate(phone: Phone, folder: string, mode: boolean): Promise<string | undefined> {
  const { document } = await phone.call({
    command: 'GetItemEstimate',
    body: el(
      'GetItemEstimate:GetItemEstimate',
      el(
        'GetItemEstimate:Collections',
        el(
          'GetItemEstimate:Collection',
          el('AirSync:SyncKey', phone.syncKey(folder)),
          el('GetItemEstimate:CollectionId', folder),
          el('AirSync:ConversationMode', Number(mode)),
          el('AirSync:Options', el('AirSync:FilterType', week)),
        ),
      ),
    ),
  })
  const response = children(document, 'GetItemEstimate:Response')[0]
  return (
    text(child(response, 'GetItemEstimate:Collection'), 'GetItemEstimate:Estimate') ??
    text(document, 'GetItemEstimate:Status')
  )
}

for (const version of ['14.0', '16.1'] as const) {
  test(`${version}, MS-ASCMD_R2107 to R2112: a conversation is shown whole, what is outside the filter without its body`, async () => {
    await using room = await Room.open()
    await say(room, 'ship', 0, 60)
    await say(room, 'ship', 1, 30)
    await say(room, 'ship', 2, 1)
    await say(room, 'old', 0, 50)
    await say(room, 'old', 1, 40)
    await say(room, 'new', 0, 2)
    const phone = await room.ready({ version })
    const inbox = phone.folderOfType(2)
    await phone.sync(inbox)
    assert.equal(await estimate(phone, inbox, false), '2', 'R2096')
    assert.equal(await estimate(phone, inbox, true), '4', 'R2097, R2098')
    // One at a time: nothing is lost between the rounds.
    await phone.syncAll(inbox, { conversationMode: true, options: filter(week), windowSize: 1 })
    assert.deepEqual(previews(phone, inbox).sort(), [
      [undefined, 'words of new 0'],
      [undefined, 'words of ship 2'],
      ['words of ship 0', undefined],
      ['words of ship 1', undefined],
    ])
    assert.equal((await phone.sync(inbox)).document, undefined)
    // An answer to an old mail brings what was said before.
    await say(room, 'old', 2, 0)
    await phone.syncAll(inbox, { windowSize: 2 })
    assert.equal(phone.mirror.items(inbox).size, 7)
    // A mail from before the filter moves in: it belongs to what is shown.
    await say(room, 'ship', 3, 45)
    await say(room, 'other', 0, 45)
    await phone.syncAll(inbox)
    assert.equal(phone.mirror.items(inbox).size, 8)
    // Off: what only the conversations kept leaves.
    phone.loseReplies()
    const off = await phone.sync(inbox, { conversationMode: false, windowSize: 3 })
    assert.deepEqual(
      off.commands.map(({ tag }) => tag),
      Array(3).fill('AirSync:SoftDelete'),
    )
    assert.equal(off.more, true)
    await phone.syncAll(inbox)
    assert.deepEqual(phone.mirror.values(inbox, 'Email:Subject'), ['Re: old', 'Re: ship', 'new'])
    // On again with a narrower filter, then with none.
    await phone.syncAll(inbox, { conversationMode: true, options: filter(1) })
    assert.equal(phone.mirror.items(inbox).size, 7, 'two conversations, without the mail of two days ago')
    await phone.syncAll(inbox, { options: filter(0) })
    assert.equal(phone.mirror.items(inbox).size, 9)
    assert.deepEqual(phone.mirror.violations, [])
  })
}

test('MS-ASCMD_R2100, R2117: only mail has conversations', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const contacts = phone.folderOfType(9)
  await phone.syncAll(contacts)
  const { document } = await phone.sync(contacts, { conversationMode: true })
  assert.equal(text(document, 'AirSync:Status'), '4', 'of the request, not of the collection')
  assert.equal(await estimate(phone, contacts, true), '103')
})
