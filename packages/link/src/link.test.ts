import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ChangeNumber,
  DomainError,
  type DomainCode,
  domainCodes,
  type FolderId,
  type Hint,
  type MailboxId,
  type MailboxInfo,
  type MailboxService,
} from '@postrider/domain'
import { openMemoryStore } from '@postrider/store/memory'
import { Caller, type CallerOptions } from './caller.ts'
import { directChannel } from './carriers/direct.ts'
import type { Channel } from './channel.ts'
import { decodeFrame } from './codec/decode.ts'
import { encodeFrame } from './codec/encode.ts'
import { Kind } from './messages.ts'
import { methodNames } from './methods.ts'
import { type OwnerOptions, serveChannel } from './owner.ts'

const box = 1 as MailboxId
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A service that answers only what a test gives it. */
const partial = (given: Partial<MailboxService>): MailboxService =>
  Object.fromEntries(
    methodNames.map((name) => [
      name,
      given[name] ?? (() => Promise.reject(new DomainError('invalid', 'not in this test'))),
    ]),
  ) as unknown as MailboxService

function linked(
  service: MailboxService,
  { caller: callerOptions = {}, owner = {} }: { caller?: CallerOptions; owner?: OwnerOptions } = {},
): { caller: Caller; service: MailboxService; near: Channel; far: Channel; reconnect(to?: MailboxService): Channel } {
  const caller = new Caller(callerOptions)
  const reconnect = (to = service): readonly [Channel, Channel] => {
    const ends = directChannel()
    serveChannel(to, ends[1], owner)
    caller.attach(ends[0])
    return ends
  }
  const [near, far] = reconnect()
  return { caller, service: caller.service, near, far, reconnect: (to) => reconnect(to)[0] }
}

