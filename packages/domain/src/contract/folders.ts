import assert from 'node:assert/strict'
import { MAX_FOLDER_DEPTH, MAX_FOLDER_NAME, MAX_FOLDERS } from '../folder.ts'
import type { FolderId } from '../ids.ts'
import { MAX_OPERATIONS, type Operation, resultOf } from '../operations.ts'
import { checkMailbox } from './invariants.ts'
import { type Box, newItem, numbers, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const create = (
  name: string,
  parent: FolderId | { operation: number },
): Extract<Operation, { op: 'createFolder' }> => ({
  op: 'createFolder',
  name,
  parent,
  class: 'IPF.Note',
})

const missing = 888_888 as FolderId

const childrenOf = async (box: Box, parent: FolderId): Promise<string[]> =>
  (await box.service.folders(box.id)).filter((folder) => folder.parent === parent).map((folder) => folder.name)

export const foldersTopic: Topic = {
  name: 'folders',
  tests: {
    'a new folder is empty, has its place, name and class, and one change number': async (subject) => {
      const box = await subject.box()
      const { change } = await box.info()
      const result = await box.one({ ...create('Projects', box.inbox), class: 'IPF.Task', subscribed: true })
      const folder = await box.folder(result.folder)
      assert.equal((await box.info()).change, change + 1)
      assert.ok(result.uidValidity >= 1 && result.uidValidity <= 0xffff_ffff)
      assert.deepEqual(folder, {
        id: result.folder,
        parent: box.inbox,
        name: 'Projects',
        class: 'IPF.Task',
        role: undefined,
        kind: 'generic',
        cn: change + 1,
        createdCn: change + 1,
        contentChange: folder.contentChange,
        uidValidity: result.uidValidity,
        uidNext: 1,
        total: 0,
        unread: 0,
        deleted: 0,
        hidden: 0,
        bytes: 0,
        subscribed: true,
        specialUse: undefined,
      })
      await checkMailbox(box)
    },
    'special use and subscription are kept; a new folder is not subscribed by itself': async (subject) => {
      const box = await subject.box()
      const { folder } = await box.one({ ...create('Mine', box.top), specialUse: '\\Sent' })
      assert.equal((await box.folder(folder)).specialUse, '\\Sent')
      assert.equal((await box.folder(folder)).subscribed, false)
      await box.apply({ op: 'updateFolder', folder, subscribed: true, specialUse: '\\Archive' })
      assert.equal((await box.folder(folder)).specialUse, '\\Archive')
      assert.equal((await box.folder(folder)).subscribed, true)
      await box.apply({ op: 'updateFolder', folder, subscribed: false })
      assert.equal((await box.folder(folder)).subscribed, false)
    },
    'a list can make a tree and fill it': async (subject) => {
      const box = await subject.box()
      const { results } = await box.apply(create('a', box.top), create('b', { operation: 0 }), {
        op: 'add',
        folder: { operation: 1 },
        item: newItem(),
      })
      const a = resultOf({ change: 0 as never, results }, 0, 'createFolder').folder
      const b = resultOf({ change: 0 as never, results }, 1, 'createFolder').folder
      assert.equal((await box.folder(b)).parent, a)
      assert.equal((await box.folder(b)).total, 1)
      await checkMailbox(box)
    },
    'a reference to an operation that makes no folder is invalid': async (subject) => {
      const box = await subject.box()
      await rejects(box.apply(create('a', { operation: 0 })), 'invalid', 0)
      await rejects(box.apply(create('a', { operation: 1 }), create('b', box.top)), 'invalid', 0)
      const quota: Operation = { op: 'setQuota', quota: undefined }
      await rejects(box.apply(quota, create('a', { operation: 0 })), 'invalid', 1)
    },
    'names that a folder cannot have: nameInvalid': async (subject) => {
      const box = await subject.box()
      for (const name of ['', ' ', 'a/b', 'tab\there', 'nul\0', 'del\u007f', 'x'.repeat(MAX_FOLDER_NAME + 1)]) {
        await rejects(box.apply(create(name, box.top)), 'nameInvalid', 0)
      }
      for (const name of [
        'x'.repeat(MAX_FOLDER_NAME),
        'Größe & <Maß>',
        '日本語',
        '🙂',
        '__proto__',
        'constructor',
        "o'clock; --",
      ]) {
        assert.equal((await box.folder(await box.createFolder(name))).name, name)
      }
      const folder = await box.createFolder('fine')
      await rejects(box.apply({ op: 'updateFolder', folder, name: 'a/b' }), 'nameInvalid', 0)
    },
    'siblings differ by more than case and composition: folderExists': async (subject) => {
      const box = await subject.box()
      const cafe = await box.createFolder('Caf\u00e9')
      for (const name of ['Caf\u00e9', 'CAF\u00c9', 'cafe\u0301']) {
        await rejects(box.apply(create(name, box.top)), 'folderExists', 0)
      }
      await rejects(box.apply(create('inbox', box.top)), 'folderExists', 0)
      assert.ok(await box.createFolder('Café', box.inbox), 'another parent has room for it')
      const other = await box.createFolder('other')
      await rejects(box.apply({ op: 'updateFolder', folder: other, name: 'CAFÉ' }), 'folderExists', 0)
      await box.apply({ op: 'updateFolder', folder: cafe, name: 'CAFÉ' })
      assert.equal((await box.folder(cafe)).name, 'CAFÉ')
    },
    'a parent that is not there: folderNotFound': async (subject) => {
      const box = await subject.box()
      await rejects(box.apply(create('a', missing)), 'folderNotFound', 0)
      await rejects(box.apply({ op: 'updateFolder', folder: missing, name: 'x' }), 'folderNotFound', 0)
      await rejects(box.apply({ op: 'deleteFolder', folder: missing, recursive: true }), 'folderNotFound', 0)
      const folder = await box.createFolder('a')
      await rejects(box.apply({ op: 'updateFolder', folder, parent: missing }), 'folderNotFound', 0)
    },
    'rename and move keep the content and take one change number': async (subject) => {
      const box = await subject.box()
      const folder = await box.createFolder('old')
      await box.add(folder)
      const before = await box.folder(folder)
      const { change } = await box.apply({ op: 'updateFolder', folder, name: 'new', parent: box.inbox })
      const { cn, name, parent, ...rest } = await box.folder(folder)
      assert.deepEqual({ cn, name, parent }, { cn: change, name: 'new', parent: box.inbox })
      assert.deepEqual(rest, { ...rest, uidValidity: before.uidValidity, uidNext: before.uidNext, total: 1 })
      assert.equal(change, before.contentChange + 1)
      assert.ok(!(await childrenOf(box, box.top)).includes('old'))
      await box.createFolder('old')
      await checkMailbox(box)
    },
    'a rename to the same name changes nothing': async (subject) => {
      const box = await subject.box()
      const folder = await box.createFolder('same')
      const { change } = await box.info()
      await box.apply({ op: 'updateFolder', folder, name: 'same', parent: box.top })
      assert.equal((await box.info()).change, change)
    },
    'distinguished folders stay where they are: folderSpecial': async (subject) => {
      const box = await subject.box()
      for (const folder of [box.inbox, box.role('calendar'), box.role('root')]) {
        await rejects(box.apply({ op: 'updateFolder', folder, name: 'Post' }), 'folderSpecial', 0)
        await rejects(box.apply({ op: 'updateFolder', folder, parent: box.trash }), 'folderSpecial', 0)
        await rejects(box.apply({ op: 'deleteFolder', folder, recursive: true }), 'folderSpecial', 0)
      }
      await box.apply({ op: 'updateFolder', folder: box.inbox, subscribed: false })
      assert.equal((await box.folder(box.inbox)).subscribed, false)
    },
    'a folder cannot go below itself: folderCycle': async (subject) => {
      const box = await subject.box()
      const a = await box.createFolder('a')
      const b = await box.createFolder('b', a)
      const c = await box.createFolder('c', b)
      for (const parent of [a, b, c]) {
        await rejects(box.apply({ op: 'updateFolder', folder: a, parent }), 'folderCycle', 0)
      }
      await box.apply({ op: 'updateFolder', folder: c, parent: a })
      await box.apply({ op: 'updateFolder', folder: b, parent: c })
      assert.equal((await box.folder(b)).parent, c)
    },
    'deleteFolder leaves tombstones of its items and of itself': async (subject) => {
      const box = await subject.box()
      const folder = await box.createFolder('short')
      const added = await box.fill(3, folder)
      const since = (await box.info()).change
      await box.apply({ op: 'deleteFolder', folder, recursive: false })
      const changes = await box.service.changes(box.id, { since, limit: 100 })
      assert.deepEqual(numbers(changes.gone.mid).sort(), added.map((one) => one.mid).sort())
      assert.deepEqual(numbers(changes.gone.why), [0, 0, 0])
      assert.deepEqual(
        changes.goneFolders.map((one) => one.id),
        [folder],
      )
      assert.equal(changes.items.count, 0)
      await rejects(box.service.scan(box.id, { folder, columns: ['uid'] }), 'folderNotFound')
      await rejects(box.apply({ op: 'add', folder, item: newItem() }), 'folderNotFound', 0)
      assert.deepEqual(await box.service.get(box.id, { by: { mids: [added[0]!.mid] }, columns: [] }), [])
      assert.equal((await box.info()).usedBytes, 0)
      await checkMailbox(box)
    },
    'deleteFolder with ifEmpty leaves a folder with items as it is, also when they came in the same transaction':
      async (subject) => {
        const box = await subject.box()
        const folder = await box.createFolder('a')
        const { mid } = await box.add(folder)
        const only = { op: 'deleteFolder', folder, recursive: false, ifEmpty: true } as const
        await rejects(box.apply(only), 'folderNotEmpty', 0)
        assert.equal(
          (await box.service.folders(box.id)).some((one) => one.id === folder),
          true,
        )
        await box.apply({ op: 'remove', folder, items: { mids: [mid] } }, only)
        assert.equal(
          (await box.service.folders(box.id)).some((one) => one.id === folder),
          false,
        )
        await checkMailbox(box)
      },
    'deleteFolder with subfolders needs recursive: folderNotEmpty': async (subject) => {
      const box = await subject.box()
      const a = await box.createFolder('a')
      const b = await box.createFolder('b', a)
      await box.add(b)
      await rejects(box.apply({ op: 'deleteFolder', folder: a, recursive: false }), 'folderNotEmpty', 0)
      const since = (await box.info()).change
      await box.apply({ op: 'deleteFolder', folder: a, recursive: true })
      const changes = await box.service.changes(box.id, { since, limit: 100 })
      assert.deepEqual(new Set(changes.goneFolders.map((one) => one.id)), new Set([a, b]))
      assert.equal(changes.gone.count, 1)
      await checkMailbox(box)
    },
    'a folder made again under the old name has a new id and a higher UIDVALIDITY': async (subject) => {
      const box = await subject.box()
      const first = await box.one(create('again', box.top))
      await box.add(first.folder)
      await box.apply({ op: 'deleteFolder', folder: first.folder, recursive: false })
      const second = await box.one(create('again', box.top))
      assert.ok(second.folder > first.folder)
      assert.ok(second.uidValidity > first.uidValidity)
      assert.equal((await box.folder(second.folder)).uidNext, 1)
    },
    'a search folder holds no items of its own: invalid': async (subject) => {
      const box = await subject.box()
      await box.add()
      const { folder } = await box.one({ ...create('found', box.top), kind: 'search' })
      assert.equal((await box.folder(folder)).kind, 'search')
      const items = { uids: Uint32Array.of(1) }
      await rejects(box.apply({ op: 'add', folder, item: newItem() }), 'invalid', 0)
      await rejects(box.apply({ op: 'copy', from: box.inbox, to: folder, items }), 'invalid', 0)
      await rejects(box.apply({ op: 'move', from: box.inbox, to: folder, items }), 'invalid', 0)
      assert.deepEqual(await box.uids(), [1])
    },
    'the number of the hierarchy moves with folders made, renamed, changed and deleted, and with nothing else': async (
      subject,
    ) => {
      const box = await subject.box()
      let before = (await box.info()).hierarchy
      const moves = async (operation: Operation): Promise<boolean> => {
        await box.apply(operation)
        const { hierarchy, change } = await box.info()
        const moved = hierarchy > before
        if (moved) assert.equal(hierarchy, change)
        before = hierarchy
        return moved
      }
      const { folder } = await box.one(create('Projects', box.inbox))
      before = (await box.info()).hierarchy
      assert.equal(before, (await box.info()).change)
      assert.equal(await moves({ op: 'updateFolder', folder, name: 'Works' }), true)
      assert.equal(await moves({ op: 'updateFolder', folder, parent: box.top }), true)
      assert.equal(await moves({ op: 'updateFolder', folder, specialUse: '\\Important' }), true)
      assert.equal(await moves({ op: 'updateFolder', folder, subscribed: true }), false)
      await box.add()
      assert.equal((await box.info()).hierarchy, before)
      assert.equal(await moves({ op: 'deleteFolder', folder, recursive: false }), true)
      await rejects(box.apply({ op: 'updateFolder', folder, name: 'gone' }), 'folderNotFound')
      assert.equal((await box.info()).hierarchy, before)
    },
    'folders nest to a limit: tooMany': async (subject) => {
      const box = await subject.box()
      const chain = (length: number): Operation[] =>
        Array.from({ length }, (_, i) => create(`level ${i}`, i === 0 ? box.top : { operation: i - 1 }))
      await rejects(box.apply(...chain(MAX_FOLDER_DEPTH)), 'tooMany')
      const { results } = await box.apply(...chain(40))
      const [upper, lower] = [0, 39].map((i) => resultOf({ change: 0 as never, results }, i, 'createFolder').folder)
      const other = await box.apply(...chain(40).map((one, i) => (i === 0 ? create('other', box.top) : one)))
      const folder = resultOf(other, 0, 'createFolder').folder
      await rejects(box.apply({ op: 'updateFolder', folder, parent: lower! }), 'tooMany', 0)
      await box.apply({ op: 'updateFolder', folder, parent: upper! })
      await checkMailbox(box)
    },
    'a mailbox has so many folders and no more: tooMany': async (subject) => {
      const box = await subject.box()
      const room = MAX_FOLDERS - (await box.service.folders(box.id)).length
      assert.ok(room < MAX_OPERATIONS)
      await box.apply(...Array.from({ length: room }, (_, i) => create(`folder ${i}`, box.inbox)))
      await rejects(box.apply(create('one more', box.top)), 'tooMany', 0)
      assert.equal((await box.service.folders(box.id)).length, MAX_FOLDERS)
    },
  },
}
