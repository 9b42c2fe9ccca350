/** The child of crash.test.ts: delivers into a store until it is killed, and tells its parent of each answer. */
import { openPostgresStore } from '@postrider/store/postgres'
import { deliver, prepare } from './ledger.ts'

const [url = '', folder = '', first = '0'] = process.argv.slice(2)
const store = await openPostgresStore({ urls: [url], folder, databases: ['db'], segmentBytes: 200_000 })
const inbox = await prepare(store)
let n = Number(first)
const go = async (): Promise<never> => {
  for (;;) process.send?.(await deliver(store, inbox, n++))
}
await Promise.all(Array.from({ length: 16 }, go))
