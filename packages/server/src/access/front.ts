import type { Socket } from 'node:net'
import type { Authenticator, Clock, Logger, MailboxService, Meter, Together, Traces } from '@postrider/domain'
import { createAutodiscover } from '@postrider/protocols/autodiscover'
import type { SharedDirectory } from '@postrider/store/directory'
import type { Challenges } from '../acme/index.ts'
import { publicHost } from '../config/load.ts'
import type { Loaded } from '../config/load.ts'
import { type ListenerName, listenerNames, listenerPorts } from '../config/settings.ts'
import { HttpTraces } from '../http/looking-on.ts'
import { createRouter } from '../http/router.ts'
import { ownRoutes } from '../http/routes.ts'
import { createHttps } from '../http/server.ts'
import { siteFor } from '../http/site.ts'
import type { Gate } from '../listeners/gate.ts'
import { lineAcceptor } from '../listeners/line.ts'
import { Sweeper } from '../listeners/sweeper.ts'
import type { TlsHolder } from '../listeners/tls.ts'
import type { Services } from '../services.ts'
import { createWeb } from '../web/index.ts'
import type { SecondStep } from '../web/second-factor.ts'

export interface FrontParts {
  /** The configuration of the start; `loaded` is that of now. */
  readonly first: Loaded
  readonly loaded: () => Loaded
  readonly services: Services
  readonly directory: SharedDirectory
  readonly authenticator: Authenticator
  readonly service: MailboxService
  readonly together: Together
  readonly secondFactor?: SecondStep
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly gate: Gate
  readonly traces: Traces
  readonly tls: TlsHolder
  readonly challenges: Challenges
  readonly portOf: (name: ListenerName) => number | undefined
  /** The metrics of the whole program, in Prometheus' form. */
  readonly metrics: () => Promise<MetricsText>
  /** Undefined when all is well, else what is not. */
  readonly notReady: () => Promise<string | undefined>
}

export interface MetricsText {
  readonly contentType: string
  readonly text: string
}

/** Client access: what becomes of connections. It opens no port. */
export interface Front {
  /** What to do with a new connection of a listener; only those that are switched on. */
  readonly accept: ReadonlyMap<ListenerName, (socket: Socket) => void>
  /** Open connections by listener. */
  connections(): Readonly<Record<string, number>>
  /** Tells clients, finishes what is under way within `graceMs`. */
  drain(graceMs: number): Promise<void>
  close(): void
}

export function createFront(parts: FrontParts): Front {
  const { services, directory, authenticator, clock, log, meter, gate, tls, loaded, together, traces } = parts
  const { config, dataFolder } = parts.first
  const sweeper = new Sweeper()
  const site = (host: string | undefined) => siteFor(loaded(), directory, parts.portOf, host)
  const requests = new HttpTraces(traces)
  const web = createWeb({
    service: parts.service,
    directory,
    authenticator,
    jmap: services.jmap.inside,
    orderDevice: services.activeSync.order,
    clock,
    log,
    config: () => loaded().config,
    site,
    dataFolder,
    together,
    traces: requests,
    ...(parts.secondFactor === undefined ? {} : { secondFactor: parts.secondFactor }),
  })
  const routes = [
    ...services.routes,
    ...ownRoutes({
      autodiscover: createAutodiscover({ directory, clock }),
      site,
      config: () => loaded().config,
      tls,
      metrics: parts.metrics,
      notReady: parts.notReady,
    }),
    // Behind: Thunderbird's /mail/config-v1.1.xml is no page of the web client's /mail/.
    ...web.routes,
  ]
  const router = createRouter({
    routes,
    authenticator,
    webSession: web.check,
    needsSecondStep: web.needsSecondStep,
    traces: requests,
    realm: publicHost(config),
    log,
    meter,
  })
  const https = createHttps({ tls, gate, sweeper, log, meter, handle: router })
  const counts = new Map<ListenerName, number>()
  const isLogged = (name: ListenerName): boolean => loaded().config['log.protocols'].includes(name)
  const accept = new Map<ListenerName, (socket: Socket) => void>()
  for (const name of listenerNames) {
    const line = services.lines.get(name)
    if (!config[`listeners.${name}.enabled`] || (name !== 'https' && line === undefined)) continue
    const { tls: implicit } = listenerPorts[name]
    accept.set(
      name,
      line === undefined
        ? parts.challenges.guard(https.accept)
        : lineAcceptor(name, implicit, { tls, sweeper, log, gate, meter, counts, isLogged, traces }, line),
    )
  }
  return {
    accept,
    connections: () =>
      Object.fromEntries(
        [...accept.keys()].map((name) => [name, name === 'https' ? https.size : (counts.get(name) ?? 0)]),
      ),
    async drain(graceMs) {
      web.drain()
      await Promise.all([services.drain(graceMs), https.drain(graceMs)])
    },
    close: () => web.close(),
  }
}
