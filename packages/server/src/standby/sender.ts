import { existsSync, statSync } from 'node:fs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger, Meter } from '@postrider/domain'
import type { Confirmed } from '@postrider/store/sqlite'
import {
  decodeEntry,
  EntryGone,
  firstOfGeneration,
  HELD,
  lastEntry,
  logFolder,
  logHas,
  LogTail,
  PageReader,
  pruneLog,
  streamOf,
} from '@postrider/store/ship'
import { version } from '../version.ts'
import { directoryMark, fileBytes, smallFiles } from './files.ts'
import { digestOf, fileParts } from './replica.ts'
import { type Message, openStream, type Received, type StandbyPoint, type Stream } from './stream.ts'

/** What `standby status` says of a primary. */
export interface PrimaryReport {
  readonly role: 'primary'
  readonly epoch: number
  readonly to: string
  readonly wait: string
  readonly connected: boolean
  /** Why not, when last tried. */
  readonly problem: string | null
  readonly databases: readonly {
    readonly name: string
    readonly committed: number
    readonly received: number
    readonly synced: number
    readonly lagBytes: number
    readonly lagSeconds: number
    /** Acknowledgements no longer wait for the standby. */
    readonly degraded: boolean
    /** Pages that the standby refused and that are damaged here, too. */
    readonly damagedPages: readonly number[]
  }[]
}

export interface SenderOptions {
  readonly dataFolder: string
  readonly to: string
  readonly key: Buffer
  readonly epoch: number
  readonly databases: readonly string[]
  readonly wait: string
  /** Bytes of a log kept for a standby that is away. */
  readonly keepBytes: number
  /** Writes a copy of the directory as it is now. */
  readonly copyDirectory: () => Buffer
  readonly confirm: (database: string, confirmed: Confirmed) => void
  /** How far others are who follow a database. */
  readonly others: (database: string) => number
  /** Another server is the primary now. */
  readonly fenced: (epoch: number) => void
  readonly log: Logger
  readonly meter: Meter
}

const RETRY_MS = 1_000
/** Other files than those of mailboxes are looked at so often, and logs shortened, ms. */
const LOOK_MS = 500
const READ_BYTES = 4 * 1024 * 1024
const ANSWER_MS = 60_000

/** One database on its way. */
class Flow {
  readonly name: string
  readonly folder: string
  tail: LogTail | undefined
  committed = 0
  received = 0
  synced = 0
  degraded = false
  /** Sent and not confirmed, oldest first. */
  open: { readonly seq: number; readonly bytes: number; readonly time: number }[] = []
  /** Pages that the standby asks for again. */
  asked: readonly number[] | undefined
  /** Of these, those that are damaged here. */
  damaged: readonly number[] = []
  /** Since when something is not confirmed. */
  since: number | undefined

  constructor(home: string, name: string) {
    this.name = name
    this.folder = join(home, name)
  }

  lagBytes(): number {
    return this.open.reduce((sum, { bytes }) => sum + bytes, 0) + (this.tail?.behind() ?? 0)
  }
  lagSeconds(): number {
    if (this.synced >= this.committed) return 0
    const since = this.open[0]?.time ?? this.since ?? Date.now()
    return Math.max(0, (Date.now() - since) / 1000)
  }
}

/** The primary's side: follows the commit logs and sends what they say. Connects again by itself for as long as it lives. */
export class Sender {
  readonly #options: SenderOptions
  readonly #flows: ReadonlyMap<string, Flow>
  readonly #sentFiles = new Map<string, string>()
  /** Files that were sent and not confirmed. */
  readonly #openFiles = new Map<number, PromiseWithResolvers<void>>()
  #files = 0
  #directory = ''
  #lookedAt = 0
  #stream: Stream | undefined
  #problem: string | undefined
  #wake: (() => void) | undefined
  #closed = false
  readonly #running: Promise<void>

  constructor(options: SenderOptions) {
    this.#options = options
    const home = join(options.dataFolder, 'mailboxes')
    this.#flows = new Map(options.databases.map((name) => [name, new Flow(home, name)]))
    this.#running = this.#run()
  }

  /** Something was committed. */
  logged(database: string, seq: number, degraded: boolean): void {
    const flow = this.#flows.get(database)
    if (flow === undefined) return
    flow.committed = seq
    flow.degraded = degraded
    if (seq > flow.synced) flow.since ??= Date.now()
    // An owner that was started anew knows of no confirmation.
    else this.#confirm(flow)
    this.#wake?.()
  }

  synced(database: string): number {
    return this.#flows.get(database)?.synced ?? Number.MAX_SAFE_INTEGER
  }
  confirm(database: string): void {
    const flow = this.#flows.get(database)
    if (flow !== undefined) this.#confirm(flow)
  }

