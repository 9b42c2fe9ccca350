import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { Turnstile } from './turnstile.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a crowd passes in order, a few a turn; without one nobody waits', async () => {
  const turnstile = new Turnstile(8)
  const begun: number[] = []
  for (let i = 0; i < 1_000; i++) turnstile.pass(() => void begun.push(i))
  assert.equal(begun.length, 8)
  let before = begun.length
  while (begun.length < 1_000) {
    await nextTurn()
    assert.equal(begun.length - before, 8)
    before = begun.length
  }
  assert.deepEqual(
    begun,
    Array.from({ length: 1_000 }, (_, i) => i),
  )
  await nextTurn()
  let alone = false
  turnstile.pass(() => {
    alone = true
  })
  assert.ok(alone, 'at once')
})

test('who comes later does not overtake who waits', async () => {
  const turnstile = new Turnstile(2)
  const begun: number[] = []
  for (let i = 0; i < 5; i++) turnstile.pass(() => void begun.push(i))
  await nextTurn()
  turnstile.pass(() => void begun.push(5))
  await nextTurn()
  await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5])
})

test('a socket that goes away while it waits is not begun, and its error is nobody’s', async () => {
  const turnstile = new Turnstile(1)
  const sockets = Array.from({ length: 3 }, () => new Socket())
  const begun: number[] = []
  for (const [i, socket] of sockets.entries()) turnstile.passSocket(socket, () => void begun.push(i))
  sockets[1]?.destroy(new Error('reset'))
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  assert.deepEqual(begun, [0, 2])
})
