import assert from 'node:assert/strict'
import { ALL_FLAGS, Flag, MAX_KEYWORD_LENGTH, MAX_KEYWORDS_PER_ITEM } from '../flags.ts'
import type { ChangeNumber, FolderId, Uid } from '../ids.ts'
import { checkMailbox } from './invariants.ts'
import { type Box, newItem, numbers, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const wordsOf = async (box: Box, uid: number): Promise<readonly string[]> =>
  (await box.rows()).find((row) => row.uid === uid)?.words ?? []

const one = { uids: Uint32Array.of(1) } as const

export const flagsTopic: Topic = {
  name: 'flags and modseq',
  tests: {
    'sets and clears bits, answers the rows that changed': async (subject) => {
      const box = await subject.box()
      const [a, b, c] = await box.fill(3, box.inbox, { flags: Flag.flagged })
      await box.apply({ op: 'flag', folder: box.inbox, items: { mids: [b!.mid] }, set: Flag.seen, clear: Flag.flagged })
      const { change } = await box.info()
      const result = await box.one({
        op: 'flag',
        folder: box.inbox,
        items: { mids: [c!.mid, a!.mid, b!.mid] },
        set: Flag.seen,
        clear: Flag.flagged,
      })
      assert.deepEqual(numbers(result.uids), [1, 3])
      assert.deepEqual(numbers(result.mids), [a!.mid, c!.mid])
      assert.deepEqual(numbers(result.flags), [Flag.seen, Flag.seen])
      assert.deepEqual(numbers(result.changes), [change + 1, change + 2])
      assert.deepEqual(numbers(result.conflicts), [])
      assert.ok((await box.rows()).every((row) => row.flags === Flag.seen))
      await checkMailbox(box)
    },
    'what stays as it is takes no change number': async (subject) => {
      const box = await subject.box()
      await box.add(box.inbox, { flags: Flag.seen, keywords: ['a', 'b'] })
      const { change } = await box.info()
      const same = [
        { set: Flag.seen },
        { clear: Flag.flagged },
        { addKeywords: ['a'] },
        { removeKeywords: ['c'] },
        { keywords: ['a', 'b'] },
        {},
      ]
      for (const what of same) {
        const result = await box.one({ op: 'flag', folder: box.inbox, items: one, ...what })
        assert.equal(result.uids.length, 0, JSON.stringify(what))
      }
      assert.equal((await box.info()).change, change)
    },
    'seen alone is a read change, anything else a content change': async (subject) => {
      const box = await subject.box()
      const added = await box.add()
      const row = async () => (await box.rows())[0]!
      const flag = async (what: object) =>
        (await box.one({ op: 'flag', folder: box.inbox, items: one, ...what })).changes[0]
      const read = await flag({ set: Flag.seen })
      assert.deepEqual([(await row()).cn, (await row()).readCn, (await row()).change], [added.change, read, read])
      const content = await flag({ set: Flag.answered })
      assert.deepEqual([(await row()).cn, (await row()).readCn, (await row()).change], [content, read, content])
      const keyword = await flag({ addKeywords: ['x'] })
      assert.deepEqual([(await row()).cn, (await row()).readCn], [keyword, read])
      const unread = await flag({ clear: Flag.seen })
      assert.deepEqual([(await row()).cn, (await row()).readCn, (await row()).change], [keyword, unread, unread])
      const both = await flag({ set: Flag.seen | Flag.flagged })
      assert.equal((await row()).cn, both)
      const word = await flag({ clear: Flag.seen, addKeywords: ['y'] })
      assert.equal((await row()).cn, word, 'a keyword beside it is content')
      assert.equal((await row()).createdCn, added.change)
    },
    'RFC 7162 §3.1.3 UNCHANGEDSINCE leaves newer rows alone and names them': async (subject) => {
      const box = await subject.box()
      const [a] = await box.fill(3)
      const since = (await box.info()).change
      await box.apply({ op: 'flag', folder: box.inbox, items: { uids: Uint32Array.of(2) }, set: Flag.flagged })
      const items = { uids: Uint32Array.of(1, 2, 3) }
      const result = await box.one({ op: 'flag', folder: box.inbox, items, set: Flag.seen, unchangedSince: since })
      assert.deepEqual(numbers(result.uids), [1, 3])
      assert.deepEqual(numbers(result.conflicts), [2])
      assert.equal((await box.rows())[1]?.flags, Flag.flagged)
      const nothing = { op: 'flag', folder: box.inbox, items: { mids: [a!.mid] }, set: Flag.draft } as const
      const refused = await box.one({ ...nothing, unchangedSince: 0 as ChangeNumber })
      assert.deepEqual(numbers(refused.conflicts), [1])
    },
    'keywords are added, removed and replaced': async (subject) => {
      const box = await subject.box()
      await box.add(box.inbox, { keywords: ['a', 'b'] })
      const flag = (what: object) => box.apply({ op: 'flag', folder: box.inbox, items: one, ...what })
      await flag({ addKeywords: ['c'] })
      assert.deepEqual(new Set(await wordsOf(box, 1)), new Set(['a', 'b', 'c']))
      await flag({ removeKeywords: ['a', 'c'], addKeywords: ['d'] })
      assert.deepEqual(new Set(await wordsOf(box, 1)), new Set(['b', 'd']))
      await flag({ keywords: ['$Label1', 'Grün', 'a b'] })
      assert.deepEqual(new Set(await wordsOf(box, 1)), new Set(['$Label1', 'Grün', 'a b']))
      await flag({ keywords: [] })
      assert.deepEqual(await wordsOf(box, 1), [])
      await checkMailbox(box)
    },
    'RFC 9051 §2.3.2 keywords compare without case, the first spelling stays': async (subject) => {
      const box = await subject.box()
      await box.add(box.inbox, { keywords: ['Work', 'WORK', 'home'] })
      assert.deepEqual(new Set(await wordsOf(box, 1)), new Set(['Work', 'home']))
      await box.apply({ op: 'flag', folder: box.inbox, items: one, addKeywords: ['work'] })
      assert.deepEqual(new Set(await wordsOf(box, 1)), new Set(['Work', 'home']))
      await box.apply({ op: 'flag', folder: box.inbox, items: one, removeKeywords: ['wORK'] })
      assert.deepEqual(await wordsOf(box, 1), ['home'])
    },
    'keywords that are too many, too long or empty are refused': async (subject) => {
      const box = await subject.box()
      const many = Array.from({ length: MAX_KEYWORDS_PER_ITEM }, (_, i) => `k${i}`)
      await box.add(box.inbox, { keywords: many })
      const flag = (what: object) => box.apply({ op: 'flag', folder: box.inbox, items: one, ...what })
      await rejects(flag({ addKeywords: ['one more'] }), 'tooMany', 0)
      await rejects(flag({ keywords: [...many, 'one more'] }), 'tooMany', 0)
      await rejects(flag({ keywords: ['x'.repeat(MAX_KEYWORD_LENGTH + 1)] }), 'invalid', 0)
      await rejects(flag({ addKeywords: [''] }), 'invalid', 0)
      const item = newItem({ keywords: [...many, 'one more'] })
      await rejects(box.apply({ op: 'add', folder: box.inbox, item }), 'tooMany', 0)
      await flag({ keywords: ['x'.repeat(MAX_KEYWORD_LENGTH)] })
      assert.equal((await wordsOf(box, 1))[0]?.length, MAX_KEYWORD_LENGTH)
    },
    'flags that do not exist: invalid': async (subject) => {
      const box = await subject.box()
      await box.add()
      await rejects(box.apply({ op: 'flag', folder: box.inbox, items: one, set: ALL_FLAGS + 1 }), 'invalid', 0)
      const item = newItem({ flags: ALL_FLAGS + 1 })
      await rejects(box.apply({ op: 'add', folder: box.inbox, item }), 'invalid', 0)
      await box.apply({ op: 'flag', folder: box.inbox, items: one, set: ALL_FLAGS })
      assert.equal((await box.rows())[0]?.flags, ALL_FLAGS)
    },
    'a selection passes over what is not there and takes each item once': async (subject) => {
      const box = await subject.box()
      const [a] = await box.fill(2)
      const elsewhere = await box.add(box.trash)
      const flag = async (items: object) =>
        numbers(
          (await box.one({ op: 'flag', folder: box.inbox, items: items as never, set: Flag.seen, clear: 0 })).uids,
        )
      assert.deepEqual(await flag({ mids: Float64Array.of(a!.mid, elsewhere.mid, 999_999, a!.mid) }), [1])
      assert.deepEqual(await flag({ uids: [7, 2, 2, 1] as Uid[] }), [2])
      assert.equal((await box.rows(box.trash))[0]?.flags, 0)
      const missing = { op: 'flag', folder: 99_999 as FolderId, items: one, set: 1 } as const
      await rejects(box.apply(missing), 'folderNotFound', 0)
    },
    'keyword sets of a scan begin with the empty one and hold what occurs': async (subject) => {
      const box = await subject.box()
      await box.fill(2)
      await box.add(box.inbox, { keywords: ['x'] })
      await box.add(box.inbox, { keywords: ['x'] })
      const packed = await box.service.scan(box.id, { folder: box.inbox, columns: ['keywords'] })
      assert.deepEqual(packed.keywordSets, [[], ['x']])
      assert.deepEqual(numbers(packed.keywords), [0, 0, 1, 1])
    },
  },
}
