import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import type { Socket } from 'node:net'
import type { Meter } from '@postrider/domain'
import { listenSocket, type Peer, TOKEN_BYTES } from '@postrider/link'
import type { ListenerName } from '../config/settings.ts'
import { withSocketPath } from '../control/socket-path.ts'
import { plainAddress } from '../listeners/connection.ts'
import type { Gate } from '../listeners/gate.ts'
import { refusals } from '../listeners/refusal.ts'
import { refuse } from '../listeners/line.ts'
import { type Measured, replay } from '../home/side-channel.ts'
import { type HubParts, serveMember } from './hub.ts'
import type { AccessSide, AccessStart, PassedConnection } from './messages.ts'

/** A process that fell is started again after this; twice as long each time, up to the second. */
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 10_000
/** Up for so long, it is well again. */
const WELL_MS = 30_000
/** How long a process has to end by itself after it was drained. */
const STOP_MS = 5_000
const LOOK_MS = 5_000
/** Without a sign of life for so long a process counts as dead. */
const WEDGED_MS = 60_000
const SOCKET = 'hub.sock'

const PROCESS = new URL('./process.ts', import.meta.url)

export interface FleetParts extends HubParts {
  readonly folder: string
  readonly count: number
  readonly gate: Gate
  readonly meter: Meter
  /** A process ended unasked: what it had in hand may need looking after. */
  readonly fell: () => void
}

interface Waiting {
  readonly connection: PassedConnection
  readonly socket: Socket
  readonly leave: () => void
}

/** One client-access process, seen from the supervisor. */
class Member {
  readonly name: string
  child: ChildProcess | undefined
  peer: Peer<AccessSide> | undefined
  isReady = false
  began = 0
  retryMs = FIRST_RETRY_MS
  retry: NodeJS.Timeout | undefined
  memoryBytes = 0
  /** Connections it has, with what gives their places back. */
  readonly open = new Map<number, { readonly listener: ListenerName; leave(): void }>()
  /** Connections that go to it, one at a time: the first is on its way when `passing`. */
  readonly waiting: Waiting[] = []
  passing = false
  /** Resolves its start. */
  started: () => void = () => {}
  /** performance.now() of its last sign of life. */
  lastPulse = 0
  gauges = new Map<string, Extract<Measured, { kind: 'gauge' }>>()

  constructor(name: string) {
    this.name = name
  }
  get load(): number {
    return this.open.size + this.waiting.length
  }
}

/**
 * The client-access processes: started, kept alive, given connections. The main process listens and hands each new connection to the process that
 * has fewest, so that all are loaded alike however long connections last, limits count exactly, and a port is never closed while a process
 * starts again. A connection that had not arrived when its process died goes to another one.
 */
export class Fleet {
  readonly #parts: FleetParts
  readonly #members: readonly Member[]
  readonly #token = randomBytes(TOKEN_BYTES)
  #watch: NodeJS.Timeout | undefined
  #listening: { close(): void } | undefined
  #stopping = false
  #lastId = 0
  #turn = 0
  /** Came while no process was ready. */
  #early: Waiting[] = []

  constructor(parts: FleetParts) {
    this.#parts = parts
    this.#members = Array.from({ length: parts.count }, (_, at) => new Member(`access-${at + 1}`))
  }

