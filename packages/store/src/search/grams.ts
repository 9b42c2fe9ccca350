/**
 * Which sequences of three bytes occur in a block of texts, as a bit field: a needle whose sequences are not all there is not in the block, and
 * the block need not be unpacked. False hits cost time, never a wrong answer.
 */
export const GRAM_BYTES = 8192
const SHIFT = 16

const bitOf = (gram: number): number => Math.imul(gram, 0x9e37_79b1) >>> SHIFT

export const newGrams = (): Uint8Array => new Uint8Array(GRAM_BYTES)

/** Adds the sequences of a text. */
export function addGrams(bits: Uint8Array, text: Uint8Array): void {
  if (text.length < 3) return
  let gram = (text[0]! << 8) | text[1]!
  for (let i = 2; i < text.length; i++) {
    gram = ((gram << 8) | text[i]!) & 0xff_ffff
    const bit = bitOf(gram)
    bits[bit >>> 3] = bits[bit >>> 3]! | (1 << (bit & 7))
  }
}

/** The bits a needle needs; none for one of less than three bytes. */
export function needleBits(needle: Uint8Array): readonly number[] {
  const bits = new Set<number>()
  for (let i = 2; i < needle.length; i++) {
    bits.add(bitOf((needle[i - 2]! << 16) | (needle[i - 1]! << 8) | needle[i]!))
  }
  return [...bits]
}

export const mayContain = (bits: Uint8Array, needed: readonly number[]): boolean =>
  needed.every((bit) => (bits[bit >>> 3]! & (1 << (bit & 7))) !== 0)
