/**
 * A client-access process: takes connections from the main process, speaks all protocols, asks the owners for mailboxes and the main process for
 * everything that all processes share. It keeps nothing: it may be killed at any time.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { systemClock } from '@postrider/domain'
import { connectSocket, Peer } from '@postrider/link'
import { openReplica, remoteAuthenticator } from '@postrider/store/directory'
import { Challenges } from '../acme/index.ts'
import { readCertificates, watchCertificates } from '../certificates.ts'
import type { Loaded } from '../config/load.ts'
import type { ListenerName } from '../config/settings.ts'
import { withSocketPath } from '../control/socket-path.ts'
import { GatheringMeter, PULSE_MS } from '../home/side-channel.ts'
import { Gate } from '../listeners/gate.ts'
import { TlsHolder } from '../listeners/tls.ts'
import { readIdentity } from '../nodes/identity.ts'
import { NodeLinks } from '../nodes/links.ts'
import { openLog } from '../operations/log.ts'
import { watchStalls } from '../operations/stalls.ts'
import { createServices } from '../services.ts'
import { secondStepMethods, type SecondStep } from '../web/second-factor.ts'
import { createFront, type Front } from './front.ts'
import { JoinedTogether } from './joined.ts'
import type { AccessSide, AccessStart, HubSide, PassedConnection, SentConfig } from './messages.ts'
import { joinOwners } from './owners.ts'
import { RemoteTraces } from './traces.ts'

process.umask(0o077)
process.title = 'postrider-access'
// Signals for the whole group are the main process's business.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
// Without the main process nothing that is said here can be relied on any more.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))

const early: [PassedConnection, Socket | undefined][] = []
const [start] = (await once(process, 'message')) as [AccessStart]
let take = (connection: PassedConnection, socket: Socket | undefined): void => void early.push([connection, socket])
process.on('message', (message, handle) => take(message as PassedConnection, handle as Socket | undefined))

const token = Buffer.from(start.token, 'hex')
const channel = await withSocketPath(start.folder, start.socket, (path) => connectSocket(path, token))
const unpack = (sent: SentConfig): Loaded => ({ ...sent, found: true, sources: new Map(), warnings: [] })
const never = (): Promise<never> => Promise.reject(new TypeError('not ready'))
/** Filled as the parts come to be; the main process asks for nothing of it before it heard `ready`. */
let reload: AccessSide['calls']['reload'] = never
let status: AccessSide['calls']['status'] = never
let drain: AccessSide['calls']['drain'] = never
let takeCertificates = (): void => {}
let leave = (): void => process.exit()

const hub: Peer<HubSide> = new Peer<HubSide>(
  channel,
  {
    calls: {
      heard: async () => {},
      reload: (loaded: SentConfig) => reload(loaded),
      status: () => status(),
      drain: (graceMs: number) => drain(graceMs),
    },
    words: {
      directory: (news) => {
        for (const one of news) directory.take(one)
      },
      count: (key, by) => together.counted(key, by),
      lost: (id) => together.lost(id),
      note: (topic, key, note) => together.noted(topic, key, note),
      certificates: () => takeCertificates(),
    },
  } satisfies AccessSide,
  { deadlines: { turn: 600_000 }, closed: () => leave() },
)
const directory = openReplica((method, args) => hub.calls.write(method, args))
const together = new JoinedTogether(hub)
const joined = await hub.calls.join(start.name)

const first = unpack(joined.first)
let loaded = unpack(joined.loaded)
const opened = openLog(loaded.config['log.level'], joined.logFormat, true)
const log = opened.log.child({ part: start.name })
process.on('uncaughtException', (error) => log.error({ err: error }, 'an error that nobody caught'))
process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection that nobody caught'))
const meter = new GatheringMeter()
const identity = readIdentity(start.folder)
const nodes = identity === undefined ? undefined : new NodeLinks(identity, directory, log)
const owners = await joinOwners(start.folder, joined.doors, directory, log, nodes)
const authenticator = remoteAuthenticator(directory, hub.calls)
const traces = new RemoteTraces(together, (address, line) => hub.words.trace(address, line))
const services = createServices({
  loaded: first,
  directory,
  authenticator,
  service: owners.service,
  clock: systemClock,
  log,
  meter,
  traces,
  together,
  sendsHeld: false,
})
services.configure(loaded)
const tls = new TlsHolder({
  ...readCertificates(loaded),
  minVersion: loaded.config['tls.minVersion'],
  ticketKeys: joined.ticketKeys,
})
const ports = new Map<ListenerName, number>(joined.ports)
const secondFactor = Object.fromEntries(
  secondStepMethods.map((method) => [method, (...args: readonly unknown[]) => hub.calls.secondStep(method, args)]),
) as unknown as SecondStep
/** The main process has counted the connection already. */
const gate = new Gate({ total: Number.POSITIVE_INFINITY, perAddress: Number.POSITIVE_INFINITY })
const front: Front = createFront({
  first,
  loaded: () => loaded,
  services,
  directory,
  authenticator,
  service: owners.service,
  together,
  secondFactor,
  clock: systemClock,
  log,
  meter,
  gate,
  traces,
  tls,
  challenges: new Challenges(log, together),
  portOf: (name) => ports.get(name),
  metrics: () => hub.calls.metrics(),
  notReady: () => hub.calls.health(),
})

takeCertificates = () => {
  try {
    tls.replace({ ...readCertificates(loaded), minVersion: loaded.config['tls.minVersion'] })
  } catch (error) {
    log.error({ err: error }, 'the new certificate files are no good: the old ones stay in use')
  }
}
const unwatch = watchCertificates(() => loaded, takeCertificates)
const stopStalls = watchStalls(meter, log, start.name)
const pulse = (): void => {
  meter.gauge('held_requests', services.held.size)
  hub.words.pulse(meter.take(), process.memoryUsage.rss())
}
const pulses = setInterval(pulse, PULSE_MS)

reload = async (sent) => {
  loaded = unpack(sent)
  opened.setLevel(loaded.config['log.level'])
  services.configure(loaded)
  takeCertificates()
}
status = async () => ({ held: services.held.size, memoryBytes: process.memoryUsage.rss() })
drain = async (graceMs) => {
  unwatch()
  await front.drain(graceMs)
  front.close()
  await services.transport.settled()
  pulse()
}
leave = () => {
  clearInterval(pulses)
  stopStalls()
  owners.close()
  nodes?.close()
  void opened.flush().then(() => process.exit())
}

take = ({ id, listener }, socket) => {
  hub.words.took(id)
  const accept = front.accept.get(listener)
  // The client has gone while it was on its way.
  if (socket === undefined || accept === undefined) {
    socket?.destroy()
    hub.words.gone(id)
    return
  }
  socket.once('close', () => hub.words.gone(id))
  socket.on('error', () => {})
  // As the listener has it; the system's own options came with the descriptor.
  socket.allowHalfOpen = true
  // Nothing is said to the client before the main process knows: until then it may give the connection to somebody else.
  setImmediate(() => {
    if (!socket.destroyed) accept(socket)
  })
}
for (const [connection, socket] of early.splice(0)) take(connection, socket)
hub.words.ready()
