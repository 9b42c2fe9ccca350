import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FolderId, Uid } from '@postrider/domain'
import type { LedgerEntry } from './crash-child.ts'
import { temporaryFolder, testMailbox, testStore } from './testing.ts'

const CYCLES = 5

/** Lets a child deliver until it is killed; answers what it acknowledged. */
async function deliverUntilKilled(folder: string, ms: number, first: number): Promise<LedgerEntry[]> {
  const ledger: LedgerEntry[] = []
  const child: ChildProcess = fork(join(import.meta.dirname, 'crash-child.ts'), [folder, String(first)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  child.on('message', (entry: LedgerEntry) => ledger.push(entry))
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => setTimeout(() => child.kill('SIGKILL'), ms))
    child.once('exit', (code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`child ended: ${code}`))))
  })
  return ledger
}

test('D1: kill -9 under load loses nothing acknowledged, alters nothing, and no counter goes back', async (t) => {
  const folder = temporaryFolder()
  const all: LedgerEntry[] = []
  let change = 0
  let uidNext = 0
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const ledger = await deliverUntilKilled(folder, 40 + cycle * 45, all.length * 1_000)
    all.push(...ledger)
    const { store, inbox } = await testStore(t, { folder })
    const info = await store.info(testMailbox)
    const box = (await store.folders(testMailbox)).find((one) => one.id === inbox)
    for (const entry of ledger) {
      change = Math.max(change, entry.change)
      uidNext = Math.max(uidNext, entry.uid + 1)
    }
    assert.ok(info.change >= change, `change ${info.change} after ${change} was answered`)
    assert.ok(box !== undefined && box.uidNext >= uidNext, `UIDNEXT ${box?.uidNext} after ${uidNext} was answered`)
    await verify(store, inbox, all)
    assert.deepEqual((await store.check())[0]?.problems, [])
    await store.close()
  }
  assert.ok(all.length > 50, `${all.length} acknowledged deliveries`)
  assert.equal(new Set(all.map(({ uid }) => uid)).size, all.length, 'no UID twice')
})

async function verify(
  store: Awaited<ReturnType<typeof testStore>>['store'],
  folder: FolderId,
  ledger: readonly LedgerEntry[],
): Promise<void> {
  for (let i = 0; i < ledger.length; i += 500) {
    const page = ledger.slice(i, i + 500)
    const uids = page.map(({ uid }) => uid as Uid)
    const items = await store.get(testMailbox, { by: { folder, uids }, columns: ['original', 'promoted'] })
    assert.equal(items.length, page.length)
    for (const [n, item] of items.entries()) {
      const entry = page[n] as LedgerEntry
      assert.equal(item.promoted?.subject, entry.subject)
      assert.ok(item.original !== undefined)
      assert.equal(Buffer.from(await store.blob(testMailbox, item.original)).toString(), entry.text)
    }
  }
}
