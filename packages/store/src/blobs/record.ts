import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { DomainError } from '@postrider/domain'

/**
 * One record of a segment, little endian:
 *
 *      0  u32   magic 'PRB1'
 *      4  u48   id of the blob: compaction finds the row by it
 *     10  u16   number of chunks
 *     12  f64   size of the content
 *     20  u32   crc32 of the content
 *     24  u32   crc32 of the bytes before and of the chunk table
 *     28  table: for each chunk u32 stored length (28 bits) and codec (4 bits), u32 crc32 of the stored bytes
 *         the chunks
 *
 * Content is cut into chunks of CHUNK_BYTES so that a part of a large original is read, checked and unpacked alone.
 */
export const CHUNK_BYTES = 1024 * 1024
const MAGIC = 0x31425250
/** The fixed part of a head. */
export const HEAD_BYTES = 28
const ENTRY_BYTES = 8
const LENGTH_BITS = 0x0fff_ffff

/** Codec of one chunk. */
export const Codec = { none: 0, zstd: 1 } as const

/** Largest content: the chunk count is 16 bits. */
export const MAX_BLOB_BYTES = 0xffff * CHUNK_BYTES

export interface RecordHead {
  readonly id: number
  readonly size: number
  readonly crc: number
  /** Bytes of the whole record. */
  readonly stored: number
  readonly chunks: readonly ChunkEntry[]
}
export interface ChunkEntry {
  /** Offset in the record. */
  readonly at: number
  readonly length: number
  readonly codec: number
  readonly crc: number
}

export interface EncodedRecord {
  /** What to write, in order; the content is not copied unless it was packed. */
  readonly parts: readonly Uint8Array[]
  readonly stored: number
  readonly crc: number
}

const headLength = (chunks: number): number => HEAD_BYTES + chunks * ENTRY_BYTES
export const chunkCount = (size: number): number => Math.max(1, Math.ceil(size / CHUNK_BYTES))

/** Below this gain a packed chunk is not worth unpacking at every read. */
const WORTHWHILE = 0.9

function packed(chunk: Uint8Array): Uint8Array | undefined {
  const small = zstdCompressSync(chunk, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  return small.length < chunk.length * WORTHWHILE ? small : undefined
}

/** Makes the record of `content`; packs each chunk with zstd level 1 when `compress` and when it helps. Throws `tooLarge`. */
export function encodeRecord(id: number, content: Uint8Array, compress: boolean): EncodedRecord {
  if (content.length > MAX_BLOB_BYTES) throw new DomainError('tooLarge', `${content.length} bytes`)
  const count = chunkCount(content.length)
  const head = Buffer.alloc(headLength(count))
  head.writeUInt32LE(MAGIC, 0)
  head.writeUIntLE(id, 4, 6)
  head.writeUInt16LE(count, 10)
  head.writeDoubleLE(content.length, 12)
  const crc = crc32(content)
  head.writeUInt32LE(crc, 20)
  const parts: Uint8Array[] = [head]
  let stored = head.length
  for (let i = 0; i < count; i++) {
    const chunk = count === 1 ? content : content.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)
    const small = compress ? packed(chunk) : undefined
    const bytes = small ?? chunk
    const codec = small === undefined ? Codec.none : Codec.zstd
    const at = HEAD_BYTES + i * ENTRY_BYTES
    head.writeUInt32LE((bytes.length | (codec << 28)) >>> 0, at)
    head.writeUInt32LE(count === 1 && small === undefined ? crc : crc32(bytes), at + 4)
    parts.push(bytes)
    stored += bytes.length
  }
  head.writeUInt32LE(headCrc(head, count), 24)
  return { parts, stored, crc }
}

const headCrc = (head: Uint8Array, count: number): number =>
  crc32(head.subarray(HEAD_BYTES, headLength(count)), crc32(head.subarray(0, 24)))

/** How many bytes from the start of a record hold its head, at most, for a content of `size` bytes. */
export const headBytes = (size: number): number => headLength(chunkCount(size))

/**
 * Reads the head of the record at the start of `bytes`. `undefined` when there is none: other magic, cut short, wrong checksum.
 */
export function readHead(bytes: Uint8Array): RecordHead | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (head.readUInt32LE(0) !== MAGIC) return undefined
  const count = head.readUInt16LE(10)
  if (head.length < headLength(count) || head.readUInt32LE(24) !== headCrc(head, count)) return undefined
  const chunks: ChunkEntry[] = []
  let at = headLength(count)
  for (let i = 0; i < count; i++) {
    const word = head.readUInt32LE(HEAD_BYTES + i * ENTRY_BYTES)
    const length = word & LENGTH_BITS
    chunks.push({ at, length, codec: word >>> 28, crc: head.readUInt32LE(HEAD_BYTES + i * ENTRY_BYTES + 4) })
    at += length
  }
  return { id: head.readUIntLE(4, 6), size: head.readDoubleLE(12), crc: head.readUInt32LE(20), stored: at, chunks }
}

/** How long a head with `count` chunks is; needs the first HEAD_BYTES bytes only. 0 when there is no head. */
export function headLengthOf(bytes: Uint8Array): number {
  if (bytes.length < HEAD_BYTES) return 0
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return head.readUInt32LE(0) === MAGIC ? headLength(head.readUInt16LE(10)) : 0
}

/** The content of one chunk from its stored bytes. Throws `corrupt`. */
export function openChunk(stored: Uint8Array, entry: ChunkEntry): Uint8Array {
  if (stored.length !== entry.length || crc32(stored) !== entry.crc) throw new DomainError('corrupt', 'chunk checksum')
  if (entry.codec === Codec.none) return stored
  if (entry.codec !== Codec.zstd) throw new DomainError('corrupt', `codec ${entry.codec}`)
  try {
    return zstdDecompressSync(stored, { maxOutputLength: CHUNK_BYTES })
  } catch (cause) {
    throw new DomainError('corrupt', 'chunk does not unpack', { cause })
  }
}
