/**
 * JMAP over a WebSocket: RFC 8887. In: text messages of one connection, in whatever order they come; out: responses, errors of requests,
 * state changes while the client wants them. Requests run side by side up to maxConcurrentRequests, counted together with those over HTTP.
 */
import type { Principal } from '@postrider/domain'
import { answerRequest } from '../http/api.ts'
import { RequestProblem } from '../core/error.ts'
import { isObject, type JsonObject, own, readJson } from '../core/json.ts'
import { readRequest } from '../core/request.ts'
import { MAX_CONCURRENT_REQUESTS, MAX_SIZE_REQUEST, MAX_SOCKET_BACKLOG } from '../limits.ts'
import { Feed } from '../push/feed.ts'
import { pushTypes } from '../push/states.ts'
import type { Jmap } from '../service.ts'

/** The transport, as far as it is used: RFC 6455. */
export interface TextSocket {
  send(text: string): void
  /** RFC 6455 §7.4.1. */
  close(code: number, reason: string): void
  /** Bytes the client has not taken yet. */
  readonly waiting: number
}

const GOING_AWAY = 1_001
const NOT_TEXT = 1_003
const TOO_SLOW = 1_008
const MAX_ID = 255

export class JmapSocket {
  readonly #jmap: Jmap
  readonly #principal: Principal
  readonly #base: string
  readonly #socket: TextSocket
  readonly #leave: () => void
  #feed: Feed | undefined
  #closed = false

  constructor(jmap: Jmap, principal: Principal, base: string, socket: TextSocket, leave: () => void) {
    this.#jmap = jmap
    this.#principal = principal
    this.#base = base
    this.#socket = socket
    this.#leave = leave
    jmap.sources.add(this)
  }

  /** The connection is gone. */
  gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#feed?.close()
    this.#jmap.sources.delete(this)
    this.#leave()
  }

  close(): void {
    this.#socket.close(GOING_AWAY, 'the server stops')
    this.gone()
  }

  /** RFC 8887 §4.3: text only. */
  async take(bytes: Uint8Array, binary: boolean): Promise<void> {
    if (this.#closed) return
    if (binary) {
      this.#socket.close(NOT_TEXT, 'only text is understood')
      return this.gone()
    }
    let id: string | undefined
    try {
      const message = parsed(bytes)
      const given = own(message, 'id')
      id = typeof given === 'string' ? given.slice(0, MAX_ID) : undefined
      switch (own(message, '@type')) {
        case 'Request':
          return await this.#request(bytes, id)
        case 'WebSocketPushEnable':
          return await this.#enable(message)
        case 'WebSocketPushDisable':
          this.#feed?.close()
          this.#feed = undefined
          return
        default:
          throw new RequestProblem('notRequest', 'The message has no @type that is known.')
      }
    } catch (error) {
      if (error instanceof RequestProblem) return this.#problem(error, id)
      this.#jmap.parts.log.error({ err: error }, 'a JMAP message failed')
      this.#problem(
        new RequestProblem('notRequest', 'Something went wrong here. It has been logged.', { status: 500 }),
        id,
      )
    }
  }

  async #request(bytes: Uint8Array, id: string | undefined): Promise<void> {
    const leave = this.#jmap.enter('request', this.#principal.account, MAX_CONCURRENT_REQUESTS)
    if (leave === undefined)
      throw new RequestProblem('limit', 'Too many requests at the same time.', {
        status: 429,
        limit: 'maxConcurrentRequests',
      })
    try {
      const answer = await answerRequest(this.#jmap, this.#principal, this.#base, readRequest(bytes))
      this.#send({ '@type': 'Response', ...(id === undefined ? {} : { requestId: id }), ...answer })
    } finally {
      leave()
    }
  }

  /** RFC 8887 §4.3.5.2. */
  async #enable(message: JsonObject): Promise<void> {
    const types = own(message, 'dataTypes') ?? null
    const position = own(message, 'pushState') ?? ''
    const known = types === null || (Array.isArray(types) && types.every((one) => typeof one === 'string'))
    if (!known || typeof position !== 'string')
      throw new RequestProblem('notRequest', '"dataTypes" or "pushState" make no sense.')
    this.#feed?.close()
    const feed = new Feed(this.#jmap, this.#principal, new Set(types === null ? pushTypes : (types as string[])), {
      changed: (change, pushState) => this.#send({ ...change, pushState }),
      failed: () => this.close(),
    })
    this.#feed = feed
    await feed.open(position)
    if (this.#closed) feed.close()
  }

  /** RFC 8887 §4.3.4. */
  #problem({ type, status, message, limit }: RequestProblem, id: string | undefined): void {
    this.#send({
      '@type': 'RequestError',
      requestId: id ?? null,
      type: `urn:ietf:params:jmap:error:${type}`,
      status,
      detail: message,
      ...(limit === undefined ? {} : { limit }),
    })
  }

  #send(message: unknown): void {
    if (this.#closed) return
    // A client that reads nothing must not fill our memory.
    if (this.#socket.waiting > MAX_SOCKET_BACKLOG) {
      this.#socket.close(TOO_SLOW, 'the answers are not read')
      this.gone()
    } else this.#socket.send(JSON.stringify(message))
  }
}

function parsed(bytes: Uint8Array): JsonObject {
  if (bytes.length > MAX_SIZE_REQUEST)
    throw new RequestProblem('limit', 'The message is too large.', { limit: 'maxSizeRequest' })
  const json = readJson(bytes)
  if (!json.ok) throw new RequestProblem('notJSON', 'The message is not I-JSON.')
  if (!isObject(json.value)) throw new RequestProblem('notRequest', 'A message is an object.')
  return json.value
}
