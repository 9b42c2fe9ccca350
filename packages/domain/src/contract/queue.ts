import assert from 'node:assert/strict'
import type { Operation } from '../operations.ts'
import type { NewQueueEntry } from '../queue.ts'
import { type Box, bytesOf, eventually, newItem, rejects, type Subject, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

const entry = (given: Partial<NewQueueEntry> = {}): NewQueueEntry => ({
  from: 'bob@example.com',
  recipients: [{ address: 'alice@example.net', notify: ['success', 'failure'], originalRecipient: 'rfc822;a' }],
  destination: 'example.net',
  size: 5,
  smtputf8: false,
  eightBit: true,
  due: 1_000,
  expires: 999_000,
  ...given,
})
const enqueue = (given: Partial<NewQueueEntry> = {}): Extract<Operation, { op: 'enqueue' }> => ({
  op: 'enqueue',
  entry: entry(given),
  original: { bytes: bytesOf('mail') },
})

/** The queue is one for the whole service: each test empties it first. */
async function fresh(subject: Subject): Promise<Box> {
  const box = await subject.box()
  for (const { id, mailbox } of await subject.service.queueList({ limit: 1_000 })) {
    await subject.service.apply(mailbox, [{ op: 'queueChange', change: { id, kind: 'remove' } }])
  }
  return box
}
const put = async (box: Box, given: Partial<NewQueueEntry> = {}): Promise<number> =>
  (await box.one(enqueue(given))).ids[0]!
const claim = { now: 5_000, leaseMs: 60_000, limit: 10, exclude: [] as string[] }

export const queueTopic: Topic = {
  name: 'queue',
  tests: {
    'an entry comes back as it was put, with its mailbox and original': async (subject) => {
      const box = await fresh(subject)
      const id = await put(box, { envelopeId: 'x', ret: 'hdrs' })
      const [found, ...others] = await box.service.queueList({ limit: 10 })
      assert.deepEqual(others, [])
      const { original, ...rest } = found!
      assert.deepEqual(rest, {
        ...entry({ envelopeId: 'x', ret: 'hdrs' }),
        id,
        mailbox: box.id,
        created: subject.clock.now(),
        attempts: 0,
        lastError: '',
        delayNotified: false,
        held: false,
        leasedUntil: 0,
      })
      assert.equal(textOf(await box.service.blob(box.id, original)), 'mail')
    },
    'the original may be that of an item of the same call, or a staged one': async (subject) => {
      const box = await fresh(subject)
      const applied = await box.apply(
        { op: 'add', folder: box.role('sentitems'), item: newItem({ text: 'sent copy' }) },
        { ...enqueue({ destination: 'one' }), original: { operation: 0 } },
        { ...enqueue({ destination: 'two' }), original: { operation: 0 } },
        { ...enqueue({ destination: 'three' }), original: { ref: await box.service.stage(box.id, bytesOf('staged')) } },
      )
      assert.equal(applied.results.length, 4)
      await box.apply({ op: 'remove', folder: box.role('sentitems'), items: { uids: Uint32Array.of(1) } })
      const texts = new Map<string, string>()
      for (const { destination, original } of await box.service.queueList({ limit: 10 })) {
        texts.set(destination, textOf(await box.service.blob(box.id, original)))
      }
      assert.deepEqual([...texts].sort(), [
        ['one', 'sent copy'],
        ['three', 'staged'],
        ['two', 'sent copy'],
      ])
      await rejects(box.apply({ ...enqueue(), original: { operation: 0 } }), 'invalid', 0)
      const bare: Operation = { op: 'add', folder: box.inbox, item: newItem({ original: undefined, size: 0 }) }
      await rejects(box.apply(bare, { ...enqueue(), original: { operation: 0 } }), 'invalid', 1)
    },
    'enqueue is part of its call: all or nothing': async (subject) => {
      const box = await fresh(subject)
      const bad: Operation = { op: 'deleteFolder', folder: box.inbox, recursive: true }
      await rejects(box.apply(enqueue(), bad), 'folderSpecial', 1)
      assert.deepEqual(await box.service.queueList({ limit: 10 }), [])
    },
    'claim takes what is due, oldest first, and leases it': async (subject) => {
      const box = await fresh(subject)
      const late = await put(box, { due: 3_000 })
      const early = await put(box, { due: 2_000 })
      await put(box, { due: 5_001 })
      const claimed = await box.service.queueClaim(claim)
      assert.deepEqual(
        claimed.map((one) => one.id),
        [early, late],
      )
      assert.ok(claimed.every((one) => one.leasedUntil === 65_000))
      assert.deepEqual(await box.service.queueClaim({ ...claim, now: 5_000 }), [])
      const again = await box.service.queueClaim({ ...claim, now: 65_001 })
      assert.equal(again.length, 3, 'a lease that ran out is free again')
    },
    'claim keeps to its limit and leaves out full destinations': async (subject) => {
      const box = await fresh(subject)
      for (const destination of ['a', 'b', 'a', 'c']) await put(box, { destination })
      const first = await box.service.queueClaim({ ...claim, exclude: ['a'], limit: 1 })
      assert.deepEqual(
        first.map((one) => one.destination),
        ['b'],
      )
      const rest = await box.service.queueClaim({ ...claim, exclude: ['c'] })
      assert.deepEqual(
        rest.map((one) => one.destination),
        ['a', 'a'],
      )
    },
    'an entry is claimed by one runner only': async (subject) => {
      const box = await fresh(subject)
      for (let i = 0; i < 20; i++) await put(box)
      const claims = await Promise.all(Array.from({ length: 5 }, () => box.service.queueClaim({ ...claim, limit: 7 })))
      const ids = claims.flat().map((one) => one.id)
      assert.equal(ids.length, 20)
      assert.equal(new Set(ids).size, 20)
    },
    'update changes what it names; release gives the claim back': async (subject) => {
      const box = await fresh(subject)
      const id = await put(box)
      await box.service.queueClaim(claim)
      const recipients = [{ address: 'alice@example.net', lastReply: '450 later' }]
      const update = { recipients, attempts: 1, lastError: '450 later', delayNotified: true, due: 4_000 }
      await box.apply({ op: 'queueChange', change: { id, kind: 'update', ...update } })
      const [kept] = await box.service.queueList({ limit: 1 })
      assert.deepEqual(kept, { ...kept, ...update, leasedUntil: 65_000, destination: 'example.net' })
      await box.apply({ op: 'queueChange', change: { id, kind: 'update', release: true } })
      const [free] = await box.service.queueClaim(claim)
      assert.deepEqual([free?.id, free?.attempts, free?.recipients], [id, 1, recipients])
    },
    'a held entry is not claimed until it is let go': async (subject) => {
      const box = await fresh(subject)
      const id = await put(box)
      await box.apply({ op: 'queueChange', change: { id, kind: 'update', held: true } })
      assert.deepEqual(await box.service.queueClaim(claim), [])
      await box.apply({ op: 'queueChange', change: { id, kind: 'update', held: false } })
      assert.equal((await box.service.queueClaim(claim)).length, 1)
    },
    'remove takes the entry away; a second remove says itemGone': async (subject) => {
      const box = await fresh(subject)
      const id = await put(box)
      await box.apply({ op: 'queueChange', change: { id, kind: 'remove' } })
      assert.deepEqual(await box.service.queueList({ limit: 10 }), [])
      await rejects(box.apply({ op: 'queueChange', change: { id, kind: 'remove' } }), 'itemGone', 0)
    },
    'list pages by id and looks at one destination': async (subject) => {
      const box = await fresh(subject)
      const ids: number[] = []
      for (const destination of ['a', 'b', 'a', 'b', 'a']) ids.push(await put(box, { destination }))
      const list = async (filter: Parameters<typeof box.service.queueList>[0]) =>
        (await box.service.queueList(filter)).map((one) => one.id)
      assert.deepEqual(await list({ limit: 2 }), ids.slice(0, 2))
      assert.deepEqual(await list({ limit: 10, afterId: ids[1]! }), ids.slice(2))
      assert.deepEqual(await list({ limit: 10, destination: 'b' }), [ids[1], ids[3]])
    },
    'whoever waits for the queue hears of new and released entries': async (subject) => {
      const box = await fresh(subject)
      let heard = 0
      const subscription = await box.service.subscribeQueue(() => heard++)
      const id = await put(box)
      await eventually(() => heard === 1, 'the entry is announced')
      await box.service.queueClaim(claim)
      await box.apply({ op: 'queueChange', change: { id, kind: 'update', release: true } })
      await eventually(() => heard >= 2, 'the release is announced')
      subscription.close()
      const before = heard
      await put(box)
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.equal(heard, before)
    },
    'entries of several databases are one queue': async (subject) => {
      const box = await fresh(subject)
      const other = await subject.box({ database: 'second' })
      await put(box, { due: 2_000 })
      await put(other, { due: 1_000 })
      const list = await box.service.queueList({ limit: 10 })
      assert.deepEqual(new Set(list.map((one) => one.mailbox)), new Set([box.id, other.id]))
      assert.equal(new Set(list.map((one) => one.id)).size, 2, 'ids are of the whole home')
      const claimed = await box.service.queueClaim(claim)
      assert.deepEqual(
        claimed.map((one) => one.mailbox),
        [other.id, box.id],
      )
      for (const { id, mailbox, original } of claimed) {
        assert.equal(textOf(await box.service.blob(mailbox, original)), 'mail')
        await box.service.apply(mailbox, [{ op: 'queueChange', change: { id, kind: 'remove' } }])
      }
      assert.deepEqual(await box.service.queueList({ limit: 10 }), [])
    },
  },
}
