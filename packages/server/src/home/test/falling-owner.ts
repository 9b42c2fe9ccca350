/** An owner for tests: a real store, that falls when mailbox 666 is asked for, and says it stopped when 667 is. */
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import type { MailboxService } from '@postrider/domain'
import { serveOwner } from '@postrider/link'
import { openSqliteStore } from '@postrider/store/sqlite'
import type { OwnerData, OwnerNews } from '../side-channel.ts'

const { channel: name, folder, databases } = workerData as OwnerData
const channel = new BroadcastChannel(name)
const tell = (news: OwnerNews): void => channel.postMessage(news)
const store = await openSqliteStore({ folder, databases })
const info: MailboxService['info'] = async (mailbox) => {
  if (mailbox === 666) process.exit(7)
  if (mailbox === 667) tell({ kind: 'pulse', measured: [], stopped: 'one: a sync failed', away: undefined })
  return store.info(mailbox)
}
const service = new Proxy<MailboxService>(store, {
  get(target, property: keyof MailboxService) {
    if (property === 'info') return info
    const method = target[property] as (...args: unknown[]) => unknown
    return method.bind(target)
  },
})
serveOwner(parentPort, service, {
  async closed() {
    await store.close()
    channel.close()
  },
})
tell({ kind: 'open' })
