import { connect } from 'node:net'
import { Client, type Connection as Wire, DatabaseError, type Submittable } from 'pg'
import type { Row, Value } from '../engine/statements.ts'
import type { ColumnValues } from './bulk.ts'
import { Frames } from './frames.ts'
import { type Read, readOf } from './values.ts'

/** One statement with its values, in PostgreSQL's own words (`$1`). */
export interface Step {
  readonly text: string
  readonly values: readonly (Value | ColumnValues)[]
}
/** The rows of each step, in order. */
export type Answers = readonly (readonly Row[])[]

/** The connection is gone: what was under way may or may not have happened. */
export class ConnectionLost extends Error {}

/** How long the server may take to answer before the connection counts as lost, and to accept one, ms. */
const ANSWER_MS = 30_000
const CONNECT_MS = 5_000
/**
 * Whoever has waited so long looks whether anybody is there at all, ms: a machine that is gone, unlike a program, closes no connection, and what was
 * sent to it is sent again for a quarter of an hour.
 */
const LOOK_MS = 4_000

interface Prepared {
  readonly name: string
  reads: readonly Read[]
}

/** Messages of the backend, as the library hands them on. */
interface RowDescription {
  readonly fields: readonly { readonly dataTypeID: number }[]
}
interface DataRow {
  readonly fields: readonly (string | null)[]
}

/**
 * Many statements in one go: all of them written at once, one Sync behind them, so that they cost one round trip and one fails all. The
 * library's interface for queries of one's own (as pg-cursor): it connects, authenticates, encrypts and parses.
 */
class Pipeline implements Submittable {
  readonly #steps: readonly Step[]
  readonly #prepared: Map<string, Prepared>
  readonly #frames: Frames
  readonly #fresh: { readonly at: number; readonly text: string }[] = []
  readonly #rows: Row[][] = [[]]
  readonly #resolve: (answers: Answers) => void
  readonly #reject: (error: Error) => void
  #at = 0

  constructor(
    steps: readonly Step[],
    session: { readonly prepared: Map<string, Prepared>; readonly frames: Frames; name(): string },
    settle: { readonly resolve: (answers: Answers) => void; readonly reject: (error: Error) => void },
  ) {
    this.#steps = steps
    this.#prepared = session.prepared
    this.#frames = session.frames
    this.#resolve = settle.resolve
    this.#reject = settle.reject
    for (const [at, { text, values }] of steps.entries()) {
      let prepared = this.#prepared.get(text)
      if (prepared === undefined) {
        prepared = { name: session.name(), reads: [] }
        this.#prepared.set(text, prepared)
        this.#fresh.push({ at, text })
        this.#frames.parse(prepared.name, text)
        this.#frames.describeStatement(prepared.name)
      }
      this.#frames.bind(prepared.name, values)
      this.#frames.execute()
    }
    this.#frames.sync()
  }

