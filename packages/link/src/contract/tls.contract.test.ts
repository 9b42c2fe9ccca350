import { mailboxContract } from '@postrider/domain/contract'
import { openMemoryStore } from '@postrider/store/memory'
import { Caller } from '../caller.ts'
import { streamChannel } from '../carriers/stream.ts'
import { serveChannel } from '../owner.ts'
import { identity, mutualTls } from './test-tls.ts'

const [ownerIdentity, callerIdentity] = [identity('owner'), identity('caller')]

mailboxContract(
  'link (mutual TLS) over memory',
  async ({ clock }) => {
    const store = openMemoryStore({ clock })
    const server = await mutualTls(ownerIdentity, callerIdentity, (socket) =>
      serveChannel(store, streamChannel(socket)),
    )
    const caller = new Caller()
    caller.attach(streamChannel(await server.connect()))
    return {
      service: caller.service,
      forgetTombstones: (mailbox) => store.forgetTombstones(mailbox),
      async close() {
        caller.close()
        server.close()
        await store.close()
      },
    }
  },
  { modelRuns: 20 },
)
