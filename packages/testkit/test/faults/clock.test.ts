/**
 * D9, clock jumps (shim.c moves the clock of the day; the monotonic one runs on): an hour forward, two back, forty days forward and back. UIDs, change
 * numbers and UIDVALIDITY never go back, logins work, an IDLE rings, a held Ping ends at its time: not at once, and not days later.
 * POSTRIDER_CLOCK_ROUNDS=20 goes round as often.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from '../../src/activesync/index.ts'
import { ImapClient } from '../../src/imap/index.ts'
import { temporaryFolder } from '../../src/process/index.ts'
import { monotonicNow } from './journal.ts'
import { reconcile } from './ledger.ts'
import { accounts } from './load.ts'
import { acknowledged, record, skipShim } from './rig.ts'

const ROUNDS = Number(process.env.POSTRIDER_CLOCK_ROUNDS ?? 1)
const HOUR_NS = 3_600e9
const DAY_NS = 24 * HOUR_NS
const JUMPS = [HOUR_NS, -HOUR_NS, 40 * DAY_NS, -40 * DAY_NS, 0]
const HEARTBEAT_S = 3

test(`D9: ${ROUNDS} rounds of clock jumps under load: counters only rise, who is held is answered in time`, {
  skip: skipShim,
  timeout: 180_000 + ROUNDS * 300_000,
}, async (t) => {
  using folder = temporaryFolder('clock')
  let waited = 0
  const recording = await record(folder.path, {
    config: { activesync: { minHeartbeat: '1s' } },
    async play({ server, control, ledger }) {
      const [first, quiet] = [accounts[0], { user: 'quiet@example.com', password: 'quiet-password' }]
      assert.ok(first)
      await server.addUser(quiet.user, quiet.password)
      const waiting = await ImapClient.login(server.port('imaps'), first.user, first.password)
      assert.equal((await waiting.command('SELECT INBOX')).status, 'OK')
      const phone = new Phone({
        port: server.port('https'),
        tls: true,
        user: quiet.user,
        password: quiet.password,
        deviceId: 'CLOCK1',
        deviceType: 'TestPhone',
      })
      await phone.provision()
      await phone.folderSync()
      const inbox = [...phone.folders.values()].find((one) => one.type === 2)?.serverId
      assert.ok(inbox)
      await phone.sync(inbox)
      for (let round = 0; round < ROUNDS; round++) {
        for (const jump of JUMPS) {
          const began = performance.now()
          const held = phone.ping(HEARTBEAT_S, [inbox])
          const idle = await waiting.idle()
          control.set('clockOffsetNanos', jump)
          await acknowledged(ledger, 15)
          await idle.wait(/EXISTS/, 60_000)
          await idle.stop()
          const { status } = await held
          waited = Math.max(waited, performance.now() - began)
          assert.equal(status, 1, 'the heartbeat passed, nothing had changed')
          assert.ok(performance.now() - began > (HEARTBEAT_S * 1_000) / 2, 'not before its time')
          await reconcile(server, ledger.at(monotonicNow()), accounts)
        }
      }
      waiting.close()
      assert.deepEqual([...new Set(Object.values(ledger.refused))], [0], ledger.lastRefusal)
      await server.kill()
      await server.restart()
      await reconcile(server, ledger.at(monotonicNow()), accounts)
    },
  })
  t.diagnostic(
    `${recording.ledger.promised.mails.size} mails acknowledged, longest Ping of ${HEARTBEAT_S} s: ${Math.round(waited)} ms`,
  )
  assert.ok(waited < 60_000, `a Ping of ${HEARTBEAT_S} s took ${waited} ms`)
})
