/**
 * Owners in processes of their own (`ownerKind: process`): killed at any time, alone or with the main process. A ledger outside of everything
 * acknowledged says that nothing is lost; connections stay, and who waits is still told.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Phone } from '../src/activesync/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { sleep, until } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const KILLS = Number(process.env.POSTRIDER_OWNER_KILLS ?? 4)
const PASSWORD = 'owner-password'
const USERS = ['own1@example.com', 'own2@example.com']
const INBOX = 2
const onLinux = process.platform === 'linux'

const startServer = (): Promise<TestServer> =>
  TestServer.start({ config: { ownerKind: 'process', owners: 2, databases: 2 } })

/** The children of the server that own databases. */
function ownersOf(server: TestServer): number[] {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ')
  return children.map(Number).filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('owner'))
}
/** Gone, or only its parent has not noticed yet. */
const isGone = (pid: number): boolean =>
  !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/\(.*\)/, ''))

/** Kills an owner and waits until another one serves in its place. */
async function killOwner(server: TestServer, pid: number): Promise<void> {
  const returns = (): number => server.output.split('the owner of the mailboxes works again').length
  const before = returns()
  process.kill(pid, 'SIGKILL')
  await until('the owner works again', () => returns() > before, 20_000)
}

const digestOf = (text: string): string =>
  createHash('sha256')
    .update(text.slice(text.indexOf('\r\n\r\n')), 'latin1')
    .digest('hex')

/** Delivers until told to stop, over one connection; a refusal for now is no acknowledgement. Answers how many there were. */
async function deliverAll(
  server: TestServer,
  user: string,
  ledger: Map<string, string>,
  stopped: () => boolean,
): Promise<number> {
  const client = await SmtpClient.connect(server.port('smtp'))
  let refused = 0
  while (!stopped()) {
    const { id, text } = testMail({ from: 'ann@outside.example', to: user, subject: 'owner', bytes: 2_000 })
    const step = async (bytes: string, code: number): Promise<boolean> => {
      client.send(bytes)
      const reply = await client.reply()
      if (reply.startsWith(String(code))) return true
      assert.match(reply, /^4\d\d/, 'refused for now')
      refused++
      client.send('RSET\r\n')
      await client.expect(250)
      await sleep(20)
      return false
    }
    if (!(await step('MAIL FROM:<ann@outside.example>\r\n', 250))) continue
    if (!(await step(`RCPT TO:<${user}>\r\n`, 250))) continue
    if (!(await step('DATA\r\n', 354))) continue
    if (await step(`${text}.\r\n`, 250)) ledger.set(id, digestOf(text))
  }
  client.close()
  return refused
}

/** Appends until told to stop, over one session. */
async function appendAll(
  server: TestServer,
  user: string,
  ledger: Map<string, string>,
  stopped: () => boolean,
): Promise<number> {
  const client = await ImapClient.login(server.port('imaps'), user, PASSWORD)
  let refused = 0
  while (!stopped()) {
    const { id, text } = testMail({ from: user, to: user, subject: 'append', bytes: 3_000 })
    const answer = await client.append('INBOX', text)
    if (answer.status === 'OK') ledger.set(id, digestOf(text))
    else {
      assert.equal(answer.status, 'NO', answer.text)
      refused++
      await sleep(20)
    }
  }
  client.close()
  return refused
}

async function found(server: TestServer, user: string): Promise<Map<string, string>> {
  const client = await ImapClient.login(server.port('imaps'), user, PASSWORD)
  assert.equal((await client.command('SELECT INBOX')).status, 'OK')
  const rows = await client.command('UID FETCH 1:* (BODY.PEEK[])', undefined, 60_000)
  assert.equal(rows.status, 'OK', rows.text)
  client.close()
  const digests = new Map<string, string>()
  for (const row of rows.untagged) {
    const id = /^Message-ID: (<[^>]+>)/im.exec(row)?.[1]
    const literal = /BODY\[\] \{(\d+)\}\r\n/.exec(row)
    if (id === undefined || literal === null) continue
    const from = literal.index + literal[0].length
    digests.set(id, digestOf(row.slice(from, from + Number(literal[1]))))
  }
  return digests
}

