/**
 * Failover of PostgreSQL under load: two servers in synchronous replication, Patroni and etcd. The primary is killed with its Patroni; the standby takes
 * over, the program goes on by itself over the same connections of its clients, and the ledger says that nothing acknowledged is lost. Originals are in
 * an object store, so nothing is on a machine that may be gone. A run by hand: POSTRIDER_FAILOVERS=1 and more.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from '../../src/activesync/index.ts'
import { ImapClient } from '../../src/imap/index.ts'
import { startPatroni, startS3 } from '../../src/peers/index.ts'
import { Pop3Client } from '../../src/pop3/index.ts'
import { sleep, until } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { acknowledged } from './rig.ts'

const BY_HAND = process.env.POSTRIDER_FAILOVERS
const FAILOVERS = Number(BY_HAND ?? 1)
const FAILOVER_MS = 180_000

test(`${FAILOVERS} times the primary of PostgreSQL is killed under load: Patroni's standby takes over, nothing acknowledged is lost`, {
  skip: BY_HAND === undefined ? 'by hand: POSTRIDER_FAILOVERS=1' : without('patroni', 'etcd', 'pg_ctlcluster'),
  timeout: 240_000 + FAILOVERS * 300_000,
}, async (t) => {
  await using cluster = await startPatroni()
  await using objects = await startS3()
  const url = await cluster.createDatabase()
  await using server = await TestServer.start({
    config: { store: { driver: 'postgres', postgres: { url }, segments: { kind: 's3', s3: objects.url } } },
    readyMs: 90_000,
  })
  for (const { user, password } of accounts) await server.addUser(user, password)
  const [{ user = '', password = '' } = {}] = accounts
  const ledger = new Ledger()
  let stop = false
  const loaded = load(server, ledger, () => stop)
  loaded.catch(() => {}) // awaited below
  const gaps: number[] = []
  const failovers = async (): Promise<void> => {
    await acknowledged(ledger, 50)
    for (let n = 0; n < FAILOVERS; n++) {
      await until('a synchronous standby', () => cluster.leader(), FAILOVER_MS)
      const idler = await ImapClient.login(server.port('imaps'), user, password)
      assert.equal((await idler.command('SELECT INBOX')).status, 'OK')
      const idle = await idler.idle()
      const killed = await cluster.leading()
      await cluster.killLeader()
      const at = monotonicNow()
      // The dead one is listed for a while, and its orphaned backends may finish what they are at.
      await until('another leader', async () => ![undefined, killed].includes(await cluster.leading()), FAILOVER_MS)
      const before = ledger.moments().length
      await until('mail is taken again', () => ledger.moments().length > before + 20, FAILOVER_MS)
      const moments = ledger.moments().filter((moment) => moment >= at - 1_000)
      gaps.push(Math.max(...moments.slice(1).map((moment, i) => moment - (moments[i] as number))))
      await idle.wait(/EXISTS/, 60_000)
      idler.close()
      cluster.restart()
    }
    const pop = await Pop3Client.login(server.port('pop3s'), user, password)
    assert.ok((await pop.lines('UIDL')).length > 0)
    await pop.quit()
    const phone = new Phone({
      port: server.port('https'),
      tls: true,
      user,
      password,
      deviceId: 'FAILOVER1',
      deviceType: 'TestPhone',
    })
    await phone.provision()
    assert.equal((await phone.folderSync()).http, 200)
    await sleep(500)
  }
  try {
    await Promise.race([failovers(), loaded])
  } catch (error) {
    throw new Error(
      `${String(error)}\nlast refusal: ${ledger.lastRefusal}\n${server.output.slice(-6_000)}\n${cluster.output().slice(-2_000)}`,
      { cause: error },
    )
  } finally {
    stop = true
  }
  await loaded
  try {
    await reconcile(server, ledger.promised, accounts)
  } catch (error) {
    throw new Error(`${String(error)}\n${server.output.slice(-6_000)}\n${cluster.output().slice(-4_000)}`, {
      cause: error,
    })
  }
  const { size } = ledger.promised.mails
  const shown = gaps.map((gap) => `${(gap / 1000).toFixed(1)} s`).join(', ')
  t.diagnostic(
    `${size} mails acknowledged ${JSON.stringify(ledger.counts)}, 0 lost; nothing was acknowledged for ${shown}`,
  )
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})