async function rejectsWith(promise: Promise<unknown>, code: DomainCode): Promise<DomainError> {
  const error = await promise.then(
    () => assert.fail(`should reject with ${code}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DomainError, String(error))
  assert.equal(error.code, code)
  return error
}

/** Calls that a test ends when it likes. */
function held() {
  const ends: ((info: MailboxInfo) => void)[] = []
  const service = partial({ info: () => new Promise((resolve) => ends.push(resolve)) })
  const info = { database: 'd', change: 1 } as unknown as MailboxInfo
  return { service, ends, info }
}

describe('calls', () => {
  test('errors keep code, detail and operation', async () => {
    for (const code of domainCodes) {
      const { service } = linked(
        partial({ apply: () => Promise.reject(new DomainError(code, 'a: b', { operation: 3 })) }),
      )
      const error = await rejectsWith(service.apply(box, []), code)
      assert.equal(error.message, `${code}: a: b`)
      assert.equal(error.operation, 3)
    }
    const { service } = linked(partial({ info: () => Promise.reject(new DomainError('busy')) }))
    const error = await rejectsWith(service.info(box), 'busy')
    assert.equal(error.message, 'busy')
    assert.equal(error.operation, undefined)
  })

  test('our own faults tell nothing and are logged', async () => {
    const logged: unknown[] = []
    const log = { error: (fields: unknown) => logged.push(fields) } as unknown as OwnerOptions['log']
    const secret = partial({
      info: () => Promise.reject(new TypeError('password 123')),
      folders: () => {
        throw new TypeError('password 456')
      },
    })
    const { service } = linked(secret, { owner: { log } as OwnerOptions })
    assert.doesNotMatch((await rejectsWith(service.info(box), 'unavailable')).message, /123/)
    await rejectsWith(service.folders(box), 'unavailable')
    assert.equal(logged.length, 2)
  })

  test('calls are pipelined and answered in any order', async () => {
    const { service: slow, ends, info } = held()
    const { service } = linked(slow)
    const order: number[] = []
    const calls = [0, 1, 2].map((i) => service.info(box).then(() => order.push(i)))
    await pause(5)
    assert.equal(ends.length, 3)
    for (const i of [2, 0, 1]) {
      ends[i]!(info)
      await calls[i]
    }
    assert.deepEqual(order, [2, 0, 1])
  })

  test('an answer after the deadline comes to nobody: unavailable, and the owner is told', async () => {
    const { service: slow, ends, info } = held()
    const { service, far } = linked(slow, { caller: { deadline: 20 } })
    const seen: number[] = []
    const { handler } = far
    far.handler = {
      frame: (frame) => {
        seen.push(decodeFrame(frame).kind)
        handler.frame(frame)
      },
      closed: () => handler.closed(),
    }
    const error = await rejectsWith(service.info(box), 'unavailable')
    assert.match(error.message, /in time/)
    await pause(5)
    assert.deepEqual(seen, [Kind.request, Kind.cancel])
    ends[0]!(info)
    const next = service.info(box)
    await pause(5)
    ends[1]!(info)
    assert.equal((await next).database, 'd')
  })

  test('arguments that are no plain data: invalid, and the next call works', async () => {
    const { service } = linked(partial({ info: async () => ({ database: 'd' }) as MailboxInfo }))
    await rejectsWith(service.stage(box, (() => {}) as unknown as Uint8Array), 'invalid')
    assert.equal((await service.info(box)).database, 'd')
  })

  test('an answer that is no plain data: unavailable, never silence', async () => {
    const { service } = linked(partial({ info: async () => new Date() as unknown as MailboxInfo }))
    await rejectsWith(service.info(box), 'unavailable')
  })

  test('a method that does not exist: invalid', async () => {
    const [near, far] = directChannel()
    serveChannel(partial({}), far)
    const answers: unknown[] = []
    near.handler = { frame: (frame) => answers.push(decodeFrame(frame)), closed: () => {} }
    for (const value of [[99, 1_000], ['info', 1_000], 'x', [], [2, 'soon']])
      near.send(encodeFrame(Kind.request, 1, value))
    await pause(5)
    assert.equal(answers.length, 5)
    for (const answer of answers) {
      const { kind, value } = answer as { kind: number; value: { code: string } }
      assert.deepEqual([kind, value.code], [Kind.failure, 'invalid'])
    }
  })
})

describe('back-pressure', () => {
  test('more requests than the caller may have under way: busy', async () => {
    const { service: slow, ends, info } = held()
    const { service } = linked(slow, { caller: { maxInFlightRequests: 2 } })
    const calls = [service.info(box), service.info(box)]
    await rejectsWith(service.info(box), 'busy')
    await pause(5)
    for (const end of ends) end(info)
    await Promise.all(calls)
    const again = service.info(box)
    await pause(5)
    ends[2]!(info)
    await again
  })

  test('more requests than the owner takes: busy', async () => {
    const { service: slow, ends, info } = held()
    const { service } = linked(slow, { owner: { maxInFlightRequests: 2 } })
    const calls = [service.info(box), service.info(box)]
    await rejectsWith(service.info(box), 'busy')
    for (const end of ends) end(info)
    await Promise.all(calls)
  })

  test('more bytes than may be under way: busy; one call alone always goes', async () => {
    for (const side of ['caller', 'owner'] as const) {
      const ends: (() => void)[] = []
      const stage = (): Promise<never> => new Promise((resolve) => ends.push(() => resolve('ref' as never)))
      const { service } = linked(partial({ stage }), { [side]: { maxInFlightBytes: 10_000 } })
      const first = service.stage(box, new Uint8Array(50_000))
      await rejectsWith(service.stage(box, new Uint8Array(10)), 'busy')
      ends[0]!()
      assert.equal(await first, 'ref')
    }
  })
})

describe('channels', () => {
  test('calls under way when the channel closes: unavailable; so are those after it', async () => {
    const { service: slow } = held()
    const { service, near, caller } = linked(slow)
    const call = service.info(box)
    near.close()
    await rejectsWith(call, 'unavailable')
    await rejectsWith(service.info(box), 'unavailable')
    await rejectsWith(
      service.subscribe(box, () => {}),
      'unavailable',
    )
    assert.equal(caller.connected, false)
  })

  test('a caller without a channel is unavailable; with a new one it works again', async () => {
    const caller = new Caller()
    await rejectsWith(caller.service.info(box), 'unavailable')
    const [near, far] = directChannel()
    serveChannel(partial({ info: async () => ({ database: 'd' }) as MailboxInfo }), far)
    caller.attach(near)
    assert.equal((await caller.service.info(box)).database, 'd')
    caller.close()
    await rejectsWith(caller.service.info(box), 'unavailable')
  })

  test('bytes that are no frame close the channel, on both sides', async () => {
    for (const side of [0, 1]) {
      const ends = directChannel()
      const caller = new Caller()
      let ownerEnded = false
      serveChannel(partial({ subscribe: async () => ({ close: () => (ownerEnded = true) }) }), ends[1])
      caller.attach(ends[0])
      await caller.service.subscribe(box, () => {})
      ends[side]!.send(Uint8Array.of(1, 2, 3))
      await pause(5)
      assert.equal(caller.connected, false)
      assert.equal(ownerEnded, true, 'subscriptions end with their channel')
    }
  })

  test('frames that come before the handler wait for it', async () => {
    const [near, far] = directChannel()
    const caller = new Caller()
    caller.attach(near)
    const call = caller.service.info(box)
    await pause(5)
    serveChannel(partial({ info: async () => ({ database: 'd' }) as MailboxInfo }), far)
    assert.equal((await call).database, 'd')
  })

  test('an answer of a channel that was replaced is not taken for one of the new', async () => {
    const { service: slow, ends, info } = held()
    const { service, reconnect } = linked(slow)
    const old = service.info(box)
    await pause(5)
    reconnect(partial({ info: async () => ({ database: 'new' }) as MailboxInfo }))
    await rejectsWith(old, 'unavailable')
    ends[0]!(info)
    assert.equal((await service.info(box)).database, 'new')
  })
})

describe('subscriptions', () => {
  const create = async (): Promise<ReturnType<typeof openMemoryStore>> => {
    const store = openMemoryStore()
    await store.create(box, { language: 'en', quota: undefined, database: 'd' })
    return store
  }
  const touch = (service: MailboxService, name: string): Promise<unknown> =>
    service.apply(box, [{ op: 'createFolder', parent: 2 as FolderId, name, class: 'IPF.Note' }])

  test('many listeners of a mailbox are one subscription on the wire', async () => {
    let subscribed = 0
    let closed = 0
    const subscribe: MailboxService['subscribe'] = async () => {
      subscribed++
      return { close: () => void closed++ }
    }
    const { service } = linked(partial({ subscribe }))
    const open = await Promise.all(Array.from({ length: 5 }, () => service.subscribe(box, () => {})))
    await service.subscribe(2 as MailboxId, () => {})
    assert.equal(subscribed, 2)
    for (const one of open) one.close()
    await pause(5)
    assert.equal(closed, 1)
    await service.subscribe(box, () => {})
    assert.equal(subscribed, 3)
  })

  test('after a reconnect every listener is woken, and hears what comes', async () => {
    const store = await create()
    const { service, near, reconnect } = linked(store)
    const hints: Hint[] = []
    let queue = 0
    await service.subscribe(box, (hint) => hints.push(hint))
    await service.subscribeQueue(() => queue++)
    near.close()
    await pause(5)
    await touch(store, 'missed')
    assert.equal(hints.length, 0)
    reconnect()
    await pause(20)
    const { change } = await service.info(box)
    assert.deepEqual(hints, [{ mailbox: box, change, folders: [] }])
    assert.equal(queue, 1)
    await touch(store, 'heard')
    await pause(20)
    assert.equal(hints.at(-1)?.change, change + 1)
  })

  test('a renewal that is refused for now is tried again', async () => {
    const store = await create()
    const { service, reconnect } = linked(store)
    const hints: Hint[] = []
    await service.subscribe(box, (hint) => hints.push(hint))
    let refusals = 0
    const starting = partial({
      info: (mailbox) => store.info(mailbox),
      subscribe: (mailbox, listener) =>
        refusals++ < 1 ? Promise.reject(new DomainError('unavailable')) : store.subscribe(mailbox, listener),
    })
    reconnect(starting)
    await pause(400)
    assert.equal(refusals, 2)
    assert.equal(hints.length, 1)
  })

  test('a mailbox that is gone after a reconnect wakes its listeners a last time', async () => {
    const store = await create()
    const { service, reconnect } = linked(store)
    const hints: Hint[] = []
    await service.subscribe(box, (hint) => hints.push(hint))
    reconnect(openMemoryStore())
    await pause(20)
    assert.deepEqual(
      hints.map((hint) => hint.mailbox),
      [box],
    )
    assert.deepEqual(hints[0]?.folders, [])
  })

  test('a subscription that fails leaves nothing behind', async () => {
    const store = openMemoryStore()
    const { service } = linked(store)
    await rejectsWith(
      service.subscribe(box, () => {}),
      'mailboxNotFound',
    )
    await store.create(box, { language: 'en', quota: undefined, database: 'd' })
    const hints: Hint[] = []
    await service.subscribe(box, (hint) => hints.push(hint))
    await touch(service, 'x')
    await pause(5)
    assert.equal(hints.length, 1)
  })

  test('a listener that throws harms nobody', async () => {
    const store = await create()
    const { service } = linked(store)
    let heard = 0
    await service.subscribe(box, () => {
      throw new Error('bad listener')
    })
    await service.subscribe(box, () => heard++)
    await touch(service, 'x')
    await pause(5)
    assert.equal(heard, 1)
  })

  test('hints of one turn go as one, with all folders and the highest change', async () => {
    let listener: ((hint: Hint) => void) | undefined
    const subscribe: MailboxService['subscribe'] = async (_, given) => {
      listener = given
      return { close: () => {} }
    }
    const { service } = linked(partial({ subscribe }))
    const hints: Hint[] = []
    await service.subscribe(box, (hint) => hints.push(hint))
    const hint = (change: number, id: number, kinds: number): Hint => ({
      mailbox: box,
      change: change as ChangeNumber,
      folders: [{ id: id as FolderId, kinds }],
    })
    listener?.(hint(5, 1, 1))
    listener?.(hint(7, 2, 4))
    listener?.(hint(6, 1, 2))
    await pause(5)
    assert.deepEqual(hints, [
      {
        mailbox: box,
        change: 7,
        folders: [
          { id: 1, kinds: 3 },
          { id: 2, kinds: 4 },
        ],
      },
    ])
  })

  test('while the channel is congested one merged hint waits', async () => {
    let listener: ((hint: Hint) => void) | undefined
    const subscribe: MailboxService['subscribe'] = async (_, given) => {
      listener = given
      return { close: () => {} }
    }
    const [near, far] = directChannel()
    const slow = { pendingBytes: 0 }
    const congested: Channel = {
      get pendingBytes() {
        return slow.pendingBytes
      },
      get handler() {
        return far.handler
      },
      set handler(handler) {
        far.handler = handler
      },
      send: (frame) => far.send(frame),
      close: () => far.close(),
    }
    serveChannel(partial({ subscribe }), congested, { maxInFlightBytes: 1_000 })
    const caller = new Caller()
    caller.attach(near)
    const hints: Hint[] = []
    await caller.service.subscribe(box, (hint) => hints.push(hint))
    slow.pendingBytes = 5_000
    for (let change = 1; change <= 100; change++) {
      listener?.({ mailbox: box, change: change as ChangeNumber, folders: [] })
      await Promise.resolve()
    }
    await pause(20)
    assert.equal(hints.length, 0)
    slow.pendingBytes = 0
    await pause(100)
    assert.deepEqual(hints, [{ mailbox: box, change: 100, folders: [] }])
  })
})
