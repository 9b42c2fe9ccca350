import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { until } from '@postrider/testkit/process'
import { settleMailboxes } from './administration.ts'

test('mail that waits to be sent outlives the mailbox of its sender, once, held or not', async () => {
  const directory = openDirectory({ file: ':memory:', hashCost: { memory: 8, passes: 1 }, databases: ['one'] })
  const store = openMemoryStore()
  await directory.addDomain('example.com', 'Authoritative')
  const boss = await directory.addMailbox({ address: 'boss@example.com', isAdministrator: true })
  const tom = await directory.addMailbox({ address: 'tom@example.com' })
  await settleMailboxes(directory, store)
  const entry = (to: string) => ({
    from: 'tom@example.com',
    recipients: [{ address: to, notify: ['failure' as const] }],
    destination: 'far.example',
    envelopeId: 'e1',
    size: 4,
    smtputf8: false,
    eightBit: false,
    due: 1_000,
    expires: 9_000_000_000_000,
  })
  const original = { bytes: Buffer.from('mail') }
  await store.apply(tom.mailbox, [
    { op: 'enqueue', entry: entry('x@far.example'), original },
    { op: 'enqueue', entry: entry('y@far.example'), original },
  ])
  const [, second] = await store.queueList({ limit: 10 })
  await store.apply(tom.mailbox, [{ op: 'queueChange', change: { id: second!.id, kind: 'update', held: true } }])

  await directory.removeMailbox(tom.account)
  await settleMailboxes(directory, store)
  await settleMailboxes(directory, store)
  const rows = await store.queueList({ limit: 10 })
  assert.deepEqual(
    rows.map((row) => [row.mailbox, row.from, row.recipients[0]!.address, row.envelopeId, row.held]),
    [
      [boss.mailbox, 'tom@example.com', 'x@far.example', 'e1', false],
      [boss.mailbox, 'tom@example.com', 'y@far.example', 'e1', true],
    ],
  )
  assert.equal(Buffer.from(await store.blob(boss.mailbox, rows[0]!.original)).toString(), 'mail')
})

test('what is being sent while its mailbox is deleted is waited for and not sent again', async () => {
  const directory = openDirectory({ file: ':memory:', hashCost: { memory: 8, passes: 1 }, databases: ['one'] })
  const store = openMemoryStore()
  await directory.addDomain('example.com', 'Authoritative')
  await directory.addMailbox({ address: 'boss@example.com', isAdministrator: true })
  const tom = await directory.addMailbox({ address: 'tom@example.com' })
  await settleMailboxes(directory, store)
  const entry = (to: string, due: number) => ({
    from: 'tom@example.com',
    recipients: [{ address: to }],
    destination: 'far.example',
    size: 4,
    smtputf8: false,
    eightBit: false,
    due,
    expires: 9_000_000_000_000,
  })
  const original = { bytes: Buffer.from('mail') }
  await store.apply(tom.mailbox, [{ op: 'enqueue', entry: entry('now@far.example', 1_000), original }])
  const [under] = await store.queueClaim({ now: Date.now(), leaseMs: 900_000, limit: 1, exclude: [] })
  await store.apply(tom.mailbox, [{ op: 'enqueue', entry: entry('later@far.example', 2_000), original }])
  await directory.removeMailbox(tom.account)
  const settled = settleMailboxes(directory, store)
  // Nobody begins with the other one meanwhile.
  await until('the other row is put off', async () =>
    (await store.queueList({ limit: 10 })).every(({ due }) => due !== 2_000),
  )
  assert.deepEqual(await store.queueClaim({ now: Date.now(), leaseMs: 900_000, limit: 10, exclude: [] }), [])
  await store.apply(tom.mailbox, [{ op: 'queueChange', change: { id: under!.id, kind: 'remove' } }])
  await settled
  const rows = await store.queueList({ limit: 10 })
  assert.deepEqual(
    rows.map(({ recipients, due }) => [recipients[0]!.address, due]),
    [['later@far.example', 2_000]],
  )
})
