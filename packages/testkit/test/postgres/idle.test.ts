import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { startPostgres } from '../../src/peers/index.ts'
import { sleep, until } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { TestServer } from '../../src/server/index.ts'

const USER = 'pia@example.com'
const PASSWORD = 'a password of pia'
/** Longer than a reader waits for its server. */
const AWAY_MS = 18_000

test('an IDLE that was to be told of a mail while PostgreSQL was away stays, and rings when it is back', {
  skip: without('pg_ctlcluster'),
}, async () => {
  await using postgres = await startPostgres()
  const url = await postgres.createDatabase()
  await using server = await TestServer.start({ config: { store: { driver: 'postgres', postgres: { url } } } })
  await server.addUser(USER, PASSWORD)
  const waiting = await ImapClient.login(server.port('imaps'), USER, PASSWORD)
  const writing = await ImapClient.login(server.port('imaps'), USER, PASSWORD)
  await waiting.command('SELECT INBOX')
  const idle = await waiting.idle()
  // Its hint may meet a server that is away.
  assert.equal((await writing.append('INBOX', 'Subject: one\r\n\r\nx\r\n')).status, 'OK')
  await postgres.kill()
  await sleep(AWAY_MS)
  await postgres.restart()
  await until(
    'mail is taken again',
    async () => (await writing.append('INBOX', 'Subject: two\r\n\r\nx\r\n')).status === 'OK',
    60_000,
  )
  await idle.wait(/ 2 EXISTS/, 60_000)
  waiting.close()
  writing.close()
})
