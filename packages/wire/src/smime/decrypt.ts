import { agreedBits, kdfHash, wrapBits, wrappingKey } from './agree.ts'
import { certificateInfo, type CertificateInfo } from './certificate.ts'
import {
  bitsOf,
  child,
  context,
  copy,
  expect,
  find,
  joined,
  octetsOf,
  oidOf,
  plainContext,
  readValue,
  SmimeError,
  smallOf,
  Tag,
  type Value,
  value,
} from './der.ts'
import { MAX_RECIPIENTS } from './limits.ts'
import { hashes, Oid } from './oids.ts'
import type { OwnKey } from './own-key.ts'
import { unwrapKey } from './rsa.ts'
import { contentOf, isMeant } from './signed.ts'

/** Opening what was encrypted: EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083). */

const ciphers: ReadonlyMap<string, { readonly name: 'AES-CBC' | 'AES-GCM'; readonly octets: number }> = new Map([
  [Oid.aes128Cbc, { name: 'AES-CBC', octets: 16 }],
  [Oid.aes192Cbc, { name: 'AES-CBC', octets: 24 }],
  [Oid.aes256Cbc, { name: 'AES-CBC', octets: 32 }],
  [Oid.aes128Gcm, { name: 'AES-GCM', octets: 16 }],
  [Oid.aes192Gcm, { name: 'AES-GCM', octets: 24 }],
  [Oid.aes256Gcm, { name: 'AES-GCM', octets: 32 }],
])

export interface Opened {
  readonly content: Uint8Array<ArrayBuffer>
  /** It could not have been changed on its way without being noticed. */
  readonly authenticated: boolean
  /** The certificate it was encrypted for. */
  readonly key: CertificateInfo
}

/**
 * Opens a message with the first key it was encrypted for. Nothing is answered before all of it was decrypted and, for GCM, authenticated.
 * Throws SmimeError: `notForMe`, `changed`, `unsupported`, `unreadable`, `tooLarge`.
 */
export async function decrypt(bytes: Uint8Array, keys: readonly OwnKey[]): Promise<Opened> {
  const { type, inside } = contentOf(bytes, Oid.envelopedData, Oid.authEnvelopedData)
  const at = inside.children.findIndex(({ tag }) => tag === Tag.set)
  const recipients = child(inside, at, Tag.set).children.slice(0, MAX_RECIPIENTS)
  const held = child(inside, at + 1, Tag.sequence)
  const algorithm = child(held, 1, Tag.sequence)
  const cipher = ciphers.get(oidOf(child(algorithm, 0)))
  if (cipher === undefined || (cipher.name === 'AES-GCM') !== (type === Oid.authEnvelopedData))
    throw new SmimeError('unsupported')
  const sealed = held.children[2]
  if (sealed === undefined || (sealed.tag !== plainContext(0) && sealed.tag !== context(0)))
    throw new SmimeError('unreadable')
  const data = octetsOf(sealed)
  for (const recipient of recipients)
    for (const key of keys) {
      const secret = await secretFor(recipient, key, cipher.octets)
      if (secret === undefined) continue
      const how = cipher.name === 'AES-CBC' ? cbc(algorithm) : gcm(algorithm, inside, at)
      const tag = cipher.name === 'AES-CBC' ? [] : [macOf(inside, at)]
      const opened = await open(secret, { name: cipher.name, ...how }, joined(data, ...tag))
      return { content: opened, authenticated: cipher.name === 'AES-GCM', key: await certificateInfo(key.certificate) }
    }
  throw new SmimeError('notForMe')
}

/** How the platform is told. */
interface Cipher {
  readonly name: 'AES-CBC' | 'AES-GCM'
  readonly iv: Uint8Array<ArrayBuffer>
  readonly tagLength?: number
  readonly additionalData?: Uint8Array<ArrayBuffer>
}

async function open(
  secret: Uint8Array<ArrayBuffer>,
  how: Cipher,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const key = await crypto.subtle.importKey('raw', secret, how.name, false, ['decrypt'])
    return new Uint8Array(await crypto.subtle.decrypt(how, key, data))
  } catch {
    // One answer for a wrong key, a wrong padding and a wrong tag.
    throw new SmimeError('changed')
  }
}

/** RFC 3565 §4.1. */
const cbc = (algorithm: Value): { iv: Uint8Array<ArrayBuffer> } => ({ iv: octetsOf(child(algorithm, 1, Tag.octets)) })

