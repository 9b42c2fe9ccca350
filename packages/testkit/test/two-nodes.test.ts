/**
 * Two machines (two servers with folders, ports and certificates of their own, on two addresses of loopback): a client reaches its mailbox through
 * either, a mailbox moves between them while it is in use, and who lives on one goes on while the other is dead.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { Phone } from '../src/activesync/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { JmapClient } from '../src/jmap/index.ts'
import { freePorts, run, temporaryFolder, until } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const PASSWORD = 'node-password'
const INBOX = 2
const LIMIT_MS = 60_000
const main = resolve(import.meta.dirname, '..', '..', 'server', 'src', 'main.ts')
const ANN = 'ann@example.com'

let alpha: TestServer
let beta: TestServer
let ports: readonly [number, number]
const folder = temporaryFolder('beta')

before(async () => {
  const base = await freePorts(2)
  ports = [base, base + 1]
  alpha = await TestServer.start({ readyMs: 120_000 })
  await ok(alpha, 'node', 'init', 'alpha', '--address', `127.0.0.1:${ports[0]}`)
  await alpha.stop()
  await alpha.restart()
  await ok(alpha, 'node', 'add', 'beta', '--address', `127.0.0.2:${ports[1]}`)
  const file = join(alpha.folder, 'node', 'beta.join')
  const joined = await run(process.execPath, [main, 'node', 'join', file], { env: { POSTRIDER_DATA: folder.path } })
  assert.equal(joined.code, 0, joined.stderr)
  beta = await TestServer.start({ readyMs: 120_000, folder: folder.path })
  await alpha.addUser(ANN, PASSWORD, '--node', 'alpha')
  await alpha.addUser('bob@example.com', PASSWORD, '--node', 'alpha')
})
after(async () => {
  await Promise.all([alpha?.stop(), beta?.stop()])
  folder[Symbol.dispose]()
})

async function ok(server: TestServer, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await server.command(args)
  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}
/** A session, as soon as the node knows the user. */
const login = (server: TestServer, user = ANN): Promise<ImapClient> =>
  until('a session', () => ImapClient.login(server.port('imaps'), user, PASSWORD), LIMIT_MS)
async function deliver(server: TestServer, to: string, subject: string): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  await client.deliver('eve@outside.example', to, testMail({ from: 'eve@outside.example', to, subject }).text)
  client.close()
}
async function subjects(client: ImapClient): Promise<string[]> {
  assert.equal((await client.command('SELECT INBOX')).status, 'OK')
  const { untagged } = await client.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  return untagged.flatMap((line) => /Subject: (.*)/.exec(String(line))?.[1]?.trim() ?? [])
}
async function moved(to: string): Promise<{ readonly status: string; readonly lockedMs: number | null }> {
  await ok(alpha, 'mailbox', 'move', ANN, '--to', to)
  return until(
    'the move is over',
    async () => {
      const [report] = JSON.parse(await ok(alpha, 'mailbox', 'status', ANN, '--json')) as {
        status: string
        lockedMs: number | null
      }[]
      return report?.status === 'Completed' && report
    },
    LIMIT_MS,
  )
}
/** Ids under which JMAP clients know the mails and their bytes. */
async function jmapIds(server: TestServer): Promise<unknown> {
  const jmap = await new JmapClient({ port: server.port('https'), tls: true, user: ANN, password: PASSWORD }).connect()
  const { ids } = await jmap.call('Email/query', { filter: { subject: 'through' } })
  const { list } = await jmap.call('Email/get', { ids, properties: ['id', 'blobId', 'threadId'] })
  return list
}
const phoneAt = (server: TestServer, deviceId: string): Phone =>
  new Phone({ port: server.port('https'), tls: true, user: ANN, password: PASSWORD, deviceId, deviceType: 'TestPhone' })

test('a mailbox is reached through either machine: IMAP, SMTP, ActiveSync with a held Ping, JMAP', async () => {
  await deliver(beta, ANN, 'through beta')
  await deliver(alpha, ANN, 'through alpha')
  for (const server of [alpha, beta]) {
    const client = await login(server)
    assert.deepEqual((await subjects(client)).slice(-2), ['through beta', 'through alpha'])
    client.close()
  }
  const phone = phoneAt(beta, 'BETA1')
  await phone.provision()
  await phone.folderSync()
  const inbox = phone.folderOfType(INBOX)
  await phone.syncAll(inbox)
  const client = await login(beta)
  await client.command('SELECT INBOX')
  const idle = await client.idle()
  const ping = phone.ping(480, [inbox])
  await deliver(alpha, ANN, 'rings')
  await idle.wait(/EXISTS/, LIMIT_MS)
  assert.equal((await ping).status, 2)
  client.close()
  const jmap = await new JmapClient({ port: beta.port('https'), tls: true, user: ANN, password: PASSWORD }).connect()
  const { ids } = await jmap.call('Email/query', { filter: { subject: 'rings' } })
  assert.equal((ids as string[]).length, 1)
})

