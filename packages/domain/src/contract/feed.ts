import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { ChangeNumber } from '../ids.ts'
import { checkMailbox, Replica } from './invariants.ts'
import { type Box, numbers, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const uids = (...list: number[]) => ({ uids: Uint32Array.from(list) })
const changesOf = (box: Box, since: number, limit = 1_000) =>
  box.service.changes(box.id, { since: since as ChangeNumber, limit })

/** Adds, flags, moves and removes: 40 rows and more tombstones. */
async function stir(box: Box): Promise<void> {
  await box.fill(60)
  await box.apply(
    { op: 'flag', folder: box.inbox, items: uids(1, 5, 9), set: Flag.seen },
    { op: 'move', from: box.inbox, to: box.trash, items: uids(2, 5, 6) },
    { op: 'createFolder', parent: box.top, name: 'feed', class: 'IPF.Note' },
    { op: 'remove', folder: box.inbox, items: { uids: Uint32Array.from({ length: 20 }, (_, i) => 30 + i) } },
    { op: 'flag', folder: box.trash, items: uids(1, 3), set: Flag.flagged },
  )
}

export const feedTopic: Topic = {
  name: 'changes feed',
  tests: {
    'nothing new: the cursor stays': async (subject) => {
      const box = await subject.box()
      const { change } = await box.info()
      const { upTo, more, resync, items, gone, folders, goneFolders } = await changesOf(box, change)
      assert.deepEqual({ upTo, more, resync }, { upTo: change, more: false, resync: false })
      assert.deepEqual([items.count, gone.count, folders.length, goneFolders.length], [0, 0, 0, 0])
    },
    'from 0 on the feed is the whole mailbox, whatever the page size': async (subject) => {
      const box = await subject.box()
      await stir(box)
      for (const limit of [1, 2, 7, 50, 1_000]) {
        const replica = new Replica()
        await replica.pullAll(box, limit)
        await checkMailbox(box, replica)
      }
    },
    'from every cursor of the past the feed ends at the present': async (subject) => {
      const box = await subject.box()
      const replicas: Replica[] = []
      const remember = async () => {
        const replica = new Replica()
        await replica.pullAll(box)
        replicas.push(replica)
      }
      await remember()
      await stir(box)
      await remember()
      await box.apply({ op: 'remove', folder: box.trash, items: uids(2) })
      await remember()
      await stir2(box)
      for (const [i, replica] of replicas.entries()) {
        while (await replica.pull(box, i + 1));
        await checkMailbox(box, replica)
      }
    },
    'a row that changes between two pages is not lost': async (subject) => {
      const box = await subject.box()
      const replica = new Replica()
      await replica.pullAll(box)
      await box.fill(10)
      assert.equal(await replica.pull(box, 4), true)
      await box.apply({ op: 'flag', folder: box.inbox, items: uids(2, 8), set: Flag.seen })
      await box.apply({ op: 'move', from: box.inbox, to: box.trash, items: uids(1, 9) })
      await replica.pullAll(box, 4)
      await checkMailbox(box, replica)
    },
    'a page has items and tombstones in the order of change numbers': async (subject) => {
      const box = await subject.box()
      const since = (await box.info()).change
      await stir(box)
      const first = await changesOf(box, since, 10)
      assert.equal(first.more, true)
      assert.ok(first.items.count + first.gone.count <= 10)
      assert.ok([...first.items.change, ...first.gone.change].every((change) => change > since && change <= first.upTo))
      const second = await changesOf(box, first.upTo, 10)
      assert.ok([...second.items.change, ...second.gone.change].every((change) => change > first.upTo))
    },
    'a page that ends exactly at the last change says so': async (subject) => {
      const box = await subject.box()
      const since = (await box.info()).change
      await box.fill(5)
      const page = await changesOf(box, since, 5)
      assert.deepEqual([page.items.count, page.more, page.upTo], [5, false, (await box.info()).change])
    },
    'created, changed and read can be told apart': async (subject) => {
      const box = await subject.box()
      await box.fill(2)
      const since = (await box.info()).change
      await box.apply({ op: 'flag', folder: box.inbox, items: uids(1), set: Flag.seen })
      await box.apply({ op: 'flag', folder: box.inbox, items: uids(2), set: Flag.flagged })
      await box.add()
      const { items } = await changesOf(box, since)
      const told = Array.from({ length: items.count }, (_, i) =>
        items.createdCn[i]! > since ? 'created' : items.cn[i]! > since ? 'changed' : 'read',
      )
      assert.deepEqual(told, ['read', 'changed', 'created'])
      assert.deepEqual(numbers(items.uid), [1, 2, 3])
    },
    'with a folder only its rows and tombstones come, and all of the hierarchy': async (subject) => {
      const box = await subject.box()
      const since = (await box.info()).change
      await stir(box)
      const all = { since, limit: 1_000 }
      const inbox = await box.service.changes(box.id, { ...all, folder: box.inbox })
      const trash = await box.service.changes(box.id, { ...all, folder: box.trash })
      assert.ok(inbox.items.folder.every((folder) => folder === box.inbox))
      assert.ok(inbox.gone.folder.every((folder) => folder === box.inbox))
      assert.equal(inbox.items.count, 60 - 3 - 20)
      assert.equal(inbox.gone.count, 23)
      assert.deepEqual([trash.items.count, trash.gone.count], [3, 0])
      assert.deepEqual(
        inbox.folders.map((folder) => folder.name),
        ['feed'],
      )
      assert.deepEqual(
        trash.folders.map((folder) => folder.name),
        ['feed'],
      )
      assert.equal(inbox.upTo, (await box.info()).change, 'what is elsewhere need not be read again')
    },
    'with a folder and a small page nothing is lost': async (subject) => {
      const box = await subject.box()
      let since = (await box.info()).change
      await stir(box)
      const seen = new Set<number>()
      for (;;) {
        const page = await box.service.changes(box.id, { since, folder: box.inbox, limit: 3 })
        for (const uid of [...page.items.uid, ...page.gone.uid]) seen.add(uid)
        assert.ok(page.upTo > since || !page.more)
        since = page.upTo
        if (!page.more) break
      }
      assert.equal(seen.size, 60)
      assert.equal(since, (await box.info()).change)
    },
    'tombstones of a deleted folder are read by its id': async (subject) => {
      const box = await subject.box()
      const folder = await box.createFolder('gone soon')
      await box.fill(2, folder)
      const since = (await box.info()).change
      await box.apply({ op: 'deleteFolder', folder, recursive: false })
      const page = await box.service.changes(box.id, { since, folder, limit: 10 })
      assert.equal(page.gone.count, 2)
      assert.deepEqual(
        page.goneFolders.map((one) => one.id),
        [folder],
      )
      assert.equal(page.goneFolders[0]?.change, (await box.info()).change)
    },
    'what came and went between two cursors is no harm': async (subject) => {
      const box = await subject.box()
      const replica = new Replica()
      await replica.pullAll(box)
      const folder = await box.createFolder('brief')
      await box.fill(2, folder)
      await box.apply({ op: 'deleteFolder', folder, recursive: true })
      await replica.pullAll(box, 1)
      await checkMailbox(box, replica)
    },
    'a limit that is no number of rows: invalid': async (subject) => {
      const box = await subject.box()
      await rejects(changesOf(box, 0, 0), 'invalid')
      await rejects(changesOf(box, 0, -1), 'invalid')
    },
    'a cursor older than the oldest tombstone: resync and nothing else': async (subject) => {
      if (subject.forgetTombstones === undefined) return
      const box = await subject.box()
      await box.fill(3)
      const old = (await box.info()).change
      await box.apply({ op: 'remove', folder: box.inbox, items: uids(1) })
      await subject.forgetTombstones(box.id)
      const { change, lowestChange } = await box.info()
      assert.ok(lowestChange > old)
      const page = await changesOf(box, old)
      assert.deepEqual([page.resync, page.more, page.items.count, page.gone.count], [true, false, 0, 0])
      assert.deepEqual([page.folders.length, page.goneFolders.length], [0, 0])
      assert.equal((await changesOf(box, change)).resync, false)
      // Whoever starts at 0 knows nothing that could be gone.
      await checkMailbox(box)
      await box.fill(1)
      assert.equal((await changesOf(box, change)).items.count, 1)
    },
  },
}

async function stir2(box: Box): Promise<void> {
  const first = (await box.rows())[0]!
  await box.apply(
    { op: 'flag', folder: box.inbox, items: { mids: [first.mid as never] }, set: Flag.draft },
    { op: 'copy', from: box.inbox, to: box.trash, items: uids(first.uid) },
    { op: 'updateFolder', folder: (await box.one(renamed(box))).folder, name: 'feed 3' },
  )
}
const renamed = (box: Box) => ({ op: 'createFolder', parent: box.top, name: 'feed 2', class: 'IPF.Note' }) as const
