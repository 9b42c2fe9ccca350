import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { type FolderId, type MailboxId, type MailboxService, mailItem } from '@postrider/domain'
import { mailboxContract } from '@postrider/domain/contract'
import { openPostgresStore } from '@postrider/store/postgres'
import { parseS3Url, type S3Options } from '@postrider/store/s3'
import { startPostgres, startS3 } from '../../src/peers/index.ts'
import { until } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'

const missing = without('pg_ctlcluster')
const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-objects-'))
  folders.push(folder)
  return folder
}

if (missing) test('originals in an object store', { skip: missing }, () => undefined)
else {
  const server = await startPostgres({ fsync: 'off' })
  const store = await startS3()
  after(async () => {
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  const bucket = (prefix: string): S3Options => {
    const options = parseS3Url(store.url) as S3Options
    return { ...options, prefix: `${options.prefix}${prefix}/`, silenceMs: 2_000 }
  }
  const objects = (prefix: string) => ({
    bucket: bucket(prefix),
    cacheBytes: 1024 * 1024,
    segmentBytes: 64 * 1024,
    gatherMs: 20,
  })

  // Where the originals are is all that differs from contract.test.ts: minutes for little, so by hand.
  let runs = 0
  const contract: typeof mailboxContract = process.env.POSTRIDER_CONTRACT === '1' ? mailboxContract : () => {}
  contract(
    'postgres, originals in an object store',
    async ({ clock }) => {
      const urls = [await server.createDatabase()]
      const service = await openPostgresStore({
        urls,
        folder: newFolder(),
        databases: ['first', 'second'],
        clock,
        objects: objects(`contract-${++runs}`),
      })
      // Everything is on its way to segments, or to other segments, all the time.
      let work: Promise<unknown> = Promise.resolve()
      const beside = setInterval(() => {
        work = work.then(() => service.keepHouse()).catch(() => undefined)
      }, 100)
      return {
        service,
        async close() {
          clearInterval(beside)
          await work
          await service.close()
        },
        forgetTombstones: (mailbox) => service.forgetTombstones(mailbox),
      }
    },
    { modelRuns: 3 },
  )

  suite('originals in an object store', () => {
    const mailbox = 1 as MailboxId
    const text = (n: number): Buffer =>
      Buffer.from(`From: a@example.com\r\nSubject: mail ${n}\r\n\r\n${`${n} lorem ipsum\r\n`.repeat(300)}`)
    const deliver = async (service: MailboxService, count: number): Promise<void> => {
      const folder = (await service.folders(mailbox)).find(({ role }) => role === 'inbox')?.id as FolderId
      await Promise.all(
        Array.from({ length: count }, (_, n) =>
          service.apply(mailbox, [{ op: 'add', folder, item: mailItem(text(n), { received: 1_760_000_000_000 + n }) }]),
        ),
      )
    }
    const readAll = async (service: MailboxService): Promise<number> => {
      const folder = (await service.folders(mailbox)).find(({ role }) => role === 'inbox')?.id as FolderId
      const { mid } = await service.scan(mailbox, { folder, columns: ['mid'] })
      const items = await service.get(mailbox, { by: { mids: [...mid] as never }, columns: ['original'] })
      const seen = new Set<number>()
      for (const item of items) {
        const bytes = await service.blob(mailbox, item.original as never)
        const n = Number(/Subject: mail (\d+)/.exec(Buffer.from(bytes).toString())?.[1])
        assert.deepEqual(Buffer.from(bytes), text(n))
        seen.add(n)
      }
      return seen.size
    }
    const stagedRows = (database: string) => server.sql(database, 'SELECT count(*) FROM postrider_db1.staged')
    const keysOf = (prefix: string) => [...store.objects.keys()].filter((key) => key.startsWith(`folder/${prefix}/`))

    test('deliveries go on while the store is away; when it is back all goes there, and only then leaves the database', async () => {
      const url = await server.createDatabase()
      const database = url.slice(url.lastIndexOf('/') + 1)
      const options = { urls: [url], databases: ['db1'], objects: objects('away') }
      const folder = newFolder()
      let service = await openPostgresStore({ ...options, folder })
      await service.create(mailbox, { language: 'en', quota: undefined, database: 'db1' })
      store.faults = [{ kind: 'error', method: 'PUT' }]
      await deliver(service, 100)
      assert.equal(await readAll(service), 100)
      assert.equal(await stagedRows(database), '100')
      store.faults = []
      await until('all originals are in the bucket', async () => (await stagedRows(database)) === '0', 60_000)
      assert.ok(keysOf('away').length > 3)
      assert.equal(await readAll(service), 100)
      const [report] = await service.check()
      assert.deepEqual([report?.problems, report?.originals], [[], 100])
      await service.close()

      // Another machine, with nothing of its own; an orphan of an earlier owner goes.
      const orphan = `folder/away/db1/${String(2 ** 20 + 77_777).padStart(16, '0')}.seg`
      store.objects.set(orphan, new Uint8Array(10))
      const elsewhere = newFolder()
      service = await openPostgresStore({ ...options, folder: elsewhere })
      store.faults = [{ kind: 'cut', method: 'GET', times: 2 }]
      assert.equal(await readAll(service), 100)
      store.faults = []
      await until('the orphan is gone', async () => !store.objects.has(orphan))

      // The cache is a cache: damaged, it is fetched anew.
      const cache = join(elsewhere, 'mailboxes', 'db1', 'cache')
      assert.ok(readdirSync(cache).length > 0)
      for (const name of readdirSync(cache)) writeFileSync(join(cache, name), 'damage')
      assert.equal(await readAll(service), 100)

      // What nothing names any more leaves the bucket.
      await service.destroy(mailbox)
      await service.keepHouse()
      await service.keepHouse()
      assert.deepEqual(keysOf('away'), [])
      await service.close()
    })

    for (const kind of ['folder', 'bucket'] as const)
      test(`room of deleted mails is given back while new ones arrive and all are read: ${kind}`, async () => {
        const url = await server.createDatabase()
        const folder = newFolder()
        const options = { urls: [url], databases: ['db1'], folder, segmentBytes: 64 * 1024 }
        const service = await openPostgresStore({
          ...options,
          ...(kind === 'folder' ? {} : { objects: objects('room') }),
        })
        const sizes = (): number[] => {
          if (kind === 'bucket') return keysOf('room').map((key) => store.objects.get(key)?.length ?? 0)
          const path = join(folder, 'mailboxes', 'db1', 'segments')
          return readdirSync(path).map((name) => statSync(join(path, name)).size)
        }
        const used = (): number => sizes().reduce((sum, size) => sum + size, 0)
        await service.create(mailbox, { language: 'en', quota: undefined, database: 'db1' })
        await deliver(service, 120)
        await service.keepHouse()
        const before = used()
        assert.ok(before >= 400_000, `${before} bytes`)
        const inbox = (await service.folders(mailbox)).find(({ role }) => role === 'inbox')?.id as FolderId
        const { uid } = await service.scan(mailbox, { folder: inbox, columns: ['uid'] })
        const items = { uids: Uint32Array.from(uid.filter((one) => one % 6 !== 0)) }
        await service.apply(mailbox, [{ op: 'remove', folder: inbox, items }])
        const left = uid.length - items.uids.length
        let reading = true
        const readers = (async () => {
          while (reading) assert.equal(await readAll(service), left)
        })()
        for (let round = 0; round < 4; round++) await service.keepHouse()
        reading = false
        await readers
        assert.ok(used() <= before / 2, `${used()} of ${before} bytes are left`)
        const [report] = await service.check()
        assert.deepEqual([report?.problems, report?.originals], [[], left])
        await service.close()
      })

    test('without the store in the configuration the database does not open: nothing is taken for lost', async () => {
      const url = await server.createDatabase()
      const options = { urls: [url], databases: ['db1'], folder: newFolder() }
      const service = await openPostgresStore({ ...options, objects: objects('without') })
      await service.create(mailbox, { language: 'en', quota: undefined, database: 'db1' })
      await deliver(service, 3)
      await service.keepHouse()
      await service.close()
      await assert.rejects(openPostgresStore(options), /object store/)
    })
  })
}
