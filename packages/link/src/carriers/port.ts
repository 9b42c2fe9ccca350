import { type Channel, type ChannelHandler, WaitingHandler } from '../channel.ts'
import { ALONE_BYTES, packBatch, unpackBatch } from './batch.ts'

/** What a MessagePort, a Worker and parentPort have in common. */
export interface Port {
  postMessage(value: unknown, transfer: ArrayBuffer[]): void
  on(event: string, listener: (value: unknown) => void): unknown
}

/** What goes through the port: batches of frames, frames that travel alone, and at last `null`: closed on purpose. */
type Message = { readonly batch: ArrayBuffer } | { readonly frame: ArrayBuffer } | null

/** A channel to another thread. Buffers are moved, not copied; frames of one turn of the loop go as one message. */
export class PortChannel implements Channel {
  readonly #port: Port
  readonly #end: () => void
  #handler: ChannelHandler = new WaitingHandler()
  #waiting: Uint8Array[] = []
  #planned = false
  #closed = false
  pendingBytes = 0

  /** `end` lets go of the port after the last message. */
  constructor(port: Port, end: () => void) {
    this.#port = port
    this.#end = end
    port.on('message', (message) => this.#receive(message as Message))
    port.on('messageerror', (error) => this.#finish(error as Error))
    port.on('error', (error) => this.#finish(error as Error))
    port.on('close', () => this.#finish())
    port.on('exit', () => this.#finish(new Error('the worker ended')))
  }

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
    this.#waiting.push(frame)
    this.pendingBytes += frame.length
    if (!this.#planned) {
      this.#planned = true
      queueMicrotask(() => this.#flush())
    }
    return true
  }

  #flush(): void {
    this.#planned = false
    if (this.#closed) return
    const frames = this.#waiting
    this.#waiting = []
    this.pendingBytes = 0
    // Order holds across both kinds: what is small is packed up to the next large one.
    let small: Uint8Array[] = []
    const flushSmall = (): void => {
      if (small.length > 0) this.#post('batch', packBatch(small))
      small = []
    }
    for (const frame of frames) {
      if (frame.length < ALONE_BYTES || !ownsBuffer(frame)) small.push(frame)
      else {
        flushSmall()
        this.#post('frame', frame.buffer as ArrayBuffer)
      }
    }
    flushSmall()
  }

  #post(kind: 'batch' | 'frame', buffer: ArrayBuffer): void {
    this.#port.postMessage({ [kind]: buffer }, [buffer])
  }

  #receive(message: Message): void {
    if (this.#closed) return
    if (message === null) {
      this.#finish()
      return
    }
    let frames: readonly Uint8Array[]
    try {
      frames = 'frame' in message ? [new Uint8Array(message.frame)] : [...unpackBatch(message.batch)]
    } catch (cause) {
      this.#finish(new Error('no frames', { cause }))
      return
    }
    for (const frame of frames) {
      if (this.#closed) return
      this.#handler.frame(frame)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#port.postMessage(null, [])
    this.#finish()
  }

  #finish(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#end()
    this.#handler.closed(error)
  }
}

const ownsBuffer = (frame: Uint8Array): boolean => frame.byteLength === frame.buffer.byteLength
