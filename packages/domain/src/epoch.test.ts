import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseOwner, FIRST_EPOCH, movedEpoch, movedError, setDatabaseOwner } from './epoch.ts'
import { DomainError, isDomainError } from './error.ts'

function settings() {
  const all = new Map<string, unknown>()
  return {
    setting: (name: string) => all.get(name),
    setSetting: async (name: string, value: unknown) => void all.set(name, value),
  }
}

test('a database belongs to the directory’s own node until it is given to another', async () => {
  const directory = settings()
  assert.deepEqual(databaseOwner(directory, 'one'), { node: '', epoch: FIRST_EPOCH })
  await setDatabaseOwner(directory, 'one', { node: 'second', epoch: 2 })
  assert.deepEqual(databaseOwner(directory, 'one'), { node: 'second', epoch: 2 })
  assert.deepEqual(databaseOwner(directory, 'two'), { node: '', epoch: FIRST_EPOCH })
})

test('nobody becomes the owner with an epoch that was given before', async () => {
  const directory = settings()
  await setDatabaseOwner(directory, 'one', { node: 'second', epoch: 7 })
  for (const epoch of [7, 6, 0, -1, 1.5, Number.NaN])
    await assert.rejects(setDatabaseOwner(directory, 'one', { node: 'third', epoch }), (error) =>
      isDomainError(error, 'moved'),
    )
  assert.deepEqual(databaseOwner(directory, 'one'), { node: 'second', epoch: 7 })
})

test('“moved” says the epoch', () => {
  assert.equal(movedEpoch(movedError(12)), 12)
  assert.equal(movedEpoch(new DomainError('busy', 'epoch 3')), undefined)
  assert.equal(movedEpoch(new DomainError('moved')), undefined)
})
