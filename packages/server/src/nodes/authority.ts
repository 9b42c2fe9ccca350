import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { bits, boolean, der, integer, objectId, octets, sequence, set, time, utf8 } from '../certificate/der.ts'

const DAY_MS = 86_400_000
const AUTHORITY_MS = 20 * 365 * DAY_MS
const NODE_MS = 10 * 365 * DAY_MS
const BACKDATE_MS = DAY_MS
const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))
const SERVER_AND_CLIENT = sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2'))

export interface KeyAndCertificate {
  /** PEM */
  readonly key: string
  readonly certificate: string
}

const pem = (bytes: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
const named = (name: string): Buffer => sequence(set(sequence(objectId('2.5.4.3'), utf8(name))))
const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value))

interface Signed {
  readonly subject: string
  readonly issuer: string
  readonly signer: KeyObject | undefined
  readonly lifeMs: number
  readonly now: number
  readonly extensions: readonly Buffer[]
}

/** An X.509 v3 certificate (RFC 5280) over a new P-256 key. */
function signed({ subject, issuer, signer, lifeMs, now, extensions }: Signed): KeyAndCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const keyId = createHash('sha1')
    .update(spki.subarray(spki.length - 65))
    .digest()
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    named(issuer),
    sequence(time(new Date(now - BACKDATE_MS)), time(new Date(now + lifeMs))),
    named(subject),
    spki,
    der(0xa3, sequence(...extensions, extension('2.5.29.14', false, octets(keyId)))),
  )
  return {
    certificate: pem(sequence(body, ecdsaWithSha256, bits(sign('sha256', body, signer ?? privateKey)))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** The organisation's own authority for its nodes: it signs nothing else, and nobody else's word counts between them. */
export function makeAuthority(now: number): KeyAndCertificate {
  const name = `Postrider nodes ${randomBytes(4).toString('hex')}`
  return signed({
    subject: name,
    issuer: name,
    signer: undefined,
    lifeMs: AUTHORITY_MS,
    now,
    extensions: [
      extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.from([0])))),
      // keyCertSign
      extension('2.5.29.15', true, bits(Buffer.from([0b0000_0100]), 2)),
    ],
  })
}

/** A node's certificate: its name, for both ends of a connection. */
export function issueNode(authority: KeyAndCertificate, name: string, now: number): KeyAndCertificate {
  const issuer = /^CN=(.*)$/m.exec(new X509Certificate(authority.certificate).subject)?.[1] ?? ''
  return signed({
    subject: name,
    issuer,
    signer: createPrivateKey(authority.key),
    lifeMs: NODE_MS,
    now,
    extensions: [
      extension('2.5.29.19', true, sequence()),
      // digitalSignature
      extension('2.5.29.15', true, bits(Buffer.from([0b1000_0000]), 7)),
      extension('2.5.29.37', false, SERVER_AND_CLIENT),
      extension('2.5.29.17', false, sequence(der(0x82, Buffer.from(`${name}.postrider.invalid`, 'latin1')))),
    ],
  })
}
