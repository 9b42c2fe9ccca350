import { DomainError, type Logger } from '@postrider/domain'
import { Session } from './session.ts'

/** Between two attempts to connect, ms: first and longest. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

export interface LinkOptions {
  readonly urls: readonly string[]
  readonly searchPath: string
  /** How long callers wait for a server that does not answer, ms. */
  readonly patienceMs: number
  /** Shared by all connections to one server: patience is counted once, however many of them a caller needs one after the other. */
  readonly outage?: Outage
  readonly log: Logger
  /** What a new connection has to do before anybody may use it. */
  readonly prepare?: (session: Session) => Promise<void>
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })

/** Since when a server does not answer, for all connections to it. */
export class Outage {
  #since: number | undefined

  /** An attempt failed. Answers when the first one did. */
  goesOn(): number {
    this.#since ??= performance.now()
    return this.#since
  }
  over(): void {
    this.#since = undefined
  }
}

/**
 * One connection that is always there, or on its way: when it is lost the next who needs it connects anew, again and again, and gives up
 * with `unavailable` (try again) after the time callers are kept waiting.
 */
export class Link {
  readonly #options: LinkOptions
  readonly #outage: Outage
  #session: Session | undefined
  #connecting: Promise<Session> | undefined
  #failed: { readonly at: number; readonly error: DomainError } | undefined
  #closed = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.#outage = options.outage ?? new Outage()
  }

  /** The connection that stands, if one does. */
  get standing(): Session | undefined {
    return this.#session?.lost === false ? this.#session : undefined
  }

  /** Why there was no connection when last tried. */
  get trouble(): string | undefined {
    return this.standing === undefined ? this.#failed?.error.message : undefined
  }

  /** Rejects with `unavailable`, or with what `prepare` threw as DomainError. */
  session(): Promise<Session> {
    if (this.#closed) return Promise.reject(new DomainError('unavailable', 'the store is closed'))
    const { standing } = this
    if (standing !== undefined) return Promise.resolve(standing)
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(): Promise<Session> {
    const { urls, searchPath, patienceMs, log, prepare } = this.#options
    const began = performance.now()
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      let session: Session | undefined
      try {
        session = await Session.connect(urls, searchPath)
        await prepare?.(session)
        if (this.#closed) throw new DomainError('unavailable', 'the store is closed')
        if (this.#failed !== undefined) log.info({}, 'the database server answers again')
        this.#failed = undefined
        this.#outage.over()
        this.#session = session
        return session
      } catch (cause) {
        session?.destroy()
        if (cause instanceof DomainError) throw cause
        // Who comes after the first have waited in vain is not kept waiting: one attempt only.
        const since = Math.min(began, this.#outage.goesOn())
        if (performance.now() >= since + patienceMs || this.#closed) {
          const error = new DomainError('unavailable', `database server: ${messageOf(cause)}`, { cause })
          if (this.#failed === undefined) log.error({ error: messageOf(cause) }, 'the database server does not answer')
          this.#failed = { at: performance.now(), error }
          throw error
        }
        await pause(wait)
      }
    }
  }

  close(): void {
    this.#closed = true
    this.#session?.destroy()
  }
}

/** What went wrong; several addresses of one name fail as an AggregateError without a message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
