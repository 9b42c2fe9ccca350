import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BlobRef, isDomainError, silentLog } from '@postrider/domain'
import fc from 'fast-check'
import {
  BlobReader,
  type Place,
  parseRef,
  readHead,
  realFiles,
  type SegmentRow,
  SegmentWriter,
  segmentPath,
  writeRef,
} from './index.ts'
import { CHUNK_BYTES, encodeRecord } from './record.ts'

function folderFor(t: { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-blobs-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const open = (folder: string, rows: readonly SegmentRow[] = [], limit = 1_000_000): SegmentWriter =>
  SegmentWriter.open(folder, rows, { files: realFiles, log: silentLog, limit })
const corrupt = (error: unknown): boolean => isDomainError(error, 'corrupt')

test('what is appended is read back, whole and in any part, packed or not', (t) => {
  const folder = folderFor(t)
  const writer = open(folder)
  const reader = new BlobReader(folder, realFiles)
  let id = 0
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 4_000 }),
      fc.boolean(),
      fc.nat(5_000),
      fc.nat(5_000),
      (bytes, pack, a, b) => {
        const place = writer.append(++id, bytes, pack)
        assert.deepEqual(Buffer.from(reader.read(place, 0, bytes.length)), Buffer.from(bytes))
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        assert.deepEqual(Buffer.from(reader.read(place, start, end)), Buffer.from(bytes.subarray(start, end)))
      },
    ),
    { numRuns: 100 },
  )
  reader.close()
  writer.close()
})

test('text is packed when asked, noise is not; several chunks are read alone', (t) => {
  const folder = folderFor(t)
  const writer = open(folder, [], 100_000_000)
  const reader = new BlobReader(folder, realFiles)
  const words = Buffer.from('some words again and again '.repeat(120_000))
  const place = writer.append(1, words, true)
  assert.ok(place.stored < words.length / 10)
  const at = 2 * CHUNK_BYTES - 3
  assert.ok(Buffer.from(reader.read(place, at, at + 6)).equals(words.subarray(at, at + 6)))
  const noise = Buffer.from(Array.from({ length: 10_000 }, (_, i) => Math.imul(i * i, 2654435761) >>> 24))
  assert.ok(writer.append(2, noise, true).stored >= noise.length)
  reader.close()
  writer.close()
})

test('any flipped byte of a record is found', (t) => {
  const folder = folderFor(t)
  const writer = open(folder)
  const content = Buffer.from('the content of a mail')
  const place = writer.append(7, content, false)
  writer.close()
  const path = segmentPath(folder, place.segment)
  for (let at = 0; at < place.stored; at++) {
    const fd = realFiles.open(path, 'r+')
    const [byte = 0] = realFiles.read(fd, 1, at)
    realFiles.write(fd, [Uint8Array.of(byte ^ 0x10)], at)
    const reader = new BlobReader(folder, realFiles)
    assert.throws(() => reader.read(place, 0, place.size), corrupt, `byte ${at}`)
    reader.close()
    realFiles.write(fd, [Uint8Array.of(byte)], at)
    realFiles.close(fd)
  }
})

test('hostile heads give a head or nothing, never an error', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (bytes, cut) => {
      readHead(bytes)
      const record = Buffer.concat([...encodeRecord(5, bytes, false).parts])
      const head = readHead(record)
      assert.equal(head?.size, bytes.length)
      assert.equal(readHead(record.subarray(0, Math.min(cut, 35))), undefined)
    }),
    { numRuns: 200 },
  ))

test('a full segment is closed and a new one begun; rows say how far each is synced', async (t) => {
  const folder = folderFor(t)
  const writer = open(folder, [], 1_000)
  const places = [1, 2, 3].map((id) => writer.append(id, Buffer.alloc(800, 'x'), false))
  assert.deepEqual(
    places.map(({ segment }) => segment),
    [1, 1, 2],
  )
  assert.deepEqual(
    writer.lengths().map(({ bytes }) => bytes),
    [0, 0],
  )
  assert.ok(writer.dirty)
  await writer.sync()
  assert.ok(!writer.dirty)
  const [first, second] = writer.lengths()
  assert.deepEqual([first?.sealed, second?.sealed], [true, false])
  assert.equal(first?.bytes, statSync(segmentPath(folder, 1)).size)
  writer.closeSealed(writer.lengths())
  assert.deepEqual(
    writer.lengths().map(({ segment }) => segment),
    [2],
  )
  writer.close()
})

test('opening cuts tails, removes strangers, and leaves alone what is too short or missing', (t) => {
  const folder = folderFor(t)
  const writer = open(folder)
  const kept = writer.append(1, Buffer.from('kept'), false)
  writer.append(2, Buffer.from('garbage'), false)
  writer.close()
  writeFileSync(segmentPath(folder, 9), 'a file no row names')
  const row = { segment: kept.segment, bytes: kept.stored, sealed: false }
  const again = open(folder, [row])
  assert.equal(statSync(segmentPath(folder, kept.segment)).size, kept.stored)
  assert.deepEqual(readdirSync(folder).length, 1)
  const next: Place = again.append(2, Buffer.from('next'), false)
  assert.deepEqual([next.segment, next.offset], [kept.segment, kept.stored])
  again.close()
  truncateSync(segmentPath(folder, kept.segment), kept.stored - 1)
  const short = open(folder, [row])
  assert.equal(short.append(3, Buffer.from('elsewhere'), false).segment, kept.segment + 1)
  short.close()
  assert.throws(() => new BlobReader(folder, realFiles).read(kept, 0, kept.size), corrupt)
  rmSync(segmentPath(folder, kept.segment))
  rmSync(segmentPath(folder, kept.segment + 1))
  const missing = open(folder, [row])
  assert.equal(missing.append(4, Buffer.from('elsewhere'), false).segment, kept.segment + 1)
  missing.close()
})

test('references: what was written is read, in its own database only; anything else is blobGone', () => {
  const name = { id: 123_456_789, size: 4_096, crc: 0xffff_ffff }
  assert.deepEqual(parseRef(3, writeRef(3, name)), name)
  const gone = (error: unknown): boolean => isDomainError(error, 'blobGone')
  assert.throws(() => parseRef(4, writeRef(3, name)), gone)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.anything()), (text) => {
      try {
        parseRef(3, text as BlobRef)
      } catch (error) {
        assert.ok(gone(error))
      }
    }),
    { numRuns: 300 },
  )
})
