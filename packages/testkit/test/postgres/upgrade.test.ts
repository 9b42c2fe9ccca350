import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDomainError } from '@postrider/domain'
import { openPostgresStore } from '@postrider/store/postgres'
import { startPostgres } from '../../src/peers/index.ts'
import { temporaryFolder } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { deliver, type Entry, prepare, verify } from './ledger.ts'

test('D8: a database is brought to a newer schema step by step, goes on after a step that failed, and is refused when it is newer', {
  skip: without('pg_ctlcluster'),
}, async () => {
  await using server = await startPostgres({ fsync: 'off' })
  using folder = temporaryFolder('store')
  const options = { urls: [await server.createDatabase()], folder: folder.path, databases: ['db'], patienceMs: 300 }
  const first = await openPostgresStore(options)
  const inbox = await prepare(first)
  const ledger: Entry[] = []
  for (let n = 0; n < 20; n++) ledger.push(await deliver(first, inbox, n))
  await first.close()

  const version = () => server.sql('mail1', 'SELECT max(version) FROM postrider_db.schema_version')
  const released = Number(await version())
  const earlier = Array.from({ length: released }, (_, i) => ({ version: i + 1, statements: [] }))
  const good = { version: released + 1, statements: ['CREATE TABLE later (k TEXT PRIMARY KEY, n {int} NOT NULL)'] }
  const wrong = {
    version: released + 2,
    statements: ['CREATE TABLE last (n {int})', 'ALTER TABLE nowhere ADD x {int}'],
  }
  const right = { version: released + 2, statements: ['ALTER TABLE later ADD COLUMN note TEXT'] }

  await assert.rejects(openPostgresStore({ ...options, upgrades: [...earlier, good, wrong] }), (error) =>
    isDomainError(error, 'unavailable'),
  )
  assert.equal(await version(), String(released + 1), 'the step that worked stays')
  assert.equal(await server.sql('mail1', `SELECT to_regclass('postrider_db.last')`), '', 'half a step leaves nothing')

  const upgraded = await openPostgresStore({ ...options, upgrades: [...earlier, good, right] })
  await verify(upgraded, inbox, ledger)
  ledger.push(await deliver(upgraded, inbox, 20))
  await verify(upgraded, inbox, ledger)
  await upgraded.close()

  await assert.rejects(openPostgresStore(options), (error) => isDomainError(error, 'unavailable'), 'a newer schema')
})
