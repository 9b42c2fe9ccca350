import type { Socket } from 'node:net'
import type { Connection, Logger, Meter, Traces } from '@postrider/domain'
import type { ListenerName } from '../config/settings.ts'
import { protocolTap } from '../operations/protocol-log/index.ts'
import { type ConnectionParts, plainAddress, SocketConnection, secured } from './connection.ts'
import type { Gate } from './gate.ts'
import { refusals } from './refusal.ts'

export interface LineParts extends ConnectionParts {
  readonly gate: Gate
  readonly meter: Meter
  readonly log: Logger
  /** Whether what a service and its clients say is logged; asked anew for each connection. */
  readonly isLogged: (name: ListenerName) => boolean
  readonly traces: Traces
  /** Open connections by listener, for `postrider status`. */
  readonly counts: Map<ListenerName, number>
}

let next = 1

/** What a listener of a line protocol does with a new socket: counts it, does the handshake, hands it on. */
export function lineAcceptor(
  name: ListenerName,
  implicitTls: boolean,
  parts: LineParts,
  accept: (connection: Connection) => void,
): (socket: Socket) => void {
  const { gate, meter, log } = parts
  return (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '')
    const leave = gate.enter(address)
    if (leave === undefined) {
      meter.count('connections_refused_total', { listener: name })
      return refuse(socket, refusals[name])
    }
    meter.count('connections_total', { listener: name })
    count(1)
    socket.once('close', () => {
      leave()
      count(-1)
    })
    if (implicitTls) parts.tls.turnstile.passSocket(socket, () => void secure(socket, address))
    else take(socket, false)
  }

  function count(by: number): void {
    parts.counts.set(name, (parts.counts.get(name) ?? 0) + by)
  }
  async function secure(socket: Socket, address: string): Promise<void> {
    socket.on('error', () => {})
    try {
      take(await secured(socket, parts.tls), true)
    } catch (error) {
      meter.count('tls_failures_total', { listener: name })
      log.debug({ listener: name, address, reason: String(error) }, 'no TLS')
    }
  }
  function take(socket: Socket, isSecure: boolean): void {
    const connection = new SocketConnection(socket, (next++).toString(36), isSecure, parts)
    const logged = parts.isLogged(name)
    if (logged || parts.traces.active)
      connection.tap = protocolTap(name, {
        connection: connection.id,
        remoteAddress: connection.remoteAddress,
        log: logged ? log : undefined,
        traces: parts.traces,
      })
    try {
      accept(connection)
    } catch (error) {
      log.error({ listener: name, err: error }, 'a session could not begin')
      connection.destroy()
    }
  }
}

/** Closes at once, with a word when there is one: the kernel has room for so few bytes, nobody waits for the peer. */
export function refuse(socket: Socket, word: string | undefined): void {
  socket.on('error', () => {})
  if (word !== undefined) socket.write(word)
  socket.destroySoon()
}
