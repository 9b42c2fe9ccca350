/**
 * Frames that go to another thread together, in one buffer: a message between threads costs some microseconds, whatever is in it. Each frame
 * begins at a multiple of 8 (its own layout counts on it) behind its length (u32) and four zero bytes.
 */
const HEAD = 8
const roomOf = (frame: Uint8Array): number => HEAD + Math.ceil(frame.length / 8) * 8

/** Frames from this size on travel alone: they are moved, not copied. */
export const ALONE_BYTES = 64 * 1024

export function packBatch(frames: readonly Uint8Array[]): ArrayBuffer {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + roomOf(frame), 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const frame of frames) {
    view.setUint32(at, frame.length, true)
    bytes.set(frame, at + HEAD)
    at += roomOf(frame)
  }
  return bytes.buffer
}

/** The frames of a batch, as views of it. Throws RangeError when it is none. */
export function* unpackBatch(buffer: ArrayBuffer): Generator<Uint8Array> {
  const view = new DataView(buffer)
  for (let at = 0; at < buffer.byteLength; ) {
    const length = view.getUint32(at, true)
    const frame = new Uint8Array(buffer, at + HEAD, length)
    yield frame
    at += roomOf(frame)
  }
}
