import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Logger, SpokenError } from '@postrider/domain'
import { DIRECTORY_FILE } from '../offline.ts'
import { version } from '../version.ts'
import { dropFile, keepFile } from './files.ts'
import { Replica } from './replica.ts'
import { type FenceState, writeFence } from './state.ts'
import { type Message, type Received, serveStreams, type Stream } from './stream.ts'

/** What `standby status` says of a standby. */
export interface StandbyReport {
  readonly role: 'standby'
  readonly epoch: number
  readonly connected: boolean
  /** Whether it could serve if it were promoted now. */
  readonly whole: boolean
  /** Since the primary was last heard, seconds; null: never. */
  readonly silentSeconds: number | null
  readonly databases: readonly {
    readonly name: string
    readonly whole: boolean
    readonly synced: number
    /** Pages that did not arrive as their checksums say. */
    readonly damagedPages: number
    /** When the last transaction that is here was committed. */
    readonly until: string | null
  }[]
}

export interface ReceiverOptions {
  readonly dataFolder: string
  readonly listen: string
  readonly key: Buffer
  readonly state: FenceState
  readonly log: Logger
  /** Refused pages are asked for again so often, ms. */
  readonly askMs?: number
}

const ASK_MS = 10_000
/** Pages asked for at once. */
const MAX_ASKED = 1_000

/** The standby's side: takes what the primary committed, keeps it, and becomes the primary when it is told to. */
export class Receiver {
  readonly #options: ReceiverOptions
  readonly #home: string
  readonly #replicas = new Map<string, Replica>()
  #state: FenceState
  #stream: Stream | undefined
  #heard: number | undefined
  #server: { readonly port: number; close(): Promise<void> } | undefined
  /** When pages of a database were asked for again. */
  readonly #asked = new Map<string, number>()
  readonly #asking: NodeJS.Timeout
  #closed = false

  private constructor(options: ReceiverOptions) {
    this.#options = options
    this.#state = options.state
    this.#home = join(options.dataFolder, 'mailboxes')
    mkdirSync(this.#home, { recursive: true, mode: 0o700 })
    for (const entry of readdirSync(this.#home, { withFileTypes: true }))
      if (entry.isDirectory() && !entry.name.startsWith('.')) this.#replica(entry.name)
    // A primary that commits nothing says nothing.
    this.#asking = setInterval(() => {
      const stream = this.#stream
      // A connection that is gone tells the loop that hears.
      if (stream !== undefined) this.#ask(stream).catch(() => undefined)
    }, options.askMs ?? ASK_MS)
    this.#asking.unref()
  }

  static async open(options: ReceiverOptions): Promise<Receiver> {
    const receiver = new Receiver(options)
    receiver.#server = await serveStreams(options.listen, options.key, (stream) => void receiver.#serve(stream))
    return receiver
  }

  get port(): number {
    return this.#server?.port ?? 0
  }

  #replica(name: string): Replica {
    if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) throw new Error(`no name of a database: ${JSON.stringify(name)}`)
    let replica = this.#replicas.get(name)
    if (replica === undefined) {
      replica = new Replica(this.#home, name)
      this.#replicas.set(name, replica)
    }
    return replica
  }

