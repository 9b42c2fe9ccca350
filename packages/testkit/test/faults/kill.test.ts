/**
 * D1, kill -9 of any process of the server under a mixed load, with a ledger outside of everything it acknowledged. After every kill the load goes on
 * by itself; nothing is lost, nothing altered, no counter goes back. 20 cycles here, POSTRIDER_KILL_CYCLES=1000 by hand;
 * POSTRIDER_KILL_VICTIMS=main,owner says which, POSTRIDER_KILL_OWNERS=thread keeps the owners inside the main process.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { test } from 'node:test'
import { sleep, until } from '../../src/process/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const CYCLES = Number(process.env.POSTRIDER_KILL_CYCLES ?? 20)
const OWNERS = process.env.POSTRIDER_KILL_OWNERS ?? (process.platform === 'linux' ? 'process' : 'thread')
const READY_MS = 60_000
/** Cycles between two looks at everything. */
const LOOK_EVERY = 5

/** Children of the main process whose command line holds a word. */
function children(server: TestServer, word: string): number[] {
  const list = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ')
  return list.map(Number).filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word))
}
const any = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)]

/** Whether the server says of itself that everything works. */
function ready(server: TestServer): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const asked = request({ host: '127.0.0.1', port: server.port('https'), path: '/readyz', rejectUnauthorized: false })
  asked.once('response', (response) => resolve(response.resume().statusCode === 200))
  asked.once('error', () => resolve(false))
  asked.end()
  return promise
}

/** One process of the server: how it is killed. Resolves when the server is whole again. */
type Kill = (server: TestServer) => Promise<void>

/** Everything that may die alone. */
const victims: Readonly<Record<string, Kill>> = {
  async main(server) {
    await server.kill()
    await server.restart()
  },
  async owner(server) {
    const pid = any(children(server, 'owner'))
    assert.ok(pid !== undefined, 'an owner runs')
    process.kill(pid, 'SIGKILL')
    await until('another owner runs', () => !children(server, 'owner').includes(pid), READY_MS)
    await until('the server is whole', () => ready(server), READY_MS)
  },
}
const names = (process.env.POSTRIDER_KILL_VICTIMS ?? (OWNERS === 'process' ? 'main,owner' : 'main')).split(',')

test(`D1: ${CYCLES} times kill -9 of ${names} under load: nothing acknowledged is lost or altered`, {
  timeout: 120_000 + CYCLES * 60_000,
}, async (t) => {
  await using server = await TestServer.start({ config: { ownerKind: OWNERS, owners: 2, databases: 2 } })
  for (const { user, password } of accounts) await server.addUser(user, password)
  const ledger = new Ledger()
  let stop = false
  const loaded = load(server, ledger, () => stop)
  loaded.catch(() => {}) // awaited below; a failure must not end the process before
  const killed: Record<string, number> = {}
  let slowest = 0
  const cycles = async (): Promise<void> => {
    await acknowledged(ledger, 5)
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const name = names[cycle % names.length] ?? 'main'
      const kill = victims[name]
      assert.ok(kill, `a victim named ${name}`)
      await acknowledged(ledger, 1)
      await sleep(5 + Math.random() * 495)
      const began = performance.now()
      await kill(server)
      slowest = Math.max(slowest, performance.now() - began)
      killed[name] = (killed[name] ?? 0) + 1
      if (cycle % LOOK_EVERY === LOOK_EVERY - 1) await look()
    }
  }
  const look = async (): Promise<void> => {
    const seen = await reconcile(server, ledger.at(monotonicNow()), accounts)
    for (const [folder, counters] of seen) ledger.counters(folder, counters)
  }
  try {
    await Promise.race([cycles(), loaded])
  } finally {
    stop = true
  }
  await loaded
  await look()
  const { size } = ledger.promised.mails
  const counts = JSON.stringify(ledger.counts)
  t.diagnostic(
    `killed ${JSON.stringify(killed)}; ${size} mails acknowledged ${counts}; slowest return ${Math.round(slowest)} ms`,
  )
  assert.ok(slowest < READY_MS, `it took ${slowest} ms to return`)
  for (const [kind, count] of Object.entries(ledger.counts)) assert.ok(count > 0, `no ${kind} was acknowledged`)
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})
