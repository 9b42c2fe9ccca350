import { FrameError, MAX_FRAME_BYTES } from '../codec/limits.ts'
import { HEAD_BYTES, roomOf } from './batch.ts'

/** Room made for a frame that has begun to arrive; it grows with what arrives, whatever length was announced. */
const FIRST_ROOM = 64 * 1024

/**
 * Takes a stream of batches (batch.ts) in pieces of any size and answers the frames in it. Holds at most one frame that is not whole yet, in at
 * most four times the bytes of it that came.
 */
export class FrameSplitter {
  /** The begun frame with its head, from the beginning of its own buffer, so that it is aligned. */
  #begun = new Uint8Array(0)
  #filled = 0

  /** Whether the stream may end here. */
  get isBetweenFrames(): boolean {
    return this.#filled === 0
  }

  /** The frames that are whole now, in order; an empty one is a probe. Throws FrameError for what is no stream of frames. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < piece.length; ) {
      const left = piece.length - at
      if (this.#filled === 0 && left >= HEAD_BYTES) {
        const length = lengthAt(piece, at)
        if (left >= roomOf(length)) {
          yield piece.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length)
          at += roomOf(length)
          continue
        }
      }
      at += this.#keep(piece.subarray(at))
      if (this.#filled < HEAD_BYTES) return
      const length = lengthAt(this.#begun, 0)
      if (this.#filled < roomOf(length)) continue
      const whole = this.#begun.subarray(HEAD_BYTES, HEAD_BYTES + length)
      this.#begun = new Uint8Array(0)
      this.#filled = 0
      yield whole
    }
  }

  /** Takes of the piece what belongs to the begun frame, or to its head; answers how much. */
  #keep(piece: Uint8Array): number {
    const wanted = this.#filled < HEAD_BYTES ? HEAD_BYTES : roomOf(lengthAt(this.#begun, 0))
    const part = piece.subarray(0, wanted - this.#filled)
    const needed = this.#filled + part.length
    if (needed > this.#begun.length) {
      const grown = new Uint8Array(Math.min(wanted, Math.max(FIRST_ROOM, needed * 4)))
      grown.set(this.#begun.subarray(0, this.#filled))
      this.#begun = grown
    }
    this.#begun.set(part, this.#filled)
    this.#filled = needed
    return part.length
  }
}

/** The length a head announces. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEAD_BYTES)
  const length = view.getUint32(0, true)
  if (view.getUint32(4, true) !== 0) throw new FrameError('no head of a frame')
  if (length > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${length} bytes`, true)
  return length
}
