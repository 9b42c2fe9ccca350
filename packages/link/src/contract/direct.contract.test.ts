import { mailboxContract } from '@postrider/domain/contract'
import { openMemoryStore } from '@postrider/store/memory'
import { Caller } from '../caller.ts'
import { directChannel } from '../carriers/direct.ts'
import { serveChannel } from '../owner.ts'

mailboxContract('link (direct) over memory', async ({ clock }) => {
  const store = openMemoryStore({ clock })
  const [near, far] = directChannel()
  serveChannel(store, far)
  const caller = new Caller()
  caller.attach(near)
  return {
    service: caller.service,
    forgetTombstones: (mailbox) => store.forgetTombstones(mailbox),
    async close() {
      caller.close()
      await store.close()
    },
  }
})
