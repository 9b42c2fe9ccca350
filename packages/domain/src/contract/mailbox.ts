import assert from 'node:assert/strict'
import { distinguishedFolders } from '../folder.ts'
import type { BlobRef, ChangeNumber, FolderId, MailboxId } from '../ids.ts'
import { checkMailbox } from './invariants.ts'
import { rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const nobody = 999_999 as MailboxId

export const mailboxTopic: Topic = {
  name: 'mailbox',
  tests: {
    'create makes every distinguished folder, in order, with ids from 1': async (subject) => {
      const box = await subject.box()
      const folders = [...(await subject.service.folders(box.id))].sort((a, b) => a.id - b.id)
      assert.deepEqual(
        folders.map(({ id, name, role, kind, class: cls }) => ({ id, name, role, kind, cls })),
        distinguishedFolders.map(({ name, role, kind, class: cls }, i) => ({
          id: i + 1,
          name: name.en,
          role,
          kind,
          cls,
        })),
      )
      for (const { role, parent } of distinguishedFolders) {
        const folder = await box.folder(box.role(role))
        assert.equal(folder.parent, parent === undefined ? 0 : box.role(parent))
      }
      await checkMailbox(box)
    },
    'create names the folders in the language of the mailbox': async (subject) => {
      const box = await subject.box({ language: 'fr' })
      assert.equal((await box.folder(box.inbox)).name, 'Boîte de réception')
    },
    'create twice changes nothing': async (subject) => {
      const box = await subject.box()
      await box.add()
      const before = [await box.info(), await subject.service.folders(box.id)]
      await subject.service.create(box.id, { language: 'fr', quota: 5, database: 'first' })
      assert.deepEqual([await box.info(), await subject.service.folders(box.id)], before)
    },
    'info tells database, guid, quota and use': async (subject) => {
      const box = await subject.box({ quota: 5_000 })
      const { size } = await box.item((await box.add()).mid)
      const info = await box.info()
      assert.equal(info.database, 'first')
      assert.match(info.guid, /^[0-9a-f]{32}$/)
      assert.equal(info.quota, 5_000)
      assert.equal(info.usedBytes, size)
      assert.equal(info.items, 1)
      assert.ok(info.lowestChange <= info.change)
      assert.ok(Number.isInteger(info.epoch))
      assert.notEqual((await (await subject.box()).info()).guid, info.guid)
      assert.equal((await (await subject.box()).info()).quota, undefined)
    },
    'distinguished mail folders start subscribed': async (subject) => {
      const box = await subject.box()
      for (const role of ['inbox', 'drafts', 'sentitems', 'deleteditems', 'junkemail', 'archive'] as const) {
        assert.equal((await box.folder(box.role(role))).subscribed, true, role)
      }
      assert.equal((await box.folder(box.role('finder'))).subscribed, false)
    },
    'every method says mailboxNotFound for a mailbox that is not there': async ({ service }) => {
      const calls = [
        service.info(nobody),
        service.apply(nobody, []),
        service.stage(nobody, new Uint8Array(1)),
        service.folders(nobody),
        service.permissions(nobody),
        service.scan(nobody, { folder: 1 as FolderId, columns: ['uid'] }),
        service.get(nobody, { by: { mids: [] }, columns: [] }),
        service.blob(nobody, 'x' as BlobRef),
        service.changes(nobody, { since: 0 as ChangeNumber, limit: 1 }),
        service.subscribe(nobody, () => {}),
        service.search(nobody, { folders: [], query: { kind: 'all' }, order: 'uid', offset: 0, limit: 1 }),
        service.state(nobody, 'client'),
      ]
      await Promise.all(calls.map((call) => rejects(call, 'mailboxNotFound')))
    },
    'destroy takes the mailbox away and leaves its neighbour': async (subject) => {
      const box = await subject.box()
      const neighbour = await subject.box()
      await box.add()
      await neighbour.add()
      await subject.service.destroy(box.id)
      await rejects(box.info(), 'mailboxNotFound')
      await rejects(box.apply(), 'mailboxNotFound')
      assert.equal((await neighbour.rows()).length, 1)
      await checkMailbox(neighbour)
    },
    'mailboxes of one database do not see each other': async (subject) => {
      const [a, b] = [await subject.box(), await subject.box()]
      const added = await a.add()
      assert.deepEqual(await b.rows(), [])
      assert.deepEqual(await b.service.get(b.id, { by: { mids: [added.mid] }, columns: [] }), [])
      assert.deepEqual(numbersOf(await b.one({ op: 'remove', folder: b.inbox, items: { mids: [added.mid] } })), [])
      assert.equal((await a.rows()).length, 1)
    },
    'an empty apply answers the change number and moves nothing': async (subject) => {
      const box = await subject.box()
      const { change } = await box.info()
      assert.deepEqual(await box.apply(), { change, results: [] })
      assert.equal((await box.info()).change, change)
    },
  },
}

const numbersOf = (result: { uids: Uint32Array }): number[] => Array.from(result.uids)
