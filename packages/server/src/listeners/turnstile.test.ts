import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { HANDSHAKES_PER_TURN, Turnstile } from './turnstile.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a thousand connections of one moment begin in order, a few a turn', async () => {
  const turnstile = new Turnstile()
  const begun: number[] = []
  for (let i = 0; i < 1_000; i++) turnstile.pass(new Socket(), () => void begun.push(i))
  let most = 0
  let before = begun.length
  while (begun.length < 1_000) {
    await nextTurn()
    most = Math.max(most, begun.length - before)
    before = begun.length
  }
  assert.deepEqual(
    begun,
    Array.from({ length: 1_000 }, (_, i) => i),
  )
  assert.ok(most <= HANDSHAKES_PER_TURN, `${most} in one turn`)
})

test('who goes away while waiting is not begun, and its error is nobody’s', async () => {
  const turnstile = new Turnstile()
  const sockets = Array.from({ length: 3 }, () => new Socket())
  const begun: number[] = []
  for (const [i, socket] of sockets.entries()) turnstile.pass(socket, () => void begun.push(i))
  sockets[1]?.destroy(new Error('reset'))
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  assert.deepEqual(begun, [0, 2])
  const later: string[] = []
  turnstile.pass(new Socket(), () => void later.push('again'))
  await nextTurn()
  assert.deepEqual(later, ['again'])
})