test(`D1: ${KILLS} times kill -9 of an owner under load: nothing acknowledged is lost, no connection ends`, {
  skip: onLinux ? false : 'needs /proc',
  timeout: 60_000 + KILLS * 20_000,
}, async (t) => {
  await using server = await startServer()
  for (const user of USERS) await server.addUser(user, PASSWORD)
  const ledgers = new Map(USERS.map((user) => [user, new Map<string, string>()]))
  let stop = false
  const loads = Promise.all(
    USERS.flatMap((user) => [
      deliverAll(server, user, ledgers.get(user)!, () => stop),
      appendAll(server, user, ledgers.get(user)!, () => stop),
    ]),
  )
  loads.catch(() => {}) // awaited below
  for (let i = 0; i < KILLS; i++) {
    await sleep(300 + Math.random() * 300)
    const owners = ownersOf(server)
    assert.equal(owners.length, 2)
    await killOwner(server, owners[i % 2]!)
  }
  await sleep(300)
  stop = true
  const refused = (await loads).reduce((sum, one) => sum + one, 0)
  let acknowledged = 0
  for (const [user, ledger] of ledgers) {
    const there = await found(server, user)
    for (const [id, digest] of ledger) assert.equal(there.get(id), digest, `${user}: acknowledged ${id}`)
    acknowledged += ledger.size
  }
  t.diagnostic(`${acknowledged} mails acknowledged, ${refused} times refused for now`)
  assert.ok(refused > 0, 'the kills were felt')
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})

test('IDLE and Ping held across the death of the owner still ring', {
  skip: onLinux ? false : 'needs /proc',
  timeout: 60_000,
}, async () => {
  await using server = await startServer()
  const [user = ''] = USERS
  await server.addUser(user, PASSWORD)
  const phone = new Phone({
    port: server.port('https'),
    tls: true,
    user,
    password: PASSWORD,
    deviceId: 'OWNERDIES',
    deviceType: 'TestPhone',
  })
  await phone.provision()
  await phone.folderSync()
  const inbox = phone.folderOfType(INBOX)
  await phone.syncAll(inbox)
  const imap = await ImapClient.login(server.port('imaps'), user, PASSWORD)
  await imap.command('SELECT INBOX')
  const idle = await imap.idle()
  let rang = false
  const ping = phone.ping(480, [inbox]).finally(() => {
    rang = true
  })
  await sleep(300)
  for (const owner of ownersOf(server)) await killOwner(server, owner)
  await sleep(300)
  assert.equal(rang, false, 'the death itself rings nobody')

  const { text } = testMail({ from: 'ann@outside.example', to: user, subject: 'after the death' })
  await until('a mail is taken again', async () => {
    const client = await SmtpClient.connect(server.port('smtp'))
    return client.deliver('ann@outside.example', user, text).finally(() => client.close())
  })
  const [rung] = await Promise.all([ping, idle.wait(/1 EXISTS/, 5_000)])
  assert.deepEqual([rung.status, rung.folders], [2, [inbox]])
  await phone.syncAll(inbox)
  assert.ok(phone.mirror.bySubject(inbox, 'after the death'))
  await idle.stop()
  imap.close()
})

test('owners end within a second of a killed main process, and are in nobody’s way', {
  skip: onLinux ? false : 'needs /proc',
  timeout: 60_000,
}, async () => {
  await using server = await startServer()
  const [user = ''] = USERS
  await server.addUser(user, PASSWORD)
  for (let i = 0; i < 2; i++) {
    const owners = ownersOf(server)
    assert.equal(owners.length, 2)
    await server.kill()
    // One of them is waited for, the other time the next start comes at once.
    if (i === 0) await until('no orphans', () => owners.every(isGone), 1_000)
    const ms = await server.restart()
    assert.ok(ms < 5_000, `ready after ${ms} ms`)
    await until('no orphans', () => owners.every(isGone), 1_000)
    ;(await ImapClient.login(server.port('imaps'), user, PASSWORD)).close()
  }
})

test('a signal to the whole group is the main process’s business; a stop closes everything', {
  skip: onLinux ? false : 'needs /proc',
  timeout: 60_000,
}, async () => {
  await using server = await startServer()
  const owners = ownersOf(server)
  for (const owner of owners) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(owner, signal)
  await sleep(200)
  assert.deepEqual(ownersOf(server), owners)
  await until('the owners’ memory counts', async () => {
    const status = JSON.parse((await server.command(['status', '--json'])).stdout) as { memoryBytes: number }
    const main = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1_024
    return status.memoryBytes > main * 1.2
  })
  assert.equal(await server.stop(), 0)
  await until('no owner stays', () => owners.every(isGone), 1_000)
  assert.equal(existsSync(join(server.folder, 'owner-1.sock')), false)
  assert.doesNotMatch(server.output, /the owner of the mailboxes ended/)
})
