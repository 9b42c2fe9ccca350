import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isDomainError } from '@postrider/domain'
import { openPostgresStore } from '@postrider/store/postgres'
import { type PostgresPeer, startPostgres } from '../../src/peers/index.ts'
import { sleep, temporaryFolder } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { deliver, type Entry, prepare, verify } from './ledger.ts'

const missing = without('pg_ctlcluster')

/** Lets a child deliver until it is killed; answers what it acknowledged. */
async function deliverUntilKilled(url: string, folder: string, ms: number, first: number): Promise<Entry[]> {
  const ledger: Entry[] = []
  const child = fork(join(import.meta.dirname, 'delivering-child.ts'), [url, folder, String(first)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  child.on('message', (entry: Entry) => ledger.push(entry))
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => setTimeout(() => child.kill('SIGKILL'), ms))
    child.once('exit', (code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`child ended: ${code}`))))
  })
  return ledger
}

describe('PostgreSQL under faults', { skip: missing }, async () => {
  if (missing) return
  const server: PostgresPeer = await startPostgres()
  after(() => server[Symbol.asyncDispose]())

  test('D1: kill -9 of the server under load loses nothing acknowledged and applies nothing twice; the store resumes by itself', async () => {
    using folder = temporaryFolder('store')
    const url = await server.createDatabase()
    const store = await openPostgresStore({
      urls: [url],
      folder: folder.path,
      databases: ['db'],
      segmentBytes: 200_000,
    })
    try {
      const inbox = await prepare(store)
      const ledger: Entry[] = []
      let refused = 0
      let going = true
      let n = 0
      const go = async (): Promise<void> => {
        while (going) {
          try {
            ledger.push(await deliver(store, inbox, n++))
          } catch (error) {
            assert.ok(isDomainError(error, 'unavailable'), String(error))
            refused++
            await sleep(20)
          }
        }
      }
      const load = Promise.all(Array.from({ length: 24 }, go))
      for (let kill = 0; kill < 4; kill++) {
        await sleep(300 + kill * 70)
        const before = ledger.length
        assert.ok(before > 0)
        await server.kill()
        // Readers wait or hear that they shall try again, like writers.
        const reading = store.info(1 as never).catch((error: unknown) => assert.ok(isDomainError(error, 'unavailable')))
        await server.restart()
        await reading
        const until = performance.now() + 10_000
        while (ledger.length <= before + 24 && performance.now() < until) await sleep(10)
        assert.ok(ledger.length > before + 24, 'deliveries go on')
      }
      going = false
      await load
      await verify(store, inbox, ledger)
      const [report] = await store.check()
      assert.deepEqual(report?.problems, [])
      assert.ok(ledger.length > 200, `${ledger.length} acknowledged, ${refused} refused`)
      await store.keepHouse()
      await verify(store, inbox, ledger)
      assert.deepEqual((await store.check())[0]?.problems, [])
    } finally {
      await store.close()
    }
  })

  test('D1: kill -9 of the store under load loses nothing acknowledged, alters nothing, and no counter goes back', async () => {
    using folder = temporaryFolder('store')
    const url = await server.createDatabase()
    const all: Entry[] = []
    for (let cycle = 0; cycle < 4; cycle++) {
      all.push(...(await deliverUntilKilled(url, folder.path, 60 + cycle * 90, cycle * 100_000)))
      const store = await openPostgresStore({
        urls: [url],
        folder: folder.path,
        databases: ['db'],
        segmentBytes: 200_000,
      })
      try {
        const inbox = await prepare(store)
        await verify(store, inbox, all)
        assert.deepEqual((await store.check())[0]?.problems, [])
        // What the killed one left staged goes to its segments.
        await store.keepHouse()
        await verify(store, inbox, all)
        assert.deepEqual((await store.check())[0]?.problems, [])
      } finally {
        await store.close()
      }
    }
    assert.ok(all.length > 100, `${all.length} acknowledged`)
  })

  test('a former owner can never write again: another one took over while its server was away', async () => {
    using folder = temporaryFolder('store')
    using elsewhere = temporaryFolder('store')
    const url = await server.createDatabase()
    const options = { urls: [url], databases: ['db'], patienceMs: 300 }
    const former = await openPostgresStore({ ...options, folder: folder.path })
    const inbox = await prepare(former)
    await deliver(former, inbox, 1)
    await former.keepHouse()
    const rival = openPostgresStore({ ...options, folder: elsewhere.path }).then((store) => store.close())
    await assert.rejects(rival, (error) => isDomainError(error, 'unavailable'), 'while it lives, nobody else comes in')
    // As after a failover: the lock of the former owner is gone, its epoch is not the newest.
    await server.sql('mail3', `UPDATE postrider_db.owner SET epoch = epoch + 1`)
    await assert.rejects(deliver(former, inbox, 2), (error) => isDomainError(error, 'moved'))
    await assert.rejects(deliver(former, inbox, 3), (error) => isDomainError(error, 'moved'))
    assert.match(former.health()[0]?.stopped ?? '', /owner/)
    await former.close()
    const next = await openPostgresStore({ ...options, folder: folder.path })
    assert.equal((await next.info(1 as never)).items + (await next.info(2 as never)).items, 1)
    await next.close()
  })
})
