import { createAuthenticator, type DirectoryStore, openDirectory } from '@postrider/store/directory'
import {
  alone,
  databaseOwner,
  type Logger,
  type MailboxId,
  type Phrase,
  type SpokenError,
  systemClock,
} from '@postrider/domain'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Administration, settleMailboxes } from './administration.ts'
import { type Access, accessElsewhere, accessHere, sentConfig } from './access/client-access.ts'
import type { MetricsText } from './access/front.ts'
import { TRACES } from './access/traces.ts'
import { Shared } from './access/shared.ts'
import { AcmeKeeper, Challenges } from './acme/index.ts'
import { type Certificate, ensureCertificate, ownFiles } from './certificate/index.ts'
import { acmeSettings, certificateNames, readCertificates, watchCertificates } from './certificates.ts'
import { Words } from './cli/command.ts'
import { answerControl } from './cli/run.ts'
import { commands } from './commands/index.ts'
import {
  accessCount,
  databaseNames,
  type Environment,
  type Loaded,
  loadConfig,
  ownerCount,
  postgresServer,
} from './config/load.ts'
import { changes } from './config/changes.ts'
import { type ListenerName, listenerNames } from './config/settings.ts'
import { lockFolder } from './control/lock.ts'
import { serveControl } from './control/socket.ts'
import { firstMailbox, prepareDirectory } from './first-start.ts'
import { type MailboxHome, openHome } from './home/index.ts'
import { whereabouts } from './home/whereabouts.ts'
import { siteFor } from './http/site.ts'
import { connectionCeiling, Gate } from './listeners/gate.ts'
import { type Listening, listen, portsOf } from './listeners/listen.ts'
import { reachableAddress } from './listeners/reachable.ts'
import { TICKET_KEY_BYTES, TlsHolder } from './listeners/tls.ts'
import { DIRECTORY_FILE, prepareFolder } from './offline.ts'
import { openLog, type ProgramLog } from './operations/log.ts'
import { Metrics } from './operations/metrics.ts'
import { MAX_TRACE_MINUTES, TraceBook } from './operations/traces.ts'
import { Mover } from './move/mover.ts'
import { followDirectory } from './nodes/directory-link.ts'
import { NUMBERS_A_NODE, readIdentity } from './nodes/identity.ts'
import { NodeLinks } from './nodes/links.ts'
import { heldElsewhere, listenForNodes, ownDatabases } from './nodes/index.ts'
import { removeReadyFile, writeReadyFile } from './operations/ready-file.ts'
import { watchStalls } from './operations/stalls.ts'
import { notifySystemd } from './operations/systemd.ts'
import { throttlePolicy } from './protocol-settings.ts'
import { runningServer } from './running-server.ts'
import { createServices } from './services.ts'
import { smimeTrust } from './smime.ts'
import { linkOpener } from './transfer/open.ts'
import { Undo } from './undo.ts'
import { version } from './version.ts'
import { type Archiver, startArchive } from './backup/index.ts'
import { copyOf, type Followed, openFollowed, roleOf } from './standby/index.ts'
import { SecondFactor } from './web/second-factor.ts'
import { welcome } from './welcome/index.ts'

/** How often the server's own certificate is looked at, ms. */
const CERTIFY_MS = 86_400_000
/** Work on mailboxes that failed is tried again so often. */
const SETTLE_MS = 30_000

/** Everything a start puts together, in the order in which it is taken apart again from the end. */
export interface Program {
  readonly loaded: Loaded
  readonly directory: DirectoryStore
  readonly log: Logger
  readonly listening: ReadonlyMap<ListenerName, Listening>
  readonly certificate: Certificate
  /** True when this start made domain, Administrator and first mailbox. */
  readonly firstStart: boolean
  /** Resolves when another server has taken over: this one must end. */
  readonly replaced: Promise<SpokenError>
  reload(): Promise<readonly Phrase[]>
  /** Graceful: tells clients, finishes work, closes files. Doing it twice waits for the first. */
  stop(): Promise<void>
}

/** Starts the server and resolves when it listens. Rejects, with everything closed again, when it cannot. */
export async function startProgram(loaded: Loaded, env: Environment = process.env): Promise<Program> {
  const undo = new Undo()
  const opened = openLog(loaded.config['log.level'], loaded.config['log.format'], accessCount(loaded.config) > 1)
  try {
    return await start(loaded, env, opened, undo)
  } catch (error) {
    await undo.run(opened.log)
    await opened.flush()
    throw error
  }
}

