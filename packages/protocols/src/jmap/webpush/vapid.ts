/** Who pushes: Voluntary Application Server Identification, RFC 8292; for JMAP RFC 9749. One key pair of the installation. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'

const LIFE_SECONDS = 12 * 60 * 60

export class Vapid {
  readonly #key: KeyObject
  /** base64url of the uncompressed point: what browsers are given as `applicationServerKey`. */
  readonly publicKey: string
  readonly #subject: () => string

  /** `subject`: a `mailto:` or `https:` address of whoever runs this server. Throws for what is no key of P-256. */
  constructor(jwk: Readonly<Record<string, unknown>>, subject: () => string) {
    this.#key = createPrivateKey({ key: jwk, format: 'jwk' } as Parameters<typeof createPrivateKey>[0])
    const { x = '', y = '', crv } = createPublicKey(this.#key).export({ format: 'jwk' })
    if (crv !== 'P-256') throw new TypeError('the key is not of P-256')
    this.publicKey = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).toString(
      'base64url',
    )
    this.#subject = subject
  }

  /** The Authorization field for a push to `url` at `now` (ms): RFC 8292 §2, §3. */
  authorization(url: string, now: number): string {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { aud: new URL(url).origin, exp: Math.floor(now / 1_000) + LIFE_SECONDS, sub: this.#subject() }
    const text = `${part({ typ: 'JWT', alg: 'ES256' })}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key: this.#key, dsaEncoding: 'ieee-p1363' })
    return `vapid t=${text}.${signature.toString('base64url')}, k=${this.publicKey}`
  }
}
