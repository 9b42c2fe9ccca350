/** Cutting bodies to a size in bytes: [MS-ASAIRS] §2.2.2.40. */

/** The longest prefix of `text` that takes at most `size` bytes of UTF-8; no character and no surrogate pair is split. */
export function truncateText(text: string, size: number): string {
  if (size <= 0) return ''
  // A UTF-16 unit takes one to three bytes, so short texts need no counting.
  if (text.length * 3 <= size) return text
  const bytes = Buffer.from(text.slice(0, size), 'utf8')
  if (bytes.length <= size) return text.slice(0, size).toWellFormed()
  return bytes.subarray(0, utf8End(bytes, size)).toString('utf8')
}

/** The largest offset up to `size` that does not lie inside a UTF-8 sequence; `size` itself in bytes that are not UTF-8. */
export function utf8End(bytes: Uint8Array, size: number): number {
  if (size >= bytes.length) return bytes.length
  let at = size
  for (let back = 0; back < 4 && at >= 0; back++, at--) if (((bytes[at] as number) & 0xc0) !== 0x80) return at
  return size
}

/** At most `max` UTF-16 units, no surrogate pair split: for Preview ([MS-ASAIRS] §2.2.2.35). */
export function truncateUnits(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max)
}
