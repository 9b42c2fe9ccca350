/**
 * COPY, flags, MOVE and removal of 1,000 of 10,000 items, in one stretch and every third one, and originals read together: processor time of the
 * owner's thread alone (the sync is waited for, not worked), which other work on the machine hardly touches. Usage: node
 * packages/store/bench/bulk.bench.ts [rounds]
 */
import { MAX_BLOB_CHUNK, type MailboxId, type Operation } from '@postrider/domain'
import { benchItem, benchStore, ms } from './subject.ts'

const [rounds = 9] = process.argv.slice(2).map(Number)
const { store, inbox, close } = await benchStore(1)
const mailbox = 1 as MailboxId
for (let at = 0; at < 10_000; at += 500) {
  const adds = Array.from({ length: 500 }, (_, i): Operation => ({ op: 'add', folder: inbox, item: benchItem(at + i) }))
  await store.apply(mailbox, adds)
}
const roles = new Map((await store.folders(mailbox)).map(({ role, id }) => [role, id]))
const [drafts, trash] = [roles.get('drafts'), roles.get('deleteditems')]
if (drafts === undefined || trash === undefined) throw new Error('no folders')

const taken = new Map<string, number[]>()
async function timed<T>(name: string, run: () => Promise<T>): Promise<T> {
  const { user, system } = process.threadCpuUsage()
  const result = await run()
  const now = process.threadCpuUsage()
  taken.set(name, [...(taken.get(name) ?? []), (now.user - user + now.system - system) / 1_000])
  return result
}

const all = async (folder: typeof inbox): Promise<Uint32Array> =>
  (await store.scan(mailbox, { folder, columns: ['uid'] })).uid
const apply = (name: string, operation: Operation): Promise<unknown> =>
  timed(name, () => store.apply(mailbox, [operation]))

for (const [how, step] of [
  ['in one stretch', 1],
  ['every third', 3],
] as const) {
  for (let round = 0; round < rounds; round++) {
    const uids = Uint32Array.from({ length: 1_000 }, (_, i) => 1 + i * step)
    await apply(`copy ${how}`, { op: 'copy', from: inbox, items: { uids }, to: drafts })
    const spread = (await all(drafts)).filter((_, i) => i % step === 0)
    await apply(`flags ${how}`, { op: 'flag', folder: drafts, items: { uids: spread }, set: 8 })
    await apply(`move ${how}`, { op: 'move', from: drafts, items: { uids: spread }, to: trash })
    await apply(`remove ${how}`, { op: 'remove', folder: trash, items: { uids: await all(trash) } })
    await store.apply(mailbox, [{ op: 'remove', folder: drafts, items: { uids: await all(drafts) } }])
  }
}
for (let round = 0; round < rounds; round++) {
  const uids = Uint32Array.from({ length: 1_000 }, (_, i) => i + 1)
  const most = MAX_BLOB_CHUNK
  await timed('originals of 1,000 read together', async () => {
    for (let at = 0; at < uids.length; at += 100)
      await store.originals(mailbox, { folder: inbox, uids: uids.subarray(at, at + 100), largest: most, most })
  })
}
for (const [name, times] of taken) {
  times.sort((a, b) => a - b)
  console.log(`${name.padEnd(34)} median ${ms(times[times.length >> 1] as number)}, best ${ms(times[0] as number)}`)
}
await close()
