import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRoom } from '../test/room.ts'

test('RFC 5464 §4.3: too many entries and too long ones are refused, all or nothing; octets come back as they were', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  const client = await room.login()
  const many = Array.from({ length: 201 }, (_, i) => `/private/n${i} "x"`).join(' ')
  assert.match((await client.command(`SETMETADATA INBOX (${many})`)).at(-1) ?? '', /^NO \[METADATA TOOMANY\]/)
  const none = await client.command('GETMETADATA (DEPTH infinity) INBOX /private')
  assert.equal(none.length, 1)
  const octets = await client.command('SETMETADATA INBOX (/private/comment ~{5+}\r\na\0b\u00e9)')
  assert.match(octets.at(-1) ?? '', /^OK/)
  const [first, second] = await client.command('GETMETADATA INBOX /private/comment')
  assert.match(first ?? '', /^\* METADATA INBOX \(\/private\/comment ~\{5\}$/)
  assert.equal(second, 'a\0b\u00e9)')
})

test('RFC 5464: annotations survive the session, and a mailbox of the same name made anew has none', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  const client = await room.login()
  await client.command('CREATE Plans')
  await client.command('SETMETADATA Plans (/shared/comment "first")')
  const other = await room.loginElsewhere()
  assert.deepEqual(await other.command('GETMETADATA Plans /shared/comment'), [
    '* METADATA Plans (/shared/comment "first")',
    'OK GETMETADATA completed',
  ])
  await other.command('DELETE Plans')
  assert.deepEqual(await room.store.state(room.bob.mailbox, 'imap-metadata'), [])
  await other.command('CREATE Plans')
  assert.equal((await client.command('GETMETADATA Plans /shared/comment'))[0], '* METADATA Plans (/shared/comment NIL)')
})
