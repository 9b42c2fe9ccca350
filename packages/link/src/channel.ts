/**
 * A way for frames between a caller and an owner: both directions, in order, each frame once, until it closes. Carriers: the same thread
 * (`direct.ts`), a worker thread (`worker.ts`), another process or machine (`stream.ts`).
 */
export interface Channel {
  /** Set by whoever speaks over the channel, before anything else. Frames wait until then. */
  handler: ChannelHandler
  /** Takes the frame over. False asks the sender to slow down: `pendingBytes` are not taken by the other side yet. */
  send(frame: Uint8Array): boolean
  /** Bytes sent and not taken by the carrier yet; 0 where the carrier cannot know. */
  readonly pendingBytes: number
  /** Closes both directions; both handlers hear `closed`. Twice is once. */
  close(): void
}

export interface ChannelHandler {
  /** A whole frame. Its bytes belong to the handler. */
  frame(frame: Uint8Array): void
  /** Nothing comes any more, and nothing can be sent. `error` when it was not on purpose. */
  closed(error?: Error): void
}

/** Keeps what comes before a handler is there. */
export class WaitingHandler implements ChannelHandler {
  readonly #frames: Uint8Array[] = []
  #end: { readonly error: Error | undefined } | undefined
  frame(frame: Uint8Array): void {
    this.#frames.push(frame)
  }
  closed(error?: Error): void {
    this.#end = { error }
  }
  /** Hands everything over. */
  release(to: ChannelHandler): void {
    for (const frame of this.#frames.splice(0)) to.frame(frame)
    if (this.#end !== undefined) to.closed(this.#end.error)
  }
}
