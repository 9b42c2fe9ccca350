import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailboxContract } from '@postrider/domain/contract'
import { openMemoryStore } from '@postrider/store/memory'
import { Caller } from '../caller.ts'
import { connectSocket, listenSocket, TOKEN_BYTES } from '../carriers/socket.ts'
import { serveChannel } from '../owner.ts'

mailboxContract(
  'link (unix socket) over memory',
  async ({ clock }) => {
    const store = openMemoryStore({ clock })
    const folder = mkdtempSync(join(tmpdir(), 'link-'))
    const path = join(folder, 'owner.sock')
    const token = randomBytes(TOKEN_BYTES)
    const listening = await listenSocket(path, token, (channel) => serveChannel(store, channel))
    const caller = new Caller()
    caller.attach(await connectSocket(path, token))
    return {
      service: caller.service,
      forgetTombstones: (mailbox) => store.forgetTombstones(mailbox),
      async close() {
        caller.close()
        listening.close()
        rmSync(folder, { recursive: true })
        await store.close()
      },
    }
  },
  { modelRuns: 20 },
)
