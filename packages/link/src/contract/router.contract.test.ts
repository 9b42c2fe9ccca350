import type { MailboxId, MailboxInit, MailboxService } from '@postrider/domain'
import { mailboxContract } from '@postrider/domain/contract'
import { openMemoryStore } from '@postrider/store/memory'
import { routeMailboxes } from '../router.ts'

mailboxContract('router over two memory owners', async ({ clock }) => {
  const owners = new Map([
    ['first', openMemoryStore({ clock, number: 1 })],
    ['second', openMemoryStore({ clock, number: 2 })],
  ])
  const databases = new Map<MailboxId, string>()
  const router = routeMailboxes({
    databaseOf: (mailbox) => databases.get(mailbox),
    ownerOf: (database) => owners.get(database),
    owners: () => owners.values(),
  })
  const service: MailboxService = {
    ...router,
    create: async (mailbox: MailboxId, init: MailboxInit) => {
      await router.create(mailbox, init)
      databases.set(mailbox, init.database)
    },
  }
  return {
    service,
    async close() {
      for (const owner of owners.values()) await owner.close()
    },
  }
})
