import { DirectoryError, DomainError, type Logger, type Phrase, silentLog } from '@postrider/domain'
import type { Channel } from './channel.ts'
import { decodeFrame } from './codec/decode.ts'
import { encodeFrame } from './codec/encode.ts'
import { errorOf, failureOf, Kind } from './messages.ts'

type Call = (...args: never[]) => Promise<unknown>
type Word = (...args: never[]) => void
/** What one side does for the other: `calls` are answered, `words` are not. */
export interface Side {
  readonly calls: { readonly [name: string]: Call }
  readonly words: { readonly [name: string]: Word }
}

/** An answer that does not come within this makes the call `unavailable`, ms. */
const DEADLINE_MS = 30_000

export interface PeerOptions {
  readonly log?: Logger
  /** Of calls that may take longer or must not take as long, by name, ms. */
  readonly deadlines?: Readonly<Record<string, number>>
  readonly closed?: () => void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/**
 * Two processes of one program that ask and tell each other things over a channel. Everything arrives in the order in which it was sent, so who
 * has an answer has heard all that was said before it. Calls reject `unavailable` when the channel closes. What the other side refuses in words
 * (DirectoryError, DomainError) arrives as the same error.
 */
export class Peer<Theirs extends Side> {
  /** The other side's calls and words, as functions. */
  readonly calls: Theirs['calls']
  readonly words: Theirs['words']
  readonly #channel: Channel
  readonly #ours: Side
  readonly #log: Logger
  readonly #pending = new Map<number, Pending>()
  readonly #deadlines: ReadonlyMap<string, number>
  #lastId = 0
  #closed = false

  constructor(channel: Channel, ours: Side, options: PeerOptions = {}) {
    this.#channel = channel
    this.#ours = ours
    this.#log = options.log ?? silentLog
    this.#deadlines = new Map(Object.entries(options.deadlines ?? {}))
    this.calls = functions((name, args) => this.#call(name, args)) as Theirs['calls']
    this.words = functions((name, args) => this.#send(Kind.hint, 0, [name, ...args])) as Theirs['words']
    channel.handler = {
      frame: (frame) => this.#frame(frame),
      closed: () => {
        this.#close()
        options.closed?.()
      },
    }
  }

  close(): void {
    this.#close()
    this.#channel.close()
  }
  #close(): void {
    this.#closed = true
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(new DomainError('unavailable', 'the other process is gone'))
    }
    this.#pending.clear()
  }

  #call(name: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(new DomainError('unavailable', 'the other process is gone'))
    const id = ++this.#lastId >>> 0
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new DomainError('unavailable', `${name}: no answer in time`))
      }, this.#deadlines.get(name) ?? DEADLINE_MS)
      timer.unref()
      this.#pending.set(id, { resolve, reject, timer })
      this.#send(Kind.request, id, [name, ...args])
    })
  }
  #send(kind: number, id: number, value: unknown): void {
    if (!this.#closed) this.#channel.send(encodeFrame(kind, id, value))
  }

  #frame(bytes: Uint8Array): void {
    try {
      const { kind, id, value } = decodeFrame(bytes)
      if (kind === Kind.answer || kind === Kind.failure) this.#answered(kind, id, value)
      else void this.#asked(kind, id, value)
    } catch (error) {
      this.#log.error({ error: String(error) }, 'a frame could not be read')
      this.#channel.close()
    }
  }
  #answered(kind: number, id: number, value: unknown): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    clearTimeout(pending.timer)
    if (kind === Kind.answer) pending.resolve(value)
    else pending.reject(refusalOf(value))
  }
  async #asked(kind: number, id: number, value: unknown): Promise<void> {
    const [name, ...args] = (Array.isArray(value) ? value : []) as [string, ...never[]]
    try {
      if (kind === Kind.request) this.#send(Kind.answer, id, await own(this.#ours.calls, name)(...args))
      else own(this.#ours.words, name)(...args)
    } catch (error) {
      if (!(error instanceof DomainError) && !(error instanceof DirectoryError))
        this.#log.error({ name, err: error }, 'a call of another process failed')
      if (kind === Kind.request) this.#send(Kind.failure, id, refused(error))
    }
  }
}

function own<T>(table: { readonly [name: string]: T }, name: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (found === undefined) throw new DomainError('invalid', `no ${name}`)
  return found
}

/** An object that has every function. */
const functions = (run: (name: string, args: readonly unknown[]) => unknown): object =>
  new Proxy(
    {},
    {
      get:
        (_target, name) =>
        (...args: readonly unknown[]) =>
          run(String(name), args),
    },
  )

interface Refusal {
  readonly directory: DirectoryError['code']
  readonly phrase: Phrase
}
const refused = (error: unknown): unknown =>
  error instanceof DirectoryError
    ? ({ directory: error.code, phrase: error.phrase } satisfies Refusal)
    : failureOf(error)
function refusalOf(value: unknown): Error {
  const { directory, phrase } = value as Partial<Refusal>
  return directory === undefined || phrase === undefined ? errorOf(value) : new DirectoryError(directory, phrase)
}
