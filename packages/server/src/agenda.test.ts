import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MailboxId, mailboxId } from '@postrider/domain'
import { openMemoryStore } from '@postrider/store/memory'
import { SystemAgenda } from './agenda.ts'

test('the agenda knows nothing until it is complete, then just what was added, over a restart', async () => {
  const service = openMemoryStore()
  for (const n of [1, 2]) await service.create(mailboxId(n), { language: 'en', quota: undefined, database: 'one' })
  let system: MailboxId | undefined = mailboxId(1)
  const make = (): SystemAgenda => new SystemAgenda(service, () => system)
  const first = make()
  assert.equal(await first.mailboxes(), undefined)
  await first.add(mailboxId(7))
  assert.equal(await make().mailboxes(), undefined)
  await first.complete()
  await first.add(mailboxId(8))
  assert.deepEqual([...((await make().mailboxes()) ?? [])], [7, 8])
  const second = make()
  await second.mailboxes()
  await second.remove(mailboxId(7))
  await second.add(mailboxId(7))
  await second.remove(mailboxId(8))
  assert.deepEqual([...((await make().mailboxes()) ?? [])], [7])
  system = mailboxId(2)
  assert.equal(await make().mailboxes(), undefined, 'another mailbox knows nothing')
  await second.add(mailboxId(7))
  system = undefined
  assert.equal(await make().mailboxes(), undefined)
})
