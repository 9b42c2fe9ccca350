import { DomainError, type Logger, type MailboxService, silentLog, type Subscription } from '@postrider/domain'
import type { Channel } from './channel.ts'
import { decodeFrame } from './codec/decode.ts'
import { encodeFrame } from './codec/encode.ts'
import { FrameError } from './codec/limits.ts'
import { type Feed, Feeds } from './feeds.ts'
import { errorOf, Kind, MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_REQUESTS } from './messages.ts'
import { type MethodName, methodNames, methodNumbers, methods } from './methods.ts'

export interface CallerOptions {
  readonly log?: Logger
  readonly maxInFlightBytes?: number
  readonly maxInFlightRequests?: number
  /** Another deadline for all calls, ms; by default each method has its own. */
  readonly deadline?: number
  /** Called when the channel has closed by itself: there is none until the next `attach`. */
  readonly closed?: () => void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly name: MethodName
  /** performance.now() */
  readonly deadline: number
  readonly bytes: number
}

/** How exactly deadlines are kept, ms. */
const SWEEP_MS = 250

const unavailable = (why: string): DomainError => new DomainError('unavailable', why)

/**
 * A mailbox service at the other end of a channel. Calls are pipelined: any number under way, answered in any order. They reject `busy` when too
 * much is under way, `unavailable` after their deadline, when the channel closes, and while there is none; whether such a call was
 * carried out is then unknown. With a new channel (`attach`) subscriptions go on, and every listener is woken once.
 */
export class Caller {
  readonly service: MailboxService
  readonly #log: Logger
  readonly #options: CallerOptions
  readonly #pending = new Map<number, Pending>()
  readonly #feeds: Feeds
  #channel: Channel | undefined
  #bytes = 0
  #lastId = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: CallerOptions = {}) {
    this.#options = options
    this.#log = options.log ?? silentLog
    this.#feeds = new Feeds({
      register: (name, args) => this.#register(name, args),
      cancel: (id) => this.#cancel(id),
      change: async (mailbox) => (await this.service.info(mailbox)).change,
      log: this.#log,
    })
    this.service = this.#build()
  }

  get connected(): boolean {
    return this.#channel !== undefined
  }

  /** Speaks over this channel from now on. The one before, if any, is closed. */
  attach(channel: Channel): void {
    this.#channel?.close()
    this.#lose(unavailable('another channel'))
    this.#channel = channel
    channel.handler = {
      frame: (frame) => {
        if (this.#channel === channel) this.#frame(frame)
      },
      closed: (error) => {
        if (this.#channel !== channel) return
        this.#channel = undefined
        this.#lose(unavailable(error?.message ?? 'the channel closed'))
        this.#options.closed?.()
      },
    }
    this.#feeds.renew()
  }

  /** Closes the channel; every call from now on rejects `unavailable`. */
  close(): void {
    const channel = this.#channel
    this.#channel = undefined
    channel?.close()
    this.#lose(unavailable('closed'))
    this.#feeds.close()
  }

  /** One function per line of the table. */
  #build(): MailboxService {
    const build = (name: MethodName): ((...args: unknown[]) => Promise<unknown>) =>
      methods[name].kind === 'call'
        ? (...args) => this.#call(name, args).answer
        : (...args) => this.#subscribe(name, args)
    return Object.fromEntries(methodNames.map((name) => [name, build(name)])) as unknown as MailboxService
  }

  #subscribe(name: MethodName, args: unknown[]): Promise<Subscription> {
    const listener = args.pop() as Parameters<Feeds['subscribe']>[2]
    if (this.#channel === undefined) return Promise.reject(unavailable('not connected'))
    return this.#feeds.subscribe(name, args, listener)
  }

  #register(name: MethodName, args: readonly unknown[]): ReturnType<Feed['register']> {
    const { id, answer } = this.#call(name, args)
    return { id, done: answer.then(() => undefined) }
  }

  #call(name: MethodName, args: readonly unknown[]): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = this.#nextId()
    const answer = new Promise<unknown>((resolve, reject) => {
      const channel = this.#channel
      if (channel === undefined) throw unavailable('not connected')
      const ms = this.#options.deadline ?? methods[name].deadline
      const frame = requestFrame(id, name, ms, args)
      if (this.#isBusy(frame.length)) throw new DomainError('busy', 'too much under way')
      this.#pending.set(id, { resolve, reject, name, deadline: performance.now() + ms, bytes: frame.length })
      this.#bytes += frame.length
      channel.send(frame)
      this.#watch()
    })
    return { id, answer }
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#pending.has(this.#lastId) || this.#feeds.has(this.#lastId))
    return this.#lastId
  }

  /** One request alone is never too large. */
  #isBusy(bytes: number): boolean {
    const { maxInFlightBytes = MAX_IN_FLIGHT_BYTES, maxInFlightRequests = MAX_IN_FLIGHT_REQUESTS } = this.#options
    if (this.#pending.size === 0) return false
    return this.#pending.size >= maxInFlightRequests || this.#bytes + bytes > maxInFlightBytes
  }

  #frame(bytes: Uint8Array): void {
    let frame: ReturnType<typeof decodeFrame>
    try {
      frame = decodeFrame(bytes)
    } catch (error) {
      this.#log.error({ error: String(error) }, 'a frame could not be read')
      this.#channel?.close()
      return
    }
    const { kind, id, value } = frame
    if (kind === Kind.hint) this.#feeds.hint(id, value as readonly unknown[])
    else if (kind === Kind.answer) this.#take(id)?.resolve(value)
    else if (kind === Kind.failure) this.#take(id)?.reject(errorOf(value))
    else this.#log.warn({ kind }, 'a frame of unknown kind')
  }

  /** The call that waits for this answer, if it still does. */
  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    this.#bytes -= pending.bytes
    return pending
  }

  #cancel(id: number): void {
    this.#channel?.send(encodeFrame(Kind.cancel, id, null))
  }

  #lose(error: DomainError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error)
  }

  /** Looks for calls beyond their deadline as long as any is under way. */
  #watch(): void {
    if (this.#timer !== undefined) return
    const shortest = Math.min(SWEEP_MS, this.#options.deadline ?? SWEEP_MS)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#expire()
      if (this.#pending.size > 0) this.#watch()
    }, shortest).unref()
  }

  #expire(): void {
    const now = performance.now()
    for (const [id, { deadline, name }] of this.#pending) {
      if (deadline > now) continue
      this.#cancel(id)
      this.#take(id)?.reject(unavailable(`${name}: no answer in time`))
    }
  }
}

function requestFrame(id: number, name: MethodName, ms: number, args: readonly unknown[]): Uint8Array {
  try {
    return encodeFrame(Kind.request, id, [methodNumbers.get(name), ms, ...args])
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause
    throw new DomainError(cause.tooLarge ? 'tooLarge' : 'invalid', cause.message, { cause })
  }
}
