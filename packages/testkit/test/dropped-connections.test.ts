import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { Pop3Client } from '../src/pop3/index.ts'
import { TestServer } from '../src/server/index.ts'

/** More than a user may have at once. */
const VISITS = 20

test('who drops connections and comes back at once finds a place: IMAP logged in, in IDLE, with commands on their way; POP3', async () => {
  await using server = await TestServer.start()
  await server.addUser('away@example.com', 'away-password')
  for (const last of ['', 'x IDLE\r\n', 'x NOOP\r\ny SELECT INBOX\r\n']) {
    for (let i = 0; i < VISITS; i++) {
      const client = await ImapClient.login(server.port('imaps'), 'away@example.com', 'away-password')
      await client.command('SELECT INBOX')
      client.send(last)
      client.close()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  for (let i = 0; i < VISITS; i++) {
    const socket = connect({ port: server.port('pop3s'), host: '127.0.0.1', rejectUnauthorized: false })
    socket.setEncoding('latin1')
    let text = ''
    socket.on('data', (chunk: string) => {
      text += chunk
      socket.emit('text')
    })
    socket.write('USER away@example.com\r\nPASS away-password\r\nSTAT\r\n')
    while (text.split('\r\n').length < 5) await once(socket, 'text', { signal: AbortSignal.timeout(10_000) })
    assert.match(text, /\+OK 0 0\r\n$/)
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await (await Pop3Client.login(server.port('pop3s'), 'away@example.com', 'away-password')).quit()
})
