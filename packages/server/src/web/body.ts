import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { reservationsOf } from '@postrider/wire/html'
import { scriptSession, type WebContext } from './context.ts'
import { bodyPolicy, filePolicy } from './headers.ts'
import { loadMail, type Mail, safeBody } from './mail.ts'
import { type PictureFetcher, pictureAddress, signPicture } from './picture.ts'
import { answer, sameText, urlOf } from './request.ts'

/** Styles of ours inside of a mail's frame: marks the sanitiser leaves. */
const frameStyle =
  'body{margin:0;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}.pr-plain{white-space:pre-wrap}.pr-mail img{max-width:100%}.pr-blocked{min-width:1em;min-height:1em;border:1px dashed #8888;color:#888}.pr-plain .pr-quote{margin:0;padding-inline-start:.75em;border-inline-start:2px solid #8888}'

/** `/mail/body/{accountId}/{emailId}?pictures=0|1`: a document with its own policy, for a frame without scripts. */
export async function serveBody(
  context: WebContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await scriptSession(context, request, response)
  if (session === undefined) return
  const { pathname, searchParams } = urlOf(request)
  const [, , , accountId = '', emailId = ''] = pathname.split('/')
  const { principal } = session
  const mail = await loadMail(context, principal, accountId, emailId)
  const show = searchParams.get('pictures') === '1'
  const picture = show ? pictureAddress(context.directory.secret, principal.account) : undefined
  const body = mail === undefined ? undefined : safeBody(accountId, mail, { picture })
  if (body === undefined) return answer(response, 404, 'Not found.\n', { 'Cache-Control': 'no-store' })
  if (body.kind === 'text') return answer(response, 204, '', { 'Cache-Control': 'no-store' })
  const html = `<!doctype html><html><head><meta charset="utf-8"><style>${frameStyle}</style></head><body>${body.html}</body></html>`
  const etag = `"${createHash('sha256').update(html).digest('base64url').slice(0, 27)}"`
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': bodyPolicy,
    'X-Frame-Options': 'SAMEORIGIN',
    'Postrider-Pictures': String(body.remote),
    'Postrider-Reservations': String(reservationCount(mail)),
    // A public computer keeps nothing.
    'Cache-Control': session.record.computer === 'private' ? 'private, max-age=3600' : 'no-store',
    Vary: 'Cookie',
    ETag: etag,
  }
  if (request.headers['if-none-match'] === etag) return answer(response, 304, '', headers)
  answer(response, 200, html, headers)
}

/** How many journeys and the like the mail carries for programs: the client shows them as cards. */
const reservationCount = (mail: Mail | undefined): number =>
  (mail?.htmlBody ?? []).reduce(
    (sum, { partId, type }) =>
      sum +
      (type === 'text/html' && partId !== null ? reservationsOf(mail?.bodyValues[partId]?.value ?? '').length : 0),
    0,
  )

/** `/mail/picture?u=…&s=…`: a remote picture, for whoever the address was made for. */
export async function servePicture(
  context: WebContext,
  pictures: PictureFetcher,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await scriptSession(context, request, response)
  if (session === undefined) return
  const { searchParams } = urlOf(request)
  const { account } = session.principal
  const [url, signature] = [searchParams.get('u') ?? '', searchParams.get('s') ?? '']
  if (!sameText(signature, signPicture(context.directory.secret, account, url)))
    return answer(response, 403, 'Not signed.\n')
  const found = await pictures.fetch(url, account)
  if (typeof found === 'string') {
    context.log.debug({ protocol: 'web', reason: found }, 'a remote picture was not had')
    const status = found === 'busy' ? 503 : 404
    return answer(response, status, '', { 'Cache-Control': 'private, max-age=60' })
  }
  answer(response, 200, found.bytes, {
    'Content-Type': found.type,
    'Content-Security-Policy': filePolicy,
    'Cache-Control': session.record.computer === 'private' ? 'private, max-age=86400' : 'no-store',
  })
}
