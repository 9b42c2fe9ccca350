import assert from 'node:assert/strict'
import type { DomainCode } from '../error.ts'
import { Flag } from '../flags.ts'
import type { FolderId, Mid } from '../ids.ts'
import { MAX_OPERATIONS, type Operation } from '../operations.ts'
import { checkMailbox, Replica } from './invariants.ts'
import { type Box, bytesOf, newItem, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const uids = (...list: number[]) => ({ uids: Uint32Array.from(list) })
const missing = 99_999

/** One of each operation; all of them work. */
const good = (box: Box, folder: FolderId, mid: Mid): Operation[] => [
  { op: 'add', folder: box.inbox, item: newItem({ keywords: ['new'] }) },
  { op: 'createFolder', parent: box.top, name: 'made', class: 'IPF.Note' },
  { op: 'updateFolder', folder, name: 'renamed', parent: box.inbox },
  { op: 'flag', folder: box.inbox, items: uids(1, 2), set: Flag.seen | Flag.deleted, addKeywords: ['k'] },
  { op: 'copy', from: box.inbox, to: box.trash, items: uids(1, 2, 3) },
  { op: 'move', from: box.inbox, to: box.trash, items: uids(2, 3) },
  { op: 'remove', folder: box.inbox, items: uids(1) },
  { op: 'update', mid, promoted: { subject: 'changed' }, set: new Map([[0x0037_001f, 'changed']]) },
  { op: 'replace', mid, item: newItem({ text: 'replaced' }) },
  { op: 'putState', client: 'c', key: 'k', value: bytesOf('new') },
  { op: 'deleteState', client: 'd' },
  { op: 'once', key: 'key', keepMs: 1_000 },
  { op: 'setPermission', folder: box.inbox, member: 'bob', rights: 1 },
  { op: 'setQuota', quota: 123_456 },
  { op: 'deleteFolder', folder, recursive: true },
]

/** One failure of each kind. */
const bad: readonly (readonly [DomainCode, (box: Box) => Operation])[] = [
  ['folderNotFound', () => ({ op: 'add', folder: missing as FolderId, item: newItem() })],
  ['folderSpecial', (box) => ({ op: 'deleteFolder', folder: box.inbox, recursive: true })],
  ['folderExists', (box) => ({ op: 'createFolder', parent: box.top, name: 'Inbox', class: 'IPF.Note' })],
  ['itemGone', () => ({ op: 'update', mid: missing as Mid })],
  ['invalid', (box) => ({ op: 'flag', folder: box.inbox, items: uids(4), set: 1 << 20 })],
  ['overQuota', (box) => ({ op: 'add', folder: box.inbox, item: newItem({ size: 10_000_000 }) })],
  ['invalid', () => ({ op: 'nonsense' }) as unknown as Operation],
]

/** Everything a caller can see of a mailbox. */
async function picture(box: Box): Promise<unknown> {
  const folders = await box.service.folders(box.id)
  const rows = await Promise.all(folders.map((folder) => box.rows(folder.id)))
  const mids = rows.flat().map((row) => row.mid as Mid)
  return {
    folders: [...folders].sort((a, b) => a.id - b.id),
    rows,
    info: await box.info(),
    items: await box.service.get(box.id, { by: { mids }, columns: ['promoted', 'props', 'original'] }),
    state: [await box.service.state(box.id, 'c'), await box.service.state(box.id, 'd')],
    permissions: await box.service.permissions(box.id),
  }
}

export const atomicityTopic: Topic = {
  name: 'all or nothing',
  tests: {
    'a list that fails at its end leaves no trace, whatever fails': async (subject) => {
      const box = await subject.box({ quota: 1_000_000 })
      const folder = await box.createFolder('folder')
      const added = await box.fill(5)
      await box.fill(2, folder)
      await box.apply(
        { op: 'putState', client: 'c', key: 'k', value: bytesOf('old') },
        { op: 'putState', client: 'd', key: 'k', value: bytesOf('old') },
      )
      const replica = new Replica()
      await replica.pullAll(box)
      const before = await picture(box)
      for (const [code, failing] of bad) {
        const list = good(box, folder, added[4]!.mid).filter((one) => one.op !== 'setQuota' || code !== 'overQuota')
        await rejects(box.apply(...list, failing(box)), code, list.length)
        assert.deepEqual(await picture(box), before, code)
      }
      await replica.pullAll(box)
      await checkMailbox(box, replica)
      await box.apply(...good(box, folder, added[4]!.mid))
      await checkMailbox(box, replica)
    },
    'numbers of a failed call are given to the next one': async (subject) => {
      const box = await subject.box()
      const before = await box.add()
      const fails = box.apply({ op: 'add', folder: box.inbox, item: newItem() }, { op: 'update', mid: missing as Mid })
      await rejects(fails, 'itemGone', 1)
      const after = await box.add()
      assert.equal(after.change, before.change + 1)
      assert.equal(after.uid, before.uid + 1)
    },
    'a failed call wakes nobody and queues nothing': async (subject) => {
      const box = await subject.box()
      let woken = 0
      await box.service.subscribe(box.id, () => woken++)
      await rejects(
        box.apply({ op: 'add', folder: box.inbox, item: newItem() }, { op: 'update', mid: 1 as Mid }),
        'itemGone',
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.equal(woken, 0)
    },
    'more operations than MAX_OPERATIONS: tooMany': async (subject) => {
      const box = await subject.box()
      const operation: Operation = { op: 'flag', folder: box.inbox, items: uids(1), set: 1 }
      await rejects(box.apply(...Array<Operation>(MAX_OPERATIONS + 1).fill(operation)), 'tooMany')
      await box.apply(...Array<Operation>(MAX_OPERATIONS).fill(operation))
    },
  },
}
