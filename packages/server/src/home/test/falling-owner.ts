/** An owner for tests: a real store, that falls when mailbox 666 is asked for, and says it stopped when 667 is. */
import type { MailboxService } from '@postrider/domain'
import { openSqliteStore } from '@postrider/store/sqlite'
import { takeSeat } from '../seat.ts'

const seat = await takeSeat()
const { folder, databases } = seat.data
const store = await openSqliteStore({ folder, databases })
const info: MailboxService['info'] = async (mailbox) => {
  if (mailbox === 666) process.exit(7)
  if (mailbox === 667)
    seat.tell({ kind: 'pulse', measured: [], stopped: 'one: a sync failed', away: undefined, memoryBytes: 0 })
  return store.info(mailbox)
}
const service = new Proxy<MailboxService>(store, {
  get(target, property: keyof MailboxService) {
    if (property === 'info') return info
    const method = target[property] as (...args: unknown[]) => unknown
    return method.bind(target)
  },
})
await seat.serve(service, { closed: () => void store.close().then(() => seat.leave()) })
