/**
 * A standby takes over: the primary is killed under a mixed load with acknowledgements that wait for the standby's disk, the standby is promoted, and the
 * ledger outside says that nothing acknowledged is lost; UIDs, change numbers and sync keys go on. The old primary refuses to serve, alive or started again,
 * and what only it has is kept aside. POSTRIDER_TAKEOVERS says how often, each time with the two in other roles.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Phone } from '../../src/activesync/index.ts'
import { ImapClient } from '../../src/imap/index.ts'
import { freePorts, sleep, temporaryFolder, until } from '../../src/process/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { SmtpClient } from '../../src/smtp/index.ts'
import { testMail } from '../mails.ts'
import { Ledger, numberIn, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const TAKEOVERS = Number(process.env.POSTRIDER_TAKEOVERS ?? 3)
/** Acknowledged before and after the phone synchronises; then the primary is killed. */
const MAILS = Number(process.env.POSTRIDER_TAKEOVER_MAILS ?? 25)
const LONG_MS = 60_000

interface Report {
  readonly role: string
  readonly epoch: number
  readonly connected: boolean
  readonly whole?: boolean
  readonly databases: readonly { readonly lagBytes?: number; readonly degraded?: boolean }[]
}

/** Two servers that know each other. */
class Pair {
  readonly #folder = temporaryFolder('standby')
  readonly #key = join(this.#folder.path, 'key')
  #port = 0
  readonly servers: TestServer[] = []

