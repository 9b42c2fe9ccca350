/** Entry of the thread that reads the databases through, slowly, as long as the store is open. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { isDomainError } from '@postrider/domain'
import { Pace, Stopped } from './pace.ts'
import { Scrub, type ScrubNews } from './scrub.ts'
import type { ScrubOrder, ScrubStart } from './scrubber.ts'

const { databases, rate, activity } = workerData as ScrubStart
/** Between two looks whether a round is due. */
const LOOK_MS = 60_000
const NICE = 15
if (process.platform === 'linux') setPriority(0, NICE)

const pace = new Pace(rate, new Int32Array(activity))
parentPort?.on('message', (order: ScrubOrder) => {
  if (order.kind === 'rate') pace.rate = order.rate
  else pace.stop()
})
const tell = (news: ScrubNews): void => parentPort?.postMessage(news)
const scrubs = databases.map(
  (database) => new Scrub(database, { tell, now: () => Date.now(), pace: (bytes) => pace.of(bytes) }),
)
try {
  for (;;) {
    await pace.on()
    for (const scrub of scrubs) {
      if (!scrub.due) continue
      try {
        await scrub.round()
      } catch (error) {
        if (error instanceof Stopped) throw error
        const detail = isDomainError(error) ? error.message : String(error)
        parentPort?.postMessage({ kind: 'failed', detail })
      }
    }
    await pace.sleep(LOOK_MS)
  }
} catch (error) {
  if (!(error instanceof Stopped)) throw error
}
parentPort?.close()
