import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticator, Logger, Meter, Principal, ProtocolName } from '@postrider/domain'
import { plainAddress } from '../listeners/connection.ts'
import type { SessionCheck } from '../web/index.ts'
import { challenge, readBasic } from './basic.ts'
import type { HttpTraces } from './looking-on.ts'

/** One place of the web server. */
export interface Route {
  /** For metrics and logs. */
  readonly name: string
  /** `path` is in lower case, without query. */
  readonly matches: (path: string) => boolean
  /** Whose switch and app passwords count; undefined: open to everybody. */
  readonly protocol?: ProtocolName
  /** A web session's cookie authenticates here too. */
  readonly session?: true
  /** `principal` is there when `protocol` is. Must not reject for what the client did. */
  handle(request: IncomingMessage, response: ServerResponse, principal: Principal | undefined): void | Promise<void>
  /** Answers whom the password is right for but the protocol is switched off; 401 without it, as for a wrong password. */
  disabled?(request: IncomingMessage, response: ServerResponse): Promise<void>
}

export interface RouterParts {
  readonly routes: readonly Route[]
  readonly authenticator: Authenticator
  readonly webSession?: SessionCheck
  /** Whoever has a second step at the sign-in page must not come in here by the password alone. */
  readonly needsSecondStep?: (principal: Principal) => Promise<boolean>
  /** Who looks on at whose requests. */
  readonly traces?: HttpTraces
  readonly realm: string
  readonly log: Logger
  readonly meter: Meter
}

/** Bodies larger than this are not read through only to keep a refused connection alive. */
const MAX_IDLE_BODY = 65_536
const UNREAD_MS = 30_000
const MAX_URL = 8_192

/** Answers with text; for everything that is not a protocol's own. */
export function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const { method, headers: sent } = response.req
  const unread = Number(sent['content-length'] ?? 0) > MAX_IDLE_BODY || sent['transfer-encoding'] !== undefined
  // A body that dribbles in behind an answer keeps nobody's place for long (P1).
  const { req: request } = response
  if (!request.complete) setTimeout(() => void (request.complete || request.socket.destroy()), UNREAD_MS).unref()
  const bytes = Buffer.from(body)
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    // RFC 6797: browsers heed it when they trust the certificate.
    'Strict-Transport-Security': 'max-age=31536000',
    ...headers,
    ...(unread && !response.req.complete ? { Connection: 'close' } : {}),
    'Content-Length': String(bytes.length),
  })
  response.end(method === 'HEAD' ? undefined : bytes)
}

/** The path of a request in lower case: origin form or absolute form (RFC 9112 §3.2). Undefined for anything else. */
export function pathOf(url: string | undefined): string | undefined {
  if (url === undefined || url.length > MAX_URL) return undefined
  const [before = ''] = url.split('?', 1)
  const path = before.startsWith('/') ? before : /^https?:\/\/[^/]*(\/.*)?$/i.exec(before)?.[1]
  return path?.toLowerCase()
}

/** The request listener: finds the route, authenticates, hands over, and answers for what went wrong. */
export function createRouter(parts: RouterParts): (request: IncomingMessage, response: ServerResponse) => void {
  const { routes, log, meter } = parts
  return (request, response) => {
    // A client that goes away is no event for the log.
    request.on('error', () => {})
    response.on('error', () => {})
    const path = pathOf(request.url)
    const route = path === undefined ? undefined : routes.find((one) => one.matches(path))
    meter.count('http_requests_total', { route: route?.name ?? 'none', method: methodName(request.method) })
    const began = performance.now()
    response.once('finish', () => {
      const { method } = request
      const fields = {
        route: route?.name,
        method,
        status: response.statusCode,
        ms: Math.round(performance.now() - began),
      }
      log.debug({ ...fields, address: plainAddress(request.socket.remoteAddress ?? '') }, 'http')
    })
    // ActiveSync tells by itself, and more.
    if (route?.protocol !== 'activesync') parts.traces?.arrived(request, response)
    if (path === undefined) return reply(response, 400, 'Bad request.\n')
    if (route === undefined) return reply(response, 404, 'Not found.\n')
    serve(parts, route, request, response).catch((error: unknown) => {
      log.error({ route: route.name, err: error }, 'a request failed')
      if (response.headersSent) response.destroy()
      else reply(response, 500, 'Something went wrong here. It has been logged.\n')
    })
  }
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PROPFIND'])
const methodName = (method: string | undefined): string =>
  method !== undefined && methods.has(method) ? method : 'other'

async function serve(
  parts: RouterParts,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (route.protocol === undefined) return route.handle(request, response, undefined)
  if (route.session === true && request.headers.authorization === undefined) {
    const held = await parts.webSession?.(request, response)
    if (held === 'answered' || response.destroyed) return
    if (held !== undefined) {
      const leave = held.watch(() => request.socket.destroy())
      response.once('close', leave)
      return route.handle(request, response, held.principal)
    }
  }
  const principal = await authenticate(parts, route, route.protocol, request, response)
  if (principal === undefined || response.destroyed) return
  parts.traces?.belongsTo(request, principal.address)
  // An app password is what a program has in place of the second step.
  if (
    route.session === true &&
    principal.appPassword === undefined &&
    (await parts.needsSecondStep?.(principal)) === true
  ) {
    parts.log.info({ protocol: route.protocol, account: principal.account, reason: 'secondStep' }, 'login refused')
    const text = 'This account has a second step: its password alone opens nothing here.\n'
    return reply(response, 401, text, { 'WWW-Authenticate': challenge(parts.realm) })
  }
  // A withdrawn right ends what the request still does, held ones above all.
  const leave = parts.authenticator.session(principal, () => request.socket.destroy())
  response.once('close', leave)
  return route.handle(request, response, principal)
}

async function authenticate(
  { authenticator, realm, log }: RouterParts,
  route: Route,
  protocol: ProtocolName,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Principal | undefined> {
  const unauthorized = (): void =>
    reply(response, 401, 'Authentication is needed.\n', { 'WWW-Authenticate': challenge(realm) })
  const credentials = readBasic(request.headers.authorization)
  if (credentials === undefined) {
    unauthorized()
    return undefined
  }
  const remoteAddress = plainAddress(request.socket.remoteAddress ?? '')
  const verdict = await authenticator.verify({ ...credentials, protocol, remoteAddress })
  if (verdict.ok) return verdict.principal
  log.info(
    { protocol, address: remoteAddress, login: credentials.login.slice(0, 320), reason: verdict.reason },
    'login refused',
  )
  if (verdict.reason === 'throttled' || verdict.reason === 'busy') {
    const seconds = String(Math.max(1, Math.ceil(verdict.retryAfterMs / 1_000)))
    reply(response, 503, 'Too many attempts. Try again later.\n', { 'Retry-After': seconds })
    return undefined
  }
  if (verdict.reason === 'protocolDisabled' && route.disabled !== undefined) {
    await route.disabled(request, response)
    return undefined
  }
  // Which of the reasons it was is nobody's business: equal text, equal time.
  if (verdict.retryAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, verdict.retryAfterMs).unref())
  unauthorized()
  return undefined
}
