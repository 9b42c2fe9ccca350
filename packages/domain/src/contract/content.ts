import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { Mid } from '../ids.ts'
import { Pid } from '../props/tags.ts'
import { checkMailbox, Replica } from './invariants.ts'
import { newItem, numbers, rejects, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

const missing = 99_999 as Mid

export const contentTopic: Topic = {
  name: 'update and replace',
  tests: {
    'update sets and removes properties, promoted columns and recipients; mid and UID stay': async (subject) => {
      const box = await subject.box()
      const props = new Map<number, string | number>([
        [Pid.TagSubject, 'a'],
        [Pid.TagIconIndex, 1],
      ])
      const added = await box.add(box.inbox, { props })
      const { change } = await box.one({
        op: 'update',
        mid: added.mid,
        set: new Map([[Pid.TagImportance, 2]]),
        remove: [Pid.TagIconIndex, Pid.TagPriority],
        promoted: { importance: 2 },
        recipients: [{ type: 2, name: 'C', address: 'c@example.com' }],
      })
      const item = await box.item(added.mid, ['props', 'promoted', 'recipients'])
      assert.deepEqual([item.uid, item.change, item.cn, item.createdCn], [added.uid, change, change, added.change])
      assert.deepEqual(
        new Map(item.props),
        new Map<number, unknown>([
          [Pid.TagSubject, 'a'],
          [Pid.TagImportance, 2],
        ]),
      )
      assert.deepEqual([item.promoted?.importance, item.promoted?.subject], [2, 'hello'])
      assert.deepEqual(item.recipients, [{ type: 2, name: 'C', address: 'c@example.com' }])
      await checkMailbox(box)
    },
    'update of one part leaves the others': async (subject) => {
      const box = await subject.box()
      const recipients = [{ type: 1, name: 'A', address: 'a@example.com' }] as const
      const added = await box.add(box.inbox, { recipients, index: Uint8Array.of(1) })
      await box.apply({ op: 'update', mid: added.mid, promoted: { subject: 'new' } })
      const item = await box.item(added.mid, ['recipients', 'index', 'original', 'promoted'])
      assert.deepEqual(item.recipients, recipients)
      assert.deepEqual(Array.from(item.index ?? []), [1])
      assert.equal(item.original, added.original)
      assert.equal(item.promoted?.subject, 'new')
    },
    'update of what is gone: itemGone; of what changed: conflict': async (subject) => {
      const box = await subject.box()
      const added = await box.add()
      await rejects(box.apply({ op: 'update', mid: missing }), 'itemGone', 0)
      const set = new Map([[Pid.TagSubject, 'x']])
      const { change } = await box.one({ op: 'update', mid: added.mid, set, unchangedSince: added.change })
      await rejects(box.apply({ op: 'update', mid: added.mid, set, unchangedSince: added.change }), 'conflict', 0)
      await box.apply({ op: 'update', mid: added.mid, set, unchangedSince: change })
    },
    'replace: same mid and item, new UID and content, a tombstone that says renumbered': async (subject) => {
      const box = await subject.box()
      const drafts = box.role('drafts')
      const added = await box.add(drafts, { flags: Flag.draft })
      await box.add(drafts)
      const since = (await box.info()).change
      const item = newItem({ text: 'second', flags: Flag.draft | Flag.seen, keywords: ['k'], received: 7_000 })
      const result = await box.one({ op: 'replace', mid: added.mid, item })
      assert.equal(result.uid, 3)
      const now = await box.item(added.mid, ['original', 'promoted'])
      assert.deepEqual([now.itemId, now.uid, now.change, now.createdCn], [added.itemId, 3, result.change, added.change])
      assert.deepEqual([now.size, now.flags, now.received], [6, Flag.draft | Flag.seen, 7_000])
      assert.deepEqual(now.keywords, ['k'])
      assert.equal(now.original, result.original)
      assert.equal(textOf(await box.service.blob(box.id, now.original!)), 'second')
      const { gone, items } = await box.service.changes(box.id, { since, limit: 10 })
      assert.deepEqual([numbers(gone.uid), numbers(gone.mid), numbers(gone.why)], [[1], [added.mid], [2]])
      assert.deepEqual(numbers(items.uid), [3])
      assert.ok(gone.change[0]! < items.change[0]!, 'the tombstone comes first')
      assert.deepEqual(await box.uids(drafts), [2, 3])
      await checkMailbox(box)
    },
    'a follower of the feed sees a replaced item once': async (subject) => {
      const box = await subject.box()
      const replica = new Replica()
      const added = await box.add()
      await replica.pullAll(box)
      for (let i = 0; i < 3; i++) {
        await box.one({ op: 'replace', mid: added.mid, item: newItem({ text: `version ${i}` }) })
      }
      while (await replica.pull(box, 1));
      assert.deepEqual(
        [...replica.rows.values()].map((row) => [row.mid, row.uid]),
        [[added.mid, 4]],
      )
      await checkMailbox(box, replica)
    },
    'replace of what is gone: itemGone; of what changed: conflict': async (subject) => {
      const box = await subject.box()
      const added = await box.add()
      await rejects(box.apply({ op: 'replace', mid: missing, item: newItem() }), 'itemGone', 0)
      const { change } = await box.one({ op: 'replace', mid: added.mid, item: newItem(), unchangedSince: added.change })
      const late = { op: 'replace', mid: added.mid, item: newItem(), unchangedSince: added.change } as const
      await rejects(box.apply(late), 'conflict', 0)
      await box.apply({ ...late, unchangedSince: change })
    },
    'replace may take the original away or bring one': async (subject) => {
      const box = await subject.box()
      const added = await box.add()
      const without = await box.one({ op: 'replace', mid: added.mid, item: newItem({ original: undefined, size: 0 }) })
      assert.equal(without.original, undefined)
      assert.equal((await box.item(added.mid, ['original'])).original, undefined)
      assert.equal((await box.info()).usedBytes, 0)
      const ref = await box.service.stage(box.id, new Uint8Array(5))
      await box.one({ op: 'replace', mid: added.mid, item: newItem({ original: { ref }, size: 5 }) })
      assert.equal((await box.info()).usedBytes, 5)
      await checkMailbox(box)
    },
  },
}