/** RFC 5084 §3.2; the attributes that are authenticated with it are RFC 5083 §2.2. */
function gcm(algorithm: Value, inside: Value, at: number): Omit<Cipher, 'name'> {
  const parameters = child(algorithm, 1, Tag.sequence)
  const icv = parameters.children[1]
  const attributes = inside.children.slice(at + 2).find(({ tag }) => tag === context(1))
  const size = icv === undefined ? 12 : smallOf(icv)
  if (size < 12 || size > 16 || macOf(inside, at).length !== size) throw new SmimeError('unsupported')
  return {
    iv: octetsOf(child(parameters, 0, Tag.octets)),
    tagLength: size * 8,
    ...(attributes === undefined ? {} : { additionalData: value(Tag.set, attributes.content) }),
  }
}
const macOf = (inside: Value, at: number): Uint8Array<ArrayBuffer> => {
  const found = inside.children.slice(at + 2).find(({ tag }) => tag === Tag.octets)
  if (found === undefined) throw new SmimeError('unreadable')
  return octetsOf(found)
}

/** The message's key, if this recipient is the holder of this key. */
async function secretFor(recipient: Value, key: OwnKey, size: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (recipient.tag === Tag.sequence) {
    if (key.kind !== 'rsa' || !isMeant(child(recipient, 1), key.certificate)) return undefined
    const algorithm = child(recipient, 2, Tag.sequence)
    const wrapped = octetsOf(child(recipient, 3, Tag.octets))
    const id = oidOf(child(algorithm, 0))
    if (id === Oid.rsaOaep) return oaep(algorithm, key, wrapped)
    if (id !== Oid.rsa || key.pkcs8 === undefined) throw new SmimeError('unsupported')
    return unwrapKey(key.pkcs8, wrapped, size)
  }
  if (recipient.tag !== context(1) || key.derive === undefined) return undefined
  const list = expect(recipient.children.at(-1) ?? recipient, Tag.sequence)
  const mine = list.children.find((one) => isMeant(recipientId(child(one, 0)), key.certificate))
  return mine === undefined ? undefined : agreed(recipient, octetsOf(child(mine, 1, Tag.octets)), key)
}

/** rKeyId is [0] IMPLICIT SEQUENCE { subjectKeyIdentifier, … }: told apart by its first octet string. */
const recipientId = (one: Value): Value => {
  const id = one.tag === context(0) ? one.children[0] : undefined
  return id === undefined ? one : readValue(value(plainContext(0), id.content))
}

async function oaep(algorithm: Value, key: OwnKey, wrapped: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const named = algorithm.children[1] === undefined ? undefined : find(algorithm.children[1], context(0))
  const hash = named === undefined ? 'SHA-1' : hashes.get(oidOf(child(child(named, 0), 0)))
  const opened = key.oaep.find(([one]) => one === hash)?.[1]
  if (opened === undefined) throw new SmimeError('unsupported')
  try {
    return new Uint8Array(await crypto.subtle.decrypt('RSA-OAEP', opened, wrapped))
  } catch {
    throw new SmimeError('changed')
  }
}

async function agreed(
  recipient: Value,
  wrapped: Uint8Array<ArrayBuffer>,
  key: OwnKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const { curve, derive } = key
  const sender = child(child(recipient, 1, context(0)), 0, context(1))
  const ukm = recipient.children.slice(2).find(({ tag }) => tag === context(1))
  const algorithm = recipient.children.at(-2)
  if (algorithm === undefined || curve === undefined || derive === undefined) throw new SmimeError('unsupported')
  const hash = kdfHash.get(oidOf(child(algorithm, 0)))
  const wrap = child(algorithm, 1, Tag.sequence)
  const bits = wrapBits.get(oidOf(child(wrap, 0)))
  if (hash === undefined || bits === undefined) throw new SmimeError('unsupported')
  const { subtle } = crypto
  try {
    const point = bitsOf(child(sender, 1, Tag.bits))
    const other = await subtle.importKey('raw', point, { name: 'ECDH', namedCurve: curve }, false, [])
    const shared = await subtle.deriveBits({ name: 'ECDH', public: other }, derive, agreedBits[curve])
    const material = {
      hash,
      wrap: copy(wrap.whole),
      bits,
      ukm: ukm === undefined ? undefined : octetsOf(child(ukm, 0)),
    }
    const kek = await wrappingKey(shared, material, 'unwrapKey')
    // As a key of HMAC, because of any length.
    const secret = await subtle.unwrapKey('raw', wrapped, kek, 'AES-KW', { name: 'HMAC', hash: 'SHA-256' }, true, [
      'sign',
    ])
    return new Uint8Array(await subtle.exportKey('raw', secret))
  } catch (error) {
    throw error instanceof SmimeError ? error : new SmimeError('changed')
  }
}
