/** Views and joins of bytes; Buffer's own searches are native, so the readers of this folder work on a Buffer view. */

/** A Buffer over the same memory, no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export const CRLF = Buffer.from('\r\n')

/** True if the text has a character above 127. */
export function isNonAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return true
  return false
}

/**
 * The text without lone surrogates, cut to `max` UTF-16 units at a character boundary.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max)
}
