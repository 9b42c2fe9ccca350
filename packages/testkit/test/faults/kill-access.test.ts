/**
 * D1 for client access: kill -9 of one of several client-access processes, again and again under a mixed load, with a ledger outside. Clients of the
 * others notice nothing, its own come back at once, nothing acknowledged is lost. 20 kills here, POSTRIDER_KILL_CYCLES=1000 by hand.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { sleep, until } from '../../src/process/index.ts'
import { accessProcesses, holderOf, TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const CYCLES = Number(process.env.POSTRIDER_KILL_CYCLES ?? 20)
const PROCESSES = 2
const WITNESSES = 6
const LIMIT_MS = 60_000
const LOOK_EVERY = 10
const { user, password } = { user: 'witness@example.com', password: 'witness-password' }

/** Somebody who waits in a session and says when it has ended. */
class Witness {
  client: ImapClient | undefined
  pid: number | undefined
  async arrive(server: TestServer): Promise<void> {
    this.client = await until('a session', () => ImapClient.login(server.port('imaps'), user, password), LIMIT_MS)
    assert.equal((await this.client.command('SELECT INBOX')).status, 'OK')
    this.pid = holderOf(accessProcesses(server), server.port('imaps'), this.client.localPort)
    assert.ok(this.pid !== undefined, 'its process is known')
  }
  lives(): Promise<boolean> {
    return this.client!.command('NOOP', undefined, LIMIT_MS).then(
      ({ status }) => status === 'OK',
      () => false,
    )
  }
}

test(`D1: ${CYCLES} times kill -9 of a client-access process under load: the clients of the others notice nothing`, {
  skip: process.platform === 'linux' ? false : 'needs /proc',
  timeout: 240_000 + CYCLES * 60_000,
}, async (t) => {
  await using server = await TestServer.start({ readyMs: 120_000, config: { accessProcesses: PROCESSES } })
  for (const one of accounts) await server.addUser(one.user, one.password)
  await server.addUser(user, password)
  const ledger = new Ledger()
  let stop = false
  const loaded = load(server, ledger, () => stop)
  loaded.catch(() => {}) // awaited below; a failure must not end the process before
  const look = async (): Promise<void> => {
    const seen = await reconcile(server, ledger.at(monotonicNow()), accounts)
    for (const [folder, counters] of seen) ledger.counters(folder, counters)
  }
  const witnesses = Array.from({ length: WITNESSES }, () => new Witness())
  let spared = 0
  let ended = 0
  const cycles = async (): Promise<void> => {
    for (const one of witnesses) await one.arrive(server)
    await acknowledged(ledger, 5)
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const pids = await until(
        'all processes run',
        () => {
          const all = accessProcesses(server)
          return all.length === PROCESSES && all
        },
        LIMIT_MS,
      )
      await sleep(Math.random() * 300)
      const victim = pids[cycle % pids.length]!
      process.kill(victim, 'SIGKILL')
      for (const one of witnesses) {
        const lives = await one.lives()
        assert.equal(lives, one.pid !== victim, `a session of ${one.pid}, killed was ${victim}`)
        if (lives) spared++
        else {
          ended++
          await one.arrive(server)
        }
      }
      await acknowledged(ledger, 1)
      if (cycle % LOOK_EVERY === LOOK_EVERY - 1) await look()
    }
  }
  try {
    await Promise.race([cycles(), loaded])
  } finally {
    stop = true
    for (const one of witnesses) one.client?.close()
  }
  await loaded
  await look()
  t.diagnostic(
    `${ledger.promised.mails.size} mails acknowledged ${JSON.stringify(ledger.counts)}; sessions spared ${spared}, ended ${ended}`,
  )
  assert.ok(spared > 0 && ended > 0, 'both were seen')
  for (const [kind, count] of Object.entries(ledger.counts)) assert.ok(count > 0, `no ${kind} was acknowledged`)
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})
