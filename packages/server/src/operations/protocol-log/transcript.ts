/** What a protocol's reader makes of the two directions: lines for the log, without passwords and without contents. */
export interface Transcript {
  /** Bytes from the client; answers the lines worth logging. */
  received(chunk: Uint8Array): string[]
  /** Bytes to the client. */
  sent(chunk: Uint8Array): string[]
}

/** Longest line that is looked at; the rest of a longer one is dropped. */
const MAX_LINE = 512

/** Cuts a byte stream into lines, and can skip so many bytes that are contents. */
export class LineCutter {
  #line = ''
  #skip = 0

  /** The next `count` bytes are no lines. */
  skip(count: number): void {
    this.#skip += count
  }
  /** Calls back for each whole line, without its end; the callback may call `skip` for what follows the line. */
  push(chunk: Uint8Array, each: (line: string) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at)
        this.#skip -= step
        at += step
        continue
      }
      const end = chunk.indexOf(0x0a, at)
      const stop = end === -1 ? chunk.length : end
      if (this.#line.length < MAX_LINE)
        this.#line += Buffer.from(chunk.subarray(at, Math.min(stop, at + MAX_LINE))).toString('latin1')
      at = stop + 1
      if (end === -1) return
      const line = this.#line.replace(/\r$/, '')
      this.#line = ''
      each(line.slice(0, MAX_LINE))
    }
  }
}
