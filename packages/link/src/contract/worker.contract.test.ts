import { mailboxContract } from '@postrider/domain/contract'
import { Caller } from '../caller.ts'
import { startOwnerWorker } from '../carriers/worker.ts'

mailboxContract(
  'link (worker) over memory',
  async ({ clock }) => {
    const worker = startOwnerWorker(new URL('./memory-worker.ts', import.meta.url), { clock: clock.shared })
    const caller = new Caller()
    caller.attach(worker.channel)
    return {
      service: caller.service,
      async close() {
        caller.close()
        await worker.stop()
      },
    }
  },
  { modelRuns: 20 },
)
