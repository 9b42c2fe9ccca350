/**
 * WebAuthn Level 2, the relying party's part (§7.1, §7.2): in: what a browser answers; out: a key to keep, or the proof that its holder is
 * there. No attestation is asked for, so none is believed: what counts is that the key made once is the key shown later. A user must be
 * verified by the device (PIN, finger, face): a passkey stands for password and second step together.
 */
import { createHash, createPublicKey, verify, type webcrypto } from 'node:crypto'
import { readCbor, type Cbor } from './cbor.ts'

/** What one may not be longer than. */
const MAX_ID = 1_023
const MAX_PART = 65_536

/** COSE algorithms (RFC 9053, RFC 8812) that are taken, the best first. */
export const algorithms = [-8, -7, -257] as const

const UP = 0x01
const UV = 0x04
const BACKED_UP = 0x10
const AT = 0x40

/** §5.8.1; what was asked and where. */
interface Expected {
  readonly type: 'webauthn.create' | 'webauthn.get'
  /** base64url. */
  readonly challenge: string
  readonly origins: readonly string[]
  readonly rpId: string
}
export interface NewKey {
  /** base64url. */
  readonly id: string
  readonly key: webcrypto.JsonWebKey
  readonly algorithm: number
  readonly signCount: number
  readonly backedUp: boolean
}
/** In the JSON of RegistrationResponseJSON and AuthenticationResponseJSON (Level 3 §5.1): everything base64url. */
export interface Registration {
  readonly id: string
  readonly clientDataJSON: string
  readonly attestationObject: string
}
export interface Assertion {
  readonly id: string
  readonly clientDataJSON: string
  readonly authenticatorData: string
  readonly signature: string
  readonly userHandle: string
}

const bytesOf = (text: string): Buffer | undefined =>
  text.length <= MAX_PART && /^[\w-]*$/.test(text) ? Buffer.from(text, 'base64url') : undefined

/** §7.1 steps 5 to 11: the browser said what we asked, and from a page of ours. */
function clientDataHolds(bytes: Buffer, expected: Expected): boolean {
  let data: Readonly<Record<string, unknown>>
  try {
    data = JSON.parse(bytes.toString('utf8')) as typeof data
  } catch {
    return false
  }
  return (
    typeof data === 'object' &&
    data !== null &&
    data.type === expected.type &&
    data.challenge === expected.challenge &&
    expected.origins.includes(String(data.origin)) &&
    data.crossOrigin !== true
  )
}

/** §6.1. */
interface AuthenticatorData {
  readonly flags: number
  readonly signCount: number
  readonly rest: Buffer
}
function authenticatorData(bytes: Buffer, rpId: string): AuthenticatorData | undefined {
  if (bytes.length < 37) return undefined
  const flags = bytes[32] ?? 0
  if (!bytes.subarray(0, 32).equals(createHash('sha256').update(rpId).digest())) return undefined
  if ((flags & UP) === 0 || (flags & UV) === 0) return undefined
  return { flags, signCount: bytes.readUInt32BE(33), rest: bytes.subarray(37) }
}

/** A COSE key (RFC 9052 §7) as a JSON Web Key. */
function keyOf(cose: Cbor): { readonly key: webcrypto.JsonWebKey; readonly algorithm: number } | undefined {
  if (!(cose instanceof Map)) return undefined
  const map = cose as ReadonlyMap<number | string, Cbor>
  const part = (label: number): string | undefined => {
    const value = map.get(label)
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : undefined
  }
  const [kty, algorithm, curve] = [map.get(1), map.get(3), map.get(-1)]
  const [x, y] = [part(-2), part(-3)]
  if (kty === 2 && algorithm === -7 && curve === 1 && x !== undefined && y !== undefined)
    return { key: { kty: 'EC', crv: 'P-256', x, y }, algorithm }
  if (kty === 1 && algorithm === -8 && curve === 6 && x !== undefined)
    return { key: { kty: 'OKP', crv: 'Ed25519', x }, algorithm }
  const n = part(-1)
  if (kty === 3 && algorithm === -257 && n !== undefined && x !== undefined)
    return { key: { kty: 'RSA', n, e: x }, algorithm }
  return undefined
}

/** §7.1: a new key; undefined when anything of it is not as it must be. */
export function readRegistration(answer: Registration, expected: Omit<Expected, 'type'>): NewKey | undefined {
  const clientData = bytesOf(answer.clientDataJSON)
  const object = bytesOf(answer.attestationObject)
  if (clientData === undefined || object === undefined) return undefined
  if (!clientDataHolds(clientData, { ...expected, type: 'webauthn.create' })) return undefined
  const attestation = readCbor(object)?.value
  const authData = attestation instanceof Map ? (attestation.get('authData') as Cbor) : undefined
  if (!(authData instanceof Uint8Array)) return undefined
  const data = authenticatorData(Buffer.from(authData), expected.rpId)
  if (data === undefined || (data.flags & AT) === 0 || data.rest.length < 18) return undefined
  const length = data.rest.readUInt16BE(16)
  const id = data.rest.subarray(18, 18 + length)
  if (length === 0 || length > MAX_ID || id.length !== length || id.toString('base64url') !== answer.id)
    return undefined
  const cose = readCbor(data.rest, 18 + length)
  const found = cose === undefined ? undefined : keyOf(cose.value)
  if (found === undefined || !isKey(found.key)) return undefined
  return { id: answer.id, ...found, signCount: data.signCount, backedUp: (data.flags & BACKED_UP) !== 0 }
}

function isKey(key: webcrypto.JsonWebKey): boolean {
  try {
    createPublicKey({ key, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

/** §7.2 from step 11: the new value of the counter, undefined when the proof fails. A counter that does not rise is a copied key. */
export function checkAssertion(
  answer: Assertion,
  expected: Omit<Expected, 'type'>,
  known: Pick<NewKey, 'key' | 'algorithm' | 'signCount'>,
): { readonly signCount: number } | 'copied' | undefined {
  const [clientData, raw, signature] = [answer.clientDataJSON, answer.authenticatorData, answer.signature].map(bytesOf)
  if (clientData === undefined || raw === undefined || signature === undefined) return undefined
  if (!clientDataHolds(clientData, { ...expected, type: 'webauthn.get' })) return undefined
  const data = authenticatorData(raw, expected.rpId)
  if (data === undefined) return undefined
  const signed = Buffer.concat([raw, createHash('sha256').update(clientData).digest()])
  const key = createPublicKey({ key: known.key, format: 'jwk' })
  let holds = false
  try {
    holds = verify(known.algorithm === -8 ? null : 'sha256', signed, key, signature)
  } catch {
    holds = false
  }
  if (!holds) return undefined
  const counts = data.signCount > 0 || known.signCount > 0
  return counts && data.signCount <= known.signCount ? 'copied' : { signCount: data.signCount }
}
