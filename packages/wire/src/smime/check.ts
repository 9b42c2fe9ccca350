import {
  bitsOf,
  child,
  find,
  context,
  copy,
  oidOf,
  type Value,
  readValue,
  sequence,
  oid,
  none,
  SmimeError,
  Tag,
  smallOf,
  bigOfBytes,
} from './der.ts'
import { MAX_RSA_BITS, MIN_RSA_BITS } from './limits.ts'
import { curveOctets, curves, type Hash, hashes, Oid } from './oids.ts'

/** Signatures checked by the platform's own cryptography (Web Cryptography API), off this thread. */

/** How a signature was made. */
interface Scheme {
  readonly kind: 'rsa' | 'pss' | 'ecdsa' | 'ed25519'
  readonly hash: Hash
  readonly salt: number
}

const combined: ReadonlyMap<string, readonly ['rsa' | 'ecdsa', Hash]> = new Map([
  [Oid.sha1Rsa, ['rsa', 'SHA-1']],
  [Oid.sha256Rsa, ['rsa', 'SHA-256']],
  [Oid.sha384Rsa, ['rsa', 'SHA-384']],
  [Oid.sha512Rsa, ['rsa', 'SHA-512']],
  [Oid.sha1Ecdsa, ['ecdsa', 'SHA-1']],
  [Oid.sha256Ecdsa, ['ecdsa', 'SHA-256']],
  [Oid.sha384Ecdsa, ['ecdsa', 'SHA-384']],
  [Oid.sha512Ecdsa, ['ecdsa', 'SHA-512']],
])

/** What an AlgorithmIdentifier says; `digest`: that of the signer, where the algorithm names only a kind of key. */
function schemeOf(algorithm: Value, digest: Hash | undefined): Scheme {
  const id = oidOf(child(algorithm, 0))
  const both = combined.get(id)
  if (both !== undefined) return { kind: both[0], hash: both[1], salt: 0 }
  if (id === Oid.rsa && digest !== undefined) return { kind: 'rsa', hash: digest, salt: 0 }
  if (id === Oid.ed25519) return { kind: 'ed25519', hash: 'SHA-512', salt: 0 }
  if (id !== Oid.rsaPss) throw new SmimeError('unsupported')
  const parameters = algorithm.children[1]
  const named = parameters === undefined ? undefined : find(parameters, context(0))
  const hash = named === undefined ? 'SHA-1' : hashes.get(oidOf(child(child(named, 0), 0)))
  const salt = parameters === undefined ? undefined : find(parameters, context(2))
  if (hash === undefined) throw new SmimeError('unsupported')
  return { kind: 'pss', hash, salt: salt === undefined ? 20 : smallOf(child(salt, 0)) }
}

/** Whether `signature` over `signed` was made with the key. Throws SmimeError: `weak` for SHA-1 and short keys, `unsupported`. */
export async function isSignedBy(
  key: Value,
  algorithm: Value,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
  digest?: Hash,
): Promise<boolean> {
  const scheme = schemeOf(algorithm, digest)
  if (scheme.hash === 'SHA-1') throw new SmimeError('weak')
  const keyAlgorithm = child(key, 0, Tag.sequence)
  const kind = oidOf(child(keyAlgorithm, 0))
  const { subtle } = crypto
  try {
    if (scheme.kind === 'ed25519') {
      if (kind !== Oid.ed25519) return false
      const imported = await subtle.importKey('spki', copy(key.whole), 'Ed25519', false, ['verify'])
      return await subtle.verify('Ed25519', imported, signature, signed)
    }
    if (scheme.kind === 'ecdsa') {
      const curve = kind === Oid.ecKey ? curves.get(oidOf(child(keyAlgorithm, 1))) : undefined
      if (curve === undefined) throw new SmimeError('unsupported')
      const imported = await subtle.importKey('spki', copy(key.whole), { name: 'ECDSA', namedCurve: curve }, false, [
        'verify',
      ])
      const plain = plainEcdsa(signature, curveOctets[curve])
      return plain !== undefined && (await subtle.verify({ name: 'ECDSA', hash: scheme.hash }, imported, plain, signed))
    }
    if (kind !== Oid.rsa && kind !== Oid.rsaPss) return false
    checkRsa(key)
    const name = scheme.kind === 'rsa' ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS'
    // A key that is only for PSS says so in its algorithm, which the platform does not take.
    const spki =
      kind === Oid.rsa ? copy(key.whole) : sequence(sequence(oid(Oid.rsa), none), child(key, 1, Tag.bits).whole)
    const imported = await subtle.importKey('spki', spki, { name, hash: scheme.hash }, false, ['verify'])
    const how = scheme.kind === 'rsa' ? { name } : { name, saltLength: scheme.salt }
    return await subtle.verify(how, imported, signature, signed)
  } catch (error) {
    if (error instanceof SmimeError) throw error
    // A point that is not on its curve, a modulus the platform refuses.
    return false
  }
}

function checkRsa(key: Value): void {
  const bits = bigOfBytes(child(readValue(bitsOf(child(key, 1, Tag.bits))), 0, Tag.integer).content).toString(2).length
  if (bits < MIN_RSA_BITS) throw new SmimeError('weak')
  if (bits > MAX_RSA_BITS) throw new SmimeError('tooLarge')
}

/** SEQUENCE { r, s } as r ‖ s: RFC 3279 §2.2.3, and the form of IEEE P1363 the platform wants. */
function plainEcdsa(signature: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  const pair = readValue(signature)
  const out = new Uint8Array(size * 2)
  for (const i of [0, 1]) {
    let { content } = child(pair, i, Tag.integer)
    while (content.length > 1 && content[0] === 0) content = content.subarray(1)
    if (content.length > size) return undefined
    out.set(content, size * (i + 1) - content.length)
  }
  return out
}
