import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto'

export const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')
const json = (value: unknown): string => base64url(JSON.stringify(value))

interface Jwk {
  readonly crv: string
  readonly kty: string
  readonly x: string
  readonly y: string
}
/** The public half of a P-256 key, its members in the order RFC 7638 hashes them. */
export function jwkOf(key: KeyObject): Jwk {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { crv, kty, x, y }
}
/** RFC 7638. */
export const thumbprint = (key: KeyObject): string =>
  createHash('sha256')
    .update(JSON.stringify(jwkOf(key)))
    .digest('base64url')

interface Jws {
  readonly protected: string
  readonly payload: string
  readonly signature: string
}
/** A request as RFC 8555 §6.2 wants it: ES256. `payload` undefined is POST-as-GET. */
export function signed(key: KeyObject, header: Readonly<Record<string, unknown>>, payload: unknown): Jws {
  const head = json({ alg: 'ES256', ...header })
  const body = payload === undefined ? '' : json(payload)
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' })
  return { protected: head, payload: body, signature: signature.toString('base64url') }
}
/** RFC 8555 §7.3.4: the authority's customer says that this key is his. `mac` is base64url as authorities give it. */
export function accountBinding(key: KeyObject, url: string, kid: string, mac: string): Jws {
  const head = json({ alg: 'HS256', kid, url })
  const body = json(jwkOf(key))
  const signature = createHmac('sha256', Buffer.from(mac, 'base64url')).update(`${head}.${body}`).digest('base64url')
  return { protected: head, payload: body, signature }
}
