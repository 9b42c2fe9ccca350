import { type Certificate, readCertificate } from './certificate.ts'
import {
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
  sameBytes,
  SmimeError,
  smallOf,
  Tag,
  type Value,
} from './der.ts'
import { MAX_KEY_FILE, MAX_PKCS12_ROUNDS, MAX_ROUNDS } from './limits.ts'
import { type Hash, hashes, Oid } from './oids.ts'
import { belongs, type KeyFile, openKey } from './own-key.ts'

/** A key with its certificates in one file, sealed by a password: PKCS #12, RFC 7292 (`.p12`, `.pfx`). */

/** Reads it. Throws SmimeError: `wrongPassword`, `unsupported` (the seals of before 2010), `unreadable`, `noCertificate`. */
export async function readKeyFile(bytes: Uint8Array, password: string): Promise<KeyFile> {
  if (bytes.length > MAX_KEY_FILE) throw new SmimeError('tooLarge')
  const file = expect(readValue(bytes), Tag.sequence)
  const info = child(file, 1, Tag.sequence)
  if (oidOf(child(info, 0)) !== Oid.data) throw new SmimeError('unsupported')
  const safe = octetsOf(child(child(info, 1, context(0)), 0))
  const seal = file.children[2]
  if (seal !== undefined) await checkSeal(seal, safe, password)
  const keys: { readonly pkcs8: Uint8Array<ArrayBuffer>; readonly id: Uint8Array | undefined }[] = []
  const certificates: { readonly certificate: Certificate; readonly id: Uint8Array | undefined }[] = []
  for (const part of readValue(safe).children)
    for (const bag of readValue(await contentsOf(part, password)).children) {
      const kind = oidOf(child(bag, 0))
      const held = child(child(bag, 1, context(0)), 0)
      const id = localId(bag)
      if (kind === Oid.keyBag) keys.push({ pkcs8: copy(held.whole), id })
      else if (kind === Oid.shroudedKeyBag)
        keys.push({ pkcs8: await unsealed(child(held, 0), octetsOf(child(held, 1)), password), id })
      else if (kind === Oid.certBag && oidOf(child(held, 0)) === Oid.x509Certificate)
        certificates.push({ certificate: readCertificate(octetsOf(child(child(held, 1, context(0)), 0))), id })
    }
  const [key] = keys
  if (key === undefined) throw new SmimeError('unreadable')
  const { id } = key
  const likely = certificates.filter((one) => id === undefined || one.id === undefined || sameBytes(one.id, id))
  for (const { certificate } of [...likely, ...certificates]) {
    const others = certificates.map((one) => one.certificate).filter((one) => one !== certificate)
    const found = { pkcs8: key.pkcs8, certificate, others }
    if (await belongs(await openKey(found))) return found
  }
  throw new SmimeError('noCertificate')
}

function localId(bag: Value): Uint8Array | undefined {
  for (const one of bag.children[2]?.children ?? [])
    if (oidOf(child(one, 0)) === Oid.localKeyId) return child(one, 1, Tag.set).children[0]?.content
  return undefined
}

/** A part of the safe: plain, or EncryptedData (RFC 5652 §8). */
async function contentsOf(part: Value, password: string): Promise<Uint8Array<ArrayBuffer>> {
  const type = oidOf(child(part, 0))
  const inside = child(child(part, 1, context(0)), 0)
  if (type === Oid.data) return octetsOf(inside)
  if (type !== Oid.encryptedData) throw new SmimeError('unsupported')
  const held = child(inside, 1, Tag.sequence)
  const data = held.children[2]
  if (data === undefined || (data.tag !== plainContext(0) && data.tag !== context(0)))
    throw new SmimeError('unreadable')
  return unsealed(child(held, 1, Tag.sequence), octetsOf(data), password)
}

const prfs: ReadonlyMap<string, Hash> = new Map([
  [Oid.hmacSha1, 'SHA-1'],
  [Oid.hmacSha256, 'SHA-256'],
  [Oid.hmacSha384, 'SHA-384'],
  [Oid.hmacSha512, 'SHA-512'],
])
const sizes: ReadonlyMap<string, number> = new Map([
  [Oid.aes128Cbc, 128],
  [Oid.aes192Cbc, 192],
  [Oid.aes256Cbc, 256],
])

/** PBES2 with PBKDF2 and AES: RFC 8018 §6.2. */
async function unsealed(
  algorithm: Value,
  data: Uint8Array<ArrayBuffer>,
  password: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (oidOf(child(algorithm, 0)) !== Oid.pbes2) throw new SmimeError('unsupported')
  const parameters = child(algorithm, 1, Tag.sequence)
  const [derivation, cipher] = [child(parameters, 0, Tag.sequence), child(parameters, 1, Tag.sequence)]
  const length = sizes.get(oidOf(child(cipher, 0)))
  if (oidOf(child(derivation, 0)) !== Oid.pbkdf2 || length === undefined) throw new SmimeError('unsupported')
  const how = child(derivation, 1, Tag.sequence)
  const named = find(how, Tag.sequence)
  const hash = named === undefined ? 'SHA-1' : prfs.get(oidOf(child(named, 0)))
  const iterations = smallOf(child(how, 1, Tag.integer))
  if (hash === undefined || iterations < 1 || iterations > MAX_ROUNDS) throw new SmimeError('unsupported')
  const { subtle } = crypto
  const secret = await subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, ['deriveKey'])
  const derive = { name: 'PBKDF2', salt: octetsOf(child(how, 0, Tag.octets)), iterations, hash }
  try {
    const key = await subtle.deriveKey(derive, secret, { name: 'AES-CBC', length }, false, ['decrypt'])
    const iv = octetsOf(child(cipher, 1, Tag.octets))
    return new Uint8Array(await subtle.decrypt({ name: 'AES-CBC', iv }, key, data))
  } catch {
    throw new SmimeError('wrongPassword')
  }
}

/** MacData: RFC 7292 §4; its key is derived as in appendix B. A seal of another kind (RFC 9579) is not looked at: decrypting tells as well. */
async function checkSeal(seal: Value, safe: Uint8Array<ArrayBuffer>, password: string): Promise<void> {
  const digest = child(seal, 0, Tag.sequence)
  const hash = hashes.get(oidOf(child(child(digest, 0), 0)))
  if (hash === undefined) return
  const salt = octetsOf(child(seal, 1, Tag.octets))
  const rounds = seal.children[2] === undefined ? 1 : smallOf(seal.children[2])
  if (rounds < 1 || rounds > MAX_PKCS12_ROUNDS) throw new SmimeError('unsupported')
  const wide = hash === 'SHA-1' || hash === 'SHA-256' ? 64 : 128
  const text = new Uint8Array((password.length + 1) * 2)
  for (let i = 0; i < password.length; i++) {
    text[i * 2] = password.charCodeAt(i) >> 8
    text[i * 2 + 1] = password.charCodeAt(i) & 255
  }
  const repeated = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(
      { length: bytes.length === 0 ? 0 : wide * Math.ceil(bytes.length / wide) },
      (_, i) => bytes[i % bytes.length] as number,
    )
  const { subtle } = crypto
  let key = joined(new Uint8Array(wide).fill(3), repeated(salt), repeated(text))
  for (let i = 0; i < rounds; i++) key = new Uint8Array(await subtle.digest(hash, key))
  const mac = await subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['verify'])
  if (!(await subtle.verify('HMAC', mac, octetsOf(child(digest, 1, Tag.octets)), safe)))
    throw new SmimeError('wrongPassword')
}
