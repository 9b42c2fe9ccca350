import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mock } from 'node:test'
import { type Timed, TimerWheel, timed } from './wheel.ts'

function fakeTime(): { clock: { now(): number; monotonic(): number }; pass(ms: number): void } {
  mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  return {
    clock: { now: () => now, monotonic: () => now },
    pass(ms) {
      for (let i = 0; i < ms; i += 100) {
        now += 100
        mock.timers.tick(100)
      }
    },
  }
}

test('every entry is due once, never early by more than a tick, never late by more than two', () => {
  const time = fakeTime()
  try {
    const wheel = new TimerWheel({ tickMs: 100, clock: time.clock })
    const fired = new Map<number, number>()
    for (const ms of [100, 150, 1_000, 102_400, 102_500, 250_000, 3_540_000 / 10])
      wheel.add(
        timed(() => fired.set(ms, time.clock.monotonic())),
        ms,
      )
    time.pass(360_000)
    assert.equal(fired.size, 7)
    for (const [ms, at] of fired) assert.ok(at >= ms - 100 && at <= ms + 200, `${ms} fired at ${at}`)
    assert.equal(wheel.size, 0)
  } finally {
    mock.timers.reset()
  }
})

test('an entry taken out is never due, also when another one of the same tick takes it out', () => {
  const time = fakeTime()
  try {
    const wheel = new TimerWheel({ tickMs: 100, clock: time.clock })
    let count = 0
    const entries: Timed[] = []
    for (let i = 0; i < 2; i++)
      entries.push(
        timed(() => {
          count++
          for (const other of entries) wheel.remove(other)
        }),
      )
    for (const one of entries) wheel.add(one, 500)
    time.pass(1_000)
    assert.equal(count, 1)
    assert.equal(wheel.size, 0)
  } finally {
    mock.timers.reset()
  }
})

test('adding an entry again moves it', () => {
  const time = fakeTime()
  try {
    const wheel = new TimerWheel({ tickMs: 100, clock: time.clock })
    let at = 0
    const entry = timed(() => {
      at = time.clock.monotonic()
    })
    wheel.add(entry, 300)
    time.pass(200)
    wheel.add(entry, 300)
    time.pass(1_000)
    assert.ok(at >= 400 && at <= 700, String(at))
    assert.equal(wheel.size, 0)
  } finally {
    mock.timers.reset()
  }
})
