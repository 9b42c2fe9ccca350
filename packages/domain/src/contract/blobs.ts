import assert from 'node:assert/strict'
import type { BlobRef, FolderId } from '../ids.ts'
import { MAX_BLOB_CHUNK, MAX_GET } from '../service.ts'
import { type AddResult, bytesOf, newItem, rejects, textOf } from './subject.ts'
import type { Topic } from './topic.ts'

export const blobsTopic: Topic = {
  name: 'stage and blob',
  tests: {
    'an original is read whole or in part': async (subject) => {
      const box = await subject.box()
      const { original } = await box.add(box.inbox, { text: '0123456789' })
      const read = async (start?: number, end?: number) => textOf(await box.service.blob(box.id, original!, start, end))
      assert.equal(await read(), '0123456789')
      assert.equal(await read(4), '456789')
      assert.equal(await read(2, 5), '234')
      assert.equal(await read(0, 1), '0')
      assert.equal(await read(8, 99), '89')
      assert.equal(await read(10), '')
      assert.equal(await read(50, 60), '')
      assert.equal(await read(3, 3), '')
    },
    'a large original is read on from where a chunk ended': async (subject) => {
      const box = await subject.box()
      const bytes = new Uint8Array(MAX_BLOB_CHUNK + 1_234).map((_, i) => (i * 31) >> 3)
      const { original } = await box.add(box.inbox, { original: { bytes }, size: bytes.length })
      const first = await box.service.blob(box.id, original!)
      assert.equal(first.length, MAX_BLOB_CHUNK)
      const rest = await box.service.blob(box.id, original!, first.length)
      assert.equal(Buffer.compare(Buffer.concat([first, rest]), bytes), 0)
    },
    'originals of a folder are read in one call, without those that are gone, that are none or too large': async (
      subject,
    ) => {
      const box = await subject.box()
      for (const text of ['one', '', 'three', 'too large', 'five'])
        await box.add(box.inbox, { text, size: text.length })
      await box.add(box.inbox, { original: undefined, size: 0 })
      await box.add(box.inbox, { text: 'hidden', size: 6, associated: true })
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(1) } })
      await box.apply({ op: 'copy', from: box.inbox, to: box.trash, items: { uids: Uint32Array.of(5) } })
      const read = async (uids: number[], most = 5, folder = box.inbox) => {
        const asked = { folder, uids: Uint32Array.from(uids), largest: 5, most }
        const { bytes, ...rest } = await box.service.originals(box.id, asked)
        return { ...rest, text: textOf(bytes) }
      }
      const of = (uids: number[], sizes: number[], text: string, rest?: number) => ({
        uids: Uint32Array.from(uids),
        sizes: Uint32Array.from(sizes),
        text,
        rest,
      })
      assert.deepEqual(await read([1, 2, 3, 4, 5, 6, 7, 8], 9), of([2, 3, 5], [0, 5, 4], 'threefive'))
      assert.deepEqual(await read([2, 5], 9), of([2, 5], [0, 4], 'five'))
      assert.deepEqual(await read([1, 2, 3, 4, 5]), of([2, 3], [0, 5], 'three', 5))
      assert.deepEqual(await read([5]), of([5], [4], 'five'))
      assert.deepEqual(await read([1], 9, box.trash), of([1], [4], 'five'))
      assert.deepEqual(await read([]), of([], [], ''))
    },
    'questions for originals that make no sense or ask for too much': async (subject) => {
      const box = await subject.box()
      const ask = (uids: Uint32Array, largest = 1, most = 1, folder = box.inbox) =>
        box.service.originals(box.id, { folder, uids, largest, most })
      await rejects(ask(new Uint32Array(MAX_GET + 1)), 'tooMany')
      await rejects(ask(Uint32Array.of(1), 1, MAX_BLOB_CHUNK + 1), 'tooMany')
      await rejects(ask(Uint32Array.of(1), 2, 1), 'invalid')
      await rejects(ask(Uint32Array.of(2, 1)), 'invalid')
      await rejects(ask(Uint32Array.of(1), 1, 1, 999_999 as FolderId), 'folderNotFound')
    },
    'one original for several items of one call goes with the last of them': async (subject) => {
      const box = await subject.box()
      const original = { bytes: bytesOf('shared') }
      const operation = { op: 'add', folder: box.inbox, item: newItem({ original }) } as const
      const { results } = await box.apply(operation, operation)
      const [first, second] = results as AddResult[]
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(first!.uid) } })
      assert.equal(textOf(await box.service.blob(box.id, second!.original!)), 'shared')
    },
    'a staged original is there at once': async (subject) => {
      const box = await subject.box()
      const ref = await box.service.stage(box.id, bytesOf('staged'))
      assert.equal(textOf(await box.service.blob(box.id, ref)), 'staged')
      assert.equal(textOf(await box.service.blob(box.id, await box.service.stage(box.id, new Uint8Array(0)))), '')
    },
    'references that name nothing: blobGone': async (subject) => {
      const box = await subject.box()
      for (const ref of ['', 'nonsense', '1/2/3', '../../etc/passwd', '99999999999999999999', '{}'] as BlobRef[]) {
        await rejects(box.service.blob(box.id, ref), 'blobGone')
        await rejects(box.apply({ op: 'add', folder: box.inbox, item: newItem({ original: { ref } }) }), 'blobGone', 0)
      }
      assert.deepEqual(await box.rows(), [])
    },
    'a range that makes no sense: invalid': async (subject) => {
      const box = await subject.box()
      const { original } = await box.add()
      await rejects(box.service.blob(box.id, original!, -1), 'invalid')
      await rejects(box.service.blob(box.id, original!, 5, 2), 'invalid')
    },
    'an original lives as long as one item names it': async (subject) => {
      const box = await subject.box()
      const { original } = await box.add(box.inbox, { text: 'shared' })
      await box.apply({ op: 'copy', from: box.inbox, to: box.trash, items: { uids: Uint32Array.of(1) } })
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(1) } })
      subject.clock.advance(7_200_000)
      await box.add()
      assert.equal(textOf(await box.service.blob(box.id, original!)), 'shared')
    },
    'bytes that an attachment names live as long as the item': async (subject) => {
      const box = await subject.box()
      const blob = await box.service.stage(box.id, bytesOf('attached'))
      const attachment = { n: 0, method: 'byValue', name: 'a', type: 'text/plain', size: 8, inline: false } as const
      const attachments = [{ ...attachment, source: { blob } }]
      await box.add(box.inbox, { original: undefined, size: 0, attachments })
      await box.apply({ op: 'move', from: box.inbox, to: box.trash, items: { uids: Uint32Array.of(1) } })
      subject.clock.advance(7_200_000)
      await box.add()
      assert.equal(textOf(await box.service.blob(box.id, blob)), 'attached')
      const gone = [{ ...attachment, source: { blob: 'nonsense' as BlobRef } }]
      const item = newItem({ original: undefined, size: 0, attachments: gone })
      await rejects(box.apply({ op: 'add', folder: box.inbox, item }), 'blobGone', 0)
    },
    'bytes of all values survive': async (subject) => {
      const box = await subject.box()
      const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i)
      const { original } = await box.add(box.inbox, { original: { bytes }, size: bytes.length })
      assert.equal(Buffer.compare(await box.service.blob(box.id, original!), bytes), 0)
    },
    'a view into a larger buffer is only its own bytes': async (subject) => {
      const box = await subject.box()
      const view = bytesOf('xxinsidexx').subarray(2, 8)
      const { original } = await box.add(box.inbox, { original: { bytes: view }, size: 6 })
      const read = await box.service.blob(box.id, original!)
      assert.equal(textOf(read), 'inside')
    },
  },
}
