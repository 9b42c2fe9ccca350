import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { mailboxContract } from '@postrider/domain/contract'
import { openPostgresStore } from '@postrider/store/postgres'
import { startPostgres } from '../../src/peers/index.ts'
import { without } from '../../src/programs/index.ts'

const missing = without('pg_ctlcluster')
if (missing) test('mailbox service: postgres', { skip: missing }, () => undefined)
else {
  // What is tested is not what the disk does.
  const server = await startPostgres({ fsync: 'off' })
  after(() => server[Symbol.asyncDispose]())
  mailboxContract(
    'postgres',
    async ({ clock }) => {
      const folder = mkdtempSync(join(tmpdir(), 'postrider-store-'))
      const urls = [await server.createDatabase()]
      const service = await openPostgresStore({ urls, folder, databases: ['first', 'second'], clock })
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
}
