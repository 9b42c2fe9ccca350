import { createServer, type Server, type Socket } from 'node:net'
import { type Logger, type Phrase, SpokenError } from '@postrider/domain'
import { type Config, type ListenerName, listenerPorts } from '../config/settings.ts'

/** A listener could not be opened; the message says what to do. */
export class ListenError extends SpokenError {
  override readonly name = 'ListenError'
}

export interface Listening {
  readonly name: ListenerName
  /** Where a program of the same machine reaches it. */
  readonly host: string
  readonly port: number
  readonly addresses: readonly string[]
  /** Takes no more connections. */
  close(): void
}

/** New sockets wait for `accept` so many at a time: a thousand phones come back in one second. */
const BACKLOG = 1_024

export interface ListenOptions {
  readonly name: ListenerName
  readonly addresses: readonly string[]
  /** Ports to try, in this order: the next one only when the system refuses the one before. */
  readonly ports: readonly number[]
  readonly accept: (socket: Socket) => void
  readonly log: Logger
  /** Nothing is read from new sockets: they go on to another process. */
  readonly paused?: boolean
}

/** The ports of a service: the configured one, or the usual ones by `listeners.standardPorts`. */
export function portsOf(name: ListenerName, config: Config): number[] {
  const given = config[`listeners.${name}.port`]
  if (given !== 0) return [given]
  const { own, standard } = listenerPorts[name]
  const choice = config['listeners.standardPorts']
  return choice === 'on' ? [standard] : choice === 'auto' ? [standard, own] : [own]
}

/** Opens a service on all its addresses. Rejects with ListenError. */
export async function listen(options: ListenOptions): Promise<Listening> {
  let refused: ListenError | undefined
  for (const port of options.ports) {
    try {
      return await listenAt(options, port)
    } catch (error) {
      if (!(error instanceof ListenError)) throw error
      refused = error
      if (port !== options.ports.at(-1))
        options.log.info({ port, reason: error.message }, 'the known port is not to be had')
    }
  }
  throw refused ?? new ListenError({ en: `${options.name} has no port.`, fr: `${options.name} n’a pas de port.` })
}

async function listenAt(
  { name, addresses, accept, log, paused = false }: ListenOptions,
  port: number,
): Promise<Listening> {
  const servers: Server[] = []
  let actual = port
  try {
    for (const address of addresses) {
      const server = createServer(
        {
          allowHalfOpen: true,
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: 300_000,
          pauseOnConnect: paused,
        },
        accept,
      )
      // With the IPv4 addresses named apart, "::" means the IPv6 ones.
      const ipv6Only = address === '::' && addresses.includes('0.0.0.0')
      const bound = await bind(server, { host: address, port: actual, ipv6Only, backlog: BACKLOG }, name)
      servers.push(server)
      actual = bound
      server.on('error', (error) => log.error({ listener: name, err: error }, 'listener failed'))
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
  const [first = '::'] = addresses
  const wildcard = first === '::' || first === '0.0.0.0'
  return {
    name,
    host: wildcard ? '127.0.0.1' : first,
    port: actual,
    addresses,
    close() {
      for (const server of servers) server.close()
    },
  }
}

interface Place {
  readonly host: string
  readonly port: number
  readonly ipv6Only: boolean
  readonly backlog: number
}

function bind(server: Server, place: Place, name: ListenerName): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      // A machine without IPv6: every address is every IPv4 address then.
      if (place.host === '::' && !place.ipv6Only && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL'))
        return void server.listen({ ...place, host: '0.0.0.0' })
      server.off('error', failed)
      reject(new ListenError(explain(error, place, name)))
    }
    server.on('error', failed)
    server.listen(place, () => {
      server.off('error', failed)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : place.port)
    })
  })
}

function explain(error: NodeJS.ErrnoException, { host: address, port }: Place, name: ListenerName): Phrase {
  const other = {
    en: `Choose another one with "listeners": { "${name}": { "port": … } } or POSTRIDER_PORT_BASE.`,
    fr: `Choisissez-en un autre avec "listeners": { "${name}": { "port": … } } ou POSTRIDER_PORT_BASE.`,
  }
  if (error.code === 'EADDRINUSE')
    return {
      en: `Port ${port} (${name}) is used by another program. ${other.en}`,
      fr: `Le port ${port} (${name}) est utilisé par un autre programme. ${other.fr}`,
    }
  if (error.code === 'EACCES')
    return {
      en: `The system does not let this user open port ${port} (${name}). ${other.en} Or allow it: setcap cap_net_bind_service=+ep, or AmbientCapabilities= under systemd.`,
      fr: `Le système ne laisse pas cet utilisateur ouvrir le port ${port} (${name}). ${other.fr} Ou autorisez-le : setcap cap_net_bind_service=+ep, ou AmbientCapabilities= sous systemd.`,
    }
  if (error.code === 'EADDRNOTAVAIL')
    return {
      en: `This machine has no address ${address} ("listeners.address").`,
      fr: `Cette machine n’a pas d’adresse ${address} ("listeners.address").`,
    }
  return {
    en: `${name} cannot listen on ${address} port ${port}: ${error.message}`,
    fr: `${name} ne peut pas écouter sur ${address}, port ${port} : ${error.message}`,
  }
}
