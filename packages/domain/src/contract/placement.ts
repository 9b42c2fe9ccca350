import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { FolderId } from '../ids.ts'
import { itemColumns } from '../item.ts'
import { Pid } from '../props/tags.ts'
import { checkMailbox } from './invariants.ts'
import { newItem, numbers, rejects, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

const missing = 99_999 as FolderId
const uids = (...list: number[]) => ({ uids: Uint32Array.from(list) })

export const placementTopic: Topic = {
  name: 'copy, move and remove',
  tests: {
    'copy: new placement, same item, flags, keywords, date and content': async (subject) => {
      const box = await subject.box()
      const given = { flags: Flag.seen, keywords: ['k'], received: 5_000, props: new Map([[Pid.TagSubject, 's']]) }
      const source = await box.add(box.inbox, given)
      const result = await box.one({ op: 'copy', from: box.inbox, to: box.trash, items: { mids: [source.mid] } })
      assert.equal(result.uidValidity, (await box.folder(box.trash)).uidValidity)
      assert.deepEqual([numbers(result.sourceMids), numbers(result.sourceUids)], [[source.mid], [1]])
      assert.deepEqual(numbers(result.uids), [1])
      const before = await box.item(source.mid, itemColumns)
      const after = await box.item(result.mids[0]!, itemColumns)
      assert.notEqual(after.mid, source.mid)
      assert.equal(after.itemId, source.itemId)
      assert.deepEqual([after.change, after.cn, after.createdCn], Array(3).fill(result.changes[0]))
      const { flags, keywords, received, size, associated, promoted, props, index, recipients, attachments } = after
      const kept = { flags, keywords, received, size, associated, promoted, props, index, recipients, attachments }
      assert.deepEqual(kept, { ...kept, ...pick(before, Object.keys(kept)) })
      assert.deepEqual(
        await box.service.blob(box.id, after.original!),
        await box.service.blob(box.id, before.original!),
      )
      assert.notDeepEqual(after.keys?.sourceKey, before.keys?.sourceKey)
      await checkMailbox(box)
    },
    'a change of the copy leaves the source alone': async (subject) => {
      const box = await subject.box()
      const source = await box.add()
      const { mids } = await box.one({ op: 'copy', from: box.inbox, to: box.trash, items: uids(1) })
      const copy = mids[0] as typeof source.mid
      await box.apply(
        { op: 'update', mid: copy, set: new Map([[Pid.TagSubject, 'changed']]), promoted: { subject: 'changed' } },
        { op: 'flag', folder: box.trash, items: { mids: [copy] }, set: Flag.seen },
      )
      const item = await box.item(source.mid, ['promoted', 'props'])
      assert.deepEqual([item.flags, item.promoted?.subject, item.props?.size], [0, 'hello', 0])
      await box.apply({ op: 'remove', folder: box.inbox, items: { mids: [source.mid] } })
      const { original } = await box.item(copy, ['original'])
      assert.match(textOf(await box.service.blob(box.id, original!)), /hello/)
    },
    'RFC 4315: copies have ascending UIDs in the order of the sources': async (subject) => {
      const box = await subject.box()
      const added = await box.fill(5)
      await box.add(box.trash)
      const items = { mids: Float64Array.of(added[4]!.mid, added[0]!.mid, added[2]!.mid, added[0]!.mid) }
      const result = await box.one({ op: 'copy', from: box.inbox, to: box.trash, items })
      assert.deepEqual(numbers(result.sourceUids), [1, 3, 5])
      assert.deepEqual(numbers(result.sourceMids), [added[0]!.mid, added[2]!.mid, added[4]!.mid])
      assert.deepEqual(numbers(result.uids), [2, 3, 4])
    },
    'copy into the same folder doubles the item': async (subject) => {
      const box = await subject.box()
      await box.fill(2)
      const result = await box.one({ op: 'copy', from: box.inbox, to: box.inbox, items: uids(1, 2) })
      assert.deepEqual(numbers(result.uids), [3, 4])
      assert.deepEqual(await box.uids(), [1, 2, 3, 4])
      await checkMailbox(box)
    },
    'move: new mid and UID, same item, a tombstone that says moved': async (subject) => {
      const box = await subject.box()
      const source = await box.add(box.inbox, { flags: Flag.flagged, keywords: ['k'] })
      const since = (await box.info()).change
      const result = await box.one({ op: 'move', from: box.inbox, to: box.trash, items: { mids: [source.mid] } })
      const mid = result.mids[0]!
      assert.ok(mid > source.mid)
      const item = await box.item(mid)
      assert.deepEqual([item.itemId, item.folder, item.flags], [source.itemId, box.trash, Flag.flagged])
      assert.deepEqual(item.keywords, ['k'])
      assert.equal(item.createdCn, result.changes[0])
      assert.deepEqual(await box.service.get(box.id, { by: { mids: [source.mid] }, columns: [] }), [])
      const { gone, items, upTo } = await box.service.changes(box.id, { since, limit: 10 })
      assert.deepEqual([numbers(gone.mid), numbers(gone.uid), numbers(gone.why)], [[source.mid], [1], [1]])
      assert.deepEqual([numbers(gone.folder), numbers(gone.itemId)], [[box.inbox], [source.itemId]])
      assert.deepEqual(numbers(items.mid), [mid])
      assert.equal(upTo, since + 2, 'one number for the row, one for the tombstone')
      await checkMailbox(box)
    },
    'move of many keeps their order': async (subject) => {
      const box = await subject.box()
      await box.fill(300)
      const items = { uids: Uint32Array.from({ length: 150 }, (_, i) => 300 - 2 * i) }
      const result = await box.one({ op: 'move', from: box.inbox, to: box.trash, items })
      assert.deepEqual(
        numbers(result.sourceUids),
        Array.from({ length: 150 }, (_, i) => 2 * i + 2),
      )
      assert.deepEqual(
        numbers(result.uids),
        Array.from({ length: 150 }, (_, i) => i + 1),
      )
      await checkMailbox(box)
    },
    'RFC 6851: a move inside one folder gives new UIDs': async (subject) => {
      const box = await subject.box()
      await box.fill(2)
      const result = await box.one({ op: 'move', from: box.inbox, to: box.inbox, items: uids(1) })
      assert.deepEqual(numbers(result.uids), [3])
      assert.deepEqual(await box.uids(), [2, 3])
      await checkMailbox(box)
    },
    'copy and move pass over what is not there': async (subject) => {
      const box = await subject.box()
      await box.fill(1)
      const { change } = await box.info()
      for (const op of ['copy', 'move'] as const) {
        const result = await box.one({ op, from: box.inbox, to: box.trash, items: uids(7, 8) })
        assert.deepEqual([result.uids.length, result.sourceUids.length, result.changes.length], [0, 0, 0])
        await rejects(box.apply({ op, from: missing, to: box.trash, items: uids(1) }), 'folderNotFound', 0)
        await rejects(box.apply({ op, from: box.inbox, to: missing, items: uids(1) }), 'folderNotFound', 0)
      }
      assert.equal((await box.info()).change, change)
    },
    'remove answers what it did and leaves tombstones': async (subject) => {
      const box = await subject.box()
      const added = await box.fill(3)
      const since = (await box.info()).change
      const result = await box.one({ op: 'remove', folder: box.inbox, items: uids(3, 1, 9, 1) })
      assert.deepEqual(numbers(result.uids), [1, 3])
      assert.deepEqual(numbers(result.mids), [added[0]!.mid, added[2]!.mid])
      assert.deepEqual(numbers(result.changes), [since + 1, since + 2])
      const { gone, items } = await box.service.changes(box.id, { since, limit: 10 })
      assert.deepEqual(
        [numbers(gone.uid), numbers(gone.why), numbers(gone.change)],
        [
          [1, 3],
          [0, 0],
          [since + 1, since + 2],
        ],
      )
      assert.equal(items.count, 0)
      assert.deepEqual(await box.uids(), [2])
      await checkMailbox(box)
    },
    'remove twice does it once': async (subject) => {
      const box = await subject.box()
      await box.fill(1)
      await box.one({ op: 'remove', folder: box.inbox, items: uids(1) })
      const { change } = await box.info()
      assert.equal((await box.one({ op: 'remove', folder: box.inbox, items: uids(1) })).uids.length, 0)
      assert.equal((await box.info()).change, change)
      await rejects(box.apply({ op: 'remove', folder: missing, items: uids(1) }), 'folderNotFound', 0)
    },
    'one list can add, flag, copy and remove': async (subject) => {
      const box = await subject.box()
      await box.apply(
        { op: 'add', folder: box.inbox, item: newItem() },
        { op: 'flag', folder: box.inbox, items: uids(1), set: Flag.seen },
        { op: 'copy', from: box.inbox, to: box.trash, items: uids(1) },
        { op: 'remove', folder: box.inbox, items: uids(1) },
      )
      assert.deepEqual(await box.uids(), [])
      assert.equal((await box.rows(box.trash))[0]?.flags, Flag.seen)
      await checkMailbox(box)
    },
  },
}

const pick = (from: object, keys: readonly string[]): object =>
  Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)))
