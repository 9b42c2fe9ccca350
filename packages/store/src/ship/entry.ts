import { crc32 } from 'node:zlib'
import { DomainError } from '@postrider/domain'

/**
 * One entry of the commit log: the pages a transaction wrote, whole, and which bytes of segments its rows name. Applying it twice is the same as
 * once. Little endian:
 *
 *      0  u32   magic 'PRL1'
 *      4  u32   bytes of the whole entry
 *      8  u32   crc32 of all behind
 *     12  f64   number of the entry, one more with each
 *     20  f64   when it was committed, ms
 *     28  u32   the two salts of the write-ahead log it was read from
 *     32  u32
 *     36  u32   frames of that log up to its end
 *     40  u32   bytes of a page
 *     44  u32   pages of the database after it
 *     48  u32   1: here a transaction ends; 0: it goes on in the next entry
 *     52  u32   number of pages, of pieces, of segments removed
 *     64  pieces: u32 segment, f64 from, f64 to; removed segments: u32; pages: u32 number, u32 crc32; contents of the pages
 */
const MAGIC = 0x314c5250
export const ENTRY_HEAD_BYTES = 64
const PIECE_BYTES = 20
const PAGE_BYTES = 8
/** Pages of one entry; a larger transaction takes several. */
export const MAX_ENTRY_PAGES = 1_024
/** No entry is larger. */
export const MAX_ENTRY_BYTES = 128 * 1024 * 1024

/** Bytes of a segment that rows name since a transaction. */
export interface Piece {
  readonly segment: number
  readonly from: number
  readonly to: number
}
/** Where an entry was read from: two logs that agree on it have the same past. */
export interface LogPoint {
  readonly seq: number
  readonly salt1: number
  readonly salt2: number
  readonly frames: number
}
export interface EntryHead extends LogPoint {
  readonly bytes: number
  readonly time: number
  readonly pageBytes: number
  /** Of the database after it. */
  readonly size: number
  readonly ends: boolean
}
export interface Entry extends EntryHead {
  readonly pieces: readonly Piece[]
  readonly removed: readonly number[]
  readonly pages: readonly { readonly page: number; readonly crc: number; readonly content: Uint8Array }[]
}

export type NewEntry = Omit<Entry, 'bytes' | 'pages'> & {
  readonly pages: readonly { readonly page: number; readonly content: Uint8Array }[]
}

export function encodeEntry(entry: NewEntry): Buffer {
  const { pieces, removed, pages } = entry
  const tables = pieces.length * PIECE_BYTES + removed.length * 4 + pages.length * PAGE_BYTES
  const bytes = ENTRY_HEAD_BYTES + tables + pages.length * entry.pageBytes
  const to = Buffer.alloc(bytes)
  to.writeUInt32LE(MAGIC, 0)
  to.writeUInt32LE(bytes, 4)
  to.writeDoubleLE(entry.seq, 12)
  to.writeDoubleLE(entry.time, 20)
  to.writeUInt32LE(entry.salt1, 28)
  to.writeUInt32LE(entry.salt2, 32)
  to.writeUInt32LE(entry.frames, 36)
  to.writeUInt32LE(entry.pageBytes, 40)
  to.writeUInt32LE(entry.size, 44)
  to.writeUInt32LE(entry.ends ? 1 : 0, 48)
  to.writeUInt32LE(pages.length, 52)
  to.writeUInt32LE(pieces.length, 56)
  to.writeUInt32LE(removed.length, 60)
  let at = ENTRY_HEAD_BYTES
  for (const { segment, from, to: end } of pieces) {
    to.writeUInt32LE(segment, at)
    to.writeDoubleLE(from, at + 4)
    to.writeDoubleLE(end, at + 12)
    at += PIECE_BYTES
  }
  for (const segment of removed) at = to.writeUInt32LE(segment, at)
  let content = at + pages.length * PAGE_BYTES
  for (const one of pages) {
    to.writeUInt32LE(one.page, at)
    to.writeUInt32LE(crc32(one.content), at + 4)
    at += PAGE_BYTES
    to.set(one.content, content)
    content += entry.pageBytes
  }
  to.writeUInt32LE(crc32(to.subarray(12)), 8)
  return to
}

/** How long the entry at the start of `bytes` is; 0 when none begins there, undefined when more is needed to know. */
export function entryBytes(bytes: Buffer): number | undefined {
  if (bytes.length < 8) return undefined
  const length = bytes.readUInt32LE(4)
  const fits = bytes.readUInt32LE(0) === MAGIC && length >= ENTRY_HEAD_BYTES && length <= MAX_ENTRY_BYTES
  return fits ? length : 0
}

/** The head alone, unverified. */
export function entryHead(bytes: Buffer): EntryHead {
  return {
    bytes: bytes.readUInt32LE(4),
    seq: bytes.readDoubleLE(12),
    time: bytes.readDoubleLE(20),
    salt1: bytes.readUInt32LE(28),
    salt2: bytes.readUInt32LE(32),
    frames: bytes.readUInt32LE(36),
    pageBytes: bytes.readUInt32LE(40),
    size: bytes.readUInt32LE(44),
    ends: bytes.readUInt32LE(48) === 1,
  }
}

/** Whether `bytes`, one whole entry, is as it was written. */
export const entrySound = (bytes: Buffer): boolean =>
  entryBytes(bytes) === bytes.length && bytes.readUInt32LE(8) === crc32(bytes.subarray(12))

/** Reads one whole entry; contents of pages are views of `bytes`. Throws `corrupt`. */
export function decodeEntry(bytes: Buffer): Entry {
  if (!entrySound(bytes)) throw new DomainError('corrupt', 'an entry of the commit log is damaged')
  const head = entryHead(bytes)
  const [pageCount, pieceCount, removedCount] = [52, 56, 60].map((at) => bytes.readUInt32LE(at)) as [
    number,
    number,
    number,
  ]
  const tables = pieceCount * PIECE_BYTES + removedCount * 4 + pageCount * PAGE_BYTES
  if (bytes.length !== ENTRY_HEAD_BYTES + tables + pageCount * head.pageBytes)
    throw new DomainError('corrupt', 'an entry of the commit log has a wrong length')
  let at = ENTRY_HEAD_BYTES
  const pieces = Array.from({ length: pieceCount }, (_, n) => {
    const start = at + n * PIECE_BYTES
    return {
      segment: bytes.readUInt32LE(start),
      from: bytes.readDoubleLE(start + 4),
      to: bytes.readDoubleLE(start + 12),
    }
  })
  at += pieceCount * PIECE_BYTES
  const removed = Array.from({ length: removedCount }, (_, n) => bytes.readUInt32LE(at + n * 4))
  at += removedCount * 4
  const contents = at + pageCount * PAGE_BYTES
  const pages = Array.from({ length: pageCount }, (_, n) => {
    const start = contents + n * head.pageBytes
    const content = bytes.subarray(start, start + head.pageBytes)
    const crc = bytes.readUInt32LE(at + n * PAGE_BYTES + 4)
    if (crc32(content) !== crc) throw new DomainError('corrupt', 'a page of the commit log is not as its sum says')
    return { page: bytes.readUInt32LE(at + n * PAGE_BYTES), crc, content }
  })
  return { ...head, pieces, removed, pages }
}