  #confirm(flow: Flow): void {
    const { received, synced } = flow
    const followed = Math.min(synced, this.#options.others(flow.name))
    this.#options.confirm(flow.name, { received, synced, followed })
  }

  async #run(): Promise<void> {
    const { to, key, log, meter } = this.#options
    while (!this.#closed) {
      try {
        const stream = await openStream(to, key)
        this.#stream = stream
        await this.#serve(stream)
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        if (!this.#closed && (this.#problem !== problem || this.#stream !== undefined))
          log.warn({ to, error: problem }, 'the standby cannot be reached')
        this.#problem = problem
      }
      this.#stream?.close()
      this.#stream = undefined
      for (const { reject } of this.#openFiles.values()) reject(new Error('the standby is away'))
      this.#openFiles.clear()
      meter.gauge('standby_connected', 0)
      for (let waited = 0; waited < RETRY_MS && !this.#closed; waited += LOOK_MS) {
        await this.#pause(LOOK_MS)
        this.#keepHouse()
      }
    }
  }

  /** Until something happens, or so long. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = done
    })
  }

  #keepHouse(): void {
    for (const flow of this.#flows.values()) {
      const followed = Math.min(flow.synced, this.#options.others(flow.name))
      pruneLog(logFolder(flow.folder), followed + 1, this.#options.keepBytes)
      const labels = { database: flow.name }
      this.#options.meter.gauge('standby_lag_bytes', flow.lagBytes(), labels)
      this.#options.meter.gauge('standby_lag_seconds', flow.lagSeconds(), labels)
    }
  }

  async #serve(stream: Stream): Promise<void> {
    const { epoch, meter, log } = this.#options
    await stream.send({ kind: 'hello', epoch, version })
    const answers = await stream.batch()
    const first = answers[0]?.message
    if (first?.kind === 'fenced') return this.#fenced(first.epoch)
    if (first?.kind !== 'follows') throw new Error(first?.kind === 'refused' ? first.reason : 'no standby answers')
    this.#problem = undefined
    meter.gauge('standby_connected', 1)
    log.info({ to: this.#options.to }, 'the standby is connected')
    const held = new Map<string, PromiseWithResolvers<Received>>()
    let ended: Error | undefined
    const hearing = (async () => {
      for (let batch = answers.slice(1); ; batch = await stream.batch())
        for (const received of batch) this.#hear(received, held)
    })().catch((error: unknown) => {
      ended = error as Error
      for (const { reject } of held.values()) reject(error)
      this.#wake?.()
    })
    this.#sentFiles.clear()
    this.#directory = ''
    this.#lookedAt = 0
    for (const flow of this.#flows.values()) this.#begin(flow, first.points[flow.name])
    while (!this.#closed && ended === undefined) {
      let sent = false
      if (performance.now() > this.#lookedAt + LOOK_MS) {
        this.#lookedAt = performance.now()
        await this.#sendFiles(stream)
        this.#keepHouse()
      }
      for (const flow of this.#flows.values()) sent = (await this.#send(stream, flow, held)) || sent
      if (!sent && ended === undefined && !this.#closed) await this.#pause(LOOK_MS)
    }
    stream.close()
    await hearing
    if (ended !== undefined) throw ended
  }

  /** Where a standby that says where it is goes on. */
  #begin(flow: Flow, point: StandbyPoint | undefined): void {
    const log = logFolder(flow.folder)
    flow.open = []
    flow.asked = undefined
    flow.damaged = []
    flow.tail = undefined
    if (point === undefined || point.stream !== streamOf(log)) return
    const { seq, salt1, salt2, frames } = point
    const last = lastEntry(log)?.seq ?? 0
    const known =
      salt1 === undefined || salt2 === undefined || frames === undefined
        ? seq === last
        : logHas(log, { seq, salt1, salt2, frames })
    if (!known) return
    flow.tail = new LogTail(log, seq + 1)
    flow.received = seq
    flow.synced = seq
    this.#confirm(flow)
  }

