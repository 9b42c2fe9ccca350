/**
 * Which sequences of four bytes occur in a block of texts, as a bit field: a needle whose sequences are not all there is not in the block, and
 * the block need not be unpacked. Three bytes tell too little: nearly every block has all those of an English word. False hits cost
 * time, never a wrong answer.
 */
const GRAM = 4
/** 2^17 bits: a block of 64 mails sets about a third of them. */
const GRAM_BYTES = 16_384
const SHIFT = 15

const bitOf = (gram: number): number => Math.imul(gram, 0x9e37_79b1) >>> SHIFT

export const newGrams = (): Uint8Array => new Uint8Array(GRAM_BYTES)

/** Calls `each` with the bit of every sequence of a text. */
function bitsOf(text: Uint8Array, each: (bit: number) => void): void {
  let gram = 0
  for (let i = 0; i < text.length; i++) {
    gram = (gram << 8) | text[i]!
    if (i >= GRAM - 1) each(bitOf(gram))
  }
}

/** Adds the sequences of a text. */
export function addGrams(bits: Uint8Array, text: Uint8Array): void {
  bitsOf(text, (bit) => {
    bits[bit >>> 3] = bits[bit >>> 3]! | (1 << (bit & 7))
  })
}

/** The bits a needle needs; none for one of less than four bytes. */
export function needleBits(needle: Uint8Array): readonly number[] {
  const needed = new Set<number>()
  bitsOf(needle, (bit) => needed.add(bit))
  return [...needed]
}

export const mayContain = (bits: Uint8Array, needed: readonly number[]): boolean =>
  needed.every((bit) => (bits[bit >>> 3]! & (1 << (bit & 7))) !== 0)
