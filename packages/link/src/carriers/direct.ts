import { type Channel, type ChannelHandler, WaitingHandler } from '../channel.ts'

/** One end of a channel inside one thread. Frames arrive in a later turn, as from anywhere else. */
class DirectEnd implements Channel {
  #handler: ChannelHandler = new WaitingHandler()
  peer: DirectEnd | undefined
  #closed = false
  pendingBytes = 0

  get handler(): ChannelHandler {
    return this.#handler
  }
  set handler(handler: ChannelHandler) {
    const before = this.#handler
    this.#handler = handler
    if (before instanceof WaitingHandler) before.release(handler)
  }

  send(frame: Uint8Array): boolean {
    if (this.#closed) return false
    this.pendingBytes += frame.length
    queueMicrotask(() => {
      this.pendingBytes -= frame.length
      this.peer?.receive(frame)
    })
    return true
  }

  receive(frame: Uint8Array): void {
    if (!this.#closed) this.#handler.frame(frame)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    queueMicrotask(() => {
      this.#handler.closed()
      this.peer?.close()
    })
  }
}

/** Two ends of a channel in this thread: the smallest installation, and tests. Everything still passes through frames. */
export function directChannel(): readonly [Channel, Channel] {
  const [a, b] = [new DirectEnd(), new DirectEnd()]
  a.peer = b
  b.peer = a
  return [a, b]
}
