import { READY_UIDS, readyBlockOf } from '@postrider/domain'
import type { ResponseWriter } from '@postrider/wire/imap'

const FIRST_BYTES = 4 * 1024
/** One kind of text of one folder takes no more. */
const MAX_BYTES = 16 * 1024 * 1024
/** What a block costs beside its bytes. */
const BLOCK_BYTES = 4 * READY_UIDS + 200

/** The pieces of READY_UIDS consecutive UIDs, each behind its length (four bytes). */
interface Block {
  /** Longer than `used` while it grows. */
  bytes: Buffer
  used: number
  /** By UID: where its piece begins; 0 when it is not here. */
  readonly places: Uint32Array
}

/**
 * Ready pieces of answers by UID. What a UID stands for never changes, so nothing is ever replaced. Blocks are those the store keeps: one that comes
 * from there is used as it is.
 */
export class Texts {
  /** UIDs whose piece cannot be kept here. */
  readonly refused = new Set<number>()
  readonly #blocks = new Map<number, Block>()
  #bytes = 0

  get byteLength(): number {
    return this.#bytes + this.#blocks.size * BLOCK_BYTES
  }

  has(uid: number): boolean {
    return (this.#blocks.get(readyBlockOf(uid))?.places[uid % READY_UIDS] ?? 0) !== 0
  }

  /** True when the pieces of all these UIDs (ascending) are here. */
  hasAll(uids: Uint32Array): boolean {
    let number = -1
    let block: Block | undefined
    for (let i = 0; i < uids.length; i++) {
      const uid = uids[i] as number
      if (readyBlockOf(uid) !== number) {
        number = readyBlockOf(uid)
        block = this.#blocks.get(number)
        if (block === undefined) return false
      }
      if (block?.places[uid % READY_UIDS] === 0) return false
    }
    return true
  }

  /** Writes the piece of a UID that is here. */
  write(out: ResponseWriter, uid: number): void {
    const { bytes, places } = this.#blocks.get(readyBlockOf(uid)) as Block
    const place = places[uid % READY_UIDS] as number
    out.slice(bytes, place, place + bytes.readUInt32LE(place - LENGTH_BYTES))
  }

  /** False when there is no room. */
  add(uid: number, piece: Uint8Array): boolean {
    const number = readyBlockOf(uid)
    let block = this.#blocks.get(number)
    if (block === undefined) {
      block = { bytes: Buffer.alloc(0), used: 0, places: new Uint32Array(READY_UIDS) }
      this.#blocks.set(number, block)
    }
    const end = block.used + LENGTH_BYTES + piece.length
    if (!this.#makeRoom(block, end)) return false
    block.bytes.writeUInt32LE(piece.length, block.used)
    block.bytes.set(piece, block.used + LENGTH_BYTES)
    block.places[uid % READY_UIDS] = block.used + LENGTH_BYTES
    block.used = end
    return true
  }

  /**
   * A block as the store keeps it: the last bytes of its UIDs, and their pieces, each behind its length. It is used as it is; where some of it is
   * here already, the rest is added. False when these are not as many, or find no room.
   */
  addBlock(number: number, uids: Uint8Array, run: Uint8Array): boolean {
    const bytes = Buffer.from(run.buffer, run.byteOffset, run.byteLength)
    const places = new Uint32Array(READY_UIDS)
    let at = 0
    for (let i = 0; i < uids.length; i++) {
      if (at + LENGTH_BYTES > bytes.length) return false
      places[uids[i] as number] = at + LENGTH_BYTES
      at += LENGTH_BYTES + bytes.readUInt32LE(at)
    }
    if (at !== bytes.length || this.#bytes + at > MAX_BYTES) return false
    if (!this.#blocks.has(number)) {
      this.#blocks.set(number, { bytes, used: at, places })
      this.#bytes += at
      return true
    }
    for (const low of uids) {
      const uid = number * READY_UIDS + low
      const place = places[low] as number
      const end = place + bytes.readUInt32LE(place - LENGTH_BYTES)
      if (!this.has(uid) && !this.add(uid, bytes.subarray(place, end))) return false
    }
    return true
  }

  /** The pieces of these UIDs, each behind its length; undefined when one is not here. */
  run(uids: Uint32Array): Buffer | undefined {
    if (!this.hasAll(uids)) return undefined
    const pieces: Buffer[] = []
    for (const uid of uids) {
      const { bytes, places } = this.#blocks.get(readyBlockOf(uid)) as Block
      const place = places[uid % READY_UIDS] as number
      pieces.push(bytes.subarray(place - LENGTH_BYTES, place + bytes.readUInt32LE(place - LENGTH_BYTES)))
    }
    return Buffer.concat(pieces)
  }

  #makeRoom(block: Block, needed: number): boolean {
    const { length } = block.bytes
    if (needed <= length) return true
    const room = Math.max(needed, 2 * length, FIRST_BYTES)
    if (this.#bytes - length + room > MAX_BYTES) return false
    const grown = Buffer.allocUnsafeSlow(room)
    block.bytes.copy(grown, 0, 0, block.used)
    block.bytes = grown
    this.#bytes += room - length
    return true
  }
}

/** The length in front of a piece. */
const LENGTH_BYTES = 4