  submit(wire: Wire): void {
    wire.stream.write(this.#frames.take())
  }

  handleRowDescription({ fields }: RowDescription): void {
    const prepared = this.#prepared.get((this.#steps[this.#at] as Step).text)
    if (prepared !== undefined) prepared.reads = fields.map(({ dataTypeID }) => readOf(dataTypeID))
  }

  handleDataRow({ fields }: DataRow): void {
    const reads = this.#prepared.get((this.#steps[this.#at] as Step).text)?.reads ?? []
    const row: Value[] = new Array(fields.length)
    for (let i = 0; i < fields.length; i++) {
      const text = fields[i] as string | null
      row[i] = text === null ? null : (reads[i] as Read)(text)
    }
    ;(this.#rows[this.#at] as Row[]).push(row)
  }

  handleCommandComplete(): void {
    this.#at++
    this.#rows.push([])
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete()
  }

  handlePortalSuspended(): void {
    this.handleCommandComplete()
  }

  handleError(error: Error): void {
    // What was to be prepared from here on was not.
    for (const { at, text } of this.#fresh) if (at >= this.#at) this.#prepared.delete(text)
    this.#reject(error)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows.slice(0, this.#steps.length))
  }
}

const isFatal = (error: unknown): boolean =>
  !(error instanceof DatabaseError) || error.severity === 'FATAL' || error.severity === 'PANIC'

/** One connection. Statements are prepared once; what is asked while another pipeline runs waits its turn. */
export class Session {
  readonly #client: Client
  readonly #prepared = new Map<string, Prepared>()
  readonly #frames = new Frames()
  readonly #watch: NodeJS.Timeout
  #names = 0
  #turn: Promise<unknown> = Promise.resolve()
  #askedAt: number | undefined
  #looking = false
  #lost: ConnectionLost | undefined

  private constructor(client: Client) {
    this.#client = client
    client.on('error', (cause) => this.#lose(cause))
    client.on('end', () => this.#lose('the server closed the connection'))
    this.#watch = setInterval(() => this.#overdue(), LOOK_MS / 4)
    this.#watch.unref()
  }

  /** Connects to the first of `urls` that answers and takes writes. Rejects with the last error. */
  static async connect(urls: readonly string[], searchPath: string): Promise<Session> {
    let failure: unknown = new Error('no address')
    for (const url of urls) {
      const client = new Client({
        connectionString: url,
        application_name: 'postrider',
        connectionTimeoutMillis: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
      })
      const session = new Session(client)
      try {
        // A server that is just going down may take a connection and never say a word.
        const silent = setTimeout(() => session.#lose('the server does not introduce itself'), 2 * CONNECT_MS)
        try {
          await client.connect()
          await session.#introduce(searchPath)
        } finally {
          clearTimeout(silent)
        }
        return session
      } catch (error) {
        failure = error
        session.destroy()
      }
    }
    throw failure
  }

  async #introduce(searchPath: string): Promise<void> {
    const [version, standby] = await this.run([
      { text: `SELECT current_setting('server_version_num')::int`, values: [] },
      { text: 'SELECT pg_is_in_recovery()', values: [] },
      { text: `SELECT set_config('search_path', $1, false)`, values: [searchPath] },
      { text: `SELECT set_config('client_encoding', 'UTF8', false)`, values: [] },
      // Whoever reads with an idle transaction holds vacuum up; whoever commits waits for the log.
      {
        text: `SELECT set_config('synchronous_commit', 'on', false)
          WHERE current_setting('synchronous_commit') IN ('off', 'local')`,
        values: [],
      },
    ])
    if ((version?.[0]?.[0] as number) < OLDEST_SERVER) throw new Error(`PostgreSQL ${version?.[0]?.[0]} is too old`)
    if (standby?.[0]?.[0] === 1) throw new Error('the server is a standby')
  }

  /** Whether it can still be asked. */
  get lost(): boolean {
    return this.#lost !== undefined
  }

  /**
   * Runs statements in order; without BEGIN they are one transaction. Rejects with ConnectionLost, or with the DatabaseError of the first
   * that failed: those behind it did not run.
   */
  run(steps: readonly Step[]): Promise<Answers> {
    const answered = this.#turn.then(() => this.#run(steps))
    this.#turn = answered.catch(() => undefined)
    return answered
  }

  #run(steps: readonly Step[]): Promise<Answers> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    this.#askedAt = performance.now()
    return new Promise<Answers>((resolve, reject) => {
      const session = { prepared: this.#prepared, frames: this.#frames, name: () => `s${++this.#names}` }
      const fail = (error: Error): void => {
        this.#askedAt = undefined
        if (isFatal(error)) this.#lose(error)
        reject(this.#lost ?? error)
      }
      const done = (answers: Answers): void => {
        this.#askedAt = undefined
        resolve(answers)
      }
      this.#client.query(new Pipeline(steps, session, { resolve: done, reject: fail }))
    })
  }

  #overdue(): void {
    const { host, port } = this.#client
    if (this.#askedAt === undefined || this.#lost !== undefined) return
    const waited = performance.now() - this.#askedAt
    if (waited > ANSWER_MS) this.#lose('the server does not answer')
    else if (waited > LOOK_MS && !this.#looking && !host.startsWith('/')) this.#look(host, port)
  }

  /** Knocks at the server's door: who is alive opens it, however long a statement takes. */
  #look(host: string, port: number): void {
    this.#looking = true
    const socket = connect({ host, port, timeout: CONNECT_MS })
    const done = (problem?: string): void => {
      socket.destroy()
      this.#looking = false
      if (problem !== undefined && this.#askedAt !== undefined) this.#lose(problem)
    }
    socket.once('connect', () => done())
    socket.once('timeout', () => done('the machine of the server is away'))
    socket.once('error', (error) => done(`the server is away: ${error.message}`))
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = new ConnectionLost(cause instanceof Error ? cause.message : String(cause), { cause })
    this.destroy()
  }

  /** Ends the connection; what is under way is told so. */
  destroy(): void {
    clearInterval(this.#watch)
    this.#lost ??= new ConnectionLost('closed')
    this.#client.end().catch(() => undefined)
    const { connection } = this.#client as unknown as { readonly connection?: Wire }
    connection?.stream.destroy()
  }
}

/** PostgreSQL 15, as `server_version_num` writes it. */
const OLDEST_SERVER = 150_000
