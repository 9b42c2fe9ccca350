import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Connection, ConnectionHandler, Logger } from '@postrider/domain'
import type { Tap } from '../operations/protocol-log/index.ts'
import type { Sweeper } from './sweeper.ts'
import type { TlsHolder } from './tls.ts'

/** A handshake that takes longer is no client's. */
export const HANDSHAKE_MS = 30_000
/** A peer that said it sends no more gets answers to what it sent so shortly before. */
const LAST_WORDS_MS = 500

const nobody: ConnectionHandler = { data() {}, closed() {} }
const owner = Symbol('connection')
interface OwnedSocket extends Socket {
  [owner]?: SocketConnection
}

// One function for all sockets instead of closures for each: an idle session must stay small.
function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.received(chunk)
}
function onEnd(this: OwnedSocket): void {
  this[owner]?.peerEnded()
}
function onClose(this: OwnedSocket): void {
  this[owner]?.socketClosed()
}
function onError(this: OwnedSocket, error: Error): void {
  const connection = this[owner]
  if (connection !== undefined) connection.failure ??= error
}

export interface ConnectionParts {
  readonly tls: TlsHolder
  readonly sweeper: Sweeper
  readonly log: Logger
}

/** Does the handshake on a socket. Rejects when it fails or takes too long; the socket is then destroyed. */
export function secured(socket: Socket, tls: TlsHolder): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: tls.context,
      requestCert: false,
      ...(tls.certificates.length > 1 ? { SNICallback: tls.sni } : {}),
    })
    const timer = setTimeout(() => fail(new Error('the TLS handshake took too long')), HANDSHAKE_MS)
    function fail(error: Error): void {
      clearTimeout(timer)
      secure.destroy()
      socket.destroy()
      reject(error)
    }
    function closed(): void {
      fail(new Error('closed during the TLS handshake'))
    }
    secure.once('error', fail)
    secure.once('_tlsError', fail)
    secure.once('close', closed)
    // Half-open sockets do not close by themselves when the peer goes away in the middle.
    secure.once('end', closed)
    secure.once('secure', () => {
      clearTimeout(timer)
      secure.off('_tlsError', fail)
      secure.off('close', closed)
      secure.off('end', closed)
      secure.off('error', fail)
      resolve(secure)
    })
  })
}

/** A `Connection` of the domain over a socket of the system. */
export class SocketConnection implements Connection {
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localPort: number
  handler: ConnectionHandler = nobody
  /** Looks on, when the protocol of this service is logged. */
  tap: Tap | undefined
  /** What went wrong on the socket, told to the handler when it closes. */
  failure: Error | undefined
  readonly #parts: ConnectionParts
  #socket: OwnedSocket
  #secure: boolean
  #waiting: (() => void)[] = []
  #closed = false
  #peerEnded = false
  #upgrading = false
  #lastData = 0

  constructor(socket: Socket, id: string, secure: boolean, parts: ConnectionParts) {
    this.id = id
    this.#parts = parts
    this.#secure = secure
    this.#socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '')
    this.remotePort = socket.remotePort ?? 0
    this.localPort = socket.localPort ?? 0
    this.#attach(socket)
  }

  get secure(): boolean {
    return this.#secure
  }
  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Uint8Array | string, sent?: () => void): boolean {
    if (this.#closed || this.#socket.writableEnded || this.#socket.destroyed) return false
    this.tap?.sent(bytes)
    // Not behind a failure: the system may still look at the bytes.
    const done = sent && ((error?: Error | null) => (error ? undefined : sent()))
    const more = this.#socket.write(bytes, done)
    if (!more) this.#parts.sweeper.watch(this)
    return more
  }
  drained(): Promise<void> {
    if (this.#closed || this.#socket.destroyed || !this.#socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) this.#socket.once('drain', () => this.#wake())
      this.#waiting.push(resolve)
    })
  }
  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    if (!this.#upgrading) this.#socket.resume()
  }

  async startTls(): Promise<void> {
    if (this.#secure || this.#upgrading) throw new Error('TLS is already there')
    this.#upgrading = true
    const plain = this.#socket
    plain.pause()
    this.#detach(plain)
    // RFC 3207 §5: whatever came in the clear behind the command is nobody's.
    while (plain.read() !== null);
    // The raw socket's own troubles show on the secure one.
    plain.on('error', () => {})
    try {
      const secure = await secured(plain, this.#parts.tls)
      this.#secure = true
      this.#socket = secure
      this.#attach(secure)
      secure.resume()
    } catch (error) {
      this.failure ??= error as Error
      this.socketClosed()
      throw error
    } finally {
      this.#upgrading = false
    }
  }

  end(bytes?: Uint8Array | string): void {
    if (this.#closed || this.#socket.writableEnded) return
    if (bytes === undefined) this.#socket.end()
    else {
      this.tap?.sent(bytes)
      this.#socket.end(bytes)
    }
    this.#parts.sweeper.watch(this)
  }
  destroy(): void {
    this.#socket.destroy()
  }
  belongsTo(address: string): void {
    if (this.tap?.belongsTo(address) === false) this.tap = undefined
  }

  // What the socket says. Handlers must not take the process with them.

  received(chunk: Uint8Array): void {
    this.#lastData = performance.now()
    this.tap?.received(chunk)
    try {
      this.handler.data(chunk)
    } catch (error) {
      this.#parts.log.error({ connection: this.id, err: error }, 'a session failed on its input')
      this.failure ??= error as Error
      this.destroy()
    }
  }
  peerEnded(): void {
    this.#peerEnded = true
    // A pipelining client may end right behind its last command: what it asked is still answered.
    const answered = this.handler.ended?.() ?? performance.now() - this.#lastData >= LAST_WORDS_MS
    if (answered && this.pendingBytes === 0) this.#socket.end()
    else this.#parts.sweeper.watch(this)
  }
  socketClosed(): void {
    if (this.#closed) return
    this.#closed = true
    this.#parts.sweeper.forget(this)
    this.#wake()
    const handler = this.handler
    this.handler = nobody
    try {
      handler.closed(this.failure)
    } catch (error) {
      this.#parts.log.error({ connection: this.id, err: error }, 'a session failed at its end')
    }
  }

  /** For the sweeper: what the connection is waiting for. */
  get condition(): 'writing' | 'ending' | 'lastWords' | 'idle' {
    if (this.#socket.writableEnded) return 'ending'
    if (this.#peerEnded) return 'lastWords'
    return this.#socket.writableLength > 0 ? 'writing' : 'idle'
  }
  /** Grows while the peer takes what we write. */
  get progress(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength
  }

  #attach(socket: OwnedSocket): void {
    socket[owner] = this
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('close', onClose)
    socket.on('error', onError)
  }
  #detach(socket: OwnedSocket): void {
    socket[owner] = undefined
    socket.off('data', onData)
    socket.off('end', onEnd)
    socket.off('close', onClose)
    socket.off('error', onError)
  }
}

/** IPv4 as IPv4, also on a socket that listens to both. */
export const plainAddress = (address: string): string =>
  /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
