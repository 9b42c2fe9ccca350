import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeNumber, mailboxId } from '../ids.ts'
import type { Hint } from '../service.ts'
import { HeldTable } from './table.ts'

const box = mailboxId(1)
const hint: Hint = { mailbox: box, change: changeNumber(1), folders: [] }

function fakeService() {
  const listeners = new Set<(hint: Hint) => void>()
  let subscribed = 0
  return {
    listeners,
    subscribed: () => subscribed,
    subscribe: async (_mailbox: unknown, listener: (hint: Hint) => void) => {
      subscribed++
      listeners.add(listener)
      return { close: () => void listeners.delete(listener) }
    },
  }
}

test('many waiters of one mailbox share one subscription and all hear the hint', async () => {
  const service = fakeService()
  const table = new HeldTable(service)
  let heard = 0
  const waiters = Array.from({ length: 5 }, () => ({ hint: () => void heard++ }))
  await Promise.all(waiters.map((one) => table.hold(box, one)))
  assert.equal(service.subscribed(), 1)
  for (const listener of service.listeners) listener(hint)
  assert.equal(heard, 5)
  for (const one of waiters) table.release(box, one)
  assert.equal(service.listeners.size, 0)
  assert.equal(table.size, 0)
})

test('a waiter released before the subscription stands leaves none behind', async () => {
  const service = fakeService()
  const table = new HeldTable(service)
  const waiter = { hint: () => assert.fail('released') }
  const held = table.hold(box, waiter)
  table.release(box, waiter)
  await held
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(service.listeners.size, 0)
})

test('a subscription that fails rejects and leaves the table empty', async () => {
  const table = new HeldTable({ subscribe: () => Promise.reject(new Error('no home')) })
  await assert.rejects(table.hold(box, { hint: () => {} }), /no home/)
  assert.equal(table.size, 0)
})
