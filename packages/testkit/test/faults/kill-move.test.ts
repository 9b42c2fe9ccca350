/**
 * D1 for moves: mailboxes go to and fro between two databases under a mixed load (SMTP, IMAP, ActiveSync), while the owner of one side, of the other, or the
 * whole server is killed with kill -9 somewhere on the way. A ledger outside: nothing acknowledged is lost or there twice, every mailbox has one home.
 * 2 kills here, POSTRIDER_MOVE_KILLS=300 by hand.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep, until } from '../../src/process/index.ts'
import { childrenOf, TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const KILLS = Number(process.env.POSTRIDER_MOVE_KILLS ?? 2)
const LIMIT_MS = 120_000
const DATABASES = ['mailboxes-1', 'mailboxes-2'] as const

interface Move {
  readonly to: string
  readonly status: string
  readonly lockedMs: number | null
}

/** The newest move of an address; undefined while the server is away. */
async function statusOf(server: TestServer, address: string): Promise<Move | undefined> {
  const { code, stdout } = await server.command(['mailbox', 'status', address, '--json'])
  return code === 0 ? (JSON.parse(stdout) as Move[])[0] : undefined
}

/** Begins a move to the database where it is not. */
async function begin(server: TestServer, address: string): Promise<string> {
  return until(
    'a move begins',
    async () => {
      for (const to of DATABASES) {
        const { code } = await server.command(['mailbox', 'move', address, '--to', to])
        if (code === 0) return to
      }
      return undefined
    },
    LIMIT_MS,
  )
}

test(`D1: ${KILLS} times kill -9 of either side of a move, or of all, under load: one home, nothing lost, nothing twice`, {
  skip: process.platform === 'linux' ? false : 'needs /proc',
  timeout: 240_000 + KILLS * 120_000,
}, async (t) => {
  await using server = await TestServer.start({
    readyMs: 120_000,
    config: { ownerKind: 'process', owners: 2, databases: 2 },
  })
  for (const one of accounts) await server.addUser(one.user, one.password)
  const ledger = new Ledger()
  let stop = false
  const loaded = load(server, ledger, () => stop)
  loaded.catch(() => {}) // awaited below; a failure must not end the process before
  const locks: number[] = []
  const cycles = async (): Promise<void> => {
    await acknowledged(ledger, 5)
    for (let cycle = 0; cycle < KILLS; cycle++) {
      const { user } = accounts[cycle % accounts.length]!
      const to = await begin(server, user)
      await sleep(Math.random() * 400)
      if (cycle % 3 === 1) {
        await server.kill()
        await server.restart()
      } else {
        const owners = childrenOf(server, 'owner')
        const victim = owners[Math.floor(cycle / 2) % owners.length]
        if (victim !== undefined) process.kill(victim, 'SIGKILL')
      }
      const done = await until(
        'the move is over',
        async () => {
          const move = await statusOf(server, user)
          return move?.to === to && move.status === 'Completed' && move
        },
        LIMIT_MS,
      )
      locks.push(done.lockedMs ?? 0)
      await acknowledged(ledger, 1)
    }
  }
  try {
    await Promise.race([cycles(), loaded])
  } finally {
    stop = true
  }
  await loaded
  await reconcile(server, ledger.at(monotonicNow()), accounts)
  t.diagnostic(
    `${ledger.promised.mails.size} mails acknowledged ${JSON.stringify(ledger.counts)}; locked for ${locks.join(', ')} ms`,
  )
  assert.equal(locks.length, KILLS)
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})
