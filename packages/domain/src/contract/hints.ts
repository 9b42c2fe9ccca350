import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import { resultOf } from '../operations.ts'
import { type Hint, HintKind } from '../service.ts'
import { type Box, eventually, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const uids = (...list: number[]) => ({ uids: Uint32Array.from(list) })
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Collects hints; `kinds(folder)` is everything heard of a folder since the last `clear`. */
async function listen(box: Box) {
  const hints: Hint[] = []
  const subscription = await box.service.subscribe(box.id, (hint) => hints.push(hint))
  const kinds = (folder: number): number =>
    hints.flatMap((hint) => hint.folders).reduce((all, one) => (one.id === folder ? all | one.kinds : all), 0)
  const heard = (change: number): Promise<void> =>
    eventually(() => hints.some((hint) => hint.change >= change), `a hint of ${change}`)
  return { hints, subscription, kinds, heard }
}

export const hintsTopic: Topic = {
  name: 'subscribe',
  tests: {
    'a commit wakes whoever waits, after it can be read': async (subject) => {
      const box = await subject.box()
      let seen: Promise<number> | undefined
      await box.service.subscribe(box.id, () => {
        seen ??= box.rows().then((rows) => rows.length)
      })
      await box.add()
      await eventually(() => seen !== undefined, 'a hint')
      assert.equal(await seen, 1)
    },
    'hints name mailbox, change, folders and kinds': async (subject) => {
      const box = await subject.box()
      const { hints, kinds, heard } = await listen(box)
      const check = async (what: Promise<{ change: number }>, expected: readonly (readonly [number, number])[]) => {
        await heard((await what).change)
        const unknown = hints.some((hint) => hint.folders.length === 0)
        for (const [folder, bits] of expected)
          assert.ok(unknown || (kinds(folder) & bits) === bits, `${folder} ${bits}`)
        assert.ok(hints.every((hint) => hint.mailbox === box.id))
        hints.length = 0
      }
      await check(box.add(), [[box.inbox, HintKind.added]])
      const flag = (set: number) => box.apply({ op: 'flag', folder: box.inbox, items: uids(1), set })
      await check(flag(Flag.seen), [[box.inbox, HintKind.readChanged]])
      await check(flag(Flag.flagged), [[box.inbox, HintKind.changed]])
      await check(box.apply({ op: 'move', from: box.inbox, to: box.trash, items: uids(1) }), [
        [box.inbox, HintKind.removed],
        [box.trash, HintKind.added],
      ])
      const made = await box.apply({ op: 'createFolder', parent: box.top, name: 'x', class: 'IPF.Note' })
      const { folder } = resultOf(made, 0, 'createFolder')
      await check(Promise.resolve(made), [[folder, HintKind.hierarchy]])
    },
    'a read change alone does not look like a content change': async (subject) => {
      const box = await subject.box()
      await box.add()
      await pause(20)
      const { kinds, heard, hints } = await listen(box)
      const { change } = await box.apply({ op: 'flag', folder: box.inbox, items: uids(1), set: Flag.seen })
      await heard(change)
      if (hints.every((hint) => hint.folders.length > 0)) assert.equal(kinds(box.inbox), HintKind.readChanged)
    },
    'nothing changed, nobody is woken': async (subject) => {
      const box = await subject.box()
      await box.add()
      await pause(20)
      const { hints } = await listen(box)
      await box.apply({ op: 'flag', folder: box.inbox, items: uids(1), clear: Flag.seen })
      await box.apply({ op: 'putState', client: 'c', key: 'k', value: new Uint8Array(1) })
      await rejects(box.apply({ op: 'deleteFolder', folder: box.inbox, recursive: true }), 'folderSpecial')
      await pause(20)
      assert.deepEqual(hints, [])
    },
    'every subscriber hears it, other mailboxes do not': async (subject) => {
      const [box, other] = [await subject.box(), await subject.box()]
      const [first, second, third] = [await listen(box), await listen(box), await listen(other)]
      const { change } = await box.add()
      await first.heard(change)
      await second.heard(change)
      assert.deepEqual(third.hints, [])
    },
    'closed is closed, for this one only': async (subject) => {
      const box = await subject.box()
      const [first, second] = [await listen(box), await listen(box)]
      first.subscription.close()
      first.subscription.close()
      const { change } = await box.add()
      await second.heard(change)
      assert.deepEqual(first.hints, [])
    },
    'no commit is missed between subscribing and reading the feed': async (subject) => {
      const box = await subject.box()
      const { hints } = await listen(box)
      const calls = Array.from({ length: 20 }, () => box.add())
      const last = Math.max(...(await Promise.all(calls)).map((one) => one.change))
      await eventually(() => hints.at(-1) !== undefined && hints.some((hint) => hint.change >= last), 'the last change')
    },
  },
}
