import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import { checkMailbox, Replica } from './invariants.ts'
import { newItem, numbers } from './subject.ts'
import type { Topic } from './topic.ts'

const uids = (...list: number[]) => ({ uids: Uint32Array.from(list) })

export const concurrencyTopic: Topic = {
  name: 'concurrency',
  tests: {
    'parallel deliveries: UIDs and change numbers are unique, in the order of commits': async (subject) => {
      const box = await subject.box()
      const added = await Promise.all(Array.from({ length: 100 }, () => box.add()))
      const byUid = [...added].sort((a, b) => a.uid - b.uid)
      assert.deepEqual(
        byUid.map((one) => one.uid),
        Array.from({ length: 100 }, (_, i) => i + 1),
      )
      for (const [i, one] of byUid.entries()) assert.ok(i === 0 || one.change > byUid[i - 1]!.change)
      assert.equal(new Set(added.map((one) => one.mid)).size, 100)
      await checkMailbox(box)
    },
    'parallel calls for many mailboxes do not mix': async (subject) => {
      const boxes = [await subject.box(), await subject.box(), await subject.box({ database: 'second' })]
      await Promise.all(boxes.flatMap((box, i) => Array.from({ length: 10 + i }, () => box.add())))
      for (const [i, box] of boxes.entries()) {
        assert.equal((await box.rows()).length, 10 + i)
        await checkMailbox(box)
      }
    },
    'parallel calls of all kinds keep every invariant': async (subject) => {
      const box = await subject.box()
      await box.fill(40)
      const replica = new Replica()
      const calls: Promise<unknown>[] = []
      for (let i = 1; i <= 40; i++) {
        calls.push(box.apply({ op: 'flag', folder: box.inbox, items: uids(i, i + 1), set: Flag.seen }))
        if (i % 2 === 0) calls.push(box.apply({ op: 'move', from: box.inbox, to: box.trash, items: uids(i, i + 1) }))
        if (i % 3 === 0) calls.push(box.apply({ op: 'remove', folder: box.inbox, items: uids(i) }))
        if (i % 5 === 0) calls.push(replica.pull(box, 7))
        if (i % 5 === 1) calls.push(box.add())
        await Promise.race([calls.at(-1), null])
        if (i % 5 === 0) await Promise.all(calls.splice(0))
      }
      await Promise.all(calls)
      await checkMailbox(box, replica)
    },
    'a move asked for twice at once happens once': async (subject) => {
      const box = await subject.box()
      await box.fill(5)
      const move = () => box.one({ op: 'move', from: box.inbox, to: box.trash, items: uids(1, 2, 3, 4, 5) })
      const moved = (await Promise.all([move(), move(), move()])).flatMap((one) => numbers(one.sourceUids))
      assert.deepEqual(moved.sort(), [1, 2, 3, 4, 5])
      assert.equal((await box.rows(box.trash)).length, 5)
      await checkMailbox(box)
    },
    'compare and set: of parallel changes with unchangedSince one wins': async (subject) => {
      const box = await subject.box()
      const { mid, change } = await box.add()
      const calls = Array.from({ length: 5 }, (_, i) =>
        box.apply({ op: 'update', mid, promoted: { subject: `${i}` }, unchangedSince: change }),
      )
      const settled = await Promise.allSettled(calls)
      assert.equal(settled.filter((one) => one.status === 'fulfilled').length, 1)
    },
    'a failing call among good ones fails alone': async (subject) => {
      const box = await subject.box()
      const calls = Array.from({ length: 30 }, (_, i) =>
        i % 3 === 1
          ? box.apply(
              { op: 'add', folder: box.inbox, item: newItem() },
              { op: 'deleteFolder', folder: box.inbox, recursive: true },
            )
          : box.add(),
      )
      const settled = await Promise.allSettled(calls)
      assert.equal(settled.filter((one) => one.status === 'rejected').length, 10)
      assert.equal((await box.rows()).length, 20)
      await checkMailbox(box)
    },
    'whoever awaited a call reads what it did': async (subject) => {
      const box = await subject.box()
      for (let i = 1; i <= 10; i++) {
        await box.add()
        assert.equal((await box.rows()).length, i)
      }
    },
  },
}
