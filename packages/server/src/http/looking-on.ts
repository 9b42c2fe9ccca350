/** What a trace shows of a user's HTTP requests: how, where, what came of it. Bodies, cookies, names of files and search words never. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Traces } from '@postrider/domain'
import { plainAddress } from '../listeners/connection.ts'

/** Parameters whose values steer; all others may be somebody's contents. */
const shown: ReadonlySet<string> = new Set('types closeafter ping page folder unread view tab why language'.split(' '))
const isName = (text: string): boolean => /^[\w-]{0,64}$/.test(text)
/** Places below which the path is a user's: of files the last segment is the name, of the client's pages all is the client's. */
const FILES = '/jmap/download/'
const PAGES = '/mail/'

interface Seen {
  readonly response: ServerResponse
  readonly began: number
}

/** Remembers requests until somebody knows whose they are. */
export class HttpTraces {
  readonly #traces: Traces
  readonly #unclaimed = new WeakMap<IncomingMessage, Seen>()

  constructor(traces: Traces) {
    this.#traces = traces
  }

  arrived(request: IncomingMessage, response: ServerResponse): void {
    if (this.#traces.active) this.#unclaimed.set(request, { response, began: performance.now() })
  }

  /** The user has been found out, by password or by session. Only the first call counts. */
  belongsTo(request: IncomingMessage, address: string): void {
    const seen = this.#unclaimed.get(request)
    if (seen === undefined) return
    this.#unclaimed.delete(request)
    const onlooker = this.#traces.of(address)
    if (onlooker === undefined) return
    const { remoteAddress, remotePort } = request.socket
    const line = { protocol: 'https', conversation: `${plainAddress(remoteAddress ?? '')}:${remotePort ?? 0}` }
    const { response, began } = seen
    onlooker({ ...line, from: 'client', text: `${request.method} ${placeOf(request.url ?? '')}` })
    response.once('close', () => {
      const ms = Math.round(performance.now() - began)
      const [length, location] = [response.getHeader('content-length'), response.getHeader('location')]
      const more = [
        ...(length === undefined ? [] : [`${length} octets`]),
        `${ms} ms`,
        ...(typeof location === 'string' ? [`to ${placeOf(location)}`] : []),
        ...(response.writableFinished ? [] : ['broken off']),
      ]
      onlooker({ ...line, from: 'server', text: `HTTP ${response.statusCode} ${more.join(', ')}` })
    })
  }
}

/** Path and query without what may be contents; those are shown by their length. */
export function placeOf(url: string): string {
  if (!URL.canParse(url, 'https://localhost')) return '(no path)'
  const { pathname, searchParams } = new URL(url, 'https://localhost')
  const segments = pathname.split('/')
  const isOwn = (at: number): boolean =>
    (pathname.startsWith(FILES) && at === segments.length - 1) ||
    (pathname.startsWith(PAGES) && !pathname.startsWith(`${PAGES}body/`) && at > 1)
  const path = segments
    .map((one, at) => (isName(one) && (one === '' || !isOwn(at)) ? one : `(${one.length})`))
    .join('/')
  const query = [...searchParams].map(
    ([name, value]) =>
      `${isName(name) ? name : `(${name.length})`}=${shown.has(name) && isName(value) ? value : `(${value.length})`}`,
  )
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}
