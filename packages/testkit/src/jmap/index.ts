/** A JMAP client for tests: RFC 8620 over plain HTTP or HTTPS, one connection a request, nothing hidden. */
import { once } from 'node:events'
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'

export interface JmapClientSettings {
  readonly port: number
  readonly host?: string
  readonly user: string
  readonly password: string
  /** HTTPS, whatever the certificate. */
  readonly tls?: boolean
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export type Invocation = readonly [name: string, args: object, callId: string]
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by tests, path by path
export type Args = Record<string, any>

export const USING = [
  'urn:ietf:params:jmap:core',
  'urn:ietf:params:jmap:mail',
  'urn:ietf:params:jmap:submission',
  'urn:ietf:params:jmap:vacationresponse',
  'urn:ietf:params:jmap:blob',
  'urn:ietf:params:jmap:quota',
  'urn:ietf:params:jmap:mdn',
  'urn:ietf:params:jmap:principals',
  'https://postrider.example/jmap',
] as const

export class JmapClient {
  readonly #settings: JmapClientSettings
  /** The user's own account, from the session. */
  account = ''
  session: Args = {}

  constructor(settings: JmapClientSettings) {
    this.#settings = settings
  }

  /** Any request; `path` may be a URL of the session. */
  async http(
    method: string,
    path: string,
    body: Uint8Array | string = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const response = await this.open(method, path, body, headers)
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }
  }

  /** The response as it comes, for event sources. */
  async open(
    method: string,
    path: string,
    body: Uint8Array | string = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<IncomingMessage> {
    const { port, host = '127.0.0.1', user, password, tls = false } = this.#settings
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const outgoing = (tls ? tlsRequest : plainRequest)({
      port,
      host,
      method,
      path: path.replace(/^https?:\/\/[^/]*/, ''),
      headers: { authorization, ...headers },
      agent: false,
      ...(tls ? { rejectUnauthorized: false } : {}),
    })
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    return response
  }

  async connect(): Promise<this> {
    let answer = await this.http('GET', '/jmap/session')
    if (answer.status === 307) answer = await this.http('GET', String(answer.headers.location))
    if (answer.status !== 200) throw new Error(`session: ${answer.status}`)
    this.session = JSON.parse(answer.body.toString()) as Args
    this.account = this.session.primaryAccounts['urn:ietf:params:jmap:mail']
    return this
  }

  /** Calls in one request; the responses as they came. */
  async request(calls: readonly Invocation[], using: readonly string[] = USING): Promise<[string, Args, string][]> {
    const answer = await this.raw(JSON.stringify({ using, methodCalls: calls }))
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.toString()}`)
    return (JSON.parse(answer.body.toString()) as Args).methodResponses
  }

  raw(body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return this.http('POST', '/jmap/api', body, { 'content-type': 'application/json', ...headers })
  }

  /** One call in the user's own account; throws what the server calls an error. */
  async call(name: string, args: object = {}): Promise<Args> {
    const [response] = await this.request([[name, { accountId: this.account, ...args }, '0']])
    if (response === undefined || response[0] === 'error') throw new JmapError(response?.[1] ?? {})
    return response[1]
  }

  async upload(bytes: Uint8Array | string, type = 'application/octet-stream'): Promise<Args> {
    const path = String(this.session.uploadUrl).replace('{accountId}', this.account)
    const answer = await this.http('POST', path, bytes, { 'content-type': type })
    if (answer.status !== 201) throw new Error(`upload: ${answer.status} ${answer.body.toString()}`)
    return JSON.parse(answer.body.toString()) as Args
  }

  download(
    blobId: string,
    options: { name?: string; type?: string; headers?: Record<string, string> } = {},
  ): Promise<HttpAnswer> {
    const path = String(this.session.downloadUrl)
      .replace('{accountId}', this.account)
      .replace('{blobId}', blobId)
      .replace('{name}', encodeURIComponent(options.name ?? 'file'))
      .replace('{type}', encodeURIComponent(options.type ?? ''))
    return this.http('GET', path, '', options.headers ?? {})
  }
}

/** A method-level error. */
export class JmapError extends Error {
  override readonly name = 'JmapError'
  readonly args: Args
  constructor(args: Args) {
    super(JSON.stringify(args))
    this.args = args
  }
  get type(): string {
    return String(this.args.type)
  }
}

/** The events of an event source, one after the other. */
export async function* events(
  response: IncomingMessage,
): AsyncGenerator<{ readonly event: string; readonly id: string; readonly data: Args }> {
  let text = ''
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString()
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string): string =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? ''
      yield { event: field('event'), id: field('id'), data: JSON.parse(field('data')) as Args }
    }
  }
}
