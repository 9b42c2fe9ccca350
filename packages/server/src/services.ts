/** The protocols, wired: the only file that knows all of them. Each gets the parts it asks for and gives back how to hand it work. */
import {
  type Authenticator,
  type Clock,
  type Connection,
  createDoor,
  HeldTable,
  type Logger,
  type MailboxService,
  type Meter,
  TimerWheel,
  type Together,
  type Traces,
} from '@postrider/domain'
import { type ActiveSync, activeSync, isActiveSyncPath } from '@postrider/protocols/activesync'
import { createImap } from '@postrider/protocols/imap'
import { createJmap, type JmapService } from '@postrider/protocols/jmap'
import { pop3Service } from '@postrider/protocols/pop3'
import { smtpService } from '@postrider/protocols/smtp'
import type { SharedDirectory } from '@postrider/store/directory'
import { createTransport, type Transport } from '@postrider/transport'
import { SystemAgenda } from './agenda.ts'
import type { Loaded } from './config/load.ts'
import type { ListenerName } from './config/settings.ts'
import { jmapRoutes } from './http/jmap.ts'
import { smimeTrust } from './smime.ts'
import type { Route } from './http/router.ts'
import {
  activeSyncSettings,
  imapSettings,
  popSettings,
  receiveConnectors,
  transportSettings,
} from './protocol-settings.ts'
import { pushSender } from './push/sender.ts'
import { vapidOf } from './push/vapid-key.ts'

export interface ServiceParts {
  readonly loaded: Loaded
  readonly directory: SharedDirectory
  readonly authenticator: Authenticator
  readonly service: MailboxService
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  /** The other processes that take connections. */
  readonly together: Together
  /** Whether what is held for later leaves from here. */
  readonly sendsHeld: boolean
  readonly traces: Traces
}

export interface Services {
  /** What each line protocol's listener does with a connection. */
  readonly lines: ReadonlyMap<ListenerName, (connection: Connection) => void>
  readonly routes: readonly Route[]
  readonly transport: Transport
  readonly held: HeldTable
  readonly activeSync: ActiveSync
  readonly jmap: JmapService
  /** Takes over settings that need no restart. */
  configure(loaded: Loaded): void
  /** Tells everybody that the server stops; resolves when nobody is left or after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

export function createServices({
  loaded,
  directory,
  authenticator,
  service,
  clock,
  log,
  meter,
  together,
  sendsHeld,
  traces,
}: ServiceParts): Services {
  const { config } = loaded
  let believes = smimeTrust(loaded)
  let { externalUrl } = config
  let pushInside = config['push.allowPrivate']
  const wheel = new TimerWheel({ clock })
  const held = new HeldTable(service)
  const door = createDoor(service, directory)
  const system = () => [...directory.mailboxes()].find((one) => one.isAdministrator)?.mailbox
  const transport = createTransport({
    service,
    directory,
    settings: transportSettings(loaded),
    systemMailbox: system,
    clock,
    log,
    meter,
  })
  const smtp = smtpService({
    directory,
    authenticator,
    intake: transport.intake,
    clock,
    wheel,
    log,
    meter,
    traces,
    together,
  })
  const pop3 = pop3Service({ door, authenticator, clock, wheel, log, meter, together })
  let pop = popSettings(config)
  const eas = activeSync({
    door,
    directory,
    submitter: transport,
    held,
    wheel,
    clock,
    log: log.child({ protocol: 'activesync' }),
    meter,
    traces,
    settings: activeSyncSettings(config),
    secret: directory.secret,
    together,
  })
  const jmap = createJmap({
    door,
    directory,
    submitter: transport,
    held,
    wheel,
    clock,
    log: log.child({ protocol: 'jmap' }),
    meter,
    agenda: new SystemAgenda(service, system),
    settings: { maxMessageSize: config['limits.messageSize'] },
    traces,
    together,
    sendsHeld,
    believes: () => believes(),
    push: { vapid: vapidOf(directory), sender: pushSender({ allowPrivate: () => pushInside }) },
  })
  const imap = createImap(
    { door, directory, authenticator, held, wheel, clock, log, meter, giving: jmap.giving, together },
    imapSettings(config),
  )
  const connectors = receiveConnectors(config)
  const lines = new Map<ListenerName, (connection: Connection) => void>([
    ['imap', (connection) => imap.accept(connection)],
    ['imaps', (connection) => imap.accept(connection)],
    ['pop3', (connection) => pop3.accept(connection, pop)],
    ['pop3s', (connection) => pop3.accept(connection, pop)],
    ['smtp', (connection) => smtp.accept(connection, connectors.smtp)],
    ['submission', (connection) => smtp.accept(connection, connectors.submission)],
    ['submissions', (connection) => smtp.accept(connection, connectors.submissions)],
  ])
  return {
    lines,
    routes: [
      {
        name: 'activesync',
        matches: isActiveSyncPath,
        protocol: 'activesync',
        handle: (request, response, principal) => eas.handle(request, response, principal!),
        disabled: (request, response) => eas.refuse(request, response),
      },
      ...jmapRoutes(jmap, () => externalUrl),
    ],
    transport,
    held,
    activeSync: eas,
    jmap,
    configure(changed) {
      believes = smimeTrust(changed)
      imap.configure(imapSettings(changed.config))
      pop = popSettings(changed.config)
      externalUrl = changed.config.externalUrl
      pushInside = changed.config['push.allowPrivate']
    },
    async drain(graceMs) {
      eas.drain()
      jmap.drain()
      pop3.drain()
      await Promise.all([imap.drain(graceMs), smtp.drain(graceMs)])
    },
  }
}
