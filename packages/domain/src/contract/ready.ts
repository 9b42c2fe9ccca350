import assert from 'node:assert/strict'
import type { FolderId } from '../ids.ts'
import { resultOf } from '../operations.ts'
import {
  MAX_READY_BLOCKS,
  MAX_READY_BYTES,
  MAX_READY_KIND,
  MAX_READY_KINDS,
  type NewReadyBlock,
  READY_UIDS,
} from '../ready.ts'
import { type Box, bytesOf, newItem, rejects, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

/** A mailbox whose inbox has mails with these UIDs, and the next UID beyond the second block. */
async function filled(box: Box): Promise<readonly number[]> {
  const uids = [3, 7, READY_UIDS + 1, READY_UIDS + 2, 2 * READY_UIDS + 5]
  for (const uid of uids) await box.apply({ op: 'add', folder: box.inbox, item: newItem(), uid: uid as never })
  return uids
}

const block = (number: number, mails: number, text: string): NewReadyBlock => ({
  block: number,
  mails,
  bytes: bytesOf(text),
})

async function kept(box: Box, kind: string, folder = box.inbox): Promise<string[]> {
  const found = await box.service.ready(box.id, { folder, kind, blocks: [0, MAX_READY_BLOCKS - 1] })
  return found.map((one) => `${one.block} ${textOf(one.bytes)}`)
}

const keep = (box: Box, kind: string, ...blocks: NewReadyBlock[]): Promise<unknown> =>
  box.apply({ op: 'keepReady', folder: box.inbox, kind, blocks })

export const readyTopic: Topic = {
  name: 'ready answers',
  tests: {
    'blocks are kept by kind, replaced, and answered ascending': async (subject) => {
      const box = await subject.box()
      await filled(box)
      const { change } = await box.info()
      await keep(box, 'a', block(1, 2, 'second'), block(0, 2, 'first'))
      await keep(box, 'b', block(0, 2, 'other'))
      await keep(box, 'a', block(0, 2, 'anew'))
      assert.deepEqual(await kept(box, 'a'), ['0 anew', '1 second'])
      assert.deepEqual(await kept(box, 'b'), ['0 other'])
      assert.deepEqual(await kept(box, 'A'), [])
      const one = await box.service.ready(box.id, { folder: box.inbox, kind: 'a', blocks: [1, 5] })
      assert.deepEqual(
        one.map(({ block }) => block),
        [1],
      )
      assert.equal((await box.info()).change, change)
    },
    'a block that still grows, or has other mails than its value says, is passed over': async (subject) => {
      const box = await subject.box()
      await filled(box)
      await box.apply({ op: 'add', folder: box.inbox, item: newItem({ associated: true }) })
      await keep(box, 'a', block(0, 1, 'one'), block(1, 3, 'three'), block(2, 1, 'grows'))
      await keep(box, 'a', { block: 0, mails: 2, bytes: new Uint8Array(MAX_READY_BYTES + 1) })
      assert.deepEqual(await kept(box, 'a'), [])
    },
    'no block outlives one of its mails': async (subject) => {
      const box = await subject.box()
      const fresh = async (): Promise<void> => {
        await keep(box, 'a', block(0, 2, 'first'), block(1, 2, 'second'))
        await keep(box, 'b', block(0, 2, 'first'), block(1, 2, 'second'))
      }
      await filled(box)
      await fresh()
      await box.apply({ op: 'flag', folder: box.inbox, items: { uids: Uint32Array.of(3, 7) }, set: 1 })
      await box.apply({ op: 'copy', from: box.inbox, to: box.trash, items: { uids: Uint32Array.of(3, 7) } })
      assert.deepEqual(await kept(box, 'a'), ['0 first', '1 second'])
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(READY_UIDS + 1) } })
      for (const kind of ['a', 'b']) assert.deepEqual(await kept(box, kind), ['0 first'])
      await fresh()
      assert.deepEqual(await kept(box, 'a'), ['0 first'])
      await box.apply({ op: 'move', from: box.inbox, to: box.trash, items: { uids: Uint32Array.of(7) } })
      assert.deepEqual(await kept(box, 'a'), [])
    },
    'new content under a new UID takes the block of the old one': async (subject) => {
      const box = await subject.box()
      const { mid } = resultOf(await box.apply({ op: 'add', folder: box.inbox, item: newItem() }), 0, 'add')
      await filled(box)
      await keep(box, 'a', block(0, 3, 'first'), block(1, 2, 'second'))
      await box.apply({ op: 'replace', mid, item: newItem() })
      assert.deepEqual(await kept(box, 'a'), ['1 second'])
    },
    'they go with their folder, and a failed call keeps nothing and forgets nothing': async (subject) => {
      const box = await subject.box()
      await filled(box)
      await keep(box, 'a', block(0, 2, 'first'))
      const items = { uids: Uint32Array.of(3) }
      const gone = { op: 'deleteFolder', folder: box.inbox, recursive: true } as const
      await rejects(
        box.apply(
          { op: 'keepReady', folder: box.inbox, kind: 'a', blocks: [block(1, 2, 'second')] },
          { op: 'remove', folder: box.inbox, items },
          gone,
        ),
        'folderSpecial',
        2,
      )
      assert.deepEqual(await kept(box, 'a'), ['0 first'])
      const folder = await box.createFolder('large')
      await rejects(kept(box, 'a', 99_999 as FolderId), 'folderNotFound')
      await box.apply({ op: 'deleteFolder', folder, recursive: false })
      await rejects(kept(box, 'a', folder), 'folderNotFound')
    },
    'kinds beyond the limit: the one written longest ago goes': async (subject) => {
      const box = await subject.box()
      await filled(box)
      for (let i = 0; i <= MAX_READY_KINDS; i++) {
        subject.clock.advance(1_000)
        await keep(box, i === MAX_READY_KINDS ? 'last' : `kind ${i}`, block(0, 2, String(i)))
        if (i === 1) await keep(box, 'kind 0', block(1, 2, 'again'))
      }
      assert.deepEqual(await kept(box, 'kind 1'), [])
      assert.deepEqual(await kept(box, 'kind 0'), ['0 0', '1 again'])
      assert.deepEqual(await kept(box, 'last'), [`0 ${MAX_READY_KINDS}`])
    },
    'limits are told': async (subject) => {
      const box = await subject.box()
      await filled(box)
      const ask = (first: number, last: number): Promise<unknown> =>
        box.service.ready(box.id, { folder: box.inbox, kind: 'a', blocks: [first, last] })
      await rejects(ask(0, MAX_READY_BLOCKS), 'tooMany')
      await rejects(ask(0.5, 1), 'invalid')
      const many = Array.from({ length: MAX_READY_BLOCKS + 1 }, (_, i) => block(i, 1, ''))
      await rejects(keep(box, 'a', ...many), 'tooMany', 0)
      await rejects(keep(box, 'x'.repeat(MAX_READY_KIND + 1), block(0, 2, '')), 'invalid', 0)
      await rejects(keep(box, 'a', block(-1, 0, '')), 'invalid', 0)
    },
    'mailboxes do not see each other’s': async (subject) => {
      const [a, b] = [await subject.box(), await subject.box()]
      await filled(a)
      await filled(b)
      await keep(a, 'a', block(0, 2, 'of a'))
      assert.deepEqual(await kept(b, 'a'), [])
    },
  },
}
