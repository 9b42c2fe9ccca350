/** Longest message on the control socket. */
export const MAX_FRAME = 64 * 1024 * 1024

/** One JSON value with its length (4 bytes, big-endian) before it. */
export function frame(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value) ?? 'null')
  const head = Buffer.alloc(4)
  head.writeUInt32BE(text.length)
  return Buffer.concat([head, text])
}

/** Takes chunks and answers the values that are complete. Throws on nonsense. */
export class FrameReader {
  #chunks: Uint8Array[] = []
  #size = 0

  push(chunk: Uint8Array): unknown[] {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const values: unknown[] = []
    for (;;) {
      if (this.#size < 4) return values
      let all = this.#joined()
      const length = all.readUInt32BE()
      if (length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes`)
      if (all.length < 4 + length) return values
      values.push(JSON.parse(all.subarray(4, 4 + length).toString()))
      all = all.subarray(4 + length)
      this.#chunks = [all]
      this.#size = all.length
    }
  }
  #joined(): Buffer {
    const all = Buffer.concat(this.#chunks)
    this.#chunks = [all]
    return all
  }
}
