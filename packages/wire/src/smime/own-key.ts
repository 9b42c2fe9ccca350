import type { Certificate } from './certificate.ts'
import { child, copy, oidOf, readValue, SmimeError, Tag } from './der.ts'
import { curves, type Hash, Oid } from './oids.ts'

/** A person's own key with its certificate, and what issued that. */
export interface KeyFile {
  /** PrivateKeyInfo: RFC 5958. */
  readonly pkcs8: Uint8Array<ArrayBuffer>
  readonly certificate: Certificate
  readonly others: readonly Certificate[]
}

/** The same, ready for use. `sign` and `derive` cannot be read out again; `pkcs8` is there for RSA alone, whose old padding the platform does not have. */
export interface OwnKey {
  readonly certificate: Certificate
  readonly others: readonly Certificate[]
  readonly kind: 'rsa' | 'ec'
  readonly curve: 'P-256' | 'P-384' | 'P-521' | undefined
  readonly hash: Exclude<Hash, 'SHA-1'>
  readonly sign: CryptoKey
  readonly derive: CryptoKey | undefined
  readonly oaep: readonly (readonly [Hash, CryptoKey])[]
  readonly pkcs8: Uint8Array<ArrayBuffer> | undefined
}

const hashOf = { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512' } as const

/** Makes it ready. Throws SmimeError: `unsupported`. */
export async function openKey({ pkcs8, certificate, others }: KeyFile): Promise<OwnKey> {
  const algorithm = child(readValue(pkcs8), 1, Tag.sequence)
  const id = oidOf(child(algorithm, 0))
  const { subtle } = crypto
  const common = { certificate, others }
  try {
    if (id === Oid.rsa) {
      const sign = await subtle.importKey('pkcs8', pkcs8, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, [
        'sign',
      ])
      const oaep: (readonly [Hash, CryptoKey])[] = []
      for (const hash of ['SHA-1', 'SHA-256'] as const)
        oaep.push([hash, await subtle.importKey('pkcs8', pkcs8, { name: 'RSA-OAEP', hash }, false, ['decrypt'])])
      return { ...common, kind: 'rsa', curve: undefined, hash: 'SHA-256', sign, derive: undefined, oaep, pkcs8 }
    }
    const curve = id === Oid.ecKey ? curves.get(oidOf(child(algorithm, 1))) : undefined
    if (curve === undefined) throw new SmimeError('unsupported')
    const sign = await subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: curve }, false, ['sign'])
    const derive = await subtle.importKey('pkcs8', pkcs8, { name: 'ECDH', namedCurve: curve }, false, ['deriveBits'])
    return { ...common, kind: 'ec', curve, hash: hashOf[curve], sign, derive, oaep: [], pkcs8: undefined }
  } catch (error) {
    throw error instanceof SmimeError ? error : new SmimeError('unsupported')
  }
}

/** Whether the private key is that of the certificate: what one makes the other understands. */
export async function belongs(key: OwnKey): Promise<boolean> {
  const { certificate, kind, curve, hash, sign } = key
  const probe = crypto.getRandomValues(new Uint8Array(32))
  const how =
    kind === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve: curve as string, hash }
  try {
    const open = await crypto.subtle.importKey('spki', copy(certificate.key.whole), how, false, ['verify'])
    return await crypto.subtle.verify(how, open, await crypto.subtle.sign(how, sign, probe), probe)
  } catch {
    return false
  }
}
