/**
 * Method calls of one turn of the event loop go out as one request (RFC 8620 §3.3); a call may take an argument from the answer of another
 * call of its turn (§3.7). Failing to reach the server is no error of a call: it waits and is asked again, for as long as the caller wishes.
 */
import type { Answer, Arguments, MethodName } from './methods.ts'
import { type Session, urn } from './types.ts'

/** Marks an answer that came from this device. */
export const OFFLINE = 'Postrider-Offline'

/** An error of a method (RFC 8620 §3.6.2) or of a whole request. */
export class JmapError extends Error {
  readonly type: string
  constructor(type: string, description = '') {
    super(description === '' ? type : `${type}: ${description}`)
    this.type = type
  }
}
/** The server could not be reached. */
export class OfflineError extends JmapError {
  constructor() {
    super('offline')
  }
}

interface Reference {
  readonly from: Pending<MethodName>
  readonly path: string
}

type WithReferences<T> = { readonly [K in keyof T]: T[K] | Reference }

export interface Pending<N extends MethodName> extends PromiseLike<Answer<N>> {
  /** What another call of the same turn takes from this one's answer, by JSON pointer. */
  ref(path: string): Reference
}

interface Queued {
  readonly id: string
  readonly name: MethodName
  readonly args: Readonly<Record<string, unknown>>
  readonly resolve: (value: never) => void
  readonly reject: (error: JmapError) => void
}

export interface ClientOptions {
  readonly session: Session
  readonly accountId: string
  /** The user's own account, when that is another one. */
  readonly ownAccountId?: string
  /** Of the current moment: the CSRF token and whether the user acted. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly fetch?: typeof fetch
  readonly onSignedOut?: () => void
  readonly onReach?: (reached: boolean) => void
}

const isReference = (value: unknown): value is Reference =>
  typeof value === 'object' && value !== null && 'from' in value && value.from instanceof Call

class Call<N extends MethodName> implements Pending<N> {
  readonly id: string
  readonly name: N
  readonly promise: Promise<Answer<N>>
  constructor(id: string, name: N, promise: Promise<Answer<N>>) {
    this.id = id
    this.name = name
    this.promise = promise
  }
  ref(path: string): Reference {
    return { from: this as unknown as Pending<MethodName>, path }
  }
  // biome-ignore lint/suspicious/noThenProperty: a call is awaited like its answer
  then<A, B>(
    done?: ((value: Answer<N>) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promise.then(done, failed)
  }
}

const using = [urn.core, urn.mail, urn.submission, urn.vacation, urn.mdn, urn.principals, urn.own]
/** What is the user's own whoever's mail is looked at. */
const ofUser =
  /^(?:Preferences|Category|Template|Rule|Sweep|SenderLists|AutomaticReplies|VacationResponse|Identity|Person|Principal)\//

export class JmapClient {
  readonly session: Session
  readonly accountId: string
  readonly #options: ClientOptions
  readonly #api: string
  readonly #most: number
  #queue: Queued[] = []
  #count = 0

  constructor(options: ClientOptions) {
    this.#options = options
    this.session = options.session
    this.accountId = options.accountId
    this.#api = here(options.session.apiUrl)
    const { maxCallsInRequest } = options.session.capabilities[urn.core] ?? {}
    this.#most = typeof maxCallsInRequest === 'number' ? maxCallsInRequest : 16
  }