test('a mailbox moves to the other machine and back; IDLE and Ping held meanwhile still ring, nobody starts over', async () => {
  const phone = phoneAt(alpha, 'ALPHA1')
  await phone.provision()
  await phone.folderSync()
  const inbox = phone.folderOfType(INBOX)
  await phone.syncAll(inbox)
  const known = await jmapIds(alpha)
  for (const [to, turn] of [
    ['beta', 1],
    ['mailboxes-1', 2],
  ] as const) {
    const clients = [await login(alpha), await login(beta)]
    const idles = []
    for (const client of clients) {
      await client.command('SELECT INBOX')
      idles.push(await client.idle())
    }
    const ping = phone.ping(480, [inbox])
    const report = await moved(to)
    assert.ok((report.lockedMs ?? Number.POSITIVE_INFINITY) < LIMIT_MS)
    await deliver(turn === 1 ? alpha : beta, ANN, `after move ${turn}`)
    for (const idle of idles) await idle.wait(/EXISTS/, LIMIT_MS)
    assert.equal((await ping).status, 2)
    for (const idle of idles) await idle.stop()
    // The sync state of before goes on: no status that asks to start over.
    await phone.syncAll(inbox)
    assert.ok(phone.mirror.bySubject(inbox, `after move ${turn}`))
    for (const server of [alpha, beta]) assert.deepEqual(await jmapIds(server), known)
    for (const client of clients) {
      assert.equal((await client.command('NOOP')).status, 'OK')
      assert.equal((await subjects(client)).at(-1), `after move ${turn}`)
      client.close()
    }
  }
})

test('strangers on the port get nothing, and cost nothing', async () => {
  const sockets = Array.from({ length: 20 }, () => connect({ port: ports[0], host: '127.0.0.1' }))
  const ends = sockets.map(
    (socket) =>
      new Promise<number>((done) => {
        let bytes = 0
        socket.on('data', (chunk) => {
          bytes += chunk.length
        })
        socket.on('error', () => {})
        socket.on('close', () => done(bytes))
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20))
      }),
  )
  // At most a TLS alert.
  for (const bytes of await Promise.all(ends)) assert.ok(bytes < 64, String(bytes))
  const client = await login(beta)
  assert.ok((await subjects(client)).length > 0)
  client.close()
})

test('the machine with the directory dies: who lives on the other logs in, gets mail and reads; afterwards all goes on', async () => {
  await moved('beta')
  // The copy is written behind.
  await until('the copy of the directory', () => readFileSync(join(folder.path, 'directory.copy')).length > 0, LIMIT_MS)
  const held = await login(beta)
  await held.command('SELECT INBOX')
  const idle = await held.idle()
  await alpha.kill()
  await deliver(beta, ANN, 'while alpha is dead')
  await idle.wait(/EXISTS/, LIMIT_MS)
  held.close()
  const client = await login(beta)
  assert.equal((await subjects(client)).at(-1), 'while alpha is dead')
  client.close()
  // The other one's mailbox is away: a temporary error, no loss.
  await assert.rejects(deliver(beta, 'bob@example.com', 'later'), /\b4\d\d\b/)
  // It starts without the other, too.
  await beta.stop()
  await beta.restart()
  const again = await login(beta)
  assert.equal((await subjects(again)).at(-1), 'while alpha is dead')
  again.close()
  await alpha.restart()
  await until('bob is reached again', () => deliver(beta, 'bob@example.com', 'later').then(() => true), LIMIT_MS)
  const both = await login(alpha)
  assert.equal((await subjects(both)).at(-1), 'while alpha is dead')
  both.close()
})

test('a machine that was removed is let in no longer', async () => {
  await moved('mailboxes-1')
  assert.match(await ok(alpha, 'node', 'list'), /beta/)
  await ok(alpha, 'node', 'remove', 'beta', '--yes')
  assert.doesNotMatch(await ok(alpha, 'node', 'list'), /beta/)
  await beta.stop()
  await beta.restart()
  await until('it is turned away', () => alpha.output.includes('turned away'), LIMIT_MS)
})
