import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger, Meter } from '@postrider/domain'
import { HANDSHAKE_MS, plainAddress } from '../listeners/connection.ts'
import type { Gate } from '../listeners/gate.ts'
import type { Sweeper, Swept } from '../listeners/sweeper.ts'
import type { TlsHolder } from '../listeners/tls.ts'
import { REQUESTS_PER_TURN, Turnstile } from '../listeners/turnstile.ts'
import { routeUpgrade, wantsSocket } from './websocket.ts'

/** Request line and headers together. */
export const MAX_HEADER_BYTES = 32_768
/** A header that dribbles in for longer is an attack (P1). */
const HEADERS_MS = 60_000
/** A whole request: 36 MB over a slow phone connection. Held requests are not concerned, they are complete. */
const REQUEST_MS = 900_000
/** Between two requests of a connection; a phone in use reuses it. */
const KEEP_ALIVE_MS = 75_000
/**
 * Requests of one connection that are not answered yet. No client in use pipelines; who does without reading would have the answers to
 * thousands of tiny requests wait in our memory (P1).
 */
const MAX_PIPELINED = 16
/** Behind the last answer of a connection, what the client still sends is taken and dropped for so long (RFC 9112 §9.6). */
const LINGER_MS = 5_000

export interface HttpsParts {
  readonly tls: TlsHolder
  readonly gate: Gate
  readonly sweeper: Sweeper
  readonly log: Logger
  readonly meter: Meter
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
}

/** The HTTPS side: takes sockets from a listener, gives requests to `handle`. */
export interface HttpsService {
  accept(socket: Socket): void
  readonly size: number
  /** No further request on any connection; closes idle ones at once, the others after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/**
 * Closes our side when everything is written, then takes and drops what still comes until the peer closes, or for LINGER_MS. Closing at
 * once while the peer still writes would reset the connection, and it would never read that its password is wrong or its mail too large.
 */
function closeGently(socket: Duplex): void {
  socket.end()
  const linger = (): void => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('end', () => socket.destroy())
    socket.once('close', () => clearTimeout(timer))
    socket.resume()
  }
  if (socket.writableFinished) linger()
  else socket.once('finish', linger)
}

/** Nothing further that was read from this connection is parsed. Where Node should lose the method, its requests are only ended one by one. */
function stopParsing(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: { pause?(): void } | null }
  parser?.pause?.()
}

class SweptSocket implements Swept {
  readonly #socket: Socket
  constructor(socket: Socket) {
    this.#socket = socket
  }
  get condition(): 'writing' | 'idle' {
    return this.#socket.writableLength > 0 && !this.#socket.destroyed ? 'writing' : 'idle'
  }
  get progress(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength
  }
  end(): void {
    this.#socket.end()
  }
  destroy(): void {
    this.#socket.destroy()
  }
}

export function createHttps({ tls, gate, sweeper, log, meter, handle }: HttpsParts): HttpsService {
  let draining = false
  const turnstile = new Turnstile(REQUESTS_PER_TURN)
  const sockets = new Set<Socket>()
  /** Sessions after the handshake, with the requests each is at. */
  const busy = new Map<Socket, number>()
  const server: Server = createServer(
    {
      ...tls.options,
      ALPNProtocols: ['http/1.1'],
      SNICallback: tls.sni,
      handshakeTimeout: HANDSHAKE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 15_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAlive: true,
      noDelay: true,
      shouldUpgradeCallback: wantsSocket,
    },
    (request, response) => {
      if (draining) response.setHeader('Connection', 'close')
      const { socket } = request
      const waiting = busy.get(socket) ?? MAX_PIPELINED
      if (waiting === MAX_PIPELINED) {
        if (!socket.destroyed) {
          meter.count('http_pipelines_cut_total')
          stopParsing(socket)
          socket.destroy()
        }
        // What was read together with it has been parsed already. Node would end each of these requests with an error of its own, whose
        // stack it writes out: 50 connections of tiny requests would hold the loop for seconds.
        return void request.destroy()
      }
      busy.set(socket, waiting + 1)
      response.once('close', () => {
        const left = (busy.get(socket) ?? 1) - 1
        if (busy.has(socket)) busy.set(socket, left)
        if (draining && left === 0) socket.end()
      })
      // A client that reads nothing must not keep its answer in our memory for ever.
      response.once('prefinish', () => {
        if (response.socket !== null && response.socket.writableLength > 0)
          sweeper.watch(new SweptSocket(response.socket))
      })
      turnstile.pass(() => {
        if (!socket.destroyed) handle(request, response)
      })
    },
  )
  server.on(
    'upgrade',
    routeUpgrade((request, response) => {
      if (draining) return void request.socket.destroy()
      // No longer a connection of requests.
      busy.delete(request.socket)
      handle(request, response)
    }),
  )
  server.maxHeadersCount = 200
  server.timeout = 0
  server.on('secureConnection', (socket: Socket) => {
    busy.set(socket, 0)
    socket.once('close', () => busy.delete(socket))
    // Node calls this behind the last answer.
    socket.destroySoon = () => closeGently(socket)
  })
  tls.follow((options) => server.setSecureContext(options))
  server.on('tlsClientError', (error) => {
    meter.count('tls_failures_total', { listener: 'https' })
    log.debug({ listener: 'https', reason: String(error) }, 'no TLS')
  })
  const refused = new WeakSet<Duplex>()
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What comes behind a refused request makes no sense either; it is dropped until the time is over.
    if (refused.has(socket)) return
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request'
    refused.add(socket)
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    closeGently(socket)
  })
  return {
    get size() {
      return sockets.size
    },
    accept(socket) {
      const leave = gate.enter(plainAddress(socket.remoteAddress ?? ''))
      if (leave === undefined) {
        meter.count('connections_refused_total', { listener: 'https' })
        return void socket.destroy()
      }
      meter.count('connections_total', { listener: 'https' })
      sockets.add(socket)
      socket.once('close', () => {
        leave()
        sockets.delete(socket)
      })
      // Half-open sockets are for line protocols.
      socket.allowHalfOpen = false
      tls.turnstile.passSocket(socket, () => server.emit('connection', socket))
    },
    async drain(graceMs) {
      draining = true
      const until = performance.now() + graceMs
      for (const [socket, requests] of busy) if (requests === 0) socket.end()
      while ([...busy.values()].some((requests) => requests > 0) && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 20))
      server.closeAllConnections()
      for (const socket of sockets) socket.destroySoon()
    },
  }
}
