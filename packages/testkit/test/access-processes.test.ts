/**
 * Several client-access processes (`accessProcesses`): whatever comes to one is known to the others, and any of them may be killed: clients of the
 * others notice nothing, nothing acknowledged is lost.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { Phone } from '../src/activesync/index.ts'
import { PlainBrowser } from '../src/browser/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { type Args, JmapClient } from '../src/jmap/index.ts'
import { sleep, until } from '../src/process/index.ts'
import { accessProcesses, heldBy, holderOf, TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const PASSWORD = 'access-password'
const INBOX = 2
const LIMIT_MS = 30_000
const skip = process.platform === 'linux' ? false : 'needs /proc'

let server: TestServer
before(async () => {
  server = await TestServer.start({
    readyMs: 120_000,
    config: { accessProcesses: 2, authentication: { attempts: 4 }, limits: { connectionsPerAddress: 60 } },
  })
  for (const name of ['ann', 'bob', 'cid', 'dan', 'eve', 'fay']) await server.addUser(`${name}@example.com`, PASSWORD)
})
after(() => server?.stop())

const imapAt = (client: ImapClient): number | undefined =>
  holderOf(accessProcesses(server), server.port('imaps'), client.localPort)

/** Sessions of a user in both processes: connections go to the process that has fewest. */
async function inBoth(user: string): Promise<[ImapClient, ImapClient]> {
  const one = await ImapClient.login(server.port('imaps'), user, PASSWORD)
  // A process that was just killed may not be ready again.
  const other = await until(
    'a connection in the other process',
    async () => {
      const next = await ImapClient.login(server.port('imaps'), user, PASSWORD)
      if (imapAt(next) !== imapAt(one)) return next
      next.close()
      return undefined
    },
    LIMIT_MS,
  )
  return [one, other]
}

const phoneOf = (user: string, deviceId: string): Phone =>
  new Phone({ port: server.port('https'), tls: true, user, password: PASSWORD, deviceId, deviceType: 'TestPhone' })

async function deliver(to: string, subject: string): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  await client.deliver('ann@outside.example', to, testMail({ from: 'ann@outside.example', to, subject }).text)
  client.close()
}

test('connections are dealt out evenly, short ones too', { skip }, async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => ImapClient.connect(server.port('imaps'))))
  const pids = accessProcesses(server)
  assert.equal(pids.length, 2)
  assert.deepEqual(
    [...heldBy(pids, server.port('imaps')).values()],
    [3, 3],
    JSON.stringify([...heldBy(pids, server.port('imaps'))]),
  )
  for (const client of clients) client.close()
  const seen = new Set<number | undefined>()
  for (let n = 0; n < 6; n++) {
    const client = await ImapClient.connect(server.port('imaps'))
    seen.add(imapAt(client))
    client.close()
  }
  assert.equal(seen.size, 2, 'one after the other they go round')
})

test('two phones and two mail programs in different processes hear each other', { skip }, async () => {
  const user = 'ann@example.com'
  const [one, two] = await inBoth(user)
  await one.command('SELECT INBOX')
  await two.command('SELECT INBOX')
  const phones = [phoneOf(user, 'HEAR1'), phoneOf(user, 'HEAR2')]
  const folders: string[] = []
  for (const phone of phones) {
    await phone.provision()
    await phone.folderSync()
    folders.push(phone.folderOfType(INBOX))
    await phone.syncAll(phone.folderOfType(INBOX))
  }
  const idles = [await one.idle(), await two.idle()]
  const pings = phones.map((phone, at) => phone.ping(480, [folders[at]!]))
  await until('both wait', () => {
    const held = heldBy(accessProcesses(server), server.port('https'))
    return [...held.values()].every((count) => count === 1)
  })
  await deliver(user, 'for all')
  for (const idle of idles) await idle.wait(/1 EXISTS/, LIMIT_MS)
  for (const rung of await Promise.all(pings)) assert.equal(rung.status, 2)
  for (const idle of idles) await idle.stop()
  // What one does, the others see.
  assert.equal((await one.command('STORE 1 +FLAGS (\\Flagged)')).status, 'OK')
  await until('the flag is seen', async () => (await two.command('NOOP')).untagged.join().includes('\\Flagged'))
  await phones[0]!.syncAll(folders[0]!)
  await phones[1]!.syncAll(folders[1]!)
  assert.ok(phones[0]!.mirror.bySubject(folders[0]!, 'for all'))
  assert.ok(phones[1]!.mirror.bySubject(folders[1]!, 'for all'))
  one.close()
  two.close()
})

