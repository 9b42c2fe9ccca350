import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('a writer that waits lets no reader in; one that gives up lets all in', async () => {
  const turns = new Turns()
  const reading = Promise.withResolvers<void>()
  const first = turns.read(1, () => reading.promise)
  assert.equal(turns.write(1), false)
  let read = false
  const second = turns.read(1, async () => {
    read = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(read, false, 'it would wait for the writer')
  turns.unwanted()
  await second
  assert.equal(read, true)
  reading.resolve()
  await first
  assert.equal(turns.write(1), true)
})
