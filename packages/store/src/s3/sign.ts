import { createHash, createHmac } from 'node:crypto'

/** What a signature is made with. */
export interface S3Key {
  readonly accessKey: string
  readonly secretKey: string
  readonly region: string
}
export interface Unsigned {
  readonly method: string
  /** The path as sent: every part percent-encoded. */
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  /** Names in lower case; `host` among them. All are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, hexadecimal. */
  readonly bodyHash: string
}

export const EMPTY_HASH = createHash('sha256').digest('hex')
const ALGORITHM = 'AWS4-HMAC-SHA256'

/** RFC 3986 unreserved characters stay, all else is encoded (Signature Version 4, "UriEncode"). */
export const uriEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

export const queryText = (query: Unsigned['query']): string =>
  query
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
    .sort()
    .join('&')

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The headers of a request with its signature (AWS General Reference, "Signature Version 4", for service `s3`). */
export function sign(request: Unsigned, key: S3Key, now: Date): Record<string, string> {
  const stamp = `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': request.bodyHash,
    'x-amz-date': stamp,
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    request.method,
    request.path,
    queryText(request.query),
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names.join(';'),
    request.bodyHash,
  ].join('\n')
  const scope = `${stamp.slice(0, 8)}/${key.region}/s3/aws4_request`
  const signing = ['s3', 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(hmac(`AWS4${key.secretKey}`, stamp.slice(0, 8)), key.region),
  )
  const signature = hmac(signing, [ALGORITHM, stamp, scope, sha256(canonical)].join('\n')).toString('hex')
  headers.authorization = `${ALGORITHM} Credential=${key.accessKey}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`
  return headers
}