  /** Starts all and resolves when all take connections. Rejects when one ends before that. */
  async start(): Promise<void> {
    const { folder } = this.#parts
    this.#listening = await withSocketPath(folder, SOCKET, (path) =>
      listenSocket(path, this.#token, (channel) =>
        serveMember(channel, this.#parts, (name, peer) => {
          const member = this.#members.find((one) => one.name === name)
          if (member === undefined) throw new TypeError(`nobody is called ${name}`)
          member.peer = peer
          return {
            ready: () => this.#ready(member),
            took: (id) => this.#took(member, id),
            gone: (id) => this.#gone(member, id),
            pulse: (measured, memoryBytes) => this.#pulse(member, measured, memoryBytes),
          }
        }),
      ),
    )
    this.#watch = setInterval(() => this.#look(), LOOK_MS)
    this.#watch.unref()
    await Promise.all(this.#members.map((member) => this.#launch(member, true)))
  }
  /** A process that stands still serves nobody, and its clients come back to another one only when it is gone. */
  #look(): void {
    for (const { name, isReady, lastPulse, child } of this.#members) {
      if (!isReady || performance.now() - lastPulse < WEDGED_MS) continue
      this.#parts.log.error({ part: name }, 'a client-access process stands still: it is ended')
      child?.kill('SIGKILL')
    }
  }

  #launch(member: Member, isFirst: boolean): Promise<void> {
    const { folder, log } = this.#parts
    const start: AccessStart = { folder, name: member.name, socket: SOCKET, token: this.#token.toString('hex') }
    const child = fork(PROCESS, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    member.child = child
    member.began = performance.now()
    child.send(start, () => {})
    return new Promise((resolve, reject) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (member.child !== child) return
        const wasReady = member.isReady
        this.#ended(member, code ?? 128 + (signal === null ? 0 : constants.signals[signal]), !isFirst || wasReady)
        reject(new Error(`${member.name} ended at its start`))
      }
      child.once('exit', ended)
      child.once('error', (error) => {
        log.error({ part: member.name, err: error }, 'a client-access process cannot be started')
        if (child.pid === undefined) ended(1, null)
      })
      member.started = resolve
    })
  }
  #ready(member: Member): void {
    member.isReady = true
    member.lastPulse = performance.now()
    member.started()
    for (const one of this.#early.splice(0)) this.#give(one)
  }

  #ended(member: Member, code: number, again: boolean): void {
    const { log, meter, fell } = this.#parts
    member.peer?.close()
    Object.assign(member, { child: undefined, peer: undefined, isReady: false, memoryBytes: 0 })
    for (const { leave } of member.open.values()) leave()
    member.open.clear()
    this.#dropGauges(member)
    member.passing = false
    const orphans = member.waiting.splice(0)
    if (this.#stopping) {
      for (const one of orphans) this.#lose(one)
      return
    }
    for (const one of orphans) this.#give(one)
    if (!again) return
    log.error({ part: member.name, code }, 'a client-access process ended')
    meter.count('access_restarts_total', { part: member.name })
    if (performance.now() - member.began > WELL_MS) member.retryMs = FIRST_RETRY_MS
    const wait = member.retryMs
    member.retryMs = Math.min(LAST_RETRY_MS, member.retryMs * 2)
    member.retry = setTimeout(() => {
      this.#launch(member, false).then(
        () => log.info({ part: member.name }, 'the client-access process works again'),
        () => {}, // #ended starts the next one
      )
    }, wait)
    fell()
  }
  #lose({ leave, socket }: Waiting): void {
    leave()
    socket.destroy()
  }

  // Connections

  /** What a listener does with a new connection. */
  accept(listener: ListenerName): (socket: Socket) => void {
    const { gate, meter } = this.#parts
    return (socket) => {
      const leave = gate.enter(plainAddress(socket.remoteAddress ?? ''))
      if (leave === undefined) {
        meter.count('connections_refused_total', { listener })
        return refuse(socket, refusals[listener])
      }
      socket.on('error', () => {})
      this.#give({ connection: { id: ++this.#lastId, listener }, socket, leave })
    }
  }
  #give(one: Waiting): void {
    if (this.#stopping) {
      this.#lose(one)
      return
    }
    let best: Member | undefined
    // Of those with as few, another one each time: short connections go round.
    const first = this.#turn++ % this.#members.length
    for (const member of [...this.#members.slice(first), ...this.#members.slice(0, first)])
      if (member.isReady && (best === undefined || member.load < best.load)) best = member
    if (best === undefined) {
      this.#early.push(one)
      return
    }
    best.waiting.push(one)
    this.#pass(best)
  }
  #pass(member: Member): void {
    const [one] = member.waiting
    if (one === undefined || member.passing || member.child === undefined) return
    member.passing = true
    const { child } = member
    // Kept open here until it has arrived: a process that dies before that takes nobody with it.
    child.send(one.connection, one.socket, { keepOpen: true }, (error) => {
      // A child that is gone says so by itself, and all that waits for it goes elsewhere.
      if (error !== null && member.child === child)
        this.#parts.log.warn({ err: error }, 'a connection was not handed over')
    })
  }
  /** It has the connection: the next one may go. */
  #took(member: Member, id: number): void {
    const [one] = member.waiting
    if (!member.passing || one?.connection.id !== id) return
    member.waiting.shift()
    member.passing = false
    one.socket.destroy()
    member.open.set(id, { listener: one.connection.listener, leave: one.leave })
    this.#pass(member)
  }
  #gone(member: Member, id: number): void {
    member.open.get(id)?.leave()
    member.open.delete(id)
  }

  // What all of them have and do

  /** Open connections of a listener, over all processes. */
  connections(listener: ListenerName): number {
    let count = 0
    for (const member of this.#members) for (const one of member.open.values()) if (one.listener === listener) count++
    return count
  }
  get memoryBytes(): number {
    return this.#members.reduce((sum, member) => sum + member.memoryBytes, 0)
  }
  /** Undefined when at least one takes connections. */
  health(): string | undefined {
    return this.#members.some((member) => member.isReady) ? undefined : 'no client-access process works'
  }
  async held(): Promise<number> {
    const answers = await Promise.all(
      this.#peers().map((peer) =>
        peer.calls.status().then(
          ({ held }) => held,
          () => 0,
        ),
      ),
    )
    return answers.reduce((sum, one) => sum + one, 0)
  }
  #peers(): Peer<AccessSide>[] {
    return this.#members.flatMap(({ peer }) => (peer === undefined ? [] : [peer]))
  }
  async reload(loaded: Parameters<AccessSide['calls']['reload']>[0]): Promise<void> {
    await Promise.all(
      this.#members.map(async ({ name, peer }) => {
        try {
          await peer?.calls.reload(loaded)
        } catch (error) {
          this.#parts.log.error({ part: name, err: error }, 'a client-access process did not take the configuration')
        }
      }),
    )
  }
  certificates(): void {
    for (const peer of this.#peers()) peer.words.certificates()
  }

  /** Counters and histograms go on as they are; a gauge is the sum over all processes. */
  #pulse(member: Member, measured: readonly Measured[], memoryBytes: number): void {
    const { meter } = this.#parts
    member.memoryBytes = memoryBytes
    member.lastPulse = performance.now()
    meter.gauge('access_memory_bytes', memoryBytes, { part: member.name })
    replay(
      measured.filter((one) => one.kind !== 'gauge'),
      meter,
    )
    for (const one of measured) {
      if (one.kind !== 'gauge') continue
      const key = keyOf(one)
      member.gauges.set(key, one)
      this.#sumGauge(key, one)
    }
  }
  #sumGauge(key: string, { name, labels }: Extract<Measured, { kind: 'gauge' }>): void {
    const sum = this.#members.reduce((all, member) => all + (member.gauges.get(key)?.value ?? 0), 0)
    this.#parts.meter.gauge(name, sum, labels)
  }
  #dropGauges(member: Member): void {
    const { gauges } = member
    member.gauges = new Map()
    for (const [key, one] of gauges) this.#sumGauge(key, one)
  }

  // The end

  /** Lets all finish what is under way within `graceMs`. The listeners are closed already. */
  async drain(graceMs: number): Promise<void> {
    this.#stopping = true
    for (const one of this.#early.splice(0)) this.#lose(one)
    await Promise.all(this.#peers().map((peer) => peer.calls.drain(graceMs).catch(() => {})))
  }
  /** Ends all processes. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#watch)
    await Promise.all(
      this.#members.map(async (member) => {
        clearTimeout(member.retry)
        const { child } = member
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((resolve) => child.once('exit', resolve))
        member.peer?.close()
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
        await ended
        clearTimeout(timer)
      }),
    )
    this.#listening?.close()
  }
}

const keyOf = ({
  name,
  labels,
}: {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}): string => `${name} ${Object.values(labels).join('\0')}`