  #hear({ message, bytes }: Received, held: Map<string, PromiseWithResolvers<Received>>): void {
    if (message.kind === 'fenced') this.#fenced(message.epoch)
    else if (message.kind === 'segments') {
      held.get(message.database)?.resolve({ message, bytes })
      held.delete(message.database)
    } else if (message.kind === 'kept') {
      this.#openFiles.get(message.id)?.resolve()
      this.#openFiles.delete(message.id)
    } else if (message.kind === 'pages') {
      const flow = this.#flows.get(message.database)
      if (flow === undefined) return
      flow.asked = message.pages
      this.#wake?.()
    } else if (message.kind === 'confirmed') {
      const flow = this.#flows.get(message.database)
      if (flow === undefined) return
      flow.received = message.received
      flow.synced = message.synced
      const still = flow.open.findIndex(({ seq }) => seq > message.synced)
      flow.open.splice(0, still < 0 ? flow.open.length : still)
      if (flow.synced >= flow.committed) flow.since = undefined
      this.#confirm(flow)
    }
  }

  #fenced(epoch: number): void {
    this.#closed = true
    this.#options.fenced(epoch)
  }

  /** Sends what there is of a database; false when there is nothing. */
  async #send(stream: Stream, flow: Flow, held: Map<string, PromiseWithResolvers<Received>>): Promise<boolean> {
    try {
      if (flow.tail === undefined) {
        if (streamOf(logFolder(flow.folder)) === undefined) return false
        await this.#sendBase(stream, flow, held)
      }
      if (flow.asked !== undefined) await this.#sendAgain(stream, flow, flow.asked)
      const entries = (flow.tail as unknown as LogTail).read(READ_BYTES)
      for (const { head, bytes } of entries) {
        for (const piece of decodeEntry(bytes).pieces) await this.#sendPiece(stream, flow, piece)
        flow.open.push({ seq: head.seq, bytes: bytes.length, time: head.time })
        await stream.send({ kind: 'entry', database: flow.name }, bytes)
      }
      return entries.length > 0
    } catch (error) {
      if (!(error instanceof EntryGone)) throw error
      this.#options.log.warn({ database: flow.name, error: error.message }, 'the standby gets the whole database anew')
      flow.tail = undefined
      return true
    }
  }

  async #sendPiece(
    stream: Stream,
    flow: Flow,
    { segment, from, to }: { segment: number; from: number; to: number },
  ): Promise<void> {
    const name = `${String(segment).padStart(8, '0')}.seg`
    const path = [join(flow.folder, 'segments', name), join(logFolder(flow.folder), HELD, name)].find((one) =>
      existsSync(one),
    )
    // It went before anybody followed: a later entry says so.
    if (path === undefined) return
    let offset = from
    for (const part of fileParts(path, from, to)) {
      await stream.send({ kind: 'piece', database: flow.name, segment, offset }, part)
      offset += part.length
    }
  }

  /**
   * A database that is being written, page by page as they come, and all entries of pages that were not in the file when this began: with the last entry
   * written while it was read, it is whole.
   */
  async #sendBase(stream: Stream, flow: Flow, held: Map<string, PromiseWithResolvers<Received>>): Promise<void> {
    const { name, folder } = flow
    const log = logFolder(folder)
    const from = firstOfGeneration(log) ?? (lastEntry(log)?.seq ?? 0) + 1
    const has = Promise.withResolvers<Received>()
    held.set(name, has)
    const timer = setTimeout(() => has.reject(new Error('the standby does not answer')), ANSWER_MS * 10)
    await stream.send({ kind: 'segments', database: name })
    const { message } = await has.promise.finally(() => clearTimeout(timer))
    const there = new Map((message.kind === 'segments' ? (message.held ?? []) : []).map((one) => [one.segment, one]))
    this.#options.log.info({ database: name }, 'the standby gets the whole database')
    const words: Message = { kind: 'base', database: name, stream: streamOf(log) ?? '', from }
    await stream.send(words)
    const path = join(folder, 'mailbox.sqlite')
    const { size } = statSync(path)
    const reader = new PageReader(path)
    try {
      const { pageBytes } = reader
      let offset = 0
      for (const part of fileParts(path, 0, size)) {
        // What is written down of a page that is just being written is in an entry, too.
        const sums = reader.sums(offset / pageBytes + 1, Math.floor(part.length / pageBytes))
        await stream.send({ kind: 'page', database: name, offset, pageBytes, sums }, part)
        offset += part.length
      }
    } finally {
      reader.close()
    }
    for (const file of readdirSync(join(folder, 'segments'))) {
      const segment = Number(/^(\d+)\.seg$/.exec(file)?.[1] ?? Number.NaN)
      if (Number.isNaN(segment)) continue
      await this.#sendSegment(stream, flow, segment, there.get(segment))
    }
    const until = lastEntry(log)?.seq ?? 0
    await stream.send({ kind: 'based', database: name, until, size })
    flow.tail = new LogTail(log, from)
    flow.open = []
  }

  /** Pages of the base that the standby refused. Those that are damaged here are not sent: the administrator is told. */
  async #sendAgain(stream: Stream, flow: Flow, pages: readonly number[]): Promise<void> {
    const { name, folder } = flow
    flow.asked = undefined
    const damaged: number[] = []
    const reader = new PageReader(join(folder, 'mailbox.sqlite'))
    try {
      const { pageBytes } = reader
      for (const page of pages) {
        if ((await reader.damaged(page, 1)).length > 0) damaged.push(page)
        else {
          const words = {
            kind: 'page',
            database: name,
            offset: (page - 1) * pageBytes,
            pageBytes,
            again: true,
          } as const
          await stream.send({ ...words, sums: reader.sums(page, 1) }, reader.page(page))
        }
      }
    } finally {
      reader.close()
    }
    if (damaged.some((page) => !flow.damaged.includes(page)))
      this.#options.log.error(
        { database: name, pages: damaged },
        'pages of this database are damaged, the standby cannot have them: run postrider store check',
      )
    flow.damaged = damaged
    this.#options.meter.gauge('standby_damaged_pages', damaged.length, { database: name })
    if (pages.length > 0)
      await stream.send({ kind: 'mended', database: name, until: lastEntry(logFolder(folder))?.seq ?? 0 })
  }

  async #sendSegment(
    stream: Stream,
    flow: Flow,
    segment: number,
    there: { readonly bytes: number; readonly digest: string } | undefined,
  ): Promise<void> {
    const path = join(flow.folder, 'segments', `${String(segment).padStart(8, '0')}.seg`)
    try {
      const { size } = statSync(path)
      const same = there !== undefined && there.bytes <= size && digestOf(path, there.bytes).digest === there.digest
      await this.#sendPiece(stream, flow, { segment, from: same ? there.bytes : 0, to: size })
    } catch (error) {
      // Compacted away meanwhile; an entry to come says so.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Resolves when the standby has the directory as it is now, or is away. */
  async shareDirectory(): Promise<void> {
    const stream = this.#stream
    if (stream === undefined || this.#directory === '') return
    const mark = directoryMark(this.#options.dataFolder)
    if (mark !== this.#directory) this.#sendDirectory(stream, mark)
    await Promise.all([...this.#openFiles.values()].map(({ promise }) => promise)).catch(() => undefined)
  }

  #sendDirectory(stream: Stream, mark: string): void {
    this.#directory = mark
    this.#sendOne(
      stream,
      { kind: 'file', path: 'directory.db', mode: 0o600, id: ++this.#files },
      this.#options.copyDirectory(),
    )
  }

  #sendOne(stream: Stream, message: Extract<Message, { id: number }>, bytes?: Uint8Array): void {
    const kept = Promise.withResolvers<void>()
    kept.promise.catch(() => undefined)
    this.#openFiles.set(message.id, kept)
    // A connection that is gone tells the loop that sends.
    void stream.send(message, bytes).catch(() => undefined)
  }

  async #sendFiles(stream: Stream): Promise<void> {
    const { dataFolder } = this.#options
    const mark = directoryMark(dataFolder)
    if (mark !== this.#directory) this.#sendDirectory(stream, mark)
    const files = smallFiles(dataFolder)
    for (const { path, mode, mark: seen } of files) {
      if (this.#sentFiles.get(path) === seen) continue
      this.#sentFiles.set(path, seen)
      try {
        this.#sendOne(stream, { kind: 'file', path, mode, id: ++this.#files }, fileBytes(dataFolder, path))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    const now = new Set(files.map(({ path }) => path))
    for (const path of this.#sentFiles.keys()) {
      if (now.has(path)) continue
      this.#sentFiles.delete(path)
      this.#sendOne(stream, { kind: 'noFile', path, id: ++this.#files })
    }
  }

  report(): PrimaryReport {
    const { epoch, to, wait } = this.#options
    return {
      role: 'primary',
      epoch,
      to,
      wait,
      connected: this.#stream !== undefined && this.#problem === undefined,
      problem: this.#problem ?? null,
      databases: [...this.#flows.values()].map((flow) => ({
        name: flow.name,
        committed: flow.committed,
        received: flow.received,
        synced: flow.synced,
        lagBytes: flow.lagBytes(),
        lagSeconds: Math.round(flow.lagSeconds() * 10) / 10,
        degraded: flow.degraded,
        damagedPages: flow.damaged,
      })),
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    this.#stream?.close()
    await this.#running
  }
}

/** The epoch of the server at the other end, if it has taken over; undefined when it has not, or cannot be reached. */
export async function askFence(to: string, key: Buffer, epoch: number): Promise<number | undefined> {
  let stream: Stream
  try {
    stream = await openStream(to, key)
  } catch {
    return undefined
  }
  try {
    await stream.send({ kind: 'hello', epoch, version })
    const [answer] = await stream.batch()
    return answer?.message.kind === 'fenced' ? answer.message.epoch : undefined
  } catch {
    return undefined
  } finally {
    stream.close()
  }
}
