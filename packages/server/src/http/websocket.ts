/**
 * WebSockets: RFC 6455, by the library `ws`, which is loaded with the first of them. A request to open one goes the way of every request
 * (route, authentication, log); its route then takes the connection over.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import type { WebSocket, WebSocketServer } from 'ws'
import { reply } from './router.ts'

const PING_MS = 60_000
/** Time for the close frame after a message that is none, ms. */
const LAST_WORD_MS = 2_000

/** What came behind the request, by request. */
const heads = new WeakMap<IncomingMessage, Buffer>()

/** Node's `shouldUpgradeCallback`: everything else that asks for another protocol is answered as if it had not (RFC 9110 §7.8). */
export const wantsSocket = (request: IncomingMessage): boolean =>
  (request.headers.upgrade ?? '').toLowerCase() === 'websocket' && /^\/jmap\/ws(?:\?|$)/i.test(request.url ?? '')

/** Gives such a request to the router, with a response that ends the connection. */
export function routeUpgrade(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    heads.set(request, head)
    socket.on('error', () => socket.destroy())
    const response = new ServerResponse(request)
    response.assignSocket(socket as Socket)
    response.setHeader('Connection', 'close')
    response.once('finish', () => {
      response.detachSocket(socket as Socket)
      socket.end()
    })
    // Whoever waits for the end of the request (its session, above all) waits for the end of the connection.
    socket.once('close', () => response.emit('close'))
    handle(request, response)
  }
}

export interface Opened {
  /** Text and binary messages. */
  message(data: Buffer, binary: boolean): void
  closed(): void
}

let server: Promise<WebSocketServer> | undefined
/** Opens a WebSocket with this subprotocol on the connection of a request. `opened` gets the socket; undefined closes it at once. */
export async function openSocket(
  request: IncomingMessage,
  response: ServerResponse,
  options: { readonly protocol: string; readonly maxMessage: number },
  opened: (socket: WebSocket) => Opened | undefined,
): Promise<void> {
  const head = heads.get(request)
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim())
  if (head === undefined) return reply(response, 426, 'A WebSocket is wanted here.\n', { Upgrade: 'websocket' })
  if (!offered.includes(options.protocol)) return reply(response, 400, `The subprotocol is ${options.protocol}.\n`)
  server ??= import('ws').then(
    (ws) =>
      new ws.WebSocketServer({
        noServer: true,
        clientTracking: false,
        maxPayload: options.maxMessage,
        perMessageDeflate: false,
        handleProtocols: () => options.protocol,
      }),
  )
  const accepting = await server
  const socket = request.socket
  if (socket.destroyed) return
  response.removeAllListeners('finish')
  response.detachSocket(socket)
  accepting.handleUpgrade(request, socket, head, (made) => {
    const taken = opened(made)
    if (taken === undefined) return made.close(1_013, 'too many connections')
    let alive = true
    const ping = setInterval(() => {
      if (!alive) return made.terminate()
      alive = false
      made.ping()
    }, PING_MS)
    made.on('pong', () => {
      alive = true
    })
    made.on('message', (data, binary) => taken.message(data as Buffer, binary))
    // The library has said why in a close frame: it is to arrive, and what still comes is read and dropped.
    made.on('error', () => setTimeout(() => made.terminate(), LAST_WORD_MS).unref())
    made.on('close', () => {
      clearInterval(ping)
      taken.closed()
    })
  })
}
