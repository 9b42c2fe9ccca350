import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { DomainError } from '@postrider/domain'
import { EMPTY_HASH, queryText, type S3Key, sign, uriEncode } from './sign.ts'

/** Where objects are kept, and as whom. */
export interface S3Options extends S3Key {
  /** `https://s3.example.com`, without the bucket. */
  readonly endpoint: string
  readonly bucket: string
  /** In front of every key, as it is; '' for none. */
  readonly prefix: string
  /** `endpoint/bucket/key`; otherwise `bucket.endpoint/key`. */
  readonly pathStyle: boolean
  /** How long one call may take with all its attempts, ms. */
  readonly deadlineMs?: number
  /** How long nothing may come or go before an attempt counts as dead, ms. */
  readonly silenceMs?: number
}

/** A body: bytes, or a file that is read while it is sent. */
export type S3Body = Uint8Array | { readonly path: string; readonly size: number }
export interface S3Object {
  readonly key: string
  readonly size: number
}

const DEADLINE_MS = 60_000
const SILENCE_MS = 15_000
/** Between two attempts, ms: first and longest. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
/** A file is read and hashed in such pieces, so that nothing else waits. */
const PIECE_BYTES = 1024 * 1024
/** An answer that is not an object is no longer than this. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024
const SOCKETS = 8

interface Call {
  readonly method: 'GET' | 'PUT' | 'HEAD' | 'DELETE'
  readonly key: string
  readonly query?: readonly (readonly [string, string])[]
  readonly range?: { readonly from: number; readonly length: number }
  readonly body?: S3Body
  /** Longest answer taken, bytes. */
  readonly limit: number
}
interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly bytes: Uint8Array
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
/** What may well work the next time (Amazon S3 API reference, "Error responses"). */
const isPassing = (status: number): boolean => status >= 500 || status === 429 || status === 408

async function* pieces(body: S3Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    for (let at = 0; at < body.length; at += PIECE_BYTES) {
      yield body.subarray(at, at + PIECE_BYTES)
      if (at + PIECE_BYTES < body.length) await new Promise((resolve) => setImmediate(resolve))
    }
    return
  }
  const file = await open(body.path, 'r')
  try {
    for (let at = 0; at < body.size; ) {
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafe(Math.min(PIECE_BYTES, body.size - at)),
        0,
        undefined,
        at,
      )
      if (bytesRead === 0) throw new DomainError('corrupt', `${body.path} is shorter than ${body.size} bytes`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function hashOf(body: S3Body | undefined): Promise<string> {
  if (body === undefined) return EMPTY_HASH
  const hash = createHash('sha256')
  for await (const piece of pieces(body)) hash.update(piece)
  return hash.digest('hex')
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])
const unescapeXml = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,4}));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return entities.get(name) ?? all
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
const elementOf = (xml: string, name: string): string | undefined => {
  const from = xml.indexOf(`<${name}>`)
  const to = xml.indexOf(`</${name}>`, from)
  return from < 0 || to < 0 ? undefined : unescapeXml(xml.slice(from + name.length + 2, to))
}

/**
 * Objects of one bucket of any S3-compatible store (Amazon S3 API reference: PutObject, GetObject, HeadObject, DeleteObject, ListObjectsV2),
 * signed with Signature Version 4. What fails in passing (no connection, silence, an answer cut short, 5xx, 429) is tried again until
 * the deadline, and then rejected as `unavailable`; what the store refuses is rejected as `accessDenied` or `invalid` at once.
 */
export class S3 {
  readonly #options: S3Options
  readonly #endpoint: URL
  readonly #agent: http.Agent
  readonly #closed = new AbortController()

  constructor(options: S3Options) {
    this.#options = options
    this.#endpoint = new URL(options.endpoint)
    const { Agent } = this.#endpoint.protocol === 'http:' ? http : https
    this.#agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, scheduling: 'lifo' })
  }

  /** Resolves when the store has confirmed all bytes. */
  async put(key: string, body: S3Body): Promise<void> {
    await this.#call({ method: 'PUT', key, body, limit: MAX_TEXT_BYTES })
  }

  /** The object, or `length` bytes of it from `from` (fewer at its end); undefined when there is none. Rejects with `tooLarge`. */
  async get(
    key: string,
    options: { readonly from?: number; readonly length?: number; readonly limit?: number } = {},
  ): Promise<Uint8Array | undefined> {
    const { from = 0, length, limit = length ?? MAX_TEXT_BYTES } = options
    const range = length === undefined ? {} : { range: { from, length } }
    const answer = await this.#call({ method: 'GET', key, limit, ...range })
    return answer.status === 404 ? undefined : answer.bytes
  }

  /** Its length, bytes; undefined when there is no such object. */
  async size(key: string): Promise<number | undefined> {
    const { status, headers } = await this.#call({ method: 'HEAD', key, limit: 0 })
    return status === 404 ? undefined : Number(headers['content-length'])
  }

  /** It is no error when there is none. */
  async remove(key: string): Promise<void> {
    await this.#call({ method: 'DELETE', key, limit: MAX_TEXT_BYTES })
  }

