/**
 * Slow disk: every sync takes its time (shim.c), and so do the answers that wait for one; nothing is refused, no connection ends, who waits in IDLE
 * is told. 150 ms a sync here, POSTRIDER_SLOW_SYNC_MS=2000 and POSTRIDER_SLOW_MAILS=400 by hand.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { sleep, temporaryFolder } from '../../src/process/index.ts'
import { SmtpClient } from '../../src/smtp/index.ts'
import { testMail } from '../mails.ts'
import { monotonicNow } from './journal.ts'
import { reconcile } from './ledger.ts'
import { accounts } from './load.ts'
import { acknowledged, record, skipShim } from './rig.ts'

const SYNC_MS = Number(process.env.POSTRIDER_SLOW_SYNC_MS ?? 150)
const MAILS = Number(process.env.POSTRIDER_SLOW_MAILS ?? 40)

test(`slow disk: ${SYNC_MS} ms a sync: slower answers, no refusal, no connection ends, nothing is lost`, {
  skip: skipShim,
  timeout: 300_000 + MAILS * SYNC_MS * 10,
}, async (t) => {
  using folder = temporaryFolder('slow-disk')
  await record(folder.path, {
    async play({ server, control, ledger }) {
      const [first] = accounts
      assert.ok(first)
      await acknowledged(ledger, 10)
      const waiting = await ImapClient.login(server.port('imaps'), first.user, first.password)
      assert.equal((await waiting.command('SELECT INBOX')).status, 'OK')
      const idle = await waiting.idle()
      const before = { ...ledger.refused }
      const syncs = control.get('syncsSeen')
      control.set('syncDelayMicros', SYNC_MS * 1_000)
      await acknowledged(ledger, MAILS)
      const client = await SmtpClient.connect(server.port('smtp'))
      const began = performance.now()
      const mail = testMail({ from: 'ann@outside.example', to: first.user, subject: 'slow' })
      await client.deliver('ann@outside.example', first.user, mail.text)
      const took = performance.now() - began
      client.close()
      await idle.wait(/EXISTS/, 60_000)
      await idle.stop()
      assert.ok(took >= SYNC_MS, `a delivery took ${took} ms`)
      assert.deepEqual(ledger.refused, before, ledger.lastRefusal)
      control.set('syncDelayMicros', 0)
      await acknowledged(ledger, 10)
      await reconcile(server, ledger.at(monotonicNow()), accounts)
      waiting.close()
      await sleep(1)
      t.diagnostic(
        `${control.get('syncsSeen') - syncs} syncs of ${SYNC_MS} ms; one delivery took ${Math.round(took)} ms`,
      )
    },
  })
})
