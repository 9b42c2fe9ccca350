import { mailboxContract } from '@postrider/domain/contract'
import { openMemoryStore } from './index.ts'

mailboxContract('memory', async ({ clock }) => {
  const service = openMemoryStore({ clock })
  return {
    service,
    close: () => service.close(),
    forgetTombstones: (mailbox) => service.forgetTombstones(mailbox),
  }
})
