/**
 * D1, kill -9 of any process of the server under a mixed load, with a ledger outside of everything it acknowledged. After every kill the load goes on
 * by itself; nothing is lost, nothing altered, no counter goes back. 20 cycles here, POSTRIDER_KILL_CYCLES=1000 by hand;
 * POSTRIDER_KILL_VICTIMS=main,owner,access says which, POSTRIDER_KILL_OWNERS=thread keeps the owners inside the main process, and
 * POSTRIDER_KILL_RETURN_MS is how long a return may take on a machine that has other work.
 */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import { sleep, until } from '../../src/process/index.ts'
import { accessProcesses, childrenOf, TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const CYCLES = Number(process.env.POSTRIDER_KILL_CYCLES ?? 20)
const OWNERS = process.env.POSTRIDER_KILL_OWNERS ?? (process.platform === 'linux' ? 'process' : 'thread')
/** Processes that take connections; 1 is the main process itself. */
const ACCESS = OWNERS === 'process' ? 2 : 1
/** How long to wait for a process before the test gives up, and how long it may take at most. */
const READY_MS = 60_000
const RETURN_MS = Number(process.env.POSTRIDER_KILL_RETURN_MS ?? 5_000)
/** Cycles between two looks at everything. */
const LOOK_EVERY = 5

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
  owner: (server) => killOne(server, (now) => childrenOf(now, 'owner')),
  access: (server) => killOne(server, accessProcesses),
}

/** Kills one of several children, and waits until another is in its place. */
async function killOne(server: TestServer, list: (server: TestServer) => readonly number[]): Promise<void> {
  const { length } = await until('all run', () => (list(server).length > 1 ? list(server) : undefined), READY_MS)
  const pid = any(list(server))
  assert.ok(pid !== undefined)
  process.kill(pid, 'SIGKILL')
  await until('another runs', () => !list(server).includes(pid) && list(server).length === length, READY_MS)
  await until('the server is whole', () => ready(server), READY_MS)
}
const names = (process.env.POSTRIDER_KILL_VICTIMS ?? (OWNERS === 'process' ? 'main,owner,access' : 'main')).split(',')

test(`D1: ${CYCLES} times kill -9 of ${names} under load: nothing acknowledged is lost or altered`, {
  timeout: 120_000 + CYCLES * 60_000,
}, async (t) => {
  await using server = await TestServer.start({
    config: { ownerKind: OWNERS, owners: 2, databases: 2, accessProcesses: ACCESS },
    readyMs: READY_MS,
  })
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
  assert.ok(slowest < RETURN_MS, `it took ${slowest} ms to return`)
  for (const [kind, count] of Object.entries(ledger.counts)) assert.ok(count > 0, `no ${kind} was acknowledged`)
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})
