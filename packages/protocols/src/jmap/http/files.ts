/** Upload and download: RFC 8620 §6. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { DomainError, type Principal } from '@postrider/domain'
import { encodeParameter } from '@postrider/wire/mime'
import { type Blob, openBlob, storeUpload } from '../blobs/blob.ts'
import { openAccount } from '../core/accounts.ts'
import { Call } from '../core/call.ts'
import { RequestProblem } from '../core/error.ts'
import { MAX_CONCURRENT_UPLOAD, MAX_SIZE_UPLOAD } from '../limits.ts'
import type { Jmap } from '../service.ts'
import { readBody } from './body.ts'
import { sendHead, sendJson, sendProblem, sendStatus } from './respond.ts'
import { paths } from './session.ts'

/** A media type as a client may name it: type, subtype, parameters of tokens. */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;\s*[\w!#$&^.+-]{1,64}=(?:[\w!#$&^.+-]{1,128}|"[^"\\\r\n]{0,128}"))*$/
export const isMediaType = (text: string): boolean => text.length <= 512 && MEDIA_TYPE.test(text)

/** Sec-Fetch-Dest of what a browser would run, apply or show inside of a page: nothing that came by mail is meant for that. */
const RUN_BY_BROWSERS =
  /^(?:script|(?:shared|service|audio|paint)?worker|worklet|style|xslt|manifest|i?frame|object|embed|json)$/
/** Marks that turn the reading direction make `fdp.exe` look like `exe.pdf`. */
const DIRECTION_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Bytes read from the mailbox at a time while a client takes them. */
const CHUNK = 1024 * 1024

export async function handleUpload(
  jmap: Jmap,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
): Promise<void> {
  if (request.method !== 'POST')
    return sendStatus(request, response, 405, 'Only POST is possible here.', { Allow: 'POST' })
  const [accountId = ''] = segments(request.url, paths.upload)
  const account = await openAccount(jmap.parts, principal, accountId)
  if (account === undefined) return sendStatus(request, response, 404, 'There is no such account.')
  const leave = jmap.enter('upload', principal.account, MAX_CONCURRENT_UPLOAD)
  if (leave === undefined) {
    const problem = new RequestProblem('limit', 'Too many uploads at the same time.', {
      status: 429,
      limit: 'maxConcurrentUpload',
    })
    return sendProblem(request, response, problem)
  }
  try {
    const body = await readBody(request, MAX_SIZE_UPLOAD)
    if (body === 'gone') return
    if (body === 'tooLarge') {
      const problem = new RequestProblem('limit', 'The upload is too large.', { status: 413, limit: 'maxSizeUpload' })
      return sendProblem(request, response, problem)
    }
    const given = (request.headers['content-type'] ?? '').trim()
    const type = isMediaType(given) ? given : 'application/octet-stream'
    const blobId = await storeUpload(new Call(jmap, principal, new Map()), account, body, type)
    await sendJson(request, response, { accountId, blobId, type, size: body.length }, { status: 201 })
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const full = error.code === 'diskFull' || error.code === 'overQuota'
    await sendStatus(request, response, full ? 507 : 503, 'The upload could not be stored now.')
  } finally {
    leave()
  }
}

export async function handleDownload(
  jmap: Jmap,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return sendStatus(request, response, 405, 'Only GET is possible here.', { Allow: 'GET, HEAD' })
  if (RUN_BY_BROWSERS.test(String(request.headers['sec-fetch-dest'] ?? '')))
    return sendStatus(request, response, 403, 'Files are not for pages to run or to show inside of them.')
  const [accountId = '', blobId = '', given = ''] = segments(request.url, paths.download)
  const name = given.replace(DIRECTION_MARKS, '')
  const account = await openAccount(jmap.parts, principal, accountId)
  const call = new Call(jmap, principal, new Map())
  const blob = account === undefined ? undefined : await openBlob(call, account, blobId)
  if (blob === undefined) return sendStatus(request, response, 404, 'There is no such blob.')
  const wanted = new URL(request.url ?? '/', 'http://localhost').searchParams.get('type') ?? ''
  const type = isMediaType(wanted) ? wanted : (blob.type ?? 'application/octet-stream')
  const etag = `"${blobId}"`
  const headers: Record<string, string> = {
    'Content-Type': type,
    'Content-Disposition': ['attachment', ...(name === '' ? [] : encodeParameter('filename', name.slice(0, 255)))].join(
      '; ',
    ),
    // RFC 8620 §6.2: what an id names never changes.
    'Cache-Control': 'private, immutable, max-age=31536000',
    'Accept-Ranges': 'bytes',
    ETag: etag,
    Vary: 'Authorization',
  }
  if (request.headers['if-none-match'] === etag) {
    if (sendHead(response, 304, headers)) response.end()
    return
  }
  const conditional = request.headers['if-range']
  const range =
    conditional !== undefined && conditional !== etag ? undefined : readRange(request.headers.range, blob.size)
  if (range === 'unsatisfiable') {
    if (sendHead(response, 416, { 'Content-Range': `bytes */${blob.size}`, 'Content-Length': '0' })) response.end()
    return
  }
  const { start, end } = range ?? { start: 0, end: blob.size }
  if (range !== undefined) headers['Content-Range'] = `bytes ${start}-${end - 1}/${blob.size}`
  headers['Content-Length'] = String(end - start)
  if (!sendHead(response, range === undefined ? 200 : 206, headers)) return
  if (request.method === 'HEAD') return void response.end()
  await stream(response, blob, start, end)
}

/** Writes as fast as the client reads; nothing larger than a chunk waits here. */
async function stream(response: ServerResponse, blob: Blob, start: number, end: number): Promise<void> {
  for (let at = start; at < end && !response.destroyed; at += CHUNK) {
    const chunk = await blob.read(at, Math.min(end, at + CHUNK))
    if (!response.write(chunk))
      await new Promise<void>((resolve) => {
        const go = (): void => {
          response.off('drain', go)
          response.off('close', go)
          resolve()
        }
        response.once('drain', go)
        response.once('close', go)
      })
  }
  response.end()
}

/** One range of bytes (RFC 9110 §14.1.2); several, or other units, are as none. */
export function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const length = Math.min(size, Number(match[2]))
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(match[1])
  const last = match[2] === '' ? size - 1 : Number(match[2])
  if (last < start && match[2] !== '') return undefined
  return start >= size ? 'unsatisfiable' : { start, end: Math.min(size, last + 1) }
}

/** The decoded segments of the path behind `prefix`. */
function segments(url: string | undefined, prefix: string): string[] {
  const path = (url ?? '').split('?', 1)[0]?.replace(/^https?:\/\/[^/]*/i, '') ?? ''
  return path
    .slice(prefix.length)
    .split('/')
    .map((one) => {
      try {
        return decodeURIComponent(one)
      } catch {
        return ''
      }
    })
}