  static async start(wait: string, patience: string, patienceOfStandby = patience): Promise<Pair> {
    const pair = new Pair()
    writeFileSync(pair.#key, randomBytes(32).toString('base64url'))
    pair.#port = await freePorts(2)
    pair.servers.push(await pair.#server(1, { wait, patience: patienceOfStandby }))
    pair.servers.unshift(await pair.#server(0, { wait, patience }))
    return pair
  }

  async #server(at: number, options: Readonly<Record<string, unknown>>): Promise<TestServer> {
    const [here, there] = [this.#port + at, this.#port + 1 - at]
    const standby = {
      role: at === 0 ? 'primary' : 'standby',
      listen: `127.0.0.1:${here}`,
      to: `127.0.0.1:${there}`,
      key: this.#key,
      ...options,
    }
    const folder = join(this.#folder.path, `server${at}`)
    return TestServer.start({ folder, config: { standby }, readyMs: LONG_MS, follows: at === 1 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) await server[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

const statusOf = async (server: TestServer): Promise<Report> => {
  const { code, stdout, stderr } = await server.command(['standby', 'status', '--json'])
  assert.equal(code, 0, stdout + stderr)
  return JSON.parse(stdout) as Report
}

/** A standby that has everything, and that acknowledgements wait for. */
const together = (primary: TestServer, standby: TestServer): Promise<true> =>
  until(
    'the standby has everything',
    async () => {
      const [one, other] = [await statusOf(primary), await statusOf(standby)]
      return one.connected && other.whole === true && one.databases.every(({ degraded }) => !degraded)
    },
    LONG_MS,
  )

test(`${TAKEOVERS} times the primary is killed under load and the standby promoted: 0 lost with synced, UIDs and sync keys go on`, {
  timeout: 300_000 + TAKEOVERS * 300_000,
}, async (t) => {
  await using pair = await Pair.start('synced', '0s', '20s')
  let [primary, standby] = pair.servers as [TestServer, TestServer]
  for (const { user, password } of accounts) await primary.addUser(user, password)
  const [{ user = '', password = '' } = {}] = accounts
  const ledger = new Ledger()
  const settings = { port: 0, tls: true, user, password, deviceId: 'STANDBY1', deviceType: 'TestPhone' }
  const phone = new Phone(settings)
  let inbox = ''
  for (let takeover = 0; takeover < TAKEOVERS; takeover++) {
    await together(primary, standby)
    const [one, other] = [primary, standby]
    let stop = false
    const loaded = load(one, ledger, () => stop)
    loaded.catch(() => {}) // awaited below
    settings.port = one.port('https')
    try {
      await Promise.race([
        loaded,
        (async () => {
          await acknowledged(ledger, MAILS)
          if (inbox === '') {
            await phone.provision()
            assert.equal((await phone.folderSync()).http, 200)
            inbox = [...phone.folders.values()].find(({ type }) => Number(type) === 2)?.serverId ?? ''
          }
          await phone.syncAll(inbox)
          await acknowledged(ledger, MAILS)
        })(),
      ])
    } catch (error) {
      throw new Error(
        `${String(error)}\n${ledger.lastRefusal}\n${one.output.slice(-4_000)}\n${other.output.slice(-4_000)}`,
      )
    }
    await one.kill()
    stop = true
    await loaded
    const promoted = await other.command(['standby', 'promote', '--json'])
    assert.equal(promoted.code, 0, promoted.stdout + promoted.stderr + other.output.slice(-4_000))
    await other.serves(LONG_MS)
    await reconcile(other, ledger.promised, accounts)

    const goesOn = async (): Promise<void> => {
      const imap = await ImapClient.login(other.port('imaps'), user, password)
      // The first write waits for a standby that is not there, until patience ends.
      assert.equal((await imap.command(`CREATE takeover${takeover}`, undefined, LONG_MS)).status, 'OK')
      const { text } = testMail({ from: user, to: user, subject: 'after', bytes: 500 })
      const uid = numberIn(await imap.append('Archive', text), /APPENDUID \d+ (\d+)/)
      assert.ok(uid >= (ledger.promised.counters.get(`${user}/Archive`)?.uidNext ?? 0), 'UIDs go on')
      imap.close()
      settings.port = other.port('https')
      const key = phone.syncKey(inbox)
      assert.notEqual(key, '0')
      const { status } = await phone.sync(inbox)
      assert.ok(status === undefined || status === 1, `the sync key goes on: ${status}`)
    }
    // Numbers go on: at once where patience ends, else with the next standby.
    const isPatient = other === pair.servers[0]
    if (!isPatient) await goesOn()

    // The old one comes back.
    await assert.rejects(one.restart(), /Another server has taken over/)
    const rejoined = await one.command(['standby', 'rejoin'])
    assert.equal(rejoined.code, 0, rejoined.stdout + rejoined.stderr)
    const kept = readdirSync(one.folder).filter((name) => name.startsWith('before-standby-'))
    assert.equal(kept.length, takeover + 1 - Math.floor((takeover + 1) / 2), 'what it held is kept')
    one.options = { ...one.options, follows: true }
    await one.restart()
    await together(other, one)
    if (isPatient) await goesOn()
    primary = other
    standby = one
  }
  const check = await primary.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
  const { size } = ledger.promised.mails
  t.diagnostic(
    `${size} mails acknowledged ${JSON.stringify(ledger.counts)}, 0 lost; epoch ${(await statusOf(primary)).epoch}`,
  )
})

test('a primary that is alive while its standby is promoted ends and says why; one whose standby is away goes on when its patience ends', {
  timeout: 600_000,
}, async () => {
  await using pair = await Pair.start('synced', '500ms')
  const [primary, standby] = pair.servers as [TestServer, TestServer]
  const [{ user = '', password = '' } = {}] = accounts
  await primary.addUser(user, password)
  await together(primary, standby)
  const deliver = async (to: TestServer): Promise<string> => {
    const smtp = await SmtpClient.connect(to.port('smtp'), { tls: false })
    const { id, text } = testMail({ from: 'ann@outside.example', to: user, subject: 'one', bytes: 1_000 })
    await smtp.deliver('ann@outside.example', user, text)
    smtp.close()
    return id
  }
  const first = await deliver(primary)

  await standby.kill()
  const alone = await deliver(primary)
  await until(
    'the metric says so',
    async () => /postrider_standby_degraded\{[^}]*\} 1/.test((await primary.command(['metrics'])).stdout),
    LONG_MS,
  )
  const status = await statusOf(primary)
  assert.equal(status.connected, false)
  assert.ok(status.databases.some(({ degraded, lagBytes = 0 }) => degraded && lagBytes > 0))

  await standby.restart()
  await together(primary, standby)
  const promoted = await standby.command(['standby', 'promote'])
  assert.equal(promoted.code, 0, promoted.stdout + promoted.stderr)
  assert.equal(await primary.ends(LONG_MS), 1)
  assert.match(primary.output, /Another server has taken over \(epoch 2, here 1/)
  await standby.serves(LONG_MS)
  const imap = await ImapClient.login(standby.port('imaps'), user, password)
  assert.equal((await imap.command('SELECT INBOX')).status, 'OK')
  const shown = (await imap.command('UID FETCH 1:* (BODY.PEEK[HEADER])')).untagged.join('')
  for (const id of [first, alone]) assert.ok(shown.includes(id), 'also what was acknowledged without it')
  imap.close()
  await sleep(1)
})
