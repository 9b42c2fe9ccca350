import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { FolderId, Mid } from '../ids.ts'
import { allColumns, type Column, type ScanColumn } from '../packed.ts'
import type { ScanRequest } from '../service.ts'
import { type Box, newItem, numbers, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const uidsOf = async (box: Box, request: Partial<ScanRequest<Column>>): Promise<number[]> =>
  numbers((await box.service.scan(box.id, { folder: box.inbox, columns: ['uid'], ...request })).uid)

/** Ten items, received at 10, 20, 20, 30, 10, …; the last one hidden. */
async function ten(box: Box): Promise<Mid[]> {
  const received = [10, 20, 20, 30, 10, 50, 40, 40, 5, 60]
  const mids: Mid[] = []
  for (const [i, at] of received.entries()) {
    mids.push((await box.add(box.inbox, { received: at, associated: i === 9 })).mid)
  }
  return mids
}

export const scanTopic: Topic = {
  name: 'scan',
  tests: {
    'answers exactly the columns asked for, as typed arrays': async (subject) => {
      const box = await subject.box()
      await box.fill(3)
      const packed = await box.service.scan(box.id, { folder: box.inbox, columns: ['uid', 'flags', 'change'] })
      assert.equal(packed.count, 3)
      assert.deepEqual(new Set(Object.keys(packed)), new Set(['count', 'keywordSets', 'uid', 'flags', 'change']))
      assert.ok(packed.uid instanceof Uint32Array && packed.change instanceof Float64Array)
      const all = await box.service.scan(box.id, { folder: box.inbox, columns: allColumns })
      for (const column of allColumns) assert.equal(all[column].length, 3, column)
      assert.ok(all.associated instanceof Uint8Array && all.flags instanceof Uint32Array)
      assert.ok(all.mid instanceof Float64Array && all.keywords instanceof Uint32Array)
    },
    'column conversation: places in the list of those that occur': async (subject) => {
      const box = await subject.box()
      const ids = ['a', 'b', 'a', 'c'].map((letter) => letter.repeat(32))
      const mids: Mid[] = []
      for (const [i, conversation] of ids.entries()) {
        const { promoted } = newItem({})
        mids.push((await box.add(box.inbox, { received: i, promoted: { ...promoted, conversation } })).mid)
      }
      const of = async (request: Partial<ScanRequest<ScanColumn>>): Promise<(string | undefined)[]> => {
        const packed = await box.service.scan(box.id, {
          folder: box.inbox,
          columns: ['mid', 'conversation'],
          ...request,
        } as ScanRequest<'mid' | 'conversation'>)
        assert.ok(packed.conversation instanceof Uint32Array)
        assert.equal(new Set(packed.conversations).size, packed.conversations?.length)
        return Array.from(packed.conversation, (place) => packed.conversations?.[place])
      }
      assert.deepEqual(await of({}), ids)
      assert.deepEqual(await of({ order: 'newest', limit: 2 }), [ids[3], ids[2]])
      assert.deepEqual(await of({ only: Uint32Array.of(2, 4) }), [ids[1], ids[3]])
      assert.deepEqual(await of({ uids: [9, 10] }), [])
      // Content that was replaced has its own.
      const promoted = { ...newItem({}).promoted, conversation: 'd'.repeat(32) }
      await box.service.apply(box.id, [{ op: 'replace', mid: mids[0] as Mid, item: newItem({ promoted }) }])
      assert.deepEqual(await of({}), [ids[1], ids[2], ids[3], promoted.conversation])
    },
    'an empty folder is an empty answer': async (subject) => {
      const box = await subject.box()
      const packed = await box.service.scan(box.id, { folder: box.inbox, columns: ['uid', 'keywords'] })
      assert.deepEqual([packed.count, packed.uid.length, packed.keywordSets[0]], [0, 0, []])
    },
    'ascends by UID; hidden items only when asked for': async (subject) => {
      const box = await subject.box()
      await ten(box)
      assert.deepEqual(await uidsOf(box, {}), [1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.deepEqual(await uidsOf(box, { associated: true }), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    },
    'a range of UIDs, both ends in it': async (subject) => {
      const box = await subject.box()
      await ten(box)
      assert.deepEqual(await uidsOf(box, { uids: [3, 5] }), [3, 4, 5])
      assert.deepEqual(await uidsOf(box, { uids: [8, 0xffff_ffff] }), [8, 9])
      assert.deepEqual(await uidsOf(box, { uids: [5, 3] }), [])
    },
    'a sparse set of UIDs': async (subject) => {
      const box = await subject.box()
      await ten(box)
      assert.deepEqual(await uidsOf(box, { only: Uint32Array.of(2, 4, 7, 77) }), [2, 4, 7])
      assert.deepEqual(await uidsOf(box, { only: new Uint32Array(0) }), [])
      const many = Uint32Array.from({ length: 5_000 }, (_, i) => i + 5)
      assert.deepEqual(await uidsOf(box, { only: many, uids: [6, 8] }), [6, 7, 8])
    },
    'only what changed after a number': async (subject) => {
      const box = await subject.box()
      await ten(box)
      const changedSince = (await box.info()).change
      assert.deepEqual(await uidsOf(box, { changedSince }), [])
      await box.apply({ op: 'flag', folder: box.inbox, items: { uids: Uint32Array.of(4, 2) }, set: Flag.seen })
      assert.deepEqual(await uidsOf(box, { changedSince }), [2, 4])
      assert.deepEqual(await uidsOf(box, { changedSince, only: Uint32Array.of(4) }), [4])
    },
    'received from (inclusive) and before (exclusive)': async (subject) => {
      const box = await subject.box()
      await ten(box)
      assert.deepEqual(await uidsOf(box, { received: { from: 20, before: 40 } }), [2, 3, 4])
      assert.deepEqual(await uidsOf(box, { received: { from: 50 } }), [6])
      assert.deepEqual(await uidsOf(box, { received: { before: 10 } }), [9])
    },
    'newest first, the mid as last key': async (subject) => {
      const box = await subject.box()
      await ten(box)
      assert.deepEqual(await uidsOf(box, { order: 'newest' }), [6, 8, 7, 4, 3, 2, 5, 1, 9])
      assert.deepEqual(await uidsOf(box, { order: 'newest', limit: 3 }), [6, 8, 7])
      assert.deepEqual(await uidsOf(box, { order: 'newest', received: { before: 40 } }), [4, 3, 2, 5, 1, 9])
    },
    'newest first goes on behind a row, even one that is gone': async (subject) => {
      const box = await subject.box()
      const mids = await ten(box)
      const after = { received: 40, mid: mids[7]! }
      assert.deepEqual(await uidsOf(box, { order: 'newest', after, limit: 2 }), [7, 4])
      await box.apply({ op: 'remove', folder: box.inbox, items: { mids: [mids[7]!] } })
      assert.deepEqual(await uidsOf(box, { order: 'newest', after, limit: 2 }), [7, 4])
      const pages: number[] = []
      let cursor: ScanRequest<Column>['after']
      for (;;) {
        const request = { folder: box.inbox, order: 'newest', limit: 2, ...(cursor && { after: cursor }) } as const
        const page = await box.service.scan(box.id, { ...request, columns: ['uid', 'mid', 'received'] })
        if (page.count === 0) break
        pages.push(...page.uid)
        cursor = { received: page.received[page.count - 1]!, mid: page.mid[page.count - 1] as Mid }
      }
      assert.deepEqual(pages, [6, 7, 4, 3, 2, 5, 1, 9])
    },
    'limit cuts, in UID order too': async (subject) => {
      const box = await subject.box()
      await ten(box)
      assert.deepEqual(await uidsOf(box, { limit: 4 }), [1, 2, 3, 4])
      assert.deepEqual(await uidsOf(box, { limit: 4, uids: [5, 100] }), [5, 6, 7, 8])
      assert.deepEqual(await uidsOf(box, { limit: 0 }), [])
    },
    'what makes no sense is refused': async (subject) => {
      const box = await subject.box()
      await rejects(uidsOf(box, { folder: 99_999 as FolderId }), 'folderNotFound')
      await rejects(uidsOf(box, { after: { received: 1, mid: 1 as Mid } }), 'invalid')
      await rejects(uidsOf(box, { columns: ['nonsense' as 'uid'] }), 'invalid')
    },
  },
}
