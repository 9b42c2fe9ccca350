import { bodyOf } from './body.ts'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { chooseLanguage, type Principal } from '@postrider/domain'
import {
  autodiscoverKind,
  type createAutodiscover,
  MAX_AUTODISCOVER_BYTES,
  type Site,
} from '@postrider/protocols/autodiscover'
import type { Config } from '../config/settings.ts'
import { plainAddress } from '../listeners/connection.ts'
import type { TlsHolder } from '../listeners/tls.ts'
import { type Route, reply } from './router.ts'
import { outsideOf } from './site.ts'
import { pageStyle, renderStartPage } from './start-page.ts'

export interface RoutesParts {
  readonly autodiscover: ReturnType<typeof createAutodiscover>
  readonly site: (hostHeader: string | undefined) => Site
  readonly config: () => Config
  readonly tls: TlsHolder
  /** The metrics of the whole program, in Prometheus' form. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Undefined when all is well, else what is not. */
  readonly notReady: () => Promise<string | undefined>
}

/** A POX request that takes longer to send its few hundred bytes is none. */
const BODY_MS = 30_000

const styleHash = createHash('sha256').update(pageStyle).digest('base64')
const pageHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  Vary: 'Accept-Language, Host',
}

/** Start page, health, metrics, Autodiscover. The protocols add their own. */
export function ownRoutes(parts: RoutesParts): Route[] {
  const { tls, metrics } = parts
  const is = (...paths: string[]) => {
    const set = new Set(paths)
    return (path: string): boolean => set.has(path)
  }
  const discover = async (
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal | undefined,
  ): Promise<void> => {
    const body = await bodyOf(request, MAX_AUTODISCOVER_BYTES, BODY_MS)
    if (body === undefined) return reply(response, 413, 'Too large.\n', { Connection: 'close' })
    const { method = 'GET', url = '' } = request
    const answer = parts.autodiscover.answer({ method, url, body, principal }, parts.site(request.headers.host))
    reply(response, answer.status, answer.body, {
      'Content-Type': answer.contentType,
      'Cache-Control': 'private, no-store',
    })
  }
  return [
    {
      name: 'autodiscover',
      matches: (path) => autodiscoverKind(path) === 'pox',
      protocol: 'autodiscover',
      handle: discover,
    },
    {
      name: 'autoconfig',
      matches: (path) => ['json', 'autoconfig'].includes(autodiscoverKind(path) ?? ''),
      handle: discover,
    },
    { name: 'healthz', matches: is('/healthz'), handle: (_request, response) => reply(response, 200, 'ok\n') },
    {
      name: 'readyz',
      matches: is('/readyz'),
      async handle(_request, response) {
        const problem = await parts.notReady()
        reply(response, problem === undefined ? 200 : 503, `${problem ?? 'ok'}\n`)
      },
    },
    {
      name: 'metrics',
      matches: is('/metrics'),
      async handle(request, response) {
        if (!mayReadMetrics(request, parts.config()['metrics.token'])) return reply(response, 403, 'Not for you.\n')
        const { contentType, text } = await metrics()
        reply(response, 200, text, { 'Content-Type': contentType })
      },
    },
    {
      name: 'start',
      matches: is('/', '/index.html'),
      handle(request, response) {
        if (request.method !== 'GET' && request.method !== 'HEAD')
          return reply(response, 405, 'Only GET is possible here.\n', { Allow: 'GET, HEAD' })
        const language = chooseLanguage(request.headers['accept-language'])
        const { selfSigned, fingerprint } = tls.certificate
        const page = renderStartPage({
          language,
          site: parts.site(request.headers.host),
          outside: outsideOf(parts.config()),
          fingerprint: selfSigned ? fingerprint : undefined,
        })
        reply(response, 200, page, { ...pageHeaders, 'Content-Language': language })
      },
    },
    {
      name: 'certificate',
      matches: is('/certificate.crt'),
      handle(_request, response) {
        reply(response, 200, tls.certificate.certificate, { 'Content-Type': 'application/x-x509-ca-cert' })
      },
    },
    {
      name: 'robots',
      matches: is('/robots.txt'),
      handle: (_request, response) => reply(response, 200, 'User-agent: *\nDisallow: /\n'),
    },
  ]
}

/** The machine itself, not through a proxy; or whoever has the token. */
function mayReadMetrics(request: IncomingMessage, token: string): boolean {
  const given = /^bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token !== '' && given !== undefined) {
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
    return timingSafeEqual(digest(given), digest(token))
  }
  const forwarded = ['forwarded', 'x-forwarded-for', 'via', 'x-real-ip'].some(
    (name) => request.headers[name] !== undefined,
  )
  const address = plainAddress(request.socket.remoteAddress ?? '')
  return !forwarded && (address === '::1' || address.startsWith('127.'))
}
