import { bodyOf } from '../http/body.ts'
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { chooseLanguage, type Language } from '@postrider/domain'
import { plainAddress } from '../listeners/connection.ts'
import { cookieOf } from './cookie.ts'
import { commonHeaders } from './headers.ts'

/** What the routes of the web client have in common: reading requests, answering them. */

/** Bytes of a form without files. */
export const MAX_FORM = 1_048_576
const MAX_FIELDS = 5_000
export const LANGUAGE_COOKIE = '__Host-postrider-language'

/** The fields of an urlencoded form; undefined when it is none, or too large. */
export async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) return undefined
  const body = await bodyOf(request, MAX_FORM)
  if (body === undefined) return undefined
  const form = new URLSearchParams(body.toString('utf8'))
  return form.size > MAX_FIELDS ? undefined : form
}

export const urlOf = (request: Pick<IncomingMessage, 'url'>): URL => {
  const text = request.url ?? '/'
  return URL.canParse(text, 'https://localhost') ? new URL(text, 'https://localhost') : new URL('https://localhost/')
}

export const addressOf = (request: IncomingMessage): string => plainAddress(request.socket.remoteAddress ?? '')

/** What the user chose before, else what the browser asks for. */
export const languageOf = (request: IncomingMessage): Language =>
  chosenLanguage(request) ?? chooseLanguage(request.headers['accept-language'])
/** The language chosen on the sign-in page of this browser. */
export function chosenLanguage(request: IncomingMessage): Language | undefined {
  const chosen = cookieOf(request, LANGUAGE_COOKIE)
  return chosen === 'en' || chosen === 'fr' ? chosen : undefined
}

export function sameText(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/**
 * Whether the browser itself says that another site made this request. Old browsers say nothing; then the token alone decides.
 */
export function isForeign(request: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  // `Referrer-Policy: no-referrer` makes browsers send `null` with our own forms.
  if (origin === undefined || origin === 'null') return false
  return !URL.canParse(origin) || new URL(origin).host !== (host ?? '').toLowerCase()
}

export type Headers = Readonly<Record<string, string | readonly string[]>>

/** Answers whole. Bodies of refused requests are read on by the router's own time limits. */
export function answer(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Headers = {},
): void {
  if (response.headersSent || response.destroyed) return
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const close = response.req.complete ? {} : { Connection: 'close' }
  const all = { ...commonHeaders, ...headers, ...close, 'Content-Length': String(bytes.length) }
  for (const [name, value] of Object.entries(all)) response.setHeader(name, value as string | string[])
  response.writeHead(status)
  response.end(response.req.method === 'HEAD' ? undefined : bytes)
}

export const answerJson = (response: ServerResponse, status: number, value: unknown, headers: Headers = {}): void =>
  answer(response, status, JSON.stringify(value), {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    ...headers,
  })

/** POST, then redirect, then GET: `to` is a path of ours. */
export const redirect = (response: ServerResponse, to: string, headers: Headers = {}): void =>
  answer(response, 303, '', { Location: to, 'Cache-Control': 'no-store', ...headers })

/** A path of ours that somebody may be sent back to, else undefined: no other site, no other scheme, no header splitting. */
export function ownPath(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length > 2_000) return undefined
  if (!/^\/(?:mail|light)(?:[/?]|$)/.test(text) || /[\u0000-\u0020\u007f-\uffff\\]/.test(text)) return undefined
  const { origin, pathname, search } = new URL(text, 'https://localhost')
  return origin === 'https://localhost' && /^\/(?:mail|light)(?:\/|$)/.test(pathname) ? pathname + search : undefined
}
