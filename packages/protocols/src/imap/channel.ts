import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'
import type { Connection } from '@postrider/domain'
import { ResponseWriter } from '@postrider/wire/imap'
import { SessionEnded } from './codes.ts'

/** Bytes gathered before they are sent: one write for many small answers, and an upper bound for what a session holds. */
export const FLUSH_BYTES = 64 * 1024
/** Inflated bytes before the ratio is looked at, and the ratio at which a stream is a bomb (deflate itself ends near 1030). */
const BOMB_FREE_BYTES = 16 * 1024 * 1024
const BOMB_RATIO = 200

/**
 * The session's way to the client and back: gathers answers, obeys back-pressure, and carries COMPRESS=DEFLATE (RFC 4978) when
 * it is on. `received` gets the client's bytes, inflated if need be; `broken` is called when they make no sense.
 */
export class Channel {
  readonly connection: Connection
  readonly out: ResponseWriter = new ResponseWriter()
  #full = false
  #deflate: DeflateRaw | undefined
  #inflate: InflateRaw | undefined
  #bytesIn = 0
  #bytesOut = 0
  #ended = false
  /** Since when (monotonic, ms) the client leaves our answer unread; undefined when it reads. */
  blockedSince: number | undefined

  constructor(connection: Connection) {
    this.connection = connection
  }

  get compressed(): boolean {
    return this.#deflate !== undefined
  }

  /** Hands what was gathered to the connection. */
  flush(): void {
    if (this.out.length === 0 || this.#ended) return
    const bytes = this.out.take()
    this.#send(bytes, bytes.length < FLUSH_BYTES ? undefined : () => this.out.giveBack(bytes))
  }

  /** Sends bytes after what was gathered. */
  write(bytes: Uint8Array): void {
    this.flush()
    if (!this.#ended) this.#send(bytes)
  }

  #send(bytes: Uint8Array, sent?: () => void): void {
    const more = this.#deflate === undefined ? this.connection.write(bytes, sent) : this.#deflate.write(bytes)
    if (!more) this.#full = true
  }

  /** Flushes, and waits until the client has read enough of it; `blocked` is called before it has to wait. */
  async drain(now: number, blocked: () => void): Promise<void> {
    this.flush()
    if (this.#ended) throw new SessionEnded()
    if (!this.#full) return
    this.blockedSince = now
    blocked()
    const deflate = this.#deflate
    if (deflate?.writableNeedDrain) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          deflate.off('drain', go)
          deflate.off('close', go)
          resolve()
        }
        deflate.on('drain', go)
        deflate.on('close', go)
      })
    }
    await this.connection.drained()
    this.blockedSince = undefined
    this.#full = false
    if (this.#ended) throw new SessionEnded()
  }

  /** Turns compression on, both ways, from the next byte. */
  compress(received: (chunk: Uint8Array) => void, broken: () => void): void {
    this.flush()
    // Small windows: a phone's session compresses headers well in 8 KB, and a thousand of them must fit in memory.
    const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH, windowBits: 13, memLevel: 5 })
    deflate.on('data', (chunk: Buffer) => {
      if (!this.connection.write(chunk)) this.#full = true
    })
    deflate.on('error', broken)
    const inflate = createInflateRaw()
    inflate.on('data', (chunk: Buffer) => {
      this.#bytesOut += chunk.length
      if (this.#bytesOut > BOMB_FREE_BYTES && this.#bytesOut > BOMB_RATIO * this.#bytesIn) {
        broken()
        return
      }
      received(chunk)
    })
    inflate.on('error', broken)
    this.#deflate = deflate
    this.#inflate = inflate
  }

  /** Passes the client's bytes through decompression; false when they are plain. */
  inflate(chunk: Uint8Array): boolean {
    if (this.#inflate === undefined) return false
    this.#bytesIn += chunk.length
    this.#inflate.write(chunk)
    return true
  }

  pause(): void {
    this.connection.pause()
    this.#inflate?.pause()
  }

  resume(): void {
    this.connection.resume()
    this.#inflate?.resume()
  }

  /** Sends what was gathered and closes. */
  end(): void {
    if (this.#ended) return
    this.flush()
    this.#ended = true
    const deflate = this.#deflate
    this.#inflate?.destroy()
    if (deflate === undefined) {
      this.connection.end()
      return
    }
    deflate.on('end', () => this.connection.end())
    deflate.on('close', () => this.connection.end())
    deflate.end()
  }

  /** Closes at once and lets go of everything. */
  destroy(): void {
    this.#ended = true
    this.#deflate?.destroy()
    this.#inflate?.destroy()
    this.connection.destroy()
  }

  /** The peer is gone: frees the compressor. */
  closed(): void {
    this.#ended = true
    this.#deflate?.destroy()
    this.#inflate?.destroy()
  }
}