async function start(first: Loaded, env: Environment, opened: ProgramLog, undo: Undo): Promise<Program> {
  const { log } = opened
  const clock = systemClock
  let loaded = first
  const { config, dataFolder } = first
  const began = performance.now()
  for (const warning of loaded.warnings) log.warn({}, warning.en)

  prepareFolder(dataFolder)
  const lock = lockFolder(dataFolder)
  undo.add(() => lock.release())
  const metrics = new Metrics()
  const replaced = Promise.withResolvers<SpokenError>()
  let followed: Followed | undefined
  let archiver: Archiver | undefined
  const isArchived = config['archive.to'] !== '' && config['store.driver'] === 'sqlite'
  const following =
    roleOf(loaded) === undefined
      ? undefined
      : await openFollowed(loaded, {
          log,
          meter: metrics,
          confirm: (database, confirmed) => home.confirm(database, confirmed),
          fenced: replaced.resolve,
          others: (database) => archiver?.position(database) ?? Number.MAX_SAFE_INTEGER,
        })

  const identity = readIdentity(dataFolder)
  const elsewhere = identity?.head === undefined ? undefined : await followDirectory(dataFolder, identity, log)
  const directory =
    elsewhere?.directory ??
    openDirectory({ file: join(dataFolder, DIRECTORY_FILE), databases: databaseNames(config), clock })
  undo.add(() => (elsewhere ?? directory).close())
  for (const line of directory.damage())
    log.error({ damage: line }, 'the directory is damaged: restore it from a backup')
  const firstStart = elsewhere === undefined && (await prepareDirectory(directory, loaded))
  const nodes = identity === undefined ? undefined : new NodeLinks(identity, directory, log)
  undo.add(() => nodes?.close())
  const files = ownFiles(dataFolder)
  const certify = (): void => {
    if (loaded.config['tls.certificate'] === '' && ensureCertificate(files, certificateNames(loaded), clock.now()))
      log.info({ file: files.certificate }, 'a certificate was made')
  }
  certify()
  // The files are watched: what is made anew is taken into use.
  const certified = setInterval(certify, CERTIFY_MS)
  certified.unref()
  undo.add(() => clearInterval(certified))
  const ticketKeys = randomBytes(TICKET_KEY_BYTES)
  const tls = new TlsHolder({ ...readCertificates(loaded), minVersion: config['tls.minVersion'], ticketKeys })
  const shared = accessCount(config) > 1 ? new Shared(log) : undefined
  undo.add(() => shared?.close())
  const together = heldElsewhere(shared?.together ?? alone(), elsewhere)
  const challenges = new Challenges(log, together)

  const databases = ownDatabases(loaded, directory, identity)
  /** Until somebody follows. */
  const logged = new Map<string, { readonly seq: number; readonly degraded: boolean }>()
  const home: MailboxHome = await openHome({
    folder: dataFolder,
    databases,
    ...(identity === undefined ? {} : { firstNumber: identity.number * NUMBERS_A_NODE }),
    ...(nodes === undefined
      ? {}
      : { remote: { ownerOf: (name) => nodes.ownerOf(name), others: () => nodes.others(directory) } }),
    server: postgresServer(config),
    owners: ownerCount(config),
    ownerKind: config.ownerKind,
    guests: shared !== undefined,
    databaseOf: databaseFinder(directory),
    whereabouts: whereabouts(directory),
    epochOf: (database) => databaseOwner(directory, database).epoch,
    logLevel: config['log.level'],
    scrubRate: config['store.scrub'],
    shipping:
      (following === undefined || config['standby.to'] === '') && !isArchived
        ? undefined
        : {
            wait: following === undefined || config['standby.to'] === '' ? 'none' : config['standby.wait'],
            patienceMs: config['standby.patience'],
            logged: (database, seq, degraded) => {
              logged.set(database, { seq, degraded })
              followed?.logged(database, seq, degraded)
            },
          },
    logFormat: opened.format,
    log,
    meter: metrics,
  })
  undo.add(() => home.close())
  followed = await following?.follow(directory, databases)
  undo.add(() => followed?.close())
  archiver = startArchive(loaded, {
    databases,
    directory,
    copyDirectory: copyOf,
    others: (database) => followed?.synced(database) ?? Number.MAX_SAFE_INTEGER,
    archived(database, seq) {
      if (followed?.report() !== undefined) followed.confirm(database)
      else home.confirm(database, { received: 0, synced: 0, followed: seq })
    },
    log,
    meter: metrics,
  })
  undo.add(() => archiver?.close())
  for (const [database, { seq, degraded }] of logged) followed?.logged(database, seq, degraded)
  const traces = new TraceBook(dataFolder, clock, log, (address, isOn) => {
    together
      .post(TRACES, address, isOn ? true : undefined, MAX_TRACE_MINUTES * 60_000)
      .catch((error: unknown) => log.warn({ err: error }, 'not all processes know of a trace'))
  })
  undo.add(() => traces.close())
  const authenticator = createAuthenticator({ directory, clock, meter: metrics, throttle: throttlePolicy(config) })
  undo.add(() => authenticator.close())
  const settle = async (): Promise<void> => {
    if (directory.pendingMailboxes().length === 0) return
    await settleMailboxes(directory, home.everywhere).catch((error: unknown) =>
      log.warn({ err: error }, 'a mailbox could not be made, changed or destroyed: tried again soon'),
    )
  }
  await settle()
  const settling = setInterval(() => void settle(), SETTLE_MS)
  undo.add(() => clearInterval(settling))
  const services = createServices({
    loaded,
    directory,
    authenticator,
    service: home.service,
    clock,
    log,
    meter: metrics,
    traces,
    together,
    sendsHeld: elsewhere === undefined,
  })
  undo.add(() => services.transport.settled())

  // From here on the outside.
  const state = { ready: false }
  const gate = new Gate(gateLimits(loaded))
  const listening = new Map<ListenerName, Listening>()
  const metricsText = async (): Promise<MetricsText> => ({
    contentType: metrics.registry.contentType,
    text: await metrics.registry.metrics(),
  })
  const health = (): string | undefined => (state.ready ? (home.health() ?? access.health?.()) : 'starting or stopping')
  const portOf = (name: ListenerName): number | undefined => listening.get(name)?.port
  const access: Access =
    shared === undefined
      ? accessHere({
          first,
          loaded: () => loaded,
          services,
          directory,
          authenticator,
          service: home.service,
          together,
          clock,
          log,
          meter: metrics,
          gate,
          traces,
          tls,
          challenges,
          portOf,
          metrics: metricsText,
          notReady: async () => health(),
        })
      : accessElsewhere(
          {
            folder: dataFolder,
            count: accessCount(config),
            gate,
            meter: metrics,
            traces,
            // What it held for later is known to nobody else.
            fell: () => void services.jmap.start(),
            directory,
            authenticator,
            secondStep: new SecondFactor({ service: home.service, clock, secret: directory.secret }),
            shared,
            log,
            joined: () => ({
              first: sentConfig(first),
              loaded: sentConfig(loaded),
              logFormat: opened.format,
              doors: home.doors,
              ports: [...listening].map(([name, { port }]) => [name, port] as const),
              ticketKeys,
            }),
            health,
            metrics: metricsText,
          },
          services,
        )
  undo.add(() => access.close())
  if (shared === undefined) metrics.watch('held_requests', () => services.held.size)

  undo.add(() => {
    for (const one of listening.values()) one.close()
  })
  for (const name of listenerNames) {
    const isOffered = config[`listeners.${name}.enabled`] && config.role !== 'mailbox'
    const accept = isOffered ? access.accept(name) : undefined
    if (accept === undefined) continue
    const addresses = config['listeners.address']
    const { paused } = access
    listening.set(name, await listen({ name, addresses, ports: portsOf(name, config), accept, log, paused }))
  }
  await access.start?.()
  undo.add(watchStalls(metrics, log, 'main'))
  metrics.watch('connections', () => gate.total)
  metrics.watch('certificate_expires_seconds', () => Math.min(...tls.certificates.map((one) => one.expires)) / 1000)
  const takeCertificates = (): void => {
    try {
      tls.replace({ ...readCertificates(loaded), minVersion: loaded.config['tls.minVersion'] })
      log.info(
        { names: tls.certificate.names, fingerprint: tls.certificate.fingerprint },
        'other certificates are in use',
      )
      access.certificates?.()
    } catch (error) {
      log.error({ err: error }, 'the new certificate files are no good: the old ones stay in use')
    }
  }
  undo.add(watchCertificates(() => loaded, takeCertificates))
  const ordering = acmeSettings(loaded)
  let keeper: AcmeKeeper | undefined
  if (ordering !== undefined) {
    if (ordering.challenge === 'http-01') {
      const usual = config['listeners.standardPorts'] === 'off' ? 8_080 : 80
      const listener = await challenges.listen(config['acme.httpPort'] || usual, config['listeners.address'])
      undo.add(() => listener.close())
    }
    keeper = new AcmeKeeper({
      dataFolder,
      settings: ordering,
      challenges,
      clock,
      log: log.child({ part: 'acme' }),
      meter: metrics,
      onCertificate: takeCertificates,
    })
    const running = keeper
    undo.add(() => running.close())
  }
  const reload = async (): Promise<readonly Phrase[]> => {
    await notifySystemd('RELOADING=1', log)
    const next = loadConfig(env)
    const read = readCertificates(next)
    const order = acmeSettings(next)
    // Looked at before anything is changed: what cannot be read stops the reload.
    smimeTrust(next)
    const lines = changes(loaded, next)
    if (read.certificate.fingerprint !== tls.certificate.fingerprint)
      lines.push({ en: 'The certificate is a new one.', fr: 'Le certificat est nouveau.' })
    tls.replace({ ...read, minVersion: next.config['tls.minVersion'] })
    if (order !== undefined) keeper?.configure(order)
    gate.configure(gateLimits(next))
    opened.setLevel(next.config['log.level'])
    home.setLogLevel(next.config['log.level'])
    home.setScrubRate(next.config['store.scrub'])
    services.configure(next)
    if (next.config.organization !== loaded.config.organization)
      await directory.setSetting('organization', next.config.organization)
    loaded = next
    await access.reload?.(next)
    log.info({ changes: lines.map(({ en }) => en) }, 'reloaded')
    await notifySystemd('READY=1', log)
    return lines
  }
  const mover =
    elsewhere === undefined
      ? new Mover({
          directory,
          service: home.service,
          clock,
          log: log.child({ part: 'move' }),
          decided: async () => followed?.shareDirectory(),
        })
      : undefined
  undo.add(() => mover?.close())
  const server = runningServer({
    mover,
    orderDevice: services.activeSync.order,
    standby: () => followed?.report(),
    metrics,
    traces,
    home,
    access,
    listening,
    state,
    reload,
    directory,
    tls,
    keeper,
    clock,
  })
  const administration = (): Administration => ({ directory, loaded, server })
  const control = await serveControl(
    dataFolder,
    (request) =>
      answerControl(commands, request, async (command, words, say) => {
        const answer = await command.run(administration(), new Words(words), say)
        // What was changed is known everywhere when the command ends.
        await shared?.heard()
        await followed?.shareDirectory()
        return answer
      }),
    log,
    linkOpener(administration),
  )
  undo.add(() => control.close())
  const own = `${reachableAddress(config['listeners.address'])}:${portOf('https') ?? 443}`
  if (elsewhere === undefined)
    await welcome(directory, home.service, clock, siteFor(loaded, directory, portOf, own)).catch((error: unknown) =>
      log.warn({ err: error }, 'the welcome could not be written: tried again at the next start'),
    )
  // One program owns the data folder: claims that a crash left behind are nobody's.
  if (databases.length > 0) await services.transport.runner.start({ sole: true })
  mover?.resume()
  // Held mails go on waiting; nobody waits for them.
  if (elsewhere === undefined) void services.jmap.start()
  if (identity !== undefined) {
    const forNodes = await listenForNodes({
      identity,
      address: config['link.address'],
      directory,
      follows: elsewhere !== undefined,
      service: home.service,
      wrote: async () => {
        await settle()
        await shared?.heard()
      },
      held: () => void services.jmap.start(),
      log: log.child({ part: 'nodes' }),
    })
    undo.add(() => forNodes.close())
  }

  const ready = env.POSTRIDER_READY_FILE
  state.ready = true
  keeper?.start()
  if (ready) {
    const places = [...listening].map(([name, { host, port }]) => [name, { host, port }] as const)
    writeReadyFile(ready, {
      pid: process.pid,
      listeners: Object.fromEntries(places),
      mailbox: firstMailbox(dataFolder),
    })
  }
  await notifySystemd('READY=1', log)
  log.info({ version, pid: process.pid, ms: Math.round(performance.now() - began) }, 'postrider listens')

  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    state.ready = false
    const grace = loaded.config['shutdown.grace']
    log.info({ graceMs: grace }, 'stopping')
    await notifySystemd('STOPPING=1', log)
    if (ready) removeReadyFile(ready)
    for (const one of listening.values()) one.close()
    await Promise.all([access.drain(grace), services.transport.runner.stop()])
    await undo.run(log)
    log.info({}, 'stopped')
    await opened.flush()
  }
  return {
    get loaded() {
      return loaded
    },
    directory,
    log,
    listening,
    certificate: tls.certificate,
    firstStart,
    replaced: replaced.promise,
    reload,
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Where a mailbox lives, also one that is being destroyed and is in the directory no longer. */
const databaseFinder =
  (directory: DirectoryStore) =>
  (mailbox: MailboxId): string | undefined =>
    directory.mailbox(mailbox)?.database ??
    directory.pendingMailboxes().find((one) => one.mailbox === mailbox)?.database

const gateLimits = ({ config }: Loaded) => ({
  total: connectionCeiling(config['limits.connections']),
  perAddress: config['limits.connectionsPerAddress'],
})