  call<N extends MethodName>(name: N, args: WithReferences<Arguments<N>>): Pending<N> {
    const id = `c${this.#count++}`
    const { ownAccountId = this.accountId } = this.#options
    const sent: Record<string, unknown> = { accountId: ofUser.test(name) ? ownAccountId : this.accountId }
    for (const [key, value] of Object.entries(args)) {
      if (!isReference(value)) sent[key] = value
      else {
        const from = value.from as unknown as Call<MethodName>
        sent[`#${key}`] = { resultOf: from.id, name: from.name, path: value.path }
      }
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer<N>>()
    // Whoever only refers to a call does not wait for it; its failure is told to the one that refers.
    promise.catch(() => {})
    if (this.#queue.length === 0) queueMicrotask(() => this.#flush())
    this.#queue.push({ id, name, args: sent, resolve: resolve as (value: never) => void, reject })
    return new Call(id, name, promise)
  }

  #flush(): void {
    const all = this.#queue
    this.#queue = []
    // A request holds calls up to the server's limit; calls that refer to others stay with them.
    let batch: Queued[] = []
    for (const one of all) {
      const refers = Object.keys(one.args).some((key) => key.startsWith('#'))
      if (batch.length >= this.#most && !refers) {
        void this.#send(batch)
        batch = []
      }
      batch.push(one)
    }
    if (batch.length > 0) void this.#send(batch)
  }

  async #send(calls: readonly Queued[]): Promise<void> {
    try {
      const body = JSON.stringify({ using, methodCalls: calls.map(({ id, name, args }) => [name, args, id]) })
      const answer = (await (
        await this.request(this.#api, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
      ).json()) as {
        readonly methodResponses?: readonly [string, Readonly<Record<string, unknown>>, string][]
      }
      const responses = new Map<string, [string, Readonly<Record<string, unknown>>]>()
      // One call may have several answers (implicit Email/set after EmailSubmission/set: RFC 8621 §7.5); the first is its own.
      for (const [name, args, id] of answer.methodResponses ?? [])
        if (!responses.has(id)) responses.set(id, [name, args])
      for (const call of calls) {
        const found = responses.get(call.id)
        if (found === undefined) call.reject(new JmapError('serverFail', 'no answer'))
        else if (found[0] === 'error')
          call.reject(new JmapError(String(found[1].type), String(found[1].description ?? '')))
        else call.resolve(found[1] as never)
      }
    } catch (error) {
      const problem = error instanceof JmapError ? error : new JmapError('serverFail', String(error))
      for (const call of calls) call.reject(problem)
    }
  }

  /** A request of the page's own origin with the session's headers. Raises OfflineError or the problem the server names. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    let response: Response
    try {
      response = await (this.#options.fetch ?? fetch)(url, {
        credentials: 'same-origin',
        ...init,
        headers: { ...this.#options.headers(), ...(init.headers as Record<string, string> | undefined) },
      })
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw new JmapError('aborted')
      this.#options.onReach?.(false)
      throw new OfflineError()
    }
    if (response.status === 502 || response.status === 503 || response.status === 504) {
      this.#options.onReach?.(false)
      throw new OfflineError()
    }
    this.#options.onReach?.(!response.headers.has(OFFLINE))
    if (response.status === 401) {
      this.#options.onSignedOut?.()
      throw new JmapError('signedOut')
    }
    if (!response.ok) {
      const problem = (await response.json().catch(() => ({}))) as { readonly type?: string; readonly detail?: string }
      throw new JmapError(problem.type ?? `http${response.status}`, problem.detail)
    }
    return response
  }

  downloadUrl(blobId: string, name: string, type: string): string {
    return here(
      this.session.downloadUrl
        .replace('{accountId}', encodeURIComponent(this.accountId))
        .replace('{blobId}', encodeURIComponent(blobId))
        .replace('{name}', encodeURIComponent(name))
        .replace('{type}', encodeURIComponent(type)),
    )
  }

  get uploadUrl(): string {
    return here(this.session.uploadUrl.replace('{accountId}', encodeURIComponent(this.accountId)))
  }

  eventSourceUrl(types: readonly string[], ping: number): string {
    return here(
      this.session.eventSourceUrl
        .replace('{types}', types.join(','))
        .replace('{closeafter}', 'no')
        .replace('{ping}', String(ping)),
    )
  }
}

/** The session's addresses by their path only: whatever name a proxy gave the server, the page's own origin is the one that has the cookie. */
export const here = (url: string): string => url.replace(/^https?:\/\/[^/]+/, '')
