import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticator, Clock, Logger, MailboxService, Principal, Together } from '@postrider/domain'
import type { ActiveSync } from '@postrider/protocols/activesync'
import type { Site } from '@postrider/protocols/autodiscover'
import type { JmapInside } from '@postrider/protocols/jmap'
import type { SharedDirectory } from '@postrider/store/directory'
import type { Config } from '../config/settings.ts'
import type { HttpTraces } from '../http/looking-on.ts'
import { cookieOf, readTicket, SESSION_COOKIE, setCookie } from './cookie.ts'
import { addressOf, answerJson, isForeign, sameText } from './request.ts'
import type { End } from './rules.ts'
import type { Passkeys } from './account/passkeys.ts'
import type { SecondStep } from './second-factor.ts'
import type { Found, WebSession, WebSessions } from './sessions.ts'

/** What the server gives the web client's side. */
export interface WebParts {
  readonly service: MailboxService
  readonly directory: SharedDirectory
  readonly authenticator: Authenticator
  readonly jmap: JmapInside
  /** Gives a device an order; what it waits for ends at once. */
  readonly orderDevice: ActiveSync['order']
  readonly clock: Clock
  readonly log: Logger
  readonly config: () => Config
  /** What this server says about itself to whoever asked under this Host header. */
  readonly site: (hostHeader: string | undefined) => Site
  /** Who looks on at whose requests. */
  readonly traces?: HttpTraces
  /** The other processes that take requests; default: there are none. */
  readonly together?: Together
  /** Where codes are checked, when that is not here. */
  readonly secondFactor?: SecondStep
}

export interface WebContext extends WebParts {
  readonly sessions: WebSessions
  readonly secondFactor: SecondStep
  readonly passkeys: Passkeys
  readonly together: Together
}

/** Headers by which the client speaks beside the cookie. */
export const CSRF_HEADER = 'postrider-csrf'
/** `1`: the user did something just now. Polls, prefetches and pushes never say so. */
export const ACT_HEADER = 'postrider-act'

export const ticketOf = (request: IncomingMessage) => readTicket(cookieOf(request, SESSION_COOKIE))
export async function findSession(
  { sessions, traces }: Pick<WebContext, 'sessions' | 'traces'>,
  request: IncomingMessage,
): Promise<Found> {
  const found = await sessions.find(ticketOf(request))
  const session = found.ok ? found.session : found.late
  if (session !== undefined) traces?.belongsTo(request, session.principal.address)
  return found
}

export const clearedCookie = setCookie(SESSION_COOKIE, '', 0)

/** 401 for scripts: no challenge, or the browser would ask for a password itself. */
export const answerEnded = (response: ServerResponse, why: End | 'none'): void =>
  answerJson(response, 401, { why }, why === 'none' ? {} : { 'Set-Cookie': clearedCookie })

/**
 * The session of a request that a script of ours makes; undefined when it was answered already. What changes something must show the
 * token; what the user did extends the session.
 */
export async function scriptSession(
  context: Pick<WebContext, 'sessions' | 'traces'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<WebSession | undefined> {
  const found = await findSession(context, request)
  if (!found.ok) {
    answerEnded(response, found.why)
    return undefined
  }
  const { session } = found
  const token = request.headers[CSRF_HEADER]
  const shows = typeof token === 'string' && sameText(token, session.csrf)
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (isForeign(request) || (!reads && !shows)) {
    answerJson(response, 403, { why: 'csrf' })
    return undefined
  }
  // Another site can make a browser load a picture of ours but not set this header.
  if (shows && request.headers[ACT_HEADER] === '1') context.sessions.act(session.id)
  return session
}

/** How the router asks whether a cookie authenticates: undefined when the request is none of a web session's. */
export type SessionCheck = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<
  { readonly principal: Principal; readonly watch: (end: () => void) => () => void } | 'answered' | undefined
>

export const sessionCheck =
  (context: WebContext): SessionCheck =>
  async (request, response) => {
    const ours =
      cookieOf(request, SESSION_COOKIE) !== undefined ||
      request.headers[CSRF_HEADER] !== undefined ||
      request.headers['sec-fetch-site'] === 'same-origin'
    if (!ours) return undefined
    const session = await scriptSession(context, request, response)
    if (session === undefined) return 'answered'
    const { principal } = session
    return {
      principal,
      watch: (end) => context.sessions.listen(session, { moved() {}, ended: end }),
    }
  }

/** For the log: who does what to sessions and devices. */
export const audit = (context: WebContext, request: IncomingMessage, principal: Principal, act: string): void =>
  context.log.info({ protocol: 'web', account: principal.account, address: addressOf(request), act }, 'web')
