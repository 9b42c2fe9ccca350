const FIRST_BYTES = 64 * 1024
/** One kind of text of one folder takes no more. */
const MAX_BYTES = 16 * 1024 * 1024
/** What the table costs for each message. */
const ENTRY_BYTES = 56

/** Ready pieces of answers by UID, behind one another in one buffer. What a UID stands for never changes, so nothing is ever replaced. */
export class Texts {
  /** The buffer; replaced by a larger one as it grows. */
  bytes: Buffer = Buffer.alloc(0)
  /** UIDs whose piece cannot be kept here. */
  readonly refused = new Set<number>()
  readonly #starts = new Map<number, number>()
  #used = 0

  get byteLength(): number {
    return this.bytes.length + this.#starts.size * ENTRY_BYTES
  }

  /** Where the piece of a UID stands: four bytes of length, then the piece. Undefined when it is not here. */
  placeOf(uid: number): number | undefined {
    return this.#starts.get(uid)
  }

  lengthAt(place: number): number {
    return this.bytes.readUInt32LE(place)
  }

  /** False when there is no room. */
  add(uid: number, piece: Uint8Array): boolean {
    const needed = this.#used + LENGTH_BYTES + piece.length
    if (needed > MAX_BYTES) return false
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(needed, 2 * this.bytes.length, FIRST_BYTES)))
      this.bytes.copy(grown, 0, 0, this.#used)
      this.bytes = grown
    }
    this.#starts.set(uid, this.#used)
    this.bytes.writeUInt32LE(piece.length, this.#used)
    this.bytes.set(piece, this.#used + LENGTH_BYTES)
    this.#used = needed
    return true
  }
}

/** The length in front of a piece. */
export const LENGTH_BYTES = 4
