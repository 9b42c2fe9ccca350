/** Writing answers: header names in canonical case, Content-Length always, gzip where the client takes it. */
import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const gzipAsync = promisify(gzip)

/** What the server calls itself in MS-ServerActiveSync: [MS-ASHTTP] §2.2.2.1.2.5, "implementation-specific". */
export const serverVersion = '15.2'

export const wbxmlType = 'application/vnd.ms-sync.wbxml'

/** Shorter bodies are not worth packing. */
const gzipFrom = 64

export interface Reply {
  readonly http: number
  readonly headers?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly body?: Uint8Array
}

/** Sends one reply. Does nothing when the client has gone. */
export async function send(response: ServerResponse, reply: Reply, acceptGzip: boolean): Promise<void> {
  let body = reply.body ?? new Uint8Array(0)
  const headers: Record<string, string> = {
    'Cache-Control': 'private',
    'MS-Server-ActiveSync': serverVersion,
    ...reply.headers,
  }
  if (reply.contentType !== undefined && body.length > 0) headers['Content-Type'] = reply.contentType
  if (acceptGzip && body.length >= gzipFrom) {
    body = await gzipAsync(body, { level: 5 })
    headers['Content-Encoding'] = 'gzip'
    headers.Vary = 'Accept-Encoding'
  }
  headers['Content-Length'] = String(body.length)
  if (response.destroyed || response.writableEnded) return
  response.writeHead(reply.http, headers)
  response.end(body)
}