  /** Objects whose keys begin with `start`, in the order of their keys. */
  async *list(start: string): AsyncGenerator<S3Object> {
    const { prefix } = this.#options
    let token: string | undefined
    do {
      const query: [string, string][] = [
        ['list-type', '2'],
        ['prefix', prefix + start],
      ]
      if (token !== undefined) query.push(['continuation-token', token])
      const { status, bytes } = await this.#call({ method: 'GET', key: '', query, limit: MAX_TEXT_BYTES })
      if (status === 404) throw new DomainError('invalid', `there is no bucket ${this.#options.bucket}`)
      const xml = Buffer.from(bytes).toString('utf8')
      for (const part of xml.split('<Contents>').slice(1)) {
        const key = elementOf(part, 'Key')
        if (key?.startsWith(prefix)) yield { key: key.slice(prefix.length), size: Number(elementOf(part, 'Size')) }
      }
      token = elementOf(xml, 'IsTruncated') === 'true' ? elementOf(xml, 'NextContinuationToken') : undefined
    } while (token !== undefined)
  }

  /** What is under way ends with `unavailable`. */
  close(): void {
    this.#closed.abort()
    this.#agent.destroy()
  }

  async #call(call: Call): Promise<Answer> {
    const { deadlineMs = DEADLINE_MS } = this.#options
    const until = performance.now() + deadlineMs
    const bodyHash = await hashOf(call.body)
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      let failure: string
      try {
        const answer = await this.#attempt(call, bodyHash, Math.max(1, until - performance.now()))
        if (answer.status < 300 || (answer.status === 404 && call.method !== 'PUT')) return answer
        const text = Buffer.from(answer.bytes).toString('utf8', 0, 4096)
        failure = `${answer.status} ${elementOf(text, 'Code') ?? ''} ${elementOf(text, 'Message') ?? ''}`.trim()
        if (!isPassing(answer.status)) {
          const code = answer.status === 401 || answer.status === 403 ? 'accessDenied' : 'invalid'
          throw new DomainError(code, `${call.method} ${call.key}: ${failure}`)
        }
      } catch (error) {
        if (error instanceof DomainError) throw error
        failure = messageOf(error)
      }
      if (this.#closed.signal.aborted || performance.now() + wait >= until)
        throw new DomainError('unavailable', `the object store does not answer: ${call.method} ${call.key}: ${failure}`)
      // Not all at once when it comes back.
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: this.#closed.signal }).catch(() => undefined)
    }
  }

  async #attempt(call: Call, bodyHash: string, leftMs: number): Promise<Answer> {
    const { bucket, prefix, pathStyle, silenceMs = SILENCE_MS } = this.#options
    const { method, key, query = [], range, body } = call
    const base = this.#endpoint.pathname.replace(/\/$/, '')
    const name = key === '' && query.length > 0 ? '' : prefix + key
    const path = `${base}${pathStyle ? `/${uriEncode(bucket)}` : ''}/${name.split('/').map(uriEncode).join('/')}`
    const host = pathStyle ? this.#endpoint.host : `${bucket}.${this.#endpoint.host}`
    const plain: Record<string, string> = { host }
    if (range !== undefined) plain.range = `bytes=${range.from}-${range.from + range.length - 1}`
    if (body !== undefined) plain['content-length'] = String(body instanceof Uint8Array ? body.length : body.size)
    const headers = sign({ method, path, query, headers: plain, bodyHash }, this.#options, new Date())
    const { request: send } = this.#endpoint.protocol === 'http:' ? http : https
    const request = send({
      method,
      protocol: this.#endpoint.protocol,
      hostname: host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
      port: this.#endpoint.port,
      path: query.length === 0 ? path : `${path}?${queryText(query)}`,
      headers,
      agent: this.#agent,
      signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(Math.ceil(leftMs))]),
    })
    request.setTimeout(silenceMs, () => request.destroy(new Error('silence')))
    const answered = new Promise<Answer>((resolve, reject) => {
      request.once('error', reject)
      request.once('response', (response) => void collect(response, call).then(resolve, reject))
    })
    answered.catch(() => undefined)
    await sendBody(request, body)
    return answered
  }
}

async function sendBody(request: http.ClientRequest, body: S3Body | undefined): Promise<void> {
  if (body !== undefined)
    for await (const piece of pieces(body)) {
      if (request.destroyed) break
      if (!request.write(piece))
        await new Promise<void>((resolve) => {
          const go = (): void => {
            request.off('drain', go).off('close', go)
            resolve()
          }
          request.on('drain', go).on('close', go)
          if (request.destroyed) go()
        })
    }
  request.end()
}

/** Reads an answer to its end. Rejects when it is cut short or longer than asked for. */
async function collect(response: http.IncomingMessage, { method, range, limit }: Call): Promise<Answer> {
  const status = response.statusCode ?? 0
  const most = status < 300 ? limit : MAX_TEXT_BYTES
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response as AsyncIterable<Uint8Array>) {
    parts.push(part)
    length += part.length
    if (length > most) {
      response.destroy()
      throw new DomainError('tooLarge', `more than ${most} bytes`)
    }
  }
  const promised = response.headers['content-length']
  if (method !== 'HEAD' && promised !== undefined && Number(promised) !== length) throw new Error('an answer cut short')
  if (status < 300 && range !== undefined && status !== 206) throw new Error('the store knows no ranges')
  return { status, headers: response.headers, bytes: Buffer.concat(parts, length) }
}
