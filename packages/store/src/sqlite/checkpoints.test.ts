import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noMeter, silentLog } from '@postrider/domain'
import { CHECKPOINT_FRAMES, Checkpoints } from './checkpoints.ts'
import { testMail, testMailbox, testStore } from './testing.ts'

/** A log of which each pass of the other thread copies all but some frames. */
function logged(leftAfter: readonly number[]) {
  const calls: string[] = []
  let passes = 0
  const database = { name: 'db', logFrames: () => CHECKPOINT_FRAMES + 1, copyLog: () => void calls.push('owner') }
  const copy = async (): Promise<number> => {
    calls.push('thread')
    return leftAfter[passes++] ?? 0
  }
  return { calls, checkpoints: new Checkpoints(database, copy, silentLog, noMeter) }
}
const turns = async (checkpoints: Checkpoints, commits: number): Promise<void> => {
  for (let i = 0; i < commits; i++) checkpoints.committed()
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

test('the other thread copies until little is left; the owner copies the rest', async () => {
  const { calls, checkpoints } = logged([3_000, 900, 100])
  await turns(checkpoints, 7)
  assert.deepEqual(calls, [])
  await turns(checkpoints, 1)
  assert.deepEqual(calls, ['thread', 'thread', 'thread', 'owner'])
})

test('while readers hold the log, the owner does not copy what would hold up the writer', async () => {
  const { calls, checkpoints } = logged([4_000, 4_000, 4_000, 4_000, 4_000])
  await turns(checkpoints, 8)
  assert.deepEqual(calls, Array<string>(5).fill('thread'))
})

test('the log is used again and again, not made longer', async (t) => {
  const { store, folder, inbox } = await testStore(t)
  const index = new Uint8Array(200_000).fill(7)
  const log = join(folder, 'mailboxes/db/mailbox.sqlite-wal')
  // On a busy machine the other thread comes late: what counts is that the log begins anew at some time.
  let written = 0
  do {
    await store.apply(testMailbox, [{ op: 'add', folder: inbox, item: testMail(`${written}`, 'x', { index }) }])
    written += index.length
  } while (statSync(log).size > written - 10_000_000 && written < 1_000_000_000)
  assert.ok(written < 1_000_000_000, `${statSync(log).size} bytes of log after ${written} were written`)
})
