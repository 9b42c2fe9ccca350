import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { Operation } from '../operations.ts'
import { ascending, checkMailbox } from './invariants.ts'
import { newItem, numbers } from './subject.ts'
import type { Topic } from './topic.ts'

export const countersTopic: Topic = {
  name: 'uids and counters',
  tests: {
    'RFC 9051 §2.3.1.1: UIDs ascend and are never used again': async (subject) => {
      const box = await subject.box()
      await box.fill(3)
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(2, 3) } })
      assert.equal((await box.folder(box.inbox)).uidNext, 4)
      assert.equal((await box.add()).uid, 4)
      assert.deepEqual(await box.uids(), [1, 4])
    },
    'mids and change numbers are never used again': async (subject) => {
      const box = await subject.box()
      const first = await box.add()
      await box.apply({ op: 'remove', folder: box.inbox, items: { mids: [first.mid] } })
      const second = await box.add()
      assert.ok(second.mid > first.mid)
      assert.ok(second.change > first.change + 1, 'the tombstone has a number too')
    },
    'each folder counts its own UIDs': async (subject) => {
      const box = await subject.box()
      assert.equal((await box.add(box.inbox)).uid, 1)
      assert.equal((await box.add(box.trash)).uid, 1)
      assert.equal((await box.add(box.inbox)).uid, 2)
    },
    'one apply gives ascending UIDs and one change number each': async (subject) => {
      const box = await subject.box()
      const before = (await box.info()).change
      const added = await box.fill(20)
      ascending(added.map((one) => one.uid))
      assert.deepEqual(
        added.map((one) => one.change),
        added.map((_, i) => before + 1 + i),
      )
      assert.equal((await box.info()).change, before + 20)
    },
    'counters follow every operation': async (subject) => {
      const box = await subject.box()
      await box.fill(4)
      await box.add(box.inbox, { flags: Flag.seen | Flag.deleted })
      const counted = async () => {
        const { total, unread, deleted } = await box.folder(box.inbox)
        return [total, unread, deleted]
      }
      assert.deepEqual(await counted(), [5, 4, 1])
      await box.apply({ op: 'flag', folder: box.inbox, items: { uids: Uint32Array.of(1, 5) }, set: Flag.seen })
      assert.deepEqual(await counted(), [5, 3, 1])
      await box.apply({ op: 'flag', folder: box.inbox, items: { uids: Uint32Array.of(2) }, set: Flag.deleted })
      assert.deepEqual(await counted(), [5, 3, 2])
      await box.apply({ op: 'move', from: box.inbox, to: box.trash, items: { uids: Uint32Array.of(2, 3) } })
      assert.deepEqual(await counted(), [3, 1, 1])
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(5) } })
      assert.deepEqual(await counted(), [2, 1, 0])
      await box.apply({ op: 'copy', from: box.trash, to: box.inbox, items: { uids: Uint32Array.of(1) } })
      assert.deepEqual(await counted(), [3, 2, 1])
      await checkMailbox(box)
    },
    'contentChange is the highest number of anything inside, tombstones too': async (subject) => {
      const box = await subject.box()
      const other = (await box.folder(box.trash)).contentChange
      const highest = async () => (await box.folder(box.inbox)).contentChange
      const added = await box.add()
      assert.equal(await highest(), added.change)
      const flagged = await box.one({ op: 'flag', folder: box.inbox, items: { mids: [added.mid] }, set: Flag.seen })
      assert.deepEqual([await highest()], numbers(flagged.changes))
      const removed = await box.one({ op: 'remove', folder: box.inbox, items: { mids: [added.mid] } })
      assert.deepEqual([await highest()], numbers(removed.changes))
      assert.equal((await box.folder(box.trash)).contentChange, other)
    },
    'the cn of a folder stays when its content changes': async (subject) => {
      const box = await subject.box()
      const { cn } = await box.folder(box.inbox)
      await box.add()
      assert.equal((await box.folder(box.inbox)).cn, cn)
    },
    'counters hold after a thousand operations in one call': async (subject) => {
      const box = await subject.box()
      const operations = Array.from({ length: 1_000 }, (_, i): Operation => {
        if (i % 4 !== 3) return { op: 'add', folder: box.inbox, item: newItem({ flags: i % 2 }) }
        return { op: 'flag', folder: box.inbox, items: { uids: Uint32Array.of(i % 50) }, set: Flag.deleted, clear: 1 }
      })
      await box.apply(...operations)
      assert.equal((await box.folder(box.inbox)).total, 750)
      await checkMailbox(box)
    },
  },
}
