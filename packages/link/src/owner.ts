import {
  DomainError,
  type Hint,
  type Logger,
  type MailboxService,
  silentLog,
  type Subscription,
} from '@postrider/domain'
import type { Channel } from './channel.ts'
import { decodeFrame } from './codec/decode.ts'
import { encodeFrame } from './codec/encode.ts'
import { FrameError } from './codec/limits.ts'
import { HintBox } from './hint-box.ts'
import { failureOf, Kind, MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_REQUESTS } from './messages.ts'
import { type MethodName, methodNames, methods } from './methods.ts'

export interface OwnerOptions {
  readonly log?: Logger
  readonly maxInFlightBytes?: number
  readonly maxInFlightRequests?: number
  /** Called when the channel has closed and nothing is answered any more. */
  readonly closed?: () => void
}

/** A request under way. Nobody waits for the answer when it was cancelled, or after its deadline (performance.now()). */
interface Running {
  readonly bytes: number
  readonly deadline: number
  cancelled: boolean
}
const isWanted = ({ cancelled, deadline }: Running): boolean => !cancelled && performance.now() < deadline

type AnyMethod = (...args: unknown[]) => Promise<unknown>

/**
 * Serves a mailbox service over a channel: decodes requests, calls the service, answers in the order in which calls end, pushes hints. Beyond
 * the limits of what is under way a request is answered `busy` without being looked at. Ends with the channel; the service lives on.
 */
class Owner {
  readonly #service: MailboxService
  readonly #channel: Channel
  readonly #log: Logger
  readonly #maxBytes: number
  readonly #maxRequests: number
  readonly #ended: (() => void) | undefined
  readonly #running = new Map<number, Running>()
  /** By request number; undefined until the service has registered it. */
  readonly #subscriptions = new Map<number, Subscription | undefined>()
  readonly #hints: HintBox
  #bytes = 0
  #closed = false

  constructor(service: MailboxService, channel: Channel, options: OwnerOptions = {}) {
    this.#service = service
    this.#channel = channel
    this.#log = options.log ?? silentLog
    this.#maxBytes = options.maxInFlightBytes ?? MAX_IN_FLIGHT_BYTES
    this.#maxRequests = options.maxInFlightRequests ?? MAX_IN_FLIGHT_REQUESTS
    this.#ended = options.closed
    this.#hints = new HintBox(
      (id, args) => this.#send(Kind.hint, id, args),
      () => channel.pendingBytes > this.#maxBytes,
    )
    channel.handler = { frame: (frame) => this.#frame(frame), closed: () => this.#close() }
  }

  #close(): void {
    this.#closed = true
    for (const running of this.#running.values()) running.cancelled = true
    for (const subscription of this.#subscriptions.values()) subscription?.close()
    this.#subscriptions.clear()
    this.#hints.close()
    this.#ended?.()
  }

  #frame(bytes: Uint8Array): void {
    let frame: ReturnType<typeof decodeFrame>
    try {
      frame = decodeFrame(bytes)
    } catch (error) {
      // The other side does not speak our language: nothing that follows can be trusted.
      this.#log.error({ error: String(error) }, 'a frame could not be read')
      this.#channel.close()
      return
    }
    const { kind, id, value } = frame
    if (kind === Kind.request) this.#request(id, value, bytes.length)
    else if (kind === Kind.cancel) this.#cancel(id)
    else this.#log.warn({ kind }, 'a frame of unknown kind')
  }

  #cancel(id: number): void {
    const running = this.#running.get(id)
    if (running !== undefined) running.cancelled = true
    this.#subscriptions.get(id)?.close()
    this.#subscriptions.delete(id)
    this.#hints.drop(id)
  }

  #request(id: number, value: unknown, bytes: number): void {
    if (this.#isBusy(bytes)) {
      this.#fail(id, new DomainError('busy', 'too much under way'))
      return
    }
    const [number, ms, ...args] = Array.isArray(value) ? (value as unknown[]) : []
    const name = typeof number === 'number' ? methodNames[number] : undefined
    if (name === undefined || typeof ms !== 'number') {
      this.#fail(id, new DomainError('invalid', `method ${String(number)}`))
      return
    }
    const running: Running = { bytes, deadline: performance.now() + ms, cancelled: false }
    this.#running.set(id, running)
    this.#bytes += bytes
    void this.#run(id, name, args, running)
  }

  /** One request alone is never too large. */
  #isBusy(bytes: number): boolean {
    if (this.#running.size === 0) return false
    const pending = this.#bytes + bytes + this.#channel.pendingBytes
    return this.#running.size >= this.#maxRequests || pending > this.#maxBytes
  }

  async #run(id: number, name: MethodName, args: unknown[], running: Running): Promise<void> {
    try {
      const answer = await this.#call(id, name, args)
      if (isWanted(running)) this.#send(Kind.answer, id, answer)
    } catch (error) {
      if (!(error instanceof DomainError)) this.#log.error({ method: name, error: String(error) }, 'a call failed')
      if (isWanted(running)) this.#fail(id, error)
    } finally {
      this.#running.delete(id)
      this.#bytes -= running.bytes
    }
  }

  #call(id: number, name: MethodName, args: unknown[]): Promise<unknown> {
    const method = this.#service[name] as AnyMethod
    if (methods[name].kind === 'call') return method.apply(this.#service, args)
    return this.#subscribe(id, method, args)
  }

  async #subscribe(id: number, method: AnyMethod, args: unknown[]): Promise<undefined> {
    this.#subscriptions.set(id, undefined)
    const listener = (...hint: readonly Hint[]): void => this.#hints.put(id, hint)
    let subscription: Subscription
    try {
      subscription = (await method.call(this.#service, ...args, listener)) as Subscription
    } catch (error) {
      this.#subscriptions.delete(id)
      throw error
    }
    if (this.#subscriptions.has(id)) this.#subscriptions.set(id, subscription)
    else subscription.close()
    return undefined
  }

  #fail(id: number, error: unknown): void {
    this.#send(Kind.failure, id, failureOf(error))
  }

  #send(kind: number, id: number, value: unknown): void {
    if (this.#closed) return
    try {
      this.#channel.send(encodeFrame(kind, id, value))
    } catch (error) {
      if (!(error instanceof FrameError) || kind === Kind.failure) throw error
      this.#log.error({ error: error.message }, 'an answer could not be sent')
      // Beyond a limit the caller must ask for less; anything else is our fault.
      this.#fail(id, error.tooLarge ? new DomainError('tooLarge', error.message) : error)
    }
  }
}

/** Serves `service` over `channel` until it closes: see `Owner`. */
export const serveChannel = (service: MailboxService, channel: Channel, options?: OwnerOptions): void => {
  new Owner(service, channel, options)
}
