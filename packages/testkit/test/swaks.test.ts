import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { run } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'

const skip = without('swaks')
let server: TestServer

before(async () => {
  if (skip) return
  server = await TestServer.start()
  await server.addUser('bob@example.com', 'correct horse 1')
})
after(async () => {
  if (!skip) await server[Symbol.asyncDispose]()
})

const swaks = (...args: string[]) => run('swaks', ['--server', '127.0.0.1', ...args])

test('R44: a mail from outside wakes an IDLE within a second', { skip }, async () => {
  const imap = await ImapClient.login(server.port('imaps'), 'bob@example.com', 'correct horse 1')
  try {
    await imap.command('SELECT INBOX')
    const idle = await imap.idle()
    const { code, stdout } = await swaks(
      '--port',
      String(server.port('smtp')),
      '--from',
      'ann@outside.example',
      '--to',
      'bob@example.com',
    )
    const accepted = performance.now()
    assert.equal(code, 0, stdout)
    await idle.wait(/EXISTS/, 5_000)
    assert.ok(performance.now() - accepted < 1_000)
    await idle.stop()
  } finally {
    imap.close()
  }
})

test('R29: submission from inside with STARTTLS, and on the TLS port', { skip }, async () => {
  const auth = [
    '--from',
    'bob@example.com',
    '--to',
    'bob@example.com',
    '--auth-user',
    'bob@example.com',
    '--auth-password',
    'correct horse 1',
  ]
  for (const mechanism of ['PLAIN', 'LOGIN']) {
    const starttls = await swaks('--port', String(server.port('submission')), '--tls', '--auth', mechanism, ...auth)
    assert.equal(starttls.code, 0, starttls.stdout)
  }
  const tls = await swaks('--port', String(server.port('submissions')), '--tls-on-connect', '--auth', 'PLAIN', ...auth)
  assert.equal(tls.code, 0, tls.stdout)
})

test('R25, R30: no password before TLS, no relay without login, nobody else as sender', { skip }, async () => {
  const port = String(server.port('submission'))
  const plain = await swaks(
    '--port',
    port,
    '--auth',
    'PLAIN',
    '--auth-user',
    'bob@example.com',
    '--auth-password',
    'correct horse 1',
    '--from',
    'bob@example.com',
    '--to',
    'bob@example.com',
  )
  assert.notEqual(plain.code, 0)
  assert.doesNotMatch(plain.stdout, /AUTH PLAIN [A-Za-z0-9+/=]+/, 'swaks must not even be offered AUTH')
  const relay = await swaks(
    '--port',
    String(server.port('smtp')),
    '--from',
    'x@outside.example',
    '--to',
    'y@elsewhere.example',
  )
  assert.notEqual(relay.code, 0)
  assert.match(relay.stdout, /550 5\.7\./)
  const forged = await swaks(
    '--port',
    port,
    '--tls',
    '--auth',
    'PLAIN',
    '--auth-user',
    'bob@example.com',
    '--auth-password',
    'correct horse 1',
    '--from',
    'boss@example.com',
    '--to',
    'bob@example.com',
  )
  assert.notEqual(forged.code, 0)
  const unknown = await swaks(
    '--port',
    String(server.port('smtp')),
    '--from',
    'x@outside.example',
    '--to',
    'nobody@example.com',
  )
  assert.match(unknown.stdout, /550 5\.1\.1/)
})
