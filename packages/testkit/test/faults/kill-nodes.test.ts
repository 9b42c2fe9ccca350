/**
 * D1 for moves between machines: mailboxes go from one node to the other and back under a mixed load, while either node is killed with kill -9
 * somewhere on the way. The move ends, or is taken up again; every mailbox has one home, nothing acknowledged is lost or there twice.
 * 3 kills here, POSTRIDER_NODE_KILLS=100 by hand.
 */
import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { freePorts, run, sleep, temporaryFolder, until } from '../../src/process/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const KILLS = Number(process.env.POSTRIDER_NODE_KILLS ?? 3)
const LIMIT_MS = 120_000
/** Somewhere on the way of a move. */
const SOON_MS = 500
const main = resolve(import.meta.dirname, '..', '..', '..', 'server', 'src', 'main.ts')
/** Where a mailbox may go: the other node's first database, or that of the directory's node. */
const PLACES = ['beta', 'mailboxes-1'] as const

interface Move {
  readonly to: string
  readonly status: string
  readonly lockedMs: number | null
}

async function ok(server: TestServer, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await server.command(args)
  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** The newest move of an address. */
const moveOf = async (server: TestServer, address: string): Promise<Move | undefined> =>
  (JSON.parse(await ok(server, 'mailbox', 'status', address, '--json')) as Move[])[0]

/** Begins a move to where the mailbox is not. */
const begin = (server: TestServer, address: string): Promise<string> =>
  until(
    'a move begins',
    async () => {
      for (const to of PLACES)
        if ((await server.command(['mailbox', 'move', address, '--to', to])).code === 0) return to
      return undefined
    },
    LIMIT_MS,
  )

test(`D1: ${KILLS} times kill -9 of either node while mailboxes move between them under load: one home, nothing lost, nothing twice`, {
  timeout: 300_000 + KILLS * 120_000,
}, async (t) => {
  using folder = temporaryFolder('kill-nodes')
  const base = await freePorts(2)
  await using alpha = await TestServer.start({ readyMs: LIMIT_MS })
  await ok(alpha, 'node', 'init', 'alpha', '--address', `127.0.0.1:${base}`)
  await alpha.stop()
  await alpha.restart()
  await ok(alpha, 'node', 'add', 'beta', '--address', `127.0.0.1:${base + 1}`)
  const joined = await run(process.execPath, [main, 'node', 'join', join(alpha.folder, 'node', 'beta.join')], {
    env: { POSTRIDER_DATA: folder.path },
  })
  assert.equal(joined.code, 0, joined.stderr)
  await using beta = await TestServer.start({ readyMs: LIMIT_MS, folder: folder.path })
  for (const one of accounts) await alpha.addUser(one.user, one.password)
  const nodes = [beta, alpha]
  const ledger = new Ledger()
  let stop = false
  const loaded = load(alpha, ledger, () => stop)
  loaded.catch(() => {}) // awaited below
  const locks: number[] = []
  const cycles = async (): Promise<void> => {
    await acknowledged(ledger, 5)
    for (let cycle = 0; cycle < KILLS; cycle++) {
      const { user } = accounts[cycle % accounts.length]!
      const to = await begin(alpha, user)
      await sleep(Math.random() * SOON_MS)
      const victim = nodes[cycle % nodes.length]!
      await victim.kill()
      await victim.restart()
      const done = await until(
        'the move is over',
        async () => {
          const move = await moveOf(alpha, user)
          return move?.to.startsWith(to) && move.status === 'Completed' && move
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
  assert.equal(locks.length, KILLS)
  // Through either node the same, and everything of it.
  for (const server of nodes) {
    await reconcile(server, ledger.at(monotonicNow()), accounts)
    await ok(server, 'store', 'check', '--json')
  }
  for (const { user, password } of accounts) await thereOnce(alpha, user, password)
  t.diagnostic(
    `${ledger.promised.mails.size} mails acknowledged ${JSON.stringify(ledger.counts)}; locked for ${locks.join(', ')} ms`,
  )
})

/** No mail came twice: each was sent once, and a kill in the middle of an answer makes nobody here send it again. */
async function thereOnce(server: TestServer, user: string, password: string): Promise<void> {
  const client = await ImapClient.login(server.port('imaps'), user, password)
  for (const folder of ['Archive', 'Junk Email', 'Sent Items']) {
    await client.command(`SELECT "${folder}"`)
    const { untagged } = await client.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])', undefined, LIMIT_MS)
    const ids = untagged.flatMap((row) => /Message-ID: (<[^>]+>)/i.exec(row)?.[1] ?? [])
    assert.equal(new Set(ids).size, ids.length, `${user}/${folder}`)
  }
  client.close()
}
