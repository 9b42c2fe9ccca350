import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Folder } from './folder.ts'
import { Hierarchies } from './hierarchies.ts'
import type { ChangeNumber, MailboxId } from './ids.ts'
import type { MailboxInfo } from './service.ts'

const mailbox = 1 as MailboxId

/** A service with one mailbox whose numbers the test moves. */
class Service {
  state = { guid: 'aa', epoch: 1, hierarchy: 5 as ChangeNumber }
  reads = 0
  /** Runs between the look at the mailbox and the folders. */
  meanwhile = (): void => {}

  async info(): Promise<MailboxInfo> {
    const change = this.state.hierarchy
    return {
      ...this.state,
      database: 'd',
      change,
      lowestChange: 0 as ChangeNumber,
      usedBytes: 0,
      quota: undefined,
      items: 0,
    }
  }
  async folders(): Promise<readonly Folder[]> {
    this.meanwhile()
    this.reads++
    return []
  }
}

test('one list for all while nothing changes; a change, another epoch or another mailbox under the id is read anew', async () => {
  const service = new Service()
  const hierarchies = new Hierarchies(service)
  const [first, second] = await Promise.all([hierarchies.of(mailbox), hierarchies.of(mailbox)])
  assert.equal(first, second, 'asked at the same time')
  const { reads } = service
  assert.equal(await hierarchies.of(mailbox), first)
  assert.equal(service.reads, reads)
  for (const change of [{ hierarchy: 6 as ChangeNumber }, { epoch: 2 }, { guid: 'bb' }]) {
    Object.assign(service.state, change)
    const before = await hierarchies.of(mailbox)
    assert.notEqual(before, first)
    assert.equal(await hierarchies.of(mailbox), before)
  }
  assert.equal(service.reads, reads + 3)
})

test('folders that change between the two looks are read once more', async () => {
  const service = new Service()
  const hierarchies = new Hierarchies(service)
  service.meanwhile = () => {
    service.state.hierarchy = 6 as ChangeNumber
  }
  const first = await hierarchies.of(mailbox)
  assert.notEqual(await hierarchies.of(mailbox), first)
  assert.equal(service.reads, 2)
})
