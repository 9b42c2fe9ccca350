import assert from 'node:assert/strict'
import { DomainError } from '../error.ts'
import type { FolderId } from '../ids.ts'
import { MAX_STATE_BYTES, type Operation, resultOf } from '../operations.ts'
import { ALL_RIGHTS, folderRoleRights } from '../rights.ts'
import { bytesOf, newItem, rejects, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

const put = (client: string, key: string, value: string): Operation => ({
  op: 'putState',
  client,
  key,
  value: bytesOf(value),
})

export const stateTopic: Topic = {
  name: 'state and once',
  tests: {
    'values are kept by client and key, and replaced': async (subject) => {
      const box = await subject.box()
      await box.apply(put('phone', 'b', '1'), put('phone', 'a', '2'), put('tablet', 'a', '3'))
      await box.apply(put('phone', 'b', '4'))
      const entries = await box.service.state(box.id, 'phone')
      assert.deepEqual(
        entries.map(({ key, value }) => [key, textOf(value)]),
        [
          ['a', '2'],
          ['b', '4'],
        ],
      )
      assert.deepEqual(await box.service.state(box.id, 'nobody'), [])
    },
    'what is to change only what is there brings nothing back': async (subject) => {
      const box = await subject.box()
      const change: Operation = { op: 'putState', client: 'c', key: 'k', value: bytesOf('new'), existing: true }
      const now = async () => (await box.service.state(box.id, 'c')).map(({ key, value }) => [key, textOf(value)])
      await box.apply(change)
      assert.deepEqual(await now(), [])
      await box.apply(put('c', 'k', 'old'), put('c', 'l', 'other'))
      await box.apply(change)
      assert.deepEqual(await now(), [
        ['k', 'new'],
        ['l', 'other'],
      ])
      await box.apply({ op: 'deleteState', client: 'c', key: 'k' })
      await box.apply(change)
      assert.deepEqual(await now(), [['l', 'other']])
    },
    'a prefix is taken by letter, never as a pattern': async (subject) => {
      const box = await subject.box()
      for (const key of ['a%b', 'a_b', 'axb', 'A%b', 'a', 'b']) await box.apply(put('c', key, key))
      const keys = async (prefix: string) => (await box.service.state(box.id, 'c', prefix)).map((one) => one.key)
      assert.deepEqual(await keys('a%'), ['a%b'])
      assert.deepEqual(await keys('a_'), ['a_b'])
      assert.deepEqual(new Set(await keys('a')), new Set(['a', 'a%b', 'a_b', 'axb']))
      assert.deepEqual((await keys('')).length, 6)
    },
    'state takes no change number and survives no failed apply': async (subject) => {
      const box = await subject.box()
      const { change } = await box.info()
      await box.apply(put('c', 'k', 'old'))
      await rejects(
        box.apply(put('c', 'k', 'new'), { op: 'deleteFolder', folder: box.inbox, recursive: true }),
        'folderSpecial',
        1,
      )
      assert.equal(textOf((await box.service.state(box.id, 'c'))[0]!.value), 'old')
      assert.equal((await box.info()).change, change)
    },
    'deleteState: one key, a prefix, or all of a client': async (subject) => {
      const box = await subject.box()
      await box.apply(...['a', 'ab', 'abc', 'b'].map((key) => put('c', key, key)), put('d', 'a', 'x'))
      const keys = async () => (await box.service.state(box.id, 'c')).map((one) => one.key)
      await box.apply({ op: 'deleteState', client: 'c', key: 'a' })
      assert.deepEqual(await keys(), ['ab', 'abc', 'b'])
      await box.apply({ op: 'deleteState', client: 'c', prefix: 'ab' })
      assert.deepEqual(await keys(), ['b'])
      await box.apply(put('c', 'z', 'z'))
      await box.apply({ op: 'deleteState', client: 'c' })
      assert.deepEqual(await keys(), [])
      assert.equal((await box.service.state(box.id, 'd')).length, 1)
      await box.apply({ op: 'deleteState', client: 'never seen' })
    },
    'keys are only text': async (subject) => {
      const box = await subject.box()
      const names = ['__proto__', 'constructor', "a'b", 'é', 'x'.repeat(500)]
      await box.apply(...names.map((name) => put(name, name, name)))
      for (const name of names) assert.equal((await box.service.state(box.id, name))[0]?.key, name)
    },
    'mailboxes do not see each other’s state': async (subject) => {
      const [a, b] = [await subject.box(), await subject.box()]
      await a.apply(put('c', 'k', 'x'))
      assert.deepEqual(await b.service.state(b.id, 'c'), [])
    },
    'a large value comes back whole, too many bytes are refused': async (subject) => {
      const box = await subject.box()
      const value = new Uint8Array(1_000_000).map((_, i) => i * 7)
      await box.apply({ op: 'putState', client: 'c', key: 'large', value })
      assert.deepEqual(Uint8Array.from((await box.service.state(box.id, 'c'))[0]!.value), value)
      const half = { op: 'putState', client: 'c', value: new Uint8Array(MAX_STATE_BYTES / 2 + 1) } as const
      await rejects(box.apply({ ...half, key: 'one' }, { ...half, key: 'two' }), 'tooMany')
      assert.equal((await box.service.state(box.id, 'c')).length, 1)
    },
    'once: the second use of a key is a duplicate, and nothing of that call happens': async (subject) => {
      const box = await subject.box()
      const send = (): Promise<unknown> =>
        box.apply({ op: 'once', key: 'send 1', keepMs: 60_000 }, { op: 'add', folder: box.inbox, item: newItem() })
      await send()
      await rejects(send(), 'duplicate', 0)
      assert.equal((await box.rows()).length, 1)
      await box.apply({ op: 'once', key: 'send 2', keepMs: 60_000 })
    },
    'once: a key of a failed call is not used up': async (subject) => {
      const box = await subject.box()
      const once: Operation = { op: 'once', key: 'k', keepMs: 60_000 }
      await rejects(box.apply(once, { op: 'add', folder: 99_999 as FolderId, item: newItem() }), 'folderNotFound', 1)
      await box.apply(once)
      await rejects(box.apply(once, once), 'duplicate', 0)
    },
    'once: twice in one call is a duplicate': async (subject) => {
      const box = await subject.box()
      const once: Operation = { op: 'once', key: 'k', keepMs: 60_000 }
      await rejects(box.apply(once, once), 'duplicate', 1)
    },
    'once: a key is forgotten after its time; each mailbox has its own': async (subject) => {
      const [box, other] = [await subject.box(), await subject.box()]
      const once: Operation = { op: 'once', key: 'k', keepMs: 60_000 }
      await box.apply(once)
      await other.apply(once)
      subject.clock.advance(59_000)
      await rejects(box.apply(once), 'duplicate', 0)
      subject.clock.advance(2_000)
      await box.apply(once)
    },
    'once under contention: exactly one wins': async (subject) => {
      const box = await subject.box()
      const calls = Array.from({ length: 10 }, () => box.apply({ op: 'once', key: 'race', keepMs: 60_000 }))
      const settled = await Promise.allSettled(calls)
      assert.equal(settled.filter((one) => one.status === 'fulfilled').length, 1)
      for (const one of settled) {
        if (one.status === 'rejected') assert.equal(one.reason instanceof DomainError && one.reason.code, 'duplicate')
      }
    },
  },
}

export const permissionsTopic: Topic = {
  name: 'permissions',
  tests: {
    'set, change and remove lines of a folder': async (subject) => {
      const box = await subject.box()
      const calendar = box.role('calendar')
      const set = (folder: FolderId, member: string, rights: number | undefined) =>
        box.apply({ op: 'setPermission', folder, member, rights })
      assert.deepEqual(await box.service.permissions(box.id), [])
      await set(calendar, 'default', folderRoleRights.AvailabilityOnly)
      await set(box.inbox, 'bob', folderRoleRights.Editor)
      await set(box.inbox, 'alice', folderRoleRights.Reviewer)
      await set(box.inbox, 'bob', ALL_RIGHTS)
      assert.deepEqual(await box.service.permissions(box.id), [
        { folder: box.inbox, member: 'alice', rights: folderRoleRights.Reviewer },
        { folder: box.inbox, member: 'bob', rights: ALL_RIGHTS },
        { folder: calendar, member: 'default', rights: folderRoleRights.AvailabilityOnly },
      ])
      await set(box.inbox, 'bob', undefined)
      await set(box.inbox, 'nobody', undefined)
      await set(calendar, 'default', 0)
      assert.deepEqual(await box.service.permissions(box.id), [
        { folder: box.inbox, member: 'alice', rights: folderRoleRights.Reviewer },
        { folder: calendar, member: 'default', rights: 0 },
      ])
    },
    'they go with their folder and need one': async (subject) => {
      const box = await subject.box()
      const folder = await box.createFolder('shared')
      await box.apply({ op: 'setPermission', folder, member: 'bob', rights: 1 })
      await box.apply({ op: 'deleteFolder', folder, recursive: false })
      assert.deepEqual(await box.service.permissions(box.id), [])
      await rejects(box.apply({ op: 'setPermission', folder, member: 'bob', rights: 1 }), 'folderNotFound', 0)
      const wrong: Operation = { op: 'setPermission', folder: box.inbox, member: 'bob', rights: ALL_RIGHTS + 1 }
      await rejects(box.apply(wrong), 'invalid', 0)
    },
  },
}

const big = (size: number): Operation[] => [
  { op: 'add', folder: 3 as FolderId, item: newItem({ original: { bytes: new Uint8Array(size) }, size }) },
]

export const quotaTopic: Topic = {
  name: 'quota',
  tests: {
    'an item that does not fit: overQuota; one that fits exactly is taken': async (subject) => {
      const box = await subject.box({ quota: 1_000 })
      await box.apply(...big(600))
      await rejects(box.apply(...big(401)), 'overQuota', 0)
      await box.apply(...big(400))
      await rejects(box.apply(...big(1)), 'overQuota', 0)
      assert.equal((await box.info()).usedBytes, 1_000)
    },
    'copy counts, move does not': async (subject) => {
      const box = await subject.box({ quota: 1_000 })
      await box.apply(...big(600))
      const where = { from: box.inbox, items: { uids: Uint32Array.of(1) } }
      await rejects(box.apply({ op: 'copy', ...where, to: box.trash }), 'overQuota', 0)
      await box.apply({ op: 'move', ...where, to: box.trash })
      assert.equal((await box.rows(box.trash)).length, 1)
    },
    'replace counts the growth only': async (subject) => {
      const box = await subject.box({ quota: 1_000 })
      const added = resultOf(await box.apply(...big(600)), 0, 'add')
      const item = (size: number) => newItem({ original: { bytes: new Uint8Array(size) }, size })
      await box.apply({ op: 'replace', mid: added.mid, item: item(1_000) })
      await rejects(box.apply({ op: 'replace', mid: added.mid, item: item(1_001) }), 'overQuota', 0)
      assert.equal((await box.info()).usedBytes, 1_000)
    },
    'P21: over quota everything that does not grow goes on': async (subject) => {
      const box = await subject.box()
      await box.apply(...big(600), ...big(600))
      await box.apply({ op: 'setQuota', quota: 500 })
      assert.equal((await box.info()).quota, 500)
      const first = { uids: Uint32Array.of(1) }
      await box.apply({ op: 'flag', folder: box.inbox, items: first, set: 1 })
      await box.apply({ op: 'move', from: box.inbox, to: box.trash, items: first })
      await box.createFolder('new')
      await rejects(box.apply(...big(1)), 'overQuota', 0)
      await box.apply({ op: 'remove', folder: box.trash, items: first })
      await box.apply({ op: 'setQuota', quota: undefined })
      await box.apply(...big(9_999))
    },
    'room made in the same call counts': async (subject) => {
      const box = await subject.box({ quota: 1_000 })
      await box.apply(...big(800))
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(1) } }, ...big(900))
      assert.equal((await box.info()).usedBytes, 900)
    },
    'a list that fails at its end uses nothing': async (subject) => {
      const box = await subject.box({ quota: 1_000 })
      await rejects(box.apply(...big(600), ...big(600)), 'overQuota', 1)
      assert.equal((await box.info()).usedBytes, 0)
    },
  },
}
