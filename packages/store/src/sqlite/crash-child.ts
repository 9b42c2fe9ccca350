/** The child of crash.test.ts: delivers into a store until it is killed, and tells its parent of each answer. */
import type { MailboxId } from '@postrider/domain'
import { openSqliteStore } from './index.ts'
import { testMail } from './testing.ts'

/** One acknowledged delivery. */
export interface LedgerEntry {
  readonly subject: string
  readonly text: string
  readonly uid: number
  readonly change: number
}

const [folder, first] = process.argv.slice(2)
if (folder === undefined) throw new Error('folder missing')
const id = 1 as MailboxId
const store = await openSqliteStore({ folder, databases: ['db'], reserveBytes: 64 * 1024, segmentBytes: 200_000 })
await store.create(id, { language: 'en', quota: undefined, database: 'db' })
const inbox = (await store.folders(id)).find((one) => one.role === 'inbox')
if (inbox === undefined) throw new Error('no inbox')

let n = Number(first)
const deliver = async (): Promise<never> => {
  for (;;) {
    const subject = `mail ${n++}`
    const item = testMail(subject, `${subject} `.repeat((n % 50) + 1))
    if (item.original === undefined || !('bytes' in item.original)) throw new Error('no bytes')
    const text = Buffer.from(item.original.bytes).toString()
    const { results } = await store.apply(id, [{ op: 'add', folder: inbox.id, item }])
    const added = results[0]
    if (added?.op !== 'add') throw new Error('not added')
    process.send?.({ subject, text, uid: added.uid, change: added.change } satisfies LedgerEntry)
  }
}
await Promise.all(Array.from({ length: 8 }, deliver))