  async #serve(stream: Stream): Promise<void> {
    const { log } = this.#options
    try {
      for (;;) {
        const batch = await stream.batch()
        this.#heard = Date.now()
        await this.#take(stream, batch)
      }
    } catch (error) {
      if (this.#stream === stream) {
        this.#stream = undefined
        log.warn({ error: String(error) }, 'the primary is not connected')
      }
      stream.close()
    }
  }

  async #take(stream: Stream, batch: readonly Received[]): Promise<void> {
    const touched = new Map<Replica, number>()
    const kept: number[] = []
    for (const { message, bytes } of batch) {
      if (message.kind === 'hello') await this.#welcome(stream, message)
      else if (stream !== this.#stream) throw new Error('words of a primary that is none')
      else {
        const replica = this.#write(message, bytes)
        if (replica instanceof Replica) touched.set(replica, replica.point?.seq ?? 0)
        if (message.kind === 'segments')
          await stream.send({ ...message, held: this.#replica(message.database).segments() })
        if (message.kind === 'file' || message.kind === 'noFile') kept.push(message.id)
      }
    }
    for (const [replica, received] of touched)
      await stream.send({ kind: 'confirmed', database: replica.name, received, synced: replica.synced })
    for (const [replica, received] of touched) {
      replica.sync()
      await stream.send({ kind: 'confirmed', database: replica.name, received, synced: replica.synced })
    }
    for (const id of kept) await stream.send({ kind: 'kept', id })
    await this.#ask(stream)
  }

  /** Asks again for pages of a base that are not as their checksums say, and says when there are none any more. */
  async #ask(stream: Stream): Promise<void> {
    if (stream !== this.#stream) return
    for (const { name, damaged } of this.#replicas.values()) {
      const asked = this.#asked.get(name)
      if (damaged.length === 0 && asked === undefined) continue
      if (damaged.length > 0 && asked !== undefined && performance.now() < asked + (this.#options.askMs ?? ASK_MS))
        continue
      if (damaged.length === 0) this.#asked.delete(name)
      else this.#asked.set(name, performance.now())
      if (damaged.length === 0) this.#options.log.info({ database: name }, 'all pages of the base are well now')
      else
        this.#options.log.error(
          { database: name, pages: damaged.slice(0, MAX_ASKED) },
          'pages of the base are not as their checksums say: refused, and asked for again',
        )
      await stream.send({ kind: 'pages', database: name, pages: damaged.slice(0, MAX_ASKED) })
    }
  }

  async #welcome(stream: Stream, hello: Extract<Message, { kind: 'hello' }>): Promise<void> {
    const { log, dataFolder } = this.#options
    if (this.#closed || hello.epoch < this.#state.epoch) {
      await stream.send({ kind: 'fenced', epoch: this.#state.epoch })
      stream.end()
      return
    }
    if (hello.version !== version) {
      await stream.send({ kind: 'refused', reason: `version ${hello.version} there, ${version} here` })
      stream.end()
      return
    }
    // The newest connection is the one that lives.
    this.#stream?.close()
    this.#stream = stream
    if (hello.epoch > this.#state.epoch) {
      this.#state = { role: 'standby', epoch: hello.epoch }
      writeFence(dataFolder, this.#state)
    }
    log.info({ epoch: hello.epoch }, 'the primary is connected')
    this.#asked.clear()
    const points = Object.fromEntries(
      [...this.#replicas].flatMap(([name, { point }]) => (point === undefined ? [] : [[name, point]])),
    )
    await stream.send({ kind: 'follows', epoch: this.#state.epoch, points })
  }

  /** Answers the database that an entry was taken for. */
  #write(message: Message, bytes: Buffer): Replica | undefined {
    const { dataFolder, log } = this.#options
    if (message.kind === 'file') keepFile(dataFolder, message.path, message.mode, bytes)
    else if (message.kind === 'noFile') dropFile(dataFolder, message.path)
    else if (message.kind === 'base') {
      log.info({ database: message.database }, 'a whole database arrives')
      this.#replica(message.database).begin(message.stream, message.from)
    } else if (message.kind === 'page') {
      const { offset, pageBytes, sums, again } = message
      const replica = this.#replica(message.database)
      if (again === true) replica.again(offset, bytes, pageBytes, sums[0] ?? null)
      else replica.page(offset, bytes, pageBytes, sums)
    } else if (message.kind === 'mended') this.#replica(message.database).mended(message.until)
    else if (message.kind === 'piece') this.#replica(message.database).piece(message.segment, message.offset, bytes)
    else if (message.kind === 'based') {
      const replica = this.#replica(message.database)
      replica.end(message.until, message.size)
      return replica
    } else if (message.kind === 'entry') {
      const replica = this.#replica(message.database)
      replica.entry(bytes)
      return replica
    }
    return undefined
  }

  report(): StandbyReport {
    const databases = [...this.#replicas.values()].map((one) => ({
      name: one.name,
      whole: one.whole,
      synced: one.synced,
      damagedPages: one.damaged.length,
      until: one.time === 0 ? null : new Date(one.time).toISOString(),
    }))
    return {
      role: 'standby',
      epoch: this.#state.epoch,
      connected: this.#stream !== undefined,
      whole: this.#whole,
      silentSeconds: this.#heard === undefined ? null : Math.round((Date.now() - this.#heard) / 1000),
      databases,
    }
  }

  get #whole(): boolean {
    const all = [...this.#replicas.values()]
    return (
      all.length > 0 && all.every(({ whole }) => whole) && existsSync(join(this.#options.dataFolder, DIRECTORY_FILE))
    )
  }

  /**
   * Ends the following for good and counts the epoch up: from here on this folder is the primary's. Throws SpokenError when it is not whole; then it goes on
   * as a standby.
   */
  async promote(): Promise<FenceState> {
    if (!this.#whole)
      throw new SpokenError({
        en: 'This standby does not have everything yet: it cannot serve.',
        fr: 'Ce serveur de secours n’a pas encore tout : il ne peut pas servir.',
      })
    this.#closed = true
    clearInterval(this.#asking)
    const state: FenceState = { role: 'primary', epoch: this.#state.epoch + 1 }
    const stream = this.#stream
    // Nothing is confirmed from now on.
    this.#stream = undefined
    for (const replica of this.#replicas.values()) {
      const { name, damaged } = replica
      if (damaged.length > 0)
        this.#options.log.error(
          { database: name, pages: damaged },
          'promoted with damaged pages: run postrider store check',
        )
      replica.promote()
    }
    writeFence(this.#options.dataFolder, state)
    this.#state = state
    this.#options.log.warn({ epoch: state.epoch }, 'this standby is the primary now')
    await stream?.send({ kind: 'fenced', epoch: state.epoch }).catch(() => undefined)
    stream?.end()
    await this.#server?.close()
    return state
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#asking)
    this.#stream?.close()
    await this.#server?.close()
    for (const replica of this.#replicas.values()) replica.close()
  }
}
