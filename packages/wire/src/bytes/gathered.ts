/**
 * A piece shorter than this is copied behind the ones before it. A Buffer of one byte costs some four hundred, so a body of 36 MB that
 * comes in TLS records or HTTP chunks of one byte would take 14 GB if each were kept (P1, P2).
 */
export const SMALL_PIECE = 1_024

const FIRST_BLOCK = 2_048
const MAX_BLOCK = 65_536

/** The pieces of one body, in order. Large ones are kept as they are and must not change afterwards. */
export class Gathered {
  #parts: Buffer[] = []
  #length = 0
  /** Small pieces are copied here; its bytes from `#from` to `#used` are not in `#parts` yet. */
  #block: Buffer | undefined
  #from = 0
  #used = 0

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  /** Buffers kept: what they cost beside their bytes. */
  get pieces(): number {
    return this.#parts.length + (this.#used > this.#from ? 1 : 0)
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    this.#length += piece.length
    // The only piece of a small body is not worth a copy.
    if (piece.length >= SMALL_PIECE || this.#length === piece.length) {
      this.#close()
      this.#parts.push(piece)
      return
    }
    let block = this.#block
    if (block === undefined || this.#used + piece.length > block.length) {
      this.#close()
      const size = block === undefined ? FIRST_BLOCK : Math.min(MAX_BLOCK, 2 * block.length)
      block = Buffer.allocUnsafeSlow(size)
      this.#block = block
      this.#from = 0
      this.#used = 0
    }
    block.set(piece, this.#used)
    this.#used += piece.length
  }

  /** All bytes in one: the piece itself when there was only one, else one copy, which stands for the pieces from then on. */
  whole(): Buffer {
    this.#close()
    const [only] = this.#parts
    if (this.#parts.length === 1 && only !== undefined) return only
    const whole = Buffer.concat(this.#parts, this.#length)
    this.#parts = this.#length === 0 ? [] : [whole]
    this.#block = undefined
    this.#from = 0
    this.#used = 0
    return whole
  }

  /** Lets go of everything. */
  clear(): void {
    this.#parts = []
    this.#length = 0
    this.#block = undefined
    this.#from = 0
    this.#used = 0
  }

  #close(): void {
    if (this.#block === undefined || this.#used === this.#from) return
    this.#parts.push(this.#block.subarray(this.#from, this.#used))
    this.#from = this.#used
  }
}
