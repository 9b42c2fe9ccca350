/** email2:ConversationId and ConversationIndex: [MS-ASEMAIL] §2.2.2.21 and §2.2.2.22, [MS-ASCON] §2.2.2.4. */
import { randomInt } from 'node:crypto'
import { fileTime, type Item, Pid } from '@postrider/domain'

/** PidTagConversationIndex: a 22-byte header (one reserved byte, five of FILETIME, 16 of GUID), then five bytes per reply: [MS-OXOMSG] §2.2.1.3. */
const HEADER = 22
const LEVEL = 5

/** 16 bytes; undefined where the item belongs to no conversation (MS-ASCON_R77). */
export function conversationId(item: Pick<Item, 'promoted'>): Uint8Array | undefined {
  const hex = item.promoted?.conversation ?? ''
  return /^[0-9a-f]{32}$/.test(hex) ? Buffer.from(hex, 'hex') : undefined
}

/**
 * Five bytes of the time the mail was sent (the upper part of its FILETIME, big-endian), then the response levels of its
 * Thread-Index, five bytes each.
 */
export function conversationIndex(item: Pick<Item, 'promoted' | 'props' | 'received'>): Uint8Array {
  const stored = item.props?.get(Pid.TagConversationIndex)
  if (stored instanceof Uint8Array && stored.length >= HEADER) {
    const levels = Math.floor((stored.length - HEADER) / LEVEL) * LEVEL
    return Buffer.concat([stored.subarray(1, 6), stored.subarray(HEADER, HEADER + levels)])
  }
  return indexTime(item.promoted?.sent ?? item.received)
}

/** The five bytes of a moment: bits 16 to 55 of its FILETIME. */
export function indexTime(ms: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, fileTime(ms)))
  return bytes.subarray(1, 6)
}

/** Bits of a time difference that do not fit: above them the coarser of the two scales is used. */
const FINE_LIMIT = 1n << 49n

/**
 * A response level: the time since the header in 31 bits, on a fine or a coarse scale, and a byte of chance. [MS-OXOMSG]
 * §2.2.1.3.1.
 */
export function responseLevel(index: Uint8Array, now: number): Buffer {
  const header = Buffer.from(index.subarray(0, 6))
  const start = (BigInt(header.readUIntBE(0, 6)) << 16n) & ((1n << 64n) - 1n)
  const now64 = BigInt.asUintN(64, fileTime(now))
  const difference = now64 > start ? now64 - start : start - now64
  const fine = difference < FINE_LIMIT
  const delta = Number((difference >> (fine ? 18n : 23n)) & 0x7fff_ffffn)
  const level = Buffer.alloc(5)
  level.writeUInt32BE(((fine ? 0 : 0x8000_0000) | delta) >>> 0, 0)
  level[4] = randomInt(0, 256) & 0xf0
  return level
}

/** 16 bytes, or the same written in base64 or hex by clients that send text. */
export function conversationHex(value: Uint8Array): string | undefined {
  if (value.length === 16) return Buffer.from(value).toString('hex')
  const text = Buffer.from(value).toString('latin1').trim()
  if (/^[0-9a-f]{32}$/i.test(text)) return text.toLowerCase()
  const decoded = /^[A-Za-z0-9+/]{22}(==)?$/.test(text) ? Buffer.from(text, 'base64') : undefined
  return decoded?.length === 16 ? decoded.toString('hex') : undefined
}
