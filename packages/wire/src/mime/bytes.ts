/** Views and joins of bytes; Buffer's own searches are native, so the readers of this folder work on a Buffer view. */

/** A Buffer over the same memory, no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export const CRLF = Buffer.from('\r\n')

/** True if any octet of [start, end) is above 127. */
export function hasEightBit(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127) return true
  return false
}

/** True if the text has a character above 127. */
export function isNonAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return true
  return false
}

/** Line feeds in [start, end). */
export function countLines(bytes: Uint8Array, start: number, end: number): number {
  let lines = 0
  for (let i = start; i < end; i++) if (bytes[i] === 10) lines++
  return lines
}

/**
 * The text without lone surrogates, cut to `max` UTF-16 units at a character boundary.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max)
}
