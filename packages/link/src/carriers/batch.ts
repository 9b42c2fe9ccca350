/**
 * Frames that travel together, in one buffer: a message between threads, or a write to a socket, costs some microseconds, whatever is in it. Each
 * frame begins at a multiple of 8 (its own layout counts on it) behind its length (u32, little endian) and four zero bytes.
 */
export const HEAD_BYTES = 8
/** Bytes that a frame of this length takes in a batch. */
export const roomOf = (length: number): number => HEAD_BYTES + Math.ceil(length / 8) * 8

/** Frames from this size on travel alone: they are not copied. */
export const ALONE_BYTES = 64 * 1024

/** The head of a frame of this length. */
export function headOf(length: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES)
  new DataView(head.buffer).setUint32(0, length, true)
  return head
}

export function packBatch(frames: readonly Uint8Array[]): ArrayBuffer {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + roomOf(frame.length), 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const frame of frames) {
    view.setUint32(at, frame.length, true)
    bytes.set(frame, at + HEAD_BYTES)
    at += roomOf(frame.length)
  }
  return bytes.buffer
}

/** The frames of a batch, as views of it. Throws RangeError when it is none. */
export function unpackBatch(buffer: ArrayBuffer): readonly Uint8Array[] {
  const view = new DataView(buffer)
  const frames: Uint8Array[] = []
  for (let at = 0; at < buffer.byteLength; ) {
    const length = view.getUint32(at, true)
    const frame = new Uint8Array(buffer, at + HEAD_BYTES, length)
    frames.push(frame)
    at += roomOf(length)
  }
  return frames
}
