import { context, integer, joined, octets, oid, none, sequence, setOf, small, Tag, time, value } from './der.ts'
import { Oid } from './oids.ts'
import type { OwnKey } from './own-key.ts'

/** Making signatures: RFC 5652 §5, RFC 8551 §2.5. */

const digestOid = { 'SHA-256': Oid.sha256, 'SHA-384': Oid.sha384, 'SHA-512': Oid.sha512 } as const
const ecdsaOid = { 'SHA-256': Oid.sha256Ecdsa, 'SHA-384': Oid.sha384Ecdsa, 'SHA-512': Oid.sha512Ecdsa } as const

/** What we can open, the best first: RFC 8551 §2.5.2. */
const capabilities = sequence(
  ...[Oid.aes256Gcm, Oid.aes128Gcm, Oid.aes256Cbc, Oid.aes128Cbc].map((one) => sequence(oid(one))),
)

/** A signature over `content`, which stays outside (multipart/signed, RFC 8551 §3.5.3). */
export async function signDetached(
  content: Uint8Array<ArrayBuffer>,
  key: OwnKey,
  now: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { certificate, others, kind, hash } = key
  const attribute = (id: string, inside: Uint8Array): Uint8Array => sequence(oid(id), value(Tag.set, inside))
  const digest = new Uint8Array(await crypto.subtle.digest(hash, content))
  const attributes = setOf(Tag.set, [
    attribute(Oid.contentType, oid(Oid.data)),
    attribute(Oid.signingTime, time(now)),
    attribute(Oid.messageDigest, octets(digest)),
    attribute(Oid.smimeCapabilities, capabilities),
  ])
  const how = kind === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5' } : { name: 'ECDSA', hash }
  const made = new Uint8Array(await crypto.subtle.sign(how, key.sign, attributes))
  const algorithm = kind === 'rsa' ? sequence(oid(Oid.rsa), none) : sequence(oid(ecdsaOid[hash]))
  const digestAlgorithm = sequence(oid(digestOid[hash]), ...(kind === 'rsa' ? [none] : []))
  const signer = sequence(
    small(1),
    sequence(certificate.issuer, value(Tag.integer, certificate.serial)),
    digestAlgorithm,
    // The same octets under the tag of an implicit [0].
    joined(Uint8Array.of(context(0)), attributes.subarray(1)),
    algorithm,
    octets(kind === 'rsa' ? made : derEcdsa(made)),
  )
  return sequence(
    oid(Oid.signedData),
    value(
      context(0),
      sequence(
        small(1),
        value(Tag.set, digestAlgorithm),
        sequence(oid(Oid.data)),
        setOf(
          context(0),
          [certificate, ...others].map(({ bytes }) => bytes),
        ),
        value(Tag.set, signer),
      ),
    ),
  )
}

/** r ‖ s as SEQUENCE { r, s }. */
const derEcdsa = (plain: Uint8Array): Uint8Array =>
  sequence(integer(plain.subarray(0, plain.length / 2)), integer(plain.subarray(plain.length / 2)))
