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
    if (!this.#makeRoom(LENGTH_BYTES + piece.length)) return false
    this.#starts.set(uid, this.#used)
    this.bytes.writeUInt32LE(piece.length, this.#used)
    this.bytes.set(piece, this.#used + LENGTH_BYTES)
    this.#used += LENGTH_BYTES + piece.length
    return true
  }

  /** Pieces as they stand here, each behind its length, of these UIDs; ones that are here already are passed over. False when they are not as many, or find no room. */
  addRun(uids: readonly number[], run: Uint8Array): boolean {
    const lengths = new DataView(run.buffer, run.byteOffset, run.byteLength)
    const places: number[] = []
    let at = 0
    while (at + LENGTH_BYTES <= run.length && places.length < uids.length) {
      places.push(at)
      at += LENGTH_BYTES + lengths.getUint32(at, true)
    }
    if (at !== run.length || places.length !== uids.length || !this.#makeRoom(run.length)) return false
    for (const [i, uid] of uids.entries()) {
      if (!this.#starts.has(uid)) this.#starts.set(uid, this.#used + (places[i] as number))
    }
    this.bytes.set(run, this.#used)
    this.#used += run.length
    return true
  }

  /** The pieces of these UIDs, each behind its length; undefined when one is not here. */
  run(uids: ArrayLike<number>): Buffer | undefined {
    const pieces: Buffer[] = []
    for (let i = 0; i < uids.length; i++) {
      const place = this.#starts.get(uids[i] as number)
      if (place === undefined) return undefined
      pieces.push(this.bytes.subarray(place, place + LENGTH_BYTES + this.lengthAt(place)))
    }
    return Buffer.concat(pieces)
  }

  #makeRoom(bytes: number): boolean {
    const needed = this.#used + bytes
    if (needed > MAX_BYTES) return false
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(needed, 2 * this.bytes.length, FIRST_BYTES)))
      this.bytes.copy(grown, 0, 0, this.#used)
      this.bytes = grown
    }
    return true
  }
}

/** The length in front of a piece. */
export const LENGTH_BYTES = 4
