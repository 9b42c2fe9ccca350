import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alone, silentLog } from '@postrider/domain'
import { directChannel, Peer } from '@postrider/link'
import { JoinedTogether } from './joined.ts'
import type { AccessSide, HubSide } from './messages.ts'
import { Shared } from './shared.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
/** Everything said has been heard. */
const settled = async (): Promise<void> => {
  for (let n = 0; n < 10; n++) await turn()
}
const never = (): Promise<never> => Promise.reject(new TypeError('not asked here'))

/** A process as `process.ts` joins it, without its protocols. */
function join(shared: Shared) {
  const [here, there] = directChannel()
  const hub: Peer<AccessSide> = new Peer<AccessSide>(
    there,
    {
      calls: {
        turn: (name: string, id: number) => shared.turn(hub, name, id),
        post: (topic: string, key: string, note: unknown, keepMs: number) => shared.post(hub, topic, key, note, keepMs),
      },
      words: {
        count: (key: string, by: number) => shared.count(hub, key, by),
        claim: (place: string, id: number) => shared.claim(hub, place, id),
        leave: (place: string, id: number) => shared.leavePlace(hub, place, id),
        vacate: (place: string) => shared.vacate(place),
        done: (id: number) => shared.done(hub, id),
      },
    },
    { closed: () => shared.leave(hub) },
  )
  const peer: Peer<HubSide> = new Peer<HubSide>(here, {
    calls: { heard: async () => {}, reload: never, status: never, drain: never },
    words: {
      directory: () => {},
      count: (key: string, by: number) => together.counted(key, by),
      lost: (id: number) => together.lost(id),
      note: (topic: string, key: string, note: unknown) => together.noted(topic, key, note),
      certificates: () => {},
    },
  })
  const together = new JoinedTogether(peer)
  shared.join(hub)
  return { together, die: () => peer.close() }
}
function several() {
  const shared = new Shared(silentLog)
  return { shared, a: join(shared), b: join(shared) }
}

test('limits count all processes, and what a process had is free when it dies', async () => {
  const { shared, a, b } = several()
  const first = a.together.enter('imap', 'ann', 2)
  await settled()
  assert.ok(b.together.enter('imap', 'ann', 2))
  await settled()
  assert.equal(a.together.enter('imap', 'ann', 2), undefined)
  assert.ok(a.together.enter('imap', 'bob', 2))
  first?.()
  first?.()
  await settled()
  assert.ok(b.together.enter('imap', 'ann', 2))
  await settled()
  // A process that starts later knows what counts.
  const c = join(shared)
  await settled()
  assert.equal(c.together.enter('imap', 'ann', 2), undefined)
  b.die()
  await settled()
  assert.ok(c.together.enter('imap', 'ann', 2))
  assert.ok(c.together.enter('imap', 'ann', 2))
})

for (const kind of ['alone', 'several'] as const)
  test(`the newest has a place, the one before is told once (${kind})`, async () => {
    const { a, b } = several()
    const [one, two] = kind === 'alone' ? Array(2).fill(alone()) : [a.together, b.together]
    const lost: string[] = []
    const leaveFirst = one.claim('held x', () => lost.push('first'))
    one.claim('held y', () => lost.push('other'))
    two.claim('held x', () => lost.push('second'))
    await settled()
    assert.deepEqual(lost, ['first'])
    // Who lost it cannot take it from the newer one by leaving.
    leaveFirst()
    await settled()
    one.vacate('held x')
    await settled()
    assert.deepEqual(lost, ['first', 'second'])
    one.vacate('held x')
    const leave = two.claim('held x', () => lost.push('third'))
    leave()
    one.claim('held x', () => lost.push('fourth'))
    await settled()
    assert.deepEqual(lost, ['first', 'second'])
  })

test('two that claim a place at the same moment: one of them has it', async () => {
  const { a, b } = several()
  let lost = 0
  for (let n = 0; n < 20; n++) {
    a.together.claim('p', () => lost++)
    b.together.claim('p', () => lost++)
    await settled()
    assert.equal(lost, n * 2 + 1)
  }
})

for (const kind of ['alone', 'several'] as const)
  test(`work of one name is done in turns, whatever becomes of it (${kind})`, async () => {
    const { a, b } = several()
    const [one, two] = kind === 'alone' ? Array(2).fill(alone()) : [a.together, b.together]
    const log: string[] = []
    const work = (name: string) => async (): Promise<string> => {
      log.push(`${name} begins`)
      await settled()
      log.push(`${name} ends`)
      if (name === 'two') throw new RangeError('two')
      return name
    }
    const all = await Promise.allSettled([
      one.exclusive('records', work('one')),
      two.exclusive('records', work('two')),
      one.exclusive('records', work('three')),
    ])
    assert.deepEqual(
      all.map((one_) => one_.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal(log.length, 6)
    for (let at = 0; at < 6; at += 2) assert.equal(log[at]!.split(' ')[0], log[at + 1]!.split(' ')[0])
  })

test('the turn of a process that dies goes on to the next, also when it only waited', async () => {
  const { shared, a, b } = several()
  const c = join(shared)
  void a.together.exclusive('x', () => new Promise(() => {})).catch(() => {})
  await settled()
  void b.together.exclusive('x', () => new Promise(() => {})).catch(() => {})
  const third = c.together.exclusive('x', async () => 'done')
  await settled()
  b.die()
  a.die()
  assert.equal(await third, 'done')
})

test('a note reaches all others, those that come later too, until it is taken away', async () => {
  const { shared, a, b } = several()
  const heard: unknown[] = []
  const main: unknown[] = []
  shared.together.read('topic', (key, note) => main.push([key, note]))
  b.together.read('topic', (key, note) => heard.push([key, note]))
  a.together.read('topic', () => heard.push('its own'))
  await a.together.post('topic', 'k', { n: 1 }, 60_000)
  // It has been heard when the post is answered.
  assert.deepEqual(heard, [['k', { n: 1 }]])
  assert.deepEqual(main, [['k', { n: 1 }]])
  await a.together.post('topic', 'once', true, 0)
  const later = join(shared)
  await settled()
  const found: unknown[] = []
  later.together.read('topic', (key, note) => found.push([key, note]))
  assert.deepEqual(found, [['k', { n: 1 }]])
  await b.together.post('topic', 'k', undefined, 0)
  assert.deepEqual(found.at(-1), ['k', undefined])
  const last = join(shared)
  await settled()
  last.together.read('topic', () => assert.fail('it was taken away'))
})
