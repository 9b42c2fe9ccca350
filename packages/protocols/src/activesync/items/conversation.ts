/** email2:ConversationId and ConversationIndex: [MS-ASEMAIL] §2.2.2.21 and §2.2.2.22, [MS-ASCON] §2.2.2.4. */
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
