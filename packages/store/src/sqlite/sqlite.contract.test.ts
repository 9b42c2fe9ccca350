import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailboxContract } from '@postrider/domain/contract'
import { openSqliteStore } from './index.ts'

mailboxContract(
  'sqlite',
  async ({ clock }) => {
    const folder = mkdtempSync(join(tmpdir(), 'postrider-store-'))
    const service = await openSqliteStore({ folder, databases: ['first', 'second'], clock, reserveBytes: 65_536 })
    return {
      service,
      close: async () => {
        await service.close()
        rmSync(folder, { recursive: true })
      },
      forgetTombstones: (mailbox) => service.forgetTombstones(mailbox),
    }
  },
  { modelRuns: 20 },
)
