/**
 * The form of a frame. Little endian. Header, 8 bytes: version, kind, two zero bytes, number (u32: of the request or subscription). Then one
 * value: a tag, and what the tag says. Lengths are one byte below 0xfd, else 0xfd and a u16, else 0xfe and a u32. Words of typed arrays stand
 * at multiples of their size from the start of the frame, so that a reader can look at them in place.
 */
export const FRAME_VERSION = 1
export const HEADER_BYTES = 8

export const Tag = {
  null: 0x00,
  undefined: 0x01,
  false: 0x02,
  true: 0x03,
  u8: 0x04,
  u16: 0x05,
  u32: 0x06,
  /** A negative number of 32 bits. */
  i32: 0x07,
  f64: 0x08,
  i64: 0x09,
  /** Sign byte, length, magnitude (big endian). */
  bigint: 0x0a,
  /** Length, one byte a letter. */
  ascii: 0x0b,
  /** Length, UTF-8. */
  utf8: 0x0c,
  /** Length, UTF-16 code units: strings that are not well-formed. */
  utf16: 0x0d,
  /** Length, bytes. */
  bytes: 0x0e,
  /** Count, zero bytes up to a multiple of the word, words. */
  u32Array: 0x0f,
  f64Array: 0x10,
  /** Count, values. */
  array: 0x11,
  /** Count, and for each: key, value. */
  object: 0x12,
  /** Count, and for each: value, value. */
  map: 0x13,
  /** 0x40 to 0x7f: the numbers 0 to 63. */
  small: 0x40,
  /** 0x80 to 0xbf: ASCII strings of 0 to 63 letters. */
  shortAscii: 0x80,
} as const

export const LENGTH_U16 = 0xfd
export const LENGTH_U32 = 0xfe

/**
 * A key is one byte: the place in `knownKeys`; or NEW_KEY, a length byte and UTF-8 (it then has the next number of this frame); or OLD_KEY and
 * the u16 number of such a key.
 */
export const NEW_KEY = 0xf0
export const OLD_KEY = 0xf1
export const MAX_KEY_BYTES = 255
