import { hkdfSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { accountIdOf } from '@postrider/protocols/jmap'
import type { StartData } from '@postrider/webmail/start'
import { type Bundle, codingOf } from './bundle.ts'
import { findSession, type WebContext } from './context.ts'
import { appPolicy, pageHeaders } from './headers.ts'
import { answer, chosenLanguage, languageOf, redirect, urlOf } from './request.ts'
import { renderNotice } from './signin-page.ts'
import { signInHeaders } from './signin.ts'
import { webText } from './texts.ts'
import type { WebSession } from './sessions.ts'

const gzipOf = promisify(gzip)

/**
 * Sends whoever has no session to the sign-in and back. A link in somebody's mail comes from another site, so the browser keeps the strict
 * cookie back: such a request is asked again from a page of ours.
 */
export function sendToSignIn(
  context: WebContext,
  request: IncomingMessage,
  response: ServerResponse,
  why: string,
): void {
  const { pathname, search } = urlOf(request)
  const to = pathname + search
  if (why === 'none' && request.headers['sec-fetch-site'] === 'cross-site') {
    const language = languageOf(request)
    const say = webText(language, 'continue')
    const page = renderNotice(language, context.directory.organization, say, to, say, true)
    answer(response, 200, page, signInHeaders)
    return
  }
  const query = new URLSearchParams({ ...(why === 'none' ? {} : { why }), next: to })
  redirect(response, `/signin?${query}`)
}

/** `/mail/…`: a file of the bundle, else the page, with the session and the first rows in it. */
export async function serveMail(
  context: WebContext,
  bundle: Bundle,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return answer(response, 405, 'Only GET is possible here.\n', { Allow: 'GET, HEAD' })
  const { pathname } = urlOf(request)
  if (pathname.toLowerCase() === '/mail') return redirect(response, '/mail/')
  await bundle.ready
  const path = pathname.slice('/mail/'.length)
  if (bundle.serve(request, response, path)) return
  if (/^a\/|\.(?:js|css|map|svg|png|html|webmanifest)$/.test(path)) return answer(response, 404, 'Not found.\n')
  const found = await findSession(context, request)
  if (!found.ok) return sendToSignIn(context, request, response, found.why)
  const { session } = found
  const { build } = bundle
  const language = chosenLanguage(request) ?? session.principal.language
  if (build === undefined) {
    const page = renderNotice(
      language,
      context.directory.organization,
      webText(language, 'unavailable'),
      '/light/',
      webText(language, 'light'),
    )
    return answer(response, 503, page, signInHeaders)
  }
  // Opening the client is the user's own doing.
  context.sessions.act(session.id)
  const page = build.module.shellPage(build, await startData(context, request, session), {
    language,
    title: context.directory.organization,
  })
  const headers = { ...pageHeaders(appPolicy), 'Content-Language': language, Vary: 'Accept-Encoding, Cookie' }
  // The token in it and the mail beside it are compressed together: no other site can make a browser load this with its strict cookie.
  if (codingOf(request.headers['accept-encoding']) === undefined) return answer(response, 200, page, headers)
  answer(response, 200, await gzipOf(page, { level: 6 }), { ...headers, 'Content-Encoding': 'gzip' })
}

/** What seals the mail a browser keeps: the same after every sign-in of this account, and had only by signing in. */
const offlineKey = ({ directory }: WebContext, account: string): string =>
  Buffer.from(hkdfSync('sha256', directory.secret, '', `postrider offline ${account}`, 32)).toString('base64url')

async function startData(context: WebContext, request: IncomingMessage, session: WebSession): Promise<StartData> {
  const { principal, csrf } = session
  const accountId = accountIdOf(principal.mailbox)
  const { limitAt } = session.deadlines
  const start = {
    session: await context.jmap.session(principal, ''),
    headers: { 'Postrider-Csrf': csrf },
    signIn: '/signin',
    signOut: '/signout',
    idleMinutes: Math.max(1, Math.floor(context.config()['web.inactivityTimeout'] / 60_000)),
    endsAt: new Date(limitAt).toISOString(),
    computer: session.record.computer,
    ...(session.record.computer === 'private' ? { offlineKey: offlineKey(context, principal.account) } : {}),
  }
  const { choicesOf, readChoices, firstCalls } = await import('@postrider/webmail/start')
  const [query, preferences] = await context.jmap.call(principal, [
    ['Mailbox/query', { accountId, filter: { role: 'inbox' } }, 'inbox'],
    ['Preferences/get', { accountId, ids: null }, 'preferences'],
  ])
  const chosen =
    preferences?.[0] === 'Preferences/get'
      ? (preferences[1] as { list?: readonly Record<string, unknown>[] }).list
      : undefined
  const ids = query?.[0] === 'Mailbox/query' ? (query[1] as { ids?: readonly string[] }).ids : undefined
  const inbox = ids?.[0]
  if (inbox === undefined) return start
  const calls = firstCalls(accountId, inbox, choicesOf(chosen?.[0], readChoices(request.headers.cookie)))
  const responses = await context.jmap.call(principal, calls)
  return { ...start, responses: responses as NonNullable<StartData['responses']> }
}
