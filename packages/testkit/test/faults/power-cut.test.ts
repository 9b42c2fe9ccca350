/**
 * D2, power cut: every change of a file and every sync of the running program is written down by shim.c; from the log the data folder is built as a
 * power cut at some moment may leave it (journal.ts), a server starts on it, and everything acknowledged before that moment must be there.
 * The run holds a kill -9 with its recovery, and an orderly stop with its last checkpoint. A few images here; POSTRIDER_POWER_CUTS=300
 * makes as many, POSTRIDER_POWER_CUT_SEED takes the same choices over another recording.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/process/index.ts'
import { randomFrom } from './journal.ts'
import { acknowledged, cutPower, type Recording, record, skipShim } from './rig.ts'

const CUTS = Number(process.env.POSTRIDER_POWER_CUTS ?? 6)
/** Images from one recording. */
const CUTS_A_RUN = 30
/** Acknowledged mails between two events of a recording. */
const MAILS = CUTS > CUTS_A_RUN ? 600 : 80
const seed = Number(process.env.POSTRIDER_POWER_CUT_SEED ?? Date.now() % 1_000_000)

const recordLives = (folder: string): Promise<Recording> =>
  record(folder, {
    async play({ server, ledger }) {
      await acknowledged(ledger, MAILS)
      await server.kill()
      await server.restart()
      await acknowledged(ledger, MAILS)
      await server.stop()
      await server.restart()
      await acknowledged(ledger, MAILS / 4)
    },
  })

test(`D2: ${CUTS} power cuts under load: nothing acknowledged is lost or altered, no counter goes back`, {
  skip: skipShim,
  timeout: 240_000 + CUTS * 60_000,
}, async (t) => {
  const random = randomFrom(seed)
  for (let left = CUTS; left > 0; left -= CUTS_A_RUN) {
    using folder = temporaryFolder('power-cut')
    const recording = await recordLives(folder.path)
    await cutPower(recording, folder.path, { count: Math.min(left, CUTS_A_RUN), random })
    const { promised, counts } = recording.ledger
    t.diagnostic(`seed ${seed}: ${promised.mails.size} mails acknowledged ${JSON.stringify(counts)}`)
    // The rig sees what it is there to see: without its syncs the same program would have lost mail.
    const careless = { count: 1, random, ignoreSyncs: true, modes: ['none'] as const, from: lastThird(recording) }
    await assert.rejects(cutPower(recording, folder.path, careless), /acknowledged|UIDNEXT|lost/)
  }
})

const lastThird = ({ ledger }: Recording): number => ledger.moments().at(-Math.ceil(MAILS / 3)) ?? 0
