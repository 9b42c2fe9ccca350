import { bodyOf } from '../http/body.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { accountIdOf } from '@postrider/protocols/jmap'
import { lockCookie } from './cookie.ts'
import { serveAccount } from './account/api.ts'
import { outsideOf } from '../http/site.ts'
import { audit, clearedCookie, findSession, scriptSession, type WebContext } from './context.ts'
import { commonHeaders } from './headers.ts'
import { newestUnread } from './newest.ts'
import { answer, answerJson, formOf, isForeign, redirect, sameText } from './request.ts'
import type { End } from './rules.ts'
import type { Deadlines, WebSession } from './sessions.ts'

/** What the browser client asks beside JMAP: its session, all tabs' events, the sessions of the user, the twelve values. */

const MAX_JSON = 65_536
/** An event source hears something so often, so that proxies keep it. */
const PING_MS = 30_000
/** Tabs of one session. */
const MAX_TABS = 30

export interface SessionJson extends Deadlines {
  readonly user: string
  readonly displayName: string
  readonly language: string
  readonly accountId: string
  readonly csrf: string
  readonly computer: string
  readonly offlineAllowed: boolean
}

export const sessionJson = ({ principal, csrf, record, deadlines }: WebSession): SessionJson => ({
  user: principal.address,
  displayName: principal.displayName,
  language: principal.language,
  accountId: accountIdOf(principal.mailbox),
  csrf,
  computer: record.computer,
  offlineAllowed: record.computer === 'private',
  ...deadlines,
})

/** The twelve values of R46, from live settings: who asks sees what is configured at this moment (R47). */
export function clientSettings(context: Pick<WebContext, 'site' | 'config'>, host: string | undefined) {
  const inside = context.site(host)
  const outside = outsideOf(context.config())
  const value = (reach: (typeof inside.imap)[number] | undefined) =>
    reach === undefined
      ? undefined
      : { server: reach.host, port: reach.port, encryption: reach.encryption === 'ssl' ? 'SSL' : 'TLS' }
  const both = (name: 'imap' | 'pop3' | 'submission') => ({
    inside: value(inside[name][0]),
    outside: value(outside[name][0]),
  })
  return { imap: both('imap'), pop3: both('pop3'), submission: both('submission') }
}

export class WebApi {
  readonly #context: WebContext
  readonly #tabs = new Map<string, number>()
  readonly #streams = new Set<ServerResponse>()
  constructor(context: WebContext) {
    this.#context = context
  }

  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const session = await scriptSession(this.#context, request, response)
    if (session === undefined) return
    const reads = request.method === 'GET' || request.method === 'HEAD'
    switch (`${reads ? 'GET' : request.method} ${path}`) {
      case 'GET /web/session':
        return answerJson(response, 200, this.#fresh(session))
      case 'POST /web/act':
        this.#context.sessions.act(session.id)
        return answerJson(response, 200, this.#fresh(session))
      case 'GET /web/events':
        return this.#events(request, response, session)
      case 'GET /web/sessions':
        return answerJson(response, 200, { sessions: await this.#list(session) })
      case 'POST /web/sessions/end':
        return this.#end(request, response, session)
      case 'GET /web/newest':
        return answerJson(response, 200, await newestUnread(this.#context, session.principal))
      case 'GET /web/settings':
        return answerJson(response, 200, clientSettings(this.#context, request.headers.host))
      default:
        if (
          !(await serveAccount(this.#context, request, response, session, `${reads ? 'GET' : request.method} ${path}`))
        )
          answerJson(response, 404, { why: 'unknown' })
    }
  }

  /** The form of Light and the script of the full client sign out here; a link from elsewhere cannot. */
  async signOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return redirect(response, '/signin')
    const found = await findSession(this.#context, request)
    const end = (): void =>
      redirect(response, '/signin?why=signedout', {
        'Set-Cookie': [clearedCookie, lockCookie(false)],
        'Clear-Site-Data': found.ok && found.session.record.computer === 'private' ? '"cache"' : '"cache", "storage"',
      })
    if (!found.ok) return end()
    const { session } = found
    const token = request.headers['postrider-csrf'] ?? (await formOf(request))?.get('csrf') ?? ''
    if (isForeign(request) || typeof token !== 'string' || !sameText(token, session.csrf))
      return answer(response, 403, 'Not from here.\n')
    await this.#context.sessions.end(session.principal.mailbox, session.id)
    audit(this.#context, request, session.principal, 'sign-out')
    return end()
  }

  drain(): void {
    for (const stream of [...this.#streams]) stream.end()
  }

  #fresh(session: WebSession): SessionJson {
    const deadlines = this.#context.sessions.deadlines(session.id) ?? session.deadlines
    return sessionJson({ ...session, deadlines })
  }

  /** One a tab: every tab hears that deadlines moved, that the end is near, that it came. */
  #events(request: IncomingMessage, response: ServerResponse, session: WebSession): void {
    const tabs = this.#tabs.get(session.id) ?? 0
    if (tabs >= MAX_TABS) {
      answerJson(response, 429, { why: 'tabs' }, { 'Retry-After': '60' })
      return
    }
    this.#tabs.set(session.id, tabs + 1)
    const headers = {
      ...commonHeaders,
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    }
    response.writeHead(200, headers)
    if (request.method === 'HEAD') response.end()
    const send = (event: string, data: unknown): void => {
      if (!response.writableEnded) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    }
    const leave = this.#context.sessions.listen(session, {
      moved: () => send('session', this.#fresh(session)),
      ended: (why: End) => {
        send('ended', { why })
        response.end()
      },
    })
    const ping = setInterval(() => response.write(': \n\n'), PING_MS)
    this.#streams.add(response)
    response.once('close', () => {
      leave()
      clearInterval(ping)
      this.#streams.delete(response)
      const left = (this.#tabs.get(session.id) ?? 1) - 1
      if (left === 0) this.#tabs.delete(session.id)
      else this.#tabs.set(session.id, left)
    })
    send('session', this.#fresh(session))
  }

  async #list({ id, principal }: WebSession) {
    const records = await this.#context.sessions.list(principal.mailbox, principal.account)
    return records
      .map(({ id: one, created, lastAct, address, agent, computer }) => ({
        id: one,
        created,
        lastAct,
        address,
        agent,
        computer,
        current: one === id,
      }))
      .sort((a, b) => b.lastAct - a.lastAct)
  }

  async #end(request: IncomingMessage, response: ServerResponse, { id, principal }: WebSession): Promise<void> {
    const body = await bodyOf(request, MAX_JSON)
    let wanted: unknown
    try {
      wanted = JSON.parse(body?.toString('utf8') ?? '')
    } catch {
      return answerJson(response, 400, { why: 'json' })
    }
    const asked = typeof wanted === 'object' && wanted !== null ? (wanted as { id?: unknown; others?: unknown }) : {}
    const ended = await endSessions(this.#context, principal, id, asked.others === true ? 'others' : asked.id)
    audit(this.#context, request, principal, 'end-session')
    return answerJson(response, 200, { ended })
  }
}

/** Ends one session of the user, or all but this one. Answers how many. */
export async function endSessions(
  { sessions }: Pick<WebContext, 'sessions'>,
  { mailbox, account }: WebSession['principal'],
  current: string,
  which: unknown,
): Promise<number> {
  const own = await sessions.list(mailbox, account)
  const chosen = own.filter(({ id }) => (which === 'others' ? id !== current : id === which))
  for (const { id } of chosen) await sessions.end(mailbox, id)
  return chosen.length
}
