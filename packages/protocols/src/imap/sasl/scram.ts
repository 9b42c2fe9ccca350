import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ScramKeys } from '@postrider/domain'

/** The client's first message, taken apart: RFC 5802 §7. */
export interface ScramFirst {
  /** `n,,` or `y,a=…,`: repeated in the last message. */
  readonly gs2Header: string
  readonly authzid: string
  readonly login: string
  readonly nonce: string
  readonly bare: string
}

/** Reads `client-first-message`; undefined when it is none, or asks for channel binding, which is not offered (RFC 5802 §6). */
export function parseScramFirst(text: string): ScramFirst | undefined {
  const match = /^([ny],(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/su.exec(text)
  if (match === null) return undefined
  const [, gs2Header = '', authzid = '', bare = '', name = '', nonce = ''] = match
  const login = unescapeName(name)
  const other = unescapeName(authzid)
  return login === undefined || other === undefined ? undefined : { gs2Header, authzid: other, login, nonce, bare }
}

/** `=2C` is a comma and `=3D` an equals sign, nothing else may follow `=`: RFC 5802 §5.1. */
function unescapeName(name: string): string | undefined {
  if (/=(?!2C|3D)/.test(name)) return undefined
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** One SCRAM-SHA-256 exchange after the client's first message: RFC 5802 §3, RFC 7677. */
export class ScramExchange {
  readonly #first: ScramFirst
  readonly #keys: ScramKeys
  readonly #nonce: string
  readonly serverFirst: string

  constructor(first: ScramFirst, keys: ScramKeys, serverNonce = randomBytes(18).toString('base64')) {
    this.#first = first
    this.#keys = keys
    this.#nonce = first.nonce + serverNonce
    this.serverFirst = `r=${this.#nonce},s=${Buffer.from(keys.salt).toString('base64')},i=${keys.iterations}`
  }

  /** Checks `client-final-message`; answers `server-final-message`, undefined when the proof is wrong. */
  finish(text: string): string | undefined {
    const match = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/s.exec(text)
    if (match === null) return undefined
    const [, withoutProof = '', binding = '', nonce = '', proofText = ''] = match
    if (nonce !== this.#nonce) return undefined
    if (Buffer.from(binding, 'base64').toString('utf8') !== this.#first.gs2Header) return undefined
    const proof = Buffer.from(proofText, 'base64')
    if (proof.length !== 32) return undefined
    const authMessage = `${this.#first.bare},${this.serverFirst},${withoutProof}`
    const signature = createHmac('sha256', this.#keys.storedKey).update(authMessage).digest()
    const clientKey = proof.map((byte, i) => byte ^ (signature[i] as number))
    const stored = createHash('sha256').update(clientKey).digest()
    if (this.#keys.storedKey.length !== 32 || !timingSafeEqual(stored, this.#keys.storedKey)) return undefined
    return `v=${createHmac('sha256', this.#keys.serverKey).update(authMessage).digest('base64')}`
  }
}
