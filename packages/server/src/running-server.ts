import { X509Certificate } from 'node:crypto'
import { type Clock, type Phrase, SpokenError } from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import type { Access } from './access/client-access.ts'
import type { AcmeKeeper } from './acme/index.ts'
import { type RunningServer, type ServerStatus, storeReport } from './administration.ts'
import type { ListenerName } from './config/settings.ts'
import type { MailboxHome } from './home/index.ts'
import type { Listening } from './listeners/listen.ts'
import type { TlsHolder } from './listeners/tls.ts'
import type { Mover } from './move/mover.ts'
import type { Metrics } from './operations/metrics.ts'
import type { TraceBook } from './operations/traces.ts'
import { version } from './version.ts'

const DAY_MS = 86_400_000

interface RunningParts {
  readonly mover: Mover | undefined
  readonly orderDevice: RunningServer['orderDevice']
  readonly standby: RunningServer['standby']
  readonly metrics: Metrics
  readonly traces: TraceBook
  readonly home: MailboxHome
  readonly access: Access
  readonly listening: ReadonlyMap<ListenerName, Listening>
  readonly state: { readonly ready: boolean }
  readonly reload: () => Promise<readonly Phrase[]>
  readonly directory: DirectoryStore
  readonly tls: TlsHolder
  readonly keeper: AcmeKeeper | undefined
  readonly clock: Clock
}

/** The running server as commands see it. */
export function runningServer(parts: RunningParts): RunningServer {
  const { home, access, listening, state } = parts
  return {
    service: home.everywhere,
    mover: parts.mover,
    orderDevice: parts.orderDevice,
    standby: parts.standby,
    reload: parts.reload,
    async status(): Promise<ServerStatus> {
      const connections = [...listening.keys()].map((name) => [name, access.connections(name)])
      return {
        pid: process.pid,
        version,
        uptimeSeconds: Math.round(process.uptime()),
        listeners: Object.fromEntries([...listening].map(([name, { host, port }]) => [name, { host, port }])),
        connections: Object.fromEntries(connections),
        held: await access.held(),
        memoryBytes: process.memoryUsage.rss() + home.memoryBytes() + access.memoryBytes(),
        ready: state.ready,
      }
    },
    traces: parts.traces,
    metrics: () => parts.metrics.registry.metrics(),
    certificates: () =>
      parts.tls.certificates.map((one, i) => {
        const own = i === 0 ? parts.keeper?.report() : undefined
        const now = parts.clock.now()
        return {
          names: one.names,
          issuer: new X509Certificate(one.certificate).issuer.replaceAll('\n', ', '),
          expires: new Date(one.expires).toISOString(),
          days: Math.floor((one.expires - now) / DAY_MS),
          fingerprint: one.fingerprint,
          renewal: own === undefined ? null : new Date(Math.max(now, own.dueAt)).toISOString(),
          problem: own?.problem ?? null,
        }
      }),
    async renewCertificate() {
      if (parts.keeper === undefined)
        throw new SpokenError({
          en: 'Certificates are not ordered by the server: set acme.enabled.',
          fr: 'Le serveur ne demande pas de certificats : réglez acme.enabled.',
        })
      await parts.keeper.renew()
    },
    checkStore: async (originals, say) => storeReport(await home.check(originals), parts.directory, home.service, say),
  }
}
