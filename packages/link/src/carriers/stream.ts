import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Channel, ChannelHandler } from '../channel.ts'
import { FrameError, MAX_FRAME_BYTES } from '../codec/limits.ts'
import { ALONE_BYTES, headOf, packBatch, roomOf } from './batch.ts'
import { FrameSplitter } from './split.ts'

export interface StreamOptions {
  /** ms between two probes of a connection that is silent; 0: none. Both ends need the same. Default: PROBE_MS over TCP, none elsewhere. */
  readonly probeMs?: number
  /**
   * For an owner: with more bytes than this not taken by the other side nothing more is read from it, so that who asks and never reads costs
   * bounded memory. A caller always reads, or both would wait for the other. Default: no limit.
   */
  readonly unreadLimit?: number
}

/** How often each side of a TCP connection lets the other know that it is there. */
const PROBE_MS = 5_000
/** So many times without a byte, and the other side counts as dead. */
const SILENT_PROBES = 4
/** More than this not taken by the other side: `send` asks to slow down. */
const HIGH_WATER = 16 * 1024 * 1024
/** How long the last bytes have to leave after `close`. */
const LINGER_MS = 5_000

const noHandler: ChannelHandler = { frame: () => {}, closed: () => {} }
/** A frame without bytes is none: it only shows that somebody is there. */
const PROBE = headOf(0)
const zeros = new Uint8Array(8)

/**
 * A channel over any duplex stream of bytes that keeps them in order: a unix socket, TCP, TLS. Frames of one turn of the loop are one write; a
 * large one is not copied. The kernel tells when a process at the other end dies; over TCP the machine may die too, so both ends send
 * probes and close after SILENT_PROBES without an answer.
 */
class StreamChannel implements Channel {
  readonly #stream: Duplex
  readonly #unreadLimit: number
  readonly #splitter = new FrameSplitter()
  #handler: ChannelHandler | undefined
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #planned = false
  #end: { readonly error: Error | undefined } | undefined
  #beat: NodeJS.Timeout | undefined
  #silent = 0
  #spoke = false
  #paused = false

  constructor(stream: Duplex, { probeMs, unreadLimit = Number.POSITIVE_INFINITY }: StreamOptions) {
    this.#stream = stream
    this.#unreadLimit = unreadLimit
    const isTcp = stream instanceof Socket && stream.remoteFamily !== undefined
    if (isTcp) stream.setNoDelay(true)
    stream.on('error', (error) => this.#finish(error))
    stream.on('end', () => this.#finish(this.#splitter.isBetweenFrames ? undefined : new FrameError('frame cut short')))
    stream.on('close', () => this.#finish())
    stream.on('drain', () => this.#drained())
    const every = probeMs ?? (isTcp ? PROBE_MS : 0)
    if (every > 0) this.#beat = setInterval(() => this.#probe(), every).unref()
  }

  get handler(): ChannelHandler {
    return this.#handler ?? noHandler
  }
  /** Nothing is read before somebody listens. */
  set handler(handler: ChannelHandler) {
    const first = this.#handler === undefined
    this.#handler = handler
    if (!first) return
    if (this.#end !== undefined) handler.closed(this.#end.error)
    else this.#stream.on('data', (piece: Uint8Array) => this.#take(piece)).resume()
  }

  get pendingBytes(): number {
    return this.#waitingBytes + this.#stream.writableLength
  }

  send(frame: Uint8Array): boolean {
    if (this.#end !== undefined) return false
    if (frame.length > MAX_FRAME_BYTES) throw new FrameError('frame too large', true)
    this.#waiting.push(frame)
    this.#waitingBytes += roomOf(frame.length)
    if (!this.#planned) {
      this.#planned = true
      queueMicrotask(() => this.#flush())
    }
    return this.pendingBytes < HIGH_WATER
  }

  #flush(): void {
    this.#planned = false
    if (this.#end !== undefined || this.#waiting.length === 0) return
    const frames = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#spoke = true
    const stream = this.#stream
    stream.cork()
    let small: Uint8Array[] = []
    const flushSmall = (): void => {
      if (small.length > 0) stream.write(new Uint8Array(packBatch(small)))
      small = []
    }
    for (const frame of frames) {
      if (frame.length < ALONE_BYTES) {
        small.push(frame)
        continue
      }
      flushSmall()
      stream.write(headOf(frame.length))
      stream.write(frame)
      stream.write(zeros.subarray(0, (8 - (frame.length % 8)) % 8))
    }
    flushSmall()
    stream.uncork()
    if (stream.writableLength <= this.#unreadLimit || this.#paused) return
    this.#paused = true
    stream.pause()
  }

  #drained(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#silent = 0
    this.#stream.resume()
  }

  #take(piece: Uint8Array): void {
    this.#silent = 0
    if (this.#end !== undefined) return
    try {
      for (const frame of this.#splitter.push(piece)) {
        if (frame.length > 0) this.#handler?.frame(frame)
        if (this.#end !== undefined) return
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#finish(error)
    }
  }

  /** While this end does not read, silence says nothing: then the kernel notices that nothing is taken any more. */
  #probe(): void {
    if (!this.#paused && ++this.#silent >= SILENT_PROBES) {
      this.#finish(new Error('the other side is silent'))
      return
    }
    if (!this.#spoke) this.#stream.write(PROBE)
    this.#spoke = false
  }

  close(): void {
    if (this.#end !== undefined) return
    this.#flush()
    this.#finish()
  }

  #finish(error?: Error): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    clearInterval(this.#beat)
    this.#waiting = []
    this.#waitingBytes = 0
    if (error !== undefined) this.#stream.destroy()
    else this.#leave()
    this.#handler?.closed(error)
  }

  /** What is written still goes out. What still comes is thrown away, so that the other side's end is seen. */
  #leave(): void {
    this.#stream.end()
    this.#stream.resume()
    setTimeout(() => this.#stream.destroy(), LINGER_MS).unref()
  }
}

/** A channel over a connected stream, which is the channel's own from now on; what was read from it before is the reader's. */
export const streamChannel = (stream: Duplex, options: StreamOptions = {}): Channel =>
  new StreamChannel(stream, options)
