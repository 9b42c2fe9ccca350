import { type Channel, type ChannelHandler, WaitingHandler } from '../channel.ts'
import { ALONE_BYTES, packBatch, unpackBatch } from './batch.ts'

/** What a MessagePort, a Worker and parentPort have in common. */
export interface Port {
  postMessage(value: unknown, transfer: ArrayBuffer[]): void
  on(event: string, listener: (value: unknown) => void): unknown
}

/** What goes through the port: batches of frames, frames that travel alone, and at last `null`: closed on purpose. */
type Message = { readonly batch: ArrayBuffer } | { readonly frame: ArrayBuffer } | null

/** Waiting for the end of the turn, so many frames go at once: the other side need not stand idle while this one works. */
const MANY_FRAMES = 12

/**
 * When frames leave. `task`: when what runs now is through, with all that it sent; for answers, of which many come at once. `turn`: when
 * everything that this turn of the loop brought was looked at, or MANY_FRAMES wait; for calls, of which every connection makes its own, and waking
 * the other thread costs more than writing the frame.
 */
export type Leaving = 'task' | 'turn'

/** A channel to another thread. Buffers are moved, not copied; frames that leave together are one message. */
export class PortChannel implements Channel {
  readonly #port: Port
  readonly #end: () => void
  readonly #leaving: Leaving
  #handler: ChannelHandler = new WaitingHandler()
  #waiting: Uint8Array[] = []
  #planned = false
  #closed = false
  pendingBytes = 0

  /** `end` lets go of the port after the last message. */
  constructor(port: Port, end: () => void, leaving: Leaving) {
    this.#port = port
    this.#end = end
    this.#leaving = leaving
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
    if (this.#waiting.length >= MANY_FRAMES && this.#leaving === 'turn') this.#flush()
    else if (!this.#planned) {
      this.#planned = true
      const leave = (): void => {
        this.#planned = false
        this.#flush()
      }
      if (this.#leaving === 'turn') setImmediate(leave)
      else queueMicrotask(leave)
    }
    return true
  }

  #flush(): void {
    if (this.#closed || this.#waiting.length === 0) return
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
      frames = 'frame' in message ? [new Uint8Array(message.frame)] : unpackBatch(message.batch)
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
