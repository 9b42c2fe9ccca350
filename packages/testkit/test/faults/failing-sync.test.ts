/**
 * D3, failing sync: the k-th sync of the running program fails with EIO, and what it should have written is gone although later ones succeed, as
 * on Linux. Nobody is told yes for what was in flight, the database is opened anew from its log, the load goes on, and then the power is cut:
 * what was acknowledged before and afterwards is there. POSTRIDER_SYNC_FAILURES=50 runs as many.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder, until } from '../../src/process/index.ts'
import { monotonicNow, randomFrom } from './journal.ts'
import { reconcile } from './ledger.ts'
import { accounts } from './load.ts'
import { acknowledged, cutPower, record, skipShim } from './rig.ts'

const FAILURES = Number(process.env.POSTRIDER_SYNC_FAILURES ?? 2)
const CUTS = 4
/** Cuts at a start that found such a commit, and shortly behind it, ms. */
const LOG_CUTS = 6
const SOON_MS = 300
/** Which sync fails, counted from the moment it is told. */
const MOST_SYNCS = 60
/** Of those of write-ahead logs alone. */
const MOST_LOG_SYNCS = 6
const seed = Number(process.env.POSTRIDER_SYNC_SEED ?? Date.now() % 1_000_000)

test(`D3: ${FAILURES} times a failing sync: never a success answer, recovery from the log, and a power cut after it loses nothing`, {
  skip: skipShim,
  timeout: 120_000 + FAILURES * 300_000,
}, async (t) => {
  const random = randomFrom(seed)
  for (let n = 0; n < FAILURES; n++) {
    using folder = temporaryFolder('failing-sync')
    // A commit that no disk has, and that the next start sees: of all syncs, and of all moments, these are met too seldom.
    const isLog = n % 4 === 0
    const cuts: { from: number; to?: number } = { from: 0 }
    let ledgerSize = 0
    const recording = await record(folder.path, {
      async play({ server, control, ledger }) {
        await acknowledged(ledger, 30)
        control.set('failLogsOnly', isLog ? 1 : 0)
        control.set('failSyncIn', 1 + Math.floor(random() * (isLog ? MOST_LOG_SYNCS : MOST_SYNCS)))
        await until('a sync failed', () => control.get('syncsFailed') > 0, 60_000)
        // Every other time the program does not even come to tidy up: its next start finds the log as the kernel shows it, not as the disk has it.
        if (n % 2 === 0) {
          await server.kill()
          cuts.from = monotonicNow()
          await server.restart()
          if (isLog) cuts.to = monotonicNow() + SOON_MS
        } else cuts.from = monotonicNow()
        ledgerSize = ledger.promised.mails.size
        await acknowledged(ledger, 60)
        await reconcile(server, ledger.at(monotonicNow()), accounts)
      },
    })
    const refused = Object.values(recording.ledger.refused).reduce((a, b) => a + b, 0)
    assert.ok(refused > 0, 'who waited for the sync was refused')
    const disk = await cutPower(recording, folder.path, { count: isLog ? LOG_CUTS : CUTS, random, ...cuts })
    const all = recording.ledger.promised.mails.size
    t.diagnostic(`seed ${seed}: ${disk.failures()}, ${ledgerSize} mails before, ${all} in all, ${refused} refusals`)
  }
})
