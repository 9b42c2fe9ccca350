import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRoom } from '../test/room.ts'

test('a FETCH of hundreds of parts reads the message a few times, not hundreds', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  const count = 300
  const parts = Array.from({ length: count }, (_, i) => `--b\r\n\r\npart ${i + 1}\r\n`).join('')
  await room.deliver(
    `Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts}--b--\r\n`,
  )
  const client = await room.login()
  await client.command('SELECT INBOX')
  let reads = 0
  const { blob } = room.store
  room.store.blob = (...asked) => {
    reads++
    return blob.apply(room.store, asked)
  }
  const names = Array.from({ length: count }, (_, i) => `BODY.PEEK[${i + 1}]`)
  const lines = await client.command(`FETCH 1 (${names.join(' ')})`)
  assert.match(lines.at(-1) ?? '', /^OK/)
  const answer = lines.join('\r\n')
  for (const i of [1, 8, 9, 10, count])
    assert.match(answer, new RegExp(`BODY\\[${i}\\] (?:"part ${i}"|\\{${`part ${i}`.length}\\}\r\npart ${i}\\b)`))
  assert.ok(reads < 20, `${reads} reads`)
})
