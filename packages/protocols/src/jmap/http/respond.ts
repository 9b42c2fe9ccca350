/** Answers over HTTP: JSON, problem details (RFC 7807), gzip where the client takes it; never to be sniffed, framed or kept by strangers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { RequestProblem } from '../core/error.ts'

const gzipAsync = promisify(gzip)
/** Shorter answers are not worth packing. */
const GZIP_FROM = 1_024
/** A body nobody reads is dropped for so long, then the connection ends. */
const UNREAD_MS = 30_000

export const safeHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
}

export function sendHead(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): boolean {
  if (response.headersSent || response.destroyed) return false
  const { req: request } = response
  const unread = !request.complete
  if (unread) setTimeout(() => void (request.complete || request.socket.destroy()), UNREAD_MS).unref()
  response.writeHead(status, { ...safeHeaders, ...headers, ...(unread ? { Connection: 'close' } : {}) })
  return true
}

export async function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  value: unknown,
  options: {
    readonly status?: number
    readonly type?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<void> {
  let body: Uint8Array = Buffer.from(JSON.stringify(value))
  const headers: Record<string, string> = {
    'Content-Type': options.type ?? 'application/json',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Vary: 'Accept-Encoding, Authorization',
    ...options.headers,
  }
  if (
    body.length >= GZIP_FROM &&
    /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(`${request.headers['accept-encoding'] ?? ''}`)
  ) {
    body = await gzipAsync(body, { level: 1 })
    headers['Content-Encoding'] = 'gzip'
  }
  headers['Content-Length'] = String(body.length)
  if (sendHead(response, options.status ?? 200, headers)) response.end(request.method === 'HEAD' ? undefined : body)
}

/** RFC 8620 §3.6.1. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: RequestProblem,
): Promise<void> {
  const { type, status, message, limit } = problem
  const body = {
    type: `urn:ietf:params:jmap:error:${type}`,
    status,
    detail: message,
    ...(limit === undefined ? {} : { limit }),
  }
  return sendJson(request, response, body, { status, type: 'application/problem+json' })
}

/** A plain HTTP error, as problem details without a type of its own. */
export function sendStatus(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const body = { type: 'about:blank', status, detail }
  return sendJson(request, response, body, { status, type: 'application/problem+json', headers })
}
