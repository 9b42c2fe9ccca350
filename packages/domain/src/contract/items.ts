import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { FolderId, Mid, Uid } from '../ids.ts'
import type { Attachment, NewItem, Recipient } from '../item.ts'
import { itemColumns } from '../item.ts'
import type { PropertyBag } from '../props/bag.ts'
import { Pid } from '../props/tags.ts'
import { MAX_GET } from '../service.ts'
import { checkMailbox } from './invariants.ts'
import { bytesOf, newItem, rejects, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

/** One of each kind of value. */
const bag: PropertyBag = new Map<number, PropertyBag extends ReadonlyMap<number, infer V> ? V : never>([
  [Pid.TagImportance, 2],
  [Pid.TagSubject, 'Grüße 🙂'],
  [Pid.TagReadReceiptRequested, true],
  [Pid.TagCreationTime, 133_000_000_000_000_000n],
  [Pid.TagConversationIndex, Uint8Array.of(0, 1, 255)],
  [0x8001_101f, ['red', 'green']],
  [0x9000_0005, 0.5],
  [0x9001_1003, [1, -2, 3]],
  [0x9002_1102, [Uint8Array.of(1), Uint8Array.of()]],
  [0x9003_0014, -5n],
])
const recipients: readonly Recipient[] = [
  { type: 1, name: 'Ålice', address: 'alice@example.com', props: new Map([[Pid.TagSenderName, 'x']]) },
  { type: 3, name: '', address: 'hidden@example.com' },
]
const attachments: readonly Attachment[] = [
  { n: 0, method: 'byValue', name: 'a.pdf', type: 'application/pdf', size: 12, inline: false, source: { part: '2' } },
  {
    n: 1,
    method: 'embedded',
    name: '',
    type: 'message/rfc822',
    contentId: '<x@y>',
    size: 3,
    inline: true,
    source: { embedded: 7 as Mid },
    props: new Map([[Pid.TagSubject, 'inside']]),
  },
]
const rich: NewItem = newItem({
  flags: Flag.seen | Flag.flagged,
  keywords: ['Work', 'later'],
  index: Uint8Array.of(1, 2, 3, 0, 255),
  props: bag,
  recipients,
  attachments,
  promoted: { ...newItem().promoted, subject: 'Grüße 🙂', sent: undefined, hasAttachments: true, importance: 2 },
})

export const itemsTopic: Topic = {
  name: 'add and get',
  tests: {
    'an import keeps UIDs: an empty folder takes UIDVALIDITY and UIDNEXT, items their UIDs in ascending order': async (
      subject,
    ) => {
      const box = await subject.box()
      const folder = await box.createFolder('From elsewhere')
      const uids = { validity: 0xffff_fff0, next: 7 as Uid }
      await box.apply(
        { op: 'updateFolder', folder, uids },
        { op: 'add', folder, item: newItem(), uid: 7 as Uid },
        { op: 'add', folder, item: newItem(), uid: 4_000 as Uid },
      )
      const { uidValidity, uidNext } = await box.folder(folder)
      assert.deepEqual([uidValidity, uidNext], [0xffff_fff0, 4_001])
      assert.deepEqual(await box.uids(folder), [7, 4_000])
      assert.equal((await box.add(folder)).uid, 4_001)
      const late = { op: 'add', folder, item: newItem(), uid: 4_001 as Uid } as const
      await rejects(box.apply(late), 'conflict', 0)
      await rejects(box.apply({ ...late, uid: 0 as Uid }), 'invalid', 0)
      await rejects(box.apply({ op: 'updateFolder', folder, uids }), 'conflict', 0)
      await rejects(box.apply({ op: 'updateFolder', folder, uids: { ...uids, validity: 7 } }), 'folderNotEmpty', 0)
      await box.apply({ op: 'updateFolder', folder, uids: { ...uids, next: 4_500 as Uid } })
      assert.equal((await box.add(folder)).uid, 4_500)
      await checkMailbox(box)
      // UIDs are never given twice under one UIDVALIDITY, and a new folder's is never a used one.
      const items = { uids: (await box.uids(folder)) as Uid[] }
      await box.one({ op: 'remove', folder, items })
      await rejects(box.apply({ op: 'updateFolder', folder, uids }), 'conflict', 0)
      await rejects(box.apply({ op: 'updateFolder', folder, uids: { ...uids, validity: 2 ** 32 } }), 'invalid', 0)
      await box.apply({ op: 'updateFolder', folder, uids: { ...uids, next: 5_000 as Uid } })
      assert.equal((await box.add(folder)).uid, 5_000)
      const made = await box.createFolder('Later')
      assert.ok((await box.folder(made)).uidValidity > 0xffff_fff0)
      await checkMailbox(box)
    },
    'add answers the ids of a new item': async (subject) => {
      const box = await subject.box()
      const { uidValidity } = await box.folder(box.inbox)
      const { change } = await box.info()
      const added = await box.add()
      assert.equal(added.itemId as number, added.mid as number)
      assert.equal(added.uid, 1)
      assert.equal(added.uidValidity, uidValidity)
      assert.equal(added.change, change + 1)
      assert.equal(typeof added.original, 'string')
      assert.ok((await box.add()).mid > added.mid)
    },
    'placement is always answered, other columns only when asked for': async (subject) => {
      const box = await subject.box()
      const { mid, itemId, uid, change } = await box.one({ op: 'add', folder: box.inbox, item: rich })
      const { readCn, ...item } = await box.item(mid)
      assert.ok(readCn <= change)
      assert.deepEqual(item, {
        mid,
        itemId,
        folder: box.inbox,
        uid,
        flags: rich.flags,
        keywords: ['Work', 'later'],
        change,
        cn: change,
        createdCn: change,
        size: rich.size,
        received: rich.received,
        associated: false,
      })
    },
    'get answers every column as it was written': async (subject) => {
      const box = await subject.box()
      const { mid, original } = await box.one({ op: 'add', folder: box.inbox, item: rich })
      const item = await box.item(mid, itemColumns)
      assert.deepEqual(item.promoted, rich.promoted)
      assert.deepEqual(Uint8Array.from(item.index ?? []), rich.index)
      assert.equal(item.original, original)
      assert.deepEqual([...(item.props ?? [])].sort(byTag), [...bag].sort(byTag))
      assert.deepEqual(item.recipients, recipients)
      assert.deepEqual(item.attachments, attachments)
    },
    '[MS-OXCFXICS] change key, predecessors and source key': async (subject) => {
      const box = await subject.box()
      const [a, b] = [await box.add(), await box.add()]
      const [first, second] = [(await box.item(a.mid, ['keys'])).keys!, (await box.item(b.mid, ['keys'])).keys!]
      assert.equal(first.changeKey.length, 22)
      assert.equal(first.sourceKey.length, 22)
      assert.notDeepEqual(first.sourceKey, second.sourceKey)
      assert.notDeepEqual(first.changeKey, second.changeKey)
      await box.apply({ op: 'update', mid: a.mid, set: new Map([[Pid.TagSubject, 'x']]) })
      const later = (await box.item(a.mid, ['keys'])).keys!
      assert.deepEqual(later.sourceKey, first.sourceKey)
      assert.notDeepEqual(later.changeKey, first.changeKey)
      assert.ok(Buffer.from(later.predecessors).includes(later.changeKey), 'the list holds the newest change')
    },
    'get keeps the order asked for and leaves out what is gone': async (subject) => {
      const box = await subject.box()
      const [a, b, c] = await box.fill(3)
      await box.apply({ op: 'remove', folder: box.inbox, items: { mids: [b!.mid] } })
      const mids = [c!.mid, b!.mid, a!.mid, 777_777 as Mid]
      const items = await box.service.get(box.id, { by: { mids }, columns: [] })
      assert.deepEqual(
        items.map((item) => item.mid),
        [c!.mid, a!.mid],
      )
    },
    'get by UIDs of a folder, as array or packed': async (subject) => {
      const box = await subject.box()
      const added = await box.fill(3)
      for (const uids of [[3, 9, 1] as Uid[], Uint32Array.of(3, 9, 1)]) {
        const items = await box.service.get(box.id, { by: { folder: box.inbox, uids }, columns: ['promoted'] })
        assert.deepEqual(
          items.map((item) => item.mid),
          [added[2]!.mid, added[0]!.mid],
        )
        assert.equal(items[0]?.promoted?.subject, 'hello')
      }
      const by = { folder: 99_999 as FolderId, uids: [1] as Uid[] }
      await rejects(box.service.get(box.id, { by, columns: [] }), 'folderNotFound')
    },
    'get of more than MAX_GET items: tooMany': async (subject) => {
      const box = await subject.box()
      const mids = Array.from({ length: MAX_GET + 1 }, (_, i) => (i + 1) as Mid)
      await rejects(box.service.get(box.id, { by: { mids }, columns: [] }), 'tooMany')
      assert.deepEqual(await box.service.get(box.id, { by: { mids: mids.slice(1) }, columns: [] }), [])
    },
    'an item needs no original': async (subject) => {
      const box = await subject.box()
      const added = await box.add(box.role('tasks'), { original: undefined, size: 0, props: bag })
      assert.equal(added.original, undefined)
      const item = await box.item(added.mid, ['original', 'props'])
      assert.equal(item.original, undefined)
      assert.equal(item.props?.get(Pid.TagImportance), 2)
    },
    'an empty item is an item': async (subject) => {
      const box = await subject.box()
      const added = await box.add(box.inbox, { text: '' })
      const { original, size } = await box.item(added.mid, ['original'])
      assert.equal(size, 0)
      assert.deepEqual(await box.service.blob(box.id, original!), new Uint8Array(0))
    },
    'hidden items are counted apart': async (subject) => {
      const box = await subject.box()
      const hidden = await box.add(box.inbox, { associated: true })
      await box.add()
      const { total, hidden: count, unread } = await box.folder(box.inbox)
      assert.deepEqual({ total, count, unread }, { total: 1, count: 1, unread: 1 })
      assert.equal((await box.item(hidden.mid)).associated, true)
      await checkMailbox(box)
    },
    'add to a folder that is not there: folderNotFound': async (subject) => {
      const box = await subject.box()
      const add = { op: 'add', folder: 99_999 as FolderId, item: newItem() } as const
      await rejects(box.apply({ op: 'add', folder: box.inbox, item: newItem() }, add), 'folderNotFound', 1)
      assert.deepEqual(await box.rows(), [])
    },
    'one staged original serves many items and mailboxes of the database': async (subject) => {
      const [box, other] = [await subject.box(), await subject.box()]
      const ref = await box.service.stage(box.id, bytesOf('staged'))
      for (const target of [box, other]) {
        const added = await target.add(target.inbox, { original: { ref } })
        const item = await target.item(added.mid, ['original'])
        assert.equal(textOf(await target.service.blob(target.id, item.original!)), 'staged')
      }
    },
    'what a caller does to its own objects later changes nothing': async (subject) => {
      const box = await subject.box()
      const keywords = ['a']
      const bytes = bytesOf('first')
      const props = new Map([[Pid.TagConversationIndex, Uint8Array.of(1)]])
      const added = await box.add(box.inbox, { keywords, props, original: { bytes } })
      keywords.push('b')
      bytes.fill(0)
      props.get(Pid.TagConversationIndex)?.fill(9)
      const item = await box.item(added.mid, ['props', 'original'])
      assert.deepEqual(item.keywords, ['a'])
      assert.deepEqual(item.props?.get(Pid.TagConversationIndex), Uint8Array.of(1))
      assert.equal(textOf(await box.service.blob(box.id, item.original!)), 'first')
    },
    'what a caller does to an answer changes nothing': async (subject) => {
      const box = await subject.box()
      const props = new Map([[Pid.TagConversationIndex, Uint8Array.of(1)]])
      const added = await box.add(box.inbox, { props, keywords: ['a'] })
      const first = await box.item(added.mid, ['props', 'original'])
      ;(first.props!.get(Pid.TagConversationIndex) as Uint8Array).fill(9)
      ;(first.keywords as string[]).push('b')
      ;(await box.service.blob(box.id, first.original!)).fill(0)
      const again = await box.item(added.mid, ['props', 'original'])
      assert.deepEqual(again.props, props)
      assert.deepEqual(again.keywords, ['a'])
      assert.notEqual((await box.service.blob(box.id, again.original!))[0], 0)
    },
  },
}

const byTag = (a: readonly [number, unknown], b: readonly [number, unknown]): number => a[0] - b[0]