test('a second Ping of a device ends the first, in whatever process it waits', { skip }, async () => {
  const phone = phoneOf('bob@example.com', 'SECOND')
  await phone.provision()
  await phone.folderSync()
  const inbox = phone.folderOfType(INBOX)
  await phone.syncAll(inbox)
  const https = server.port('https')
  const waits = async (count: number): Promise<number | undefined> => {
    const status = JSON.parse((await server.command(['status', '--json'])).stdout) as { held: number }
    if (status.held !== count) return undefined
    const held = [...heldBy(accessProcesses(server), https)].filter(([, there]) => there === 1)
    return held.length === 1 ? held[0]![0] : undefined
  }
  let ping = phone.ping(480, [inbox])
  let moved = 0
  for (let n = 0; n < 8 && moved < 2; n++) {
    const where = await until('one waits', () => waits(1), LIMIT_MS)
    const newer = phone.ping(480, [inbox])
    assert.equal((await ping).status, 1)
    if ((await until('only the newer waits', () => waits(1), LIMIT_MS)) !== where) moved++
    ping = newer
  }
  assert.equal(moved, 2, 'it went to the other process and back')
  await deliver('bob@example.com', 'rings')
  assert.equal((await ping).status, 2)
})

test('a new password ends the sessions in all processes', { skip }, async () => {
  const user = 'cid@example.com'
  const clients = await inBoth(user)
  const browsers = [new PlainBrowser(server.port('https')), new PlainBrowser(server.port('https'))]
  for (const one of browsers) await one.signIn(user, PASSWORD)
  const changed = await server.command(['user', 'password', user, '--password-stdin'], 'another-password\n')
  assert.equal(changed.code, 0, changed.stderr)
  // The command has ended: it is so everywhere.
  for (const client of clients) {
    await assert.rejects(client.command('NOOP'), /closed/)
    client.close()
  }
  for (const one of browsers)
    for (let n = 0; n < 2; n++) {
      one.close()
      assert.equal((await one.send('GET', '/light/')).status, 303)
      one.close()
    }
  for (let n = 0; n < 2; n++) {
    await assert.rejects(ImapClient.login(server.port('imaps'), user, PASSWORD))
    ;(await ImapClient.login(server.port('imaps'), user, 'another-password')).close()
  }
})

test('one budget for guesses, whichever process they come to', { skip }, async () => {
  const user = 'dan@example.com'
  const guessers = await Promise.all(Array.from({ length: 8 }, () => ImapClient.connect(server.port('imaps'))))
  assert.equal(new Set(guessers.map(imapAt)).size, 2)
  // Each process alone hears as many as the budget has.
  await Promise.all(guessers.slice(0, 6).map((one, at) => one.command(`LOGIN ${user} wrong${at}`)))
  const owners = guessers.slice(6)
  assert.equal(new Set(owners.map(imapAt)).size, 2)
  const answers = await Promise.all(owners.map((one) => one.command(`LOGIN ${user} ${PASSWORD}`)))
  for (const { text } of answers) assert.match(text, /Too many/)
  for (const one of guessers) one.close()
})

test('a web session opened in one process is one in all, and over in all', { skip }, async (t) => {
  const one = new PlainBrowser(server.port('https'))
  t.after(() => one.close())
  one.scripts = true
  const send = (method: string, path: string, headers: Record<string, string> = {}) => {
    // A new connection for each request: they go round.
    one.close()
    return one.send(method, path, { headers })
  }
  await one.signIn('eve@example.com', PASSWORD)
  const csrf: string[] = []
  for (let n = 0; n < 4; n++) {
    const answer = await send('GET', '/web/session')
    assert.equal(answer.status, 200)
    csrf.push((JSON.parse(answer.text) as { csrf: string }).csrf)
  }
  assert.equal(new Set(csrf).size, 1)
  // An act counts in every process, as soon as the word of it has come there.
  await sleep(20)
  const acted = JSON.parse((await send('POST', '/web/act', { 'postrider-csrf': csrf[0]! })).text) as Args
  for (let n = 0; n < 2; n++)
    await until('the act is known', async () => {
      const { inactiveAt } = JSON.parse((await send('GET', '/web/session')).text) as Args
      return inactiveAt === acted.inactiveAt
    })
  const out = await send('POST', '/signout', { 'postrider-csrf': csrf[0]! })
  assert.equal(out.status, 303)
  for (let n = 0; n < 4; n++) assert.notEqual((await send('GET', '/web/session')).status, 200)
})

