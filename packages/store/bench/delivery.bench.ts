/**
 * Durable deliveries of 4 KB mails into random mailboxes, answered after the sync: the engine alone, on its own thread, without frames. Usage:
 * node packages/store/bench/delivery.bench.ts [in flight] [seconds] [bytes] [mailboxes]
 */
import { benchItem, benchStore, ms, percentile } from './subject.ts'

const [inFlight = 64, seconds = 4, bytes = 4096, mailboxes = 1000] = process.argv.slice(2).map(Number)
const { store, mailboxes: ids, inbox, close } = await benchStore(mailboxes)
const latencies: number[] = []
let n = 0
const cpu = process.threadCpuUsage()
const start = performance.now()
const end = start + seconds * 1000
await Promise.all(
  Array.from({ length: inFlight }, async () => {
    while (performance.now() < end) {
      const item = benchItem(n++, bytes)
      const id = ids[Math.floor(Math.random() * ids.length)]!
      const sent = performance.now()
      await store.apply(id, [{ op: 'add', folder: inbox, item }])
      latencies.push(performance.now() - sent)
    }
  }),
)
const took = (performance.now() - start) / 1000
const { user, system } = process.threadCpuUsage(cpu)
const each = (user + system) / latencies.length
console.log(
  `${inFlight} in flight, ${bytes} bytes, ${mailboxes} mailboxes: ${Math.round(latencies.length / took)} deliveries/s,`,
  `p50 ${ms(percentile(latencies, 0.5))}, p99 ${ms(percentile(latencies, 0.99))}, ${each.toFixed(0)} µs of the thread each`,
)
await close()
