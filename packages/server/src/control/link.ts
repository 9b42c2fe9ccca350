import type { Socket } from 'node:net'
import { type Channel, type ChannelHandler, MAX_FRAME_BYTES } from '@postrider/link'

/** More than this not taken by the other side: `send` asks to slow down. */
const HIGH_WATER = 16 * 1024 * 1024

/**
 * The link's frames over the control socket, each behind its length (u32, big-endian): a command of the administrator speaks with the
 * mailboxes of the running server as its own processes do.
 */
export class SocketChannel implements Channel {
  readonly #socket: Socket
  #handler: ChannelHandler | undefined
  #chunks: Uint8Array[] = []
  #size = 0
  #closed = false

  /** Takes the socket over; it must not be read from elsewhere. */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.pause()
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#finish(error))
    socket.on('close', () => this.#finish())
  }

  get handler(): ChannelHandler {
    return this.#handler ?? { frame: () => {}, closed: () => {} }
  }
  set handler(handler: ChannelHandler) {
    this.#handler = handler
    if (this.#closed) handler.closed()
    else this.#socket.resume()
  }
  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  send(frame: Uint8Array): boolean {
    if (this.#closed) return false
    const head = Buffer.alloc(4)
    head.writeUInt32BE(frame.length)
    this.#socket.cork()
    this.#socket.write(head)
    this.#socket.write(frame)
    this.#socket.uncork()
    return this.#socket.writableLength < HIGH_WATER
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#size >= 4) {
      const length = Buffer.concat(this.#peek(4)).readUInt32BE()
      if (length > MAX_FRAME_BYTES) {
        this.#finish(new RangeError(`a frame of ${length} bytes`))
        return
      }
      if (this.#size < 4 + length) return
      this.#drop(4)
      // A buffer of its own: a frame's numbers are read in place and want to begin at a multiple of eight.
      const frame = new Uint8Array(length)
      let at = 0
      for (const part of this.#peek(length)) {
        frame.set(part, at)
        at += part.length
      }
      this.#drop(length)
      this.#handler?.frame(frame)
      if (this.#closed) return
    }
  }
  #peek(length: number): Uint8Array[] {
    const parts: Uint8Array[] = []
    let left = length
    for (const chunk of this.#chunks) {
      if (left === 0) break
      const part = chunk.subarray(0, left)
      parts.push(part)
      left -= part.length
    }
    return parts
  }
  #drop(length: number): void {
    let left = length
    let whole = 0
    while (left > 0 && left >= (this.#chunks[whole] as Uint8Array).length)
      left -= (this.#chunks[whole++] as Uint8Array).length
    this.#chunks.splice(0, whole)
    if (left > 0) this.#chunks[0] = (this.#chunks[0] as Uint8Array).subarray(left)
    this.#size -= length
  }

  close(): void {
    this.#socket.end()
    this.#finish()
  }
  #finish(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#chunks = []
    if (error !== undefined) this.#socket.destroy()
    this.#handler?.closed(error)
  }
}
