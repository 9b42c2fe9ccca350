import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { bits, boolean, der, integer, objectId, octets, sequence, set, time } from '../certificate/der.ts'

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
const dnsNames = (names: readonly string[]): Buffer =>
  sequence(...names.map((name) => der(0x82, Buffer.from(name, 'latin1'))))
const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value))

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A certification request (PKCS #10, RFC 2986) for names, with a new P-256 key. */
export function certificateRequest(names: readonly string[]): { readonly csr: Buffer; readonly key: string } {
  const { privateKey, publicKey } = newKey()
  const extensions = sequence(extension('2.5.29.17', false, dnsNames(names)))
  const info = sequence(
    integer(Buffer.from([0])),
    sequence(),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa0, sequence(objectId('1.2.840.113549.1.9.14'), set(extensions))),
  )
  const csr = sequence(info, ecdsaWithSha256, bits(sign('sha256', info, privateKey)))
  return { csr, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

const HOUR_MS = 3_600_000

/** The certificate that answers TLS-ALPN-01 for a name: RFC 8737 §3, with the digest of the key authorization. */
export function challengeCertificate(name: string, authorization: string, now: number): { cert: string; key: string } {
  const { privateKey, publicKey } = newKey()
  const digest = createHash('sha256').update(authorization).digest()
  const subject = sequence()
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(digest.subarray(0, 8)),
    ecdsaWithSha256,
    subject,
    sequence(time(new Date(now - 24 * HOUR_MS)), time(new Date(now + 24 * HOUR_MS))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(extension('2.5.29.17', true, dnsNames([name])), extension('1.3.6.1.5.5.7.1.31', true, octets(digest))),
    ),
  )
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, privateKey)))
  const lines = certificate.toString('base64').replace(/.{1,64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
