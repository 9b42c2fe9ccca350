/**
 * Reads of one folder of 10,000 items beside 50 other mailboxes, on the owner's thread without frames: flags, indexes in batches, the change feed;
 * and bulk changes of all of them. Usage: node packages/store/bench/read.bench.ts [items]
 */
import type { MailboxId, Operation, Uid } from '@postrider/domain'
import { benchItem, benchStore, ms } from './subject.ts'

const [count = 10_000] = process.argv.slice(2).map(Number)
const { store, mailboxes, inbox, close } = await benchStore(51)
const mailbox = 1 as MailboxId
let n = 0
for (let at = 0; at < count; at += 500) {
  const adds = Array.from({ length: 500 }, (): Operation => ({ op: 'add', folder: inbox, item: benchItem(n++) }))
  await store.apply(mailbox, adds)
  for (const other of mailboxes.slice(1)) await store.apply(other, adds.slice(0, 4))
}
const { change } = await store.info(mailbox)
async function timed(name: string, run: () => Promise<unknown>, times = 7): Promise<void> {
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    const began = performance.now()
    await run()
    took.push(performance.now() - began)
  }
  took.sort((a, b) => a - b)
  console.log(`${name.padEnd(44)} median ${ms(took[times >> 1] as number)}, best ${ms(took[0] as number)}`)
}
const columns = ['uid', 'flags', 'keywords', 'change'] as const
await timed(`scan uid, flags, keywords, change of ${count}`, () => store.scan(mailbox, { folder: inbox, columns }))
await timed('scan uid, flags', () => store.scan(mailbox, { folder: inbox, columns: ['uid', 'flags'] }))
await timed('scan newest 50', () =>
  store.scan(mailbox, { folder: inbox, columns: ['uid', 'mid', 'received'], order: 'newest', limit: 50 }),
)
await timed(
  `get index of ${count}, 1,000 at a time`,
  async () => {
    for (let at = 0; at < count; at += 1_000) {
      const uids = Array.from({ length: 1_000 }, (_, i) => (at + i + 1) as Uid)
      await store.get(mailbox, { by: { folder: inbox, uids }, columns: ['index'] })
    }
  },
  3,
)
await timed('get promoted of the newest 50', () => {
  const uids = Array.from({ length: 50 }, (_, i) => (count - i) as Uid)
  return store.get(mailbox, { by: { folder: inbox, uids }, columns: ['promoted'] })
})
await timed('changes since the last: none', () => store.changes(mailbox, { since: change, limit: 500 }))
await timed('changes: 100', () => store.changes(mailbox, { since: (change - 100) as never, limit: 500 }))
await timed(`changes: ${count}`, () => store.changes(mailbox, { since: 0 as never, limit: 100_000 }), 3)
const uids = Uint32Array.from({ length: count }, (_, i) => i + 1)
await timed(`flag ${count}`, () => store.apply(mailbox, [{ op: 'flag', folder: inbox, items: { uids }, set: 1 }]), 1)
const trash = (await store.folders(mailbox)).find((one) => one.role === 'deleteditems')
if (trash === undefined) throw new Error('no Deleted Items')
await timed(
  `move ${count}`,
  () => store.apply(mailbox, [{ op: 'move', from: inbox, items: { uids }, to: trash.id }]),
  1,
)
await timed(`remove ${count}`, () => store.apply(mailbox, [{ op: 'remove', folder: trash.id, items: { uids } }]), 1)
await close()
