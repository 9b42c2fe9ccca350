import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the next requests that match run into. `cut` ends the answer half way; `lost` does the work and drops the connection. */
export interface S3Fault {
  readonly kind: 'error' | 'slow' | 'cut' | 'lost' | 'silent'
  /** Only requests with this method. */
  readonly method?: string
  /** How many; default for ever. */
  times?: number
}

/** A small S3 store in memory, path style, one bucket: PUT, GET with ranges, HEAD, DELETE, list v2; signatures are checked. */
export interface S3Peer {
  /** `s3://…` with keys, as the configuration has it. */
  readonly url: string
  readonly port: number
  readonly objects: Map<string, Uint8Array>
  /** Methods and keys, in the order they were answered. */
  readonly requests: string[]
  faults: S3Fault[]
  /** Objects in one page of a list. */
  pageSize: number
  [Symbol.asyncDispose](): Promise<void>
}

const ACCESS = 'AKIDEXAMPLE'
const SECRET = 'secret/with+signs'
const BUCKET = 'mail'
const REGION = 'eu-test-1'
const SLOW_MS = 300

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const escapeXml = (text: string): string => text.replace(/[<>&]/g, (one) => `&#${one.charCodeAt(0)};`)

/** Why a request is refused; undefined when its signature is right (AWS General Reference, "Signature Version 4"). */
function refusal(request: IncomingMessage, body: Uint8Array): string | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  if (match === null) return 'AccessDenied'
  const [, access, day = '', region = '', names = '', signature] = match
  if (access !== ACCESS) return 'InvalidAccessKeyId'
  const signed = names.split(';')
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => signed.includes(name))) return 'AccessDenied'
  if (request.headers['x-amz-content-sha256'] !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const stamp = String(request.headers['x-amz-date'])
  const canonical = [
    request.method,
    path,
    query.split('&').filter(Boolean).sort().join('&'),
    ...signed.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}`),
    '',
    names,
    request.headers['x-amz-content-sha256'],
  ].join('\n')
  const key = hmac(hmac(hmac(hmac(`AWS4${SECRET}`, day), region), 's3'), 'aws4_request')
  const text = ['AWS4-HMAC-SHA256', stamp, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
  return hmac(key, text).toString('hex') === signature && region === REGION ? undefined : 'SignatureDoesNotMatch'
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function startS3(): Promise<S3Peer> {
  const objects = new Map<string, Uint8Array>()
  const requests: string[] = []
  const peer = { objects, requests, faults: [] as S3Fault[], pageSize: 1000 }

  const list = (query: URLSearchParams): string => {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? ''
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, peer.pageSize)
    const more = keys.length > page.length
    const contents = page.map(
      (key) => `<Contents><Key>${escapeXml(key)}</Key><Size>${objects.get(key)?.length}</Size></Contents>`,
    )
    const next = more ? `<NextContinuationToken>${escapeXml(page.at(-1) ?? '')}</NextContinuationToken>` : ''
    return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`
  }

  const work = (request: IncomingMessage, body: Uint8Array): { status: number; bytes: Uint8Array } => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const refused = refusal(request, body)
    if (refused !== undefined)
      return { status: 403, bytes: Buffer.from(`<Error><Code>${refused}</Code><Message>no</Message></Error>`) }
    const [, bucket, ...rest] = decodeURIComponent(pathname).split('/')
    const key = rest.join('/')
    const missing = { status: 404, bytes: Buffer.from('<Error><Code>NoSuchKey</Code></Error>') }
    if (bucket !== BUCKET) return missing
    if (key === '' && searchParams.get('list-type') === '2')
      return { status: 200, bytes: Buffer.from(list(searchParams)) }
    requests.push(`${request.method} ${key}`)
    const object = objects.get(key)
    if (request.method === 'PUT') {
      objects.set(key, body)
      return { status: 200, bytes: new Uint8Array(0) }
    }
    if (request.method === 'DELETE') {
      objects.delete(key)
      return { status: 204, bytes: new Uint8Array(0) }
    }
    if (object === undefined) return missing
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (range === null) return { status: 200, bytes: object }
    if (Number(range[1]) >= object.length) return { status: 416, bytes: Buffer.from('<Error/>') }
    return { status: 206, bytes: object.subarray(Number(range[1]), Number(range[2]) + 1) }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Uint8Array[] = []
    for await (const part of request as AsyncIterable<Uint8Array>) parts.push(part)
    const fault = peer.faults.find(
      ({ method, times = Number.POSITIVE_INFINITY }) =>
        times > 0 && (method === undefined || method === request.method),
    )
    if (fault?.times !== undefined) fault.times--
    if (fault?.kind === 'silent') return
    if (fault?.kind === 'slow') await pause(SLOW_MS)
    if (fault?.kind === 'error') {
      response.writeHead(500).end('<Error><Code>InternalError</Code></Error>')
      return
    }
    const { status, bytes } = work(request, Buffer.concat(parts))
    if (fault?.kind === 'lost') {
      request.socket.destroy()
      return
    }
    response.writeHead(status, { 'content-length': bytes.length })
    if (fault?.kind === 'cut' && bytes.length > 1 && request.method !== 'HEAD') {
      response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy())
      return
    }
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(peer, {
    port,
    url: `s3://${ACCESS}:${encodeURIComponent(SECRET)}@127.0.0.1:${port}/${BUCKET}/folder?region=${REGION}&tls=off`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
}
