import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { isDomainError, type MailboxService, mailboxId, noMeter, silentLog } from '@postrider/domain'
import { Metrics } from '../operations/metrics.ts'
import { openHome } from './index.ts'
import { GatheringMeter, replay } from './side-channel.ts'
import { type OwnerKind, starters } from './starters.ts'
import { SupervisedOwner } from './supervisor.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'home-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const options = (folder: string, databases: string[], owners: number, ownerKind: OwnerKind = 'thread') => ({
  folder,
  databases,
  owners,
  ownerKind,
  databaseOf: (mailbox: number) => databases[mailbox % databases.length],
  logLevel: 'error' as const,
  logFormat: 'json' as const,
  log: silentLog,
  meter: noMeter,
})
const data = (folder: string) =>
  ({ folder, databases: ['one'], thread: 'owner', logLevel: 'error', logFormat: 'json' }) as const
const falling = new URL('./test/falling-owner.ts', import.meta.url)
const box = mailboxId(1)
const kinds = Object.keys(starters) as OwnerKind[]
const init = { language: 'en', quota: undefined, database: 'one' } as const

async function workingAgain(service: MailboxService): Promise<void> {
  const end = performance.now() + 20_000
  for (;;) {
    try {
      await service.info(box)
      return
    } catch (error) {
      assert.ok(isDomainError(error, 'unavailable') && performance.now() < end, String(error))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

for (const kind of kinds) {
  test(`mailboxes live in their databases, over several owners, and are there after a restart (${kind})`, async (t) => {
    const folder = folderOf(t)
    for (const owners of [1, 3]) {
      const home = await openHome(options(folder, ['one', 'two', 'three', 'four'], owners, kind))
      assert.equal(home.health(), undefined)
      for (const id of [1, 2, 3, 4].map(mailboxId)) {
        const database = ['one', 'two', 'three', 'four'][id % 4]!
        await home.service.create(id, { ...init, database })
        assert.equal((await home.service.info(id)).database, database)
      }
      await assert.rejects(home.service.info(mailboxId(9)), (error) => isDomainError(error, 'mailboxNotFound'))
      await home.close()
      await assert.rejects(home.service.info(box), (error) => isDomainError(error, 'unavailable'))
    }
  })

  test(`an owner that falls is started again, and what was stored is there (${kind})`, async (t) => {
    const owner = new SupervisedOwner(starters[kind], data(folderOf(t)), silentLog, noMeter, falling)
    await owner.start()
    t.after(() => owner.stop())
    await owner.service.create(box, init)
    const heard: number[] = []
    await owner.service.subscribe(box, (hint) => heard.push(hint.change))
    await assert.rejects(owner.service.info(mailboxId(666)), (error) => isDomainError(error, 'unavailable'))
    for (let i = 0; owner.problem === undefined && i < 200; i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.match(String(owner.problem), /ended with code 7/)
    await workingAgain(owner.service)
    assert.equal(owner.problem, undefined)
    const before = heard.length
    await owner.service.apply(box, [
      { op: 'createFolder', parent: (await owner.service.folders(box))[1]!.id, name: 'x', class: 'IPF.Note' },
    ])
    for (let i = 0; heard.length === before && i < 200; i++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.ok(heard.length > before, 'subscriptions go on')
  })

  test(`a database that stopped after a failed sync is opened anew (${kind})`, async (t) => {
    const metrics = new Metrics()
    const owner = new SupervisedOwner(starters[kind], data(folderOf(t)), silentLog, metrics, falling)
    await owner.start()
    t.after(() => owner.stop())
    await owner.service.create(box, init)
    await owner.service.info(mailboxId(667)).catch(() => {})
    for (let i = 0; owner.problem === undefined && i < 200; i++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(owner.problem, 'one: a sync failed')
    await workingAgain(owner.service)
    assert.match(await metrics.registry.metrics(), /postrider_owner_restarts_total\{thread="owner"\} 1/)
  })
}

test('an owner’s process is reached in a data folder too deep for a socket path, and leaves no socket there', async (t) => {
  const folder = join(folderOf(t), 'deep'.repeat(30))
  mkdirSync(folder)
  const home = await openHome(options(folder, ['one'], 1, 'process'))
  await home.service.create(box, init)
  assert.deepEqual(readdirSync(folder), ['mailboxes'])
  await home.close()
})

test('databases that cannot be opened fail the start with the reason, and nothing stays open', async (t) => {
  for (const kind of kinds) await cannotOpen(t, kind)
})
async function cannotOpen(t: TestContext, kind: OwnerKind): Promise<void> {
  const folder = folderOf(t)
  await (await openHome(options(folder, ['one'], 1))).close()
  const file = join(folder, 'mailboxes', 'one')
  rmSync(file, { recursive: true })
  new DatabaseSync(file).close()
  await assert.rejects(openHome(options(folder, ['one'], 1, kind)), (error) => isDomainError(error, 'unavailable'))
}

test('what an owner measures arrives in the metrics', async () => {
  const gathering = new GatheringMeter()
  gathering.count('x_total', { a: '1' })
  gathering.count('x_total', { a: '1' }, 2)
  gathering.gauge('y', 5)
  gathering.gauge('y', 6)
  gathering.observe('z_seconds', 0.5)
  const metrics = new Metrics()
  replay(gathering.take(), metrics)
  const text = await metrics.registry.metrics()
  assert.match(text, /^postrider_x_total\{a="1"\} 3$/m)
  assert.match(text, /^postrider_y 6$/m)
  assert.match(text, /^postrider_z_seconds_count 1$/m)
  assert.deepEqual(gathering.take(), [])
})