test('limits count all processes; what is shown is the sum', { skip }, async (t) => {
  await until(
    'nobody is left',
    async () => {
      const now = JSON.parse((await server.command(['status', '--json'])).stdout) as Args
      return Object.values(now.connections as Record<string, number>).every((count) => count === 0)
    },
    LIMIT_MS,
  )
  const clients: ImapClient[] = []
  t.after(() => {
    for (const client of clients) client.close()
  })
  for (let n = 0; n < 60; n++) clients.push(await ImapClient.connect(server.port('imaps')))
  const counts = [...heldBy(accessProcesses(server), server.port('imaps')).values()]
  assert.deepEqual(counts, [30, 30])
  const status = JSON.parse((await server.command(['status', '--json'])).stdout) as Args
  assert.equal(status.connections.imaps, 60)
  await assert.rejects(ImapClient.connect(server.port('imaps')))
  for (const client of clients) client.close()
  await until('they are gone', async () => {
    const now = JSON.parse((await server.command(['status', '--json'])).stdout) as Args
    return now.connections.imaps === 0
  })
  const ours: ImapClient[] = []
  for (let n = 0; n < 16; n++) ours.push(await ImapClient.login(server.port('imaps'), 'fay@example.com', PASSWORD))
  await assert.rejects(ImapClient.login(server.port('imaps'), 'fay@example.com', PASSWORD), /Too many connections/)
  await until('the gauge is the sum', async () => {
    const text = await (await metrics()).text()
    return /^postrider_imap_connections 16$/m.test(text)
  })
  for (const client of ours) client.close()
})
async function metrics(): Promise<{ text(): Promise<string> }> {
  const one = new PlainBrowser(server.port('https'))
  const page = await one.send('GET', '/metrics')
  one.close()
  return { text: async () => page.text }
}

test('a mail held for later leaves although the process that took it was killed', { skip }, async () => {
  const client = await new JmapClient({
    port: server.port('https'),
    tls: true,
    user: 'eve@example.com',
    password: PASSWORD,
  }).connect()
  const { list } = await client.call('Mailbox/get')
  const inbox = (list as Args[]).find((one) => one.role === 'inbox')!.id as string
  const [identity] = (await client.call('Identity/get')).list as Args[]
  const answers = await client.request([
    [
      'Email/set',
      {
        accountId: client.account,
        create: {
          m: {
            mailboxIds: { [inbox]: true },
            from: [{ email: 'eve@example.com' }],
            to: [{ email: 'fay@example.com' }],
            subject: 'held back',
            bodyValues: { t: { value: 'later' } },
            textBody: [{ partId: 't', type: 'text/plain' }],
          },
        },
      },
      '0',
    ],
    [
      'EmailSubmission/set',
      {
        accountId: client.account,
        create: {
          s: {
            emailId: '#m',
            identityId: identity!.id,
            envelope: {
              mailFrom: { email: 'eve@example.com', parameters: { HOLDFOR: '2' } },
              rcptTo: [{ email: 'fay@example.com' }],
            },
          },
        },
      },
      '1',
    ],
  ])
  assert.equal(answers[1]?.[1].created.s.undoStatus, 'pending')
  for (const pid of accessProcesses(server)) process.kill(pid, 'SIGKILL')
  await until(
    'it has arrived',
    async () => {
      const imap = await ImapClient.login(server.port('imaps'), 'fay@example.com', PASSWORD)
      const found = await imap.command('STATUS INBOX (MESSAGES)')
      imap.close()
      return /MESSAGES 1/.test(found.untagged.join())
    },
    LIMIT_MS,
  )
})

test('with every process killed at once a new connection waits instead of being refused', { skip }, async () => {
  await until('two work', () => accessProcesses(server).length === 2, LIMIT_MS)
  for (const pid of accessProcesses(server)) process.kill(pid, 'SIGKILL')
  const client = await ImapClient.login(server.port('imaps'), 'ann@example.com', PASSWORD)
  assert.equal((await client.command('NOOP')).status, 'OK')
  client.close()
})

test('a connection half closed by its client still gets its answers', { skip }, async () => {
  const socket = connect({ port: server.port('smtp'), host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.on('data', (part: Buffer) => {
    text += part.toString()
  })
  await until('greeted', () => text.startsWith('220'))
  socket.end('EHLO half.example\r\nQUIT\r\n')
  await until('said goodbye', () => /^221/m.test(text))
  socket.destroy()
})

test('a reload reaches all processes; a stop says goodbye in all', { skip }, async () => {
  await until('two work', () => accessProcesses(server).length === 2, LIMIT_MS)
  const [one, two] = await inBoth('ann@example.com')
  const idles = [await one.idle(), await two.idle()]
  const pids = accessProcesses(server)
  for (const pid of pids) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  const reloaded = await server.command(['reload'])
  assert.equal(reloaded.code, 0, reloaded.stderr)
  assert.deepEqual(accessProcesses(server), pids, 'signals to them alone mean nothing')
  const stopped = server.stop()
  for (const idle of idles) await idle.wait(/^\* BYE/, LIMIT_MS)
  one.close()
  two.close()
  assert.equal(await stopped, 0)
  await server.restart()
})
