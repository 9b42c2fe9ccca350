/**
 * The one way out: every outbound socket of the program is opened here (P11). An address is decided once by the caller's resolution and
 * connected to as a number, so nothing is resolved twice; private, loopback and other inner ranges are refused unless the caller says that an
 * administrator named the target.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isPrivateAddress } from './private.ts'

export interface EgressTarget {
  /** An IP address: names are resolved before. */
  readonly address: string
  readonly port: number
  /** The name meant by it, for SNI and certificate checks. */
  readonly host: string
  readonly timeoutMs: number
  readonly allowPrivate: boolean
  /** TLS from the first byte. */
  readonly tls?: TlsWish
}

export interface TlsWish {
  /** The certificate must be valid for the host; otherwise any will do (opportunistic: RFC 7435). */
  readonly verify: boolean
}

/** A byte stream out. Reads are pulled, so a fast peer cannot fill the memory. */
export interface EgressSocket {
  readonly secure: boolean
  /** The next bytes; undefined when the peer has closed. Rejects on errors and after `timeoutMs`. */
  read(timeoutMs: number): Promise<Buffer | undefined>
  /** Resolves when the bytes are taken by the system, or rejects. */
  write(bytes: Uint8Array | string, timeoutMs: number): Promise<void>
  startTls(wish: TlsWish, timeoutMs: number): Promise<void>
  close(): void
}

export interface Egress {
  connect(target: EgressTarget): Promise<EgressSocket>
}

/** Why a connection was not made or broke: never the caller's fault alone. */
export class EgressError extends Error {
  override readonly name = 'EgressError'
  readonly kind: 'refused' | 'timeout' | 'network' | 'tls'
  constructor(kind: EgressError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** Bytes read ahead of the consumer before the socket is paused. */
const HIGH_WATER = 256 * 1024

/** Real sockets. */
export const nodeEgress: Egress = {
  async connect(target) {
    if (isIP(target.address) === 0) throw new EgressError('refused', 'not an address')
    if (!target.allowPrivate && isPrivateAddress(target.address))
      throw new EgressError('refused', `${target.address} is a private address`)
    const socket = await opened(connectTcp({ host: target.address, port: target.port }), 'connect', target.timeoutMs)
    const stream = new NodeSocket(socket, target.host)
    if (target.tls !== undefined) await stream.startTls(target.tls, target.timeoutMs)
    return stream
  },
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (error?: EgressError): void => {
      clearTimeout(timer)
      socket.removeListener('error', failed)
      socket.removeListener('close', closed)
      if (error === undefined) {
        resolve(socket)
        return
      }
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const kind = event === 'connect' ? 'network' : 'tls'
    const failed = (cause: Error): void => settle(new EgressError(kind, cause.message, { cause }))
    const closed = (): void => settle(new EgressError(kind, 'connection closed'))
    const timer = setTimeout(() => settle(new EgressError('timeout', `no ${event} within ${timeoutMs} ms`)), timeoutMs)
    socket.once(event, () => settle())
    socket.once('error', failed)
    socket.once('close', closed)
  })
}

class NodeSocket implements EgressSocket {
  #socket: Socket
  readonly #host: string
  #secure = false
  #chunks: Buffer[] = []
  #held = 0
  #ended = false
  #error: EgressError | undefined
  #wake: (() => void) | undefined

  constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    this.#listen(socket)
  }

  get secure(): boolean {
    return this.#secure
  }

  async read(timeoutMs: number): Promise<Buffer | undefined> {
    if (this.#chunks.length === 0 && !this.#ended && this.#error === undefined) await this.#more(timeoutMs)
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#held -= chunk.length
      if (this.#held < HIGH_WATER) this.#socket.resume()
      return chunk
    }
    if (this.#error !== undefined) throw this.#error
    return undefined
  }

  write(bytes: Uint8Array | string, timeoutMs: number): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.close()
        reject(new EgressError('timeout', 'the peer does not read'))
      }, timeoutMs)
      this.#socket.write(bytes, (cause) => {
        clearTimeout(timer)
        if (cause) reject(new EgressError('network', cause.message, { cause }))
        else resolve()
      })
    })
  }

  async startTls(wish: TlsWish, timeoutMs: number): Promise<void> {
    const plain = this.#socket
    for (const event of ['data', 'end', 'error', 'close']) plain.removeAllListeners(event)
    plain.on('error', () => {})
    this.#chunks = []
    this.#held = 0
    const servername = isIP(this.#host) === 0 ? this.#host : ''
    const options = { socket: plain, servername, rejectUnauthorized: wish.verify, minVersion: 'TLSv1.2' as const }
    this.#socket = await opened(connectTls(options), 'secureConnect', timeoutMs)
    this.#secure = true
    this.#listen(this.#socket)
  }

  close(): void {
    this.#ended = true
    this.#socket.destroy()
    this.#wake?.()
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#held += chunk.length
      if (this.#held >= HIGH_WATER) socket.pause()
      this.#wake?.()
    })
    const ended = (): void => {
      this.#ended = true
      this.#wake?.()
    }
    socket.on('end', ended)
    socket.on('close', ended)
    socket.on('error', (cause: Error) => {
      this.#error = new EgressError('network', cause.message, { cause })
      this.#wake?.()
    })
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = undefined
        reject(new EgressError('timeout', `nothing received within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }
}
