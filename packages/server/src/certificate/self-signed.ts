import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { bits, boolean, der, integer, objectId, octets, sequence, set, time, utf8 } from './der.ts'

const DAY_MS = 86_400_000
/** Apple's programs refuse a server's certificate for more than 825 days, also one that its user trusts (iOS 13 and newer). */
const LIFE_MS = 820 * DAY_MS
/** Clocks of phones are wrong by hours. */
const BACKDATE_MS = DAY_MS

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))

/** 4 or 16 bytes of an IP address. */
function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const plain = address.split('%')[0] ?? ''
  const [head = '', tail] = plain.split('::')
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'))
  const front = groups(head)
  const back = groups(tail)
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  const all = [...front, ...(tail === undefined ? [] : zeros), ...back].map((group) => Number.parseInt(group, 16))
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

const pem = (label: string, bytes: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`

/**
 * A self-signed certificate (X.509 v3, RFC 5280) for P-256 and 820 days: what a server has before it gets one from an authority.
 * `names` are host names and IP addresses for subjectAltName, the first is the subject.
 */
export function selfSigned(
  names: readonly string[],
  now: number,
): { readonly certificate: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const point = spki.subarray(spki.length - 65)
  const keyId = createHash('sha1').update(point).digest()
  const subject = sequence(set(sequence(objectId('2.5.4.3'), utf8((names[0] ?? 'localhost').slice(0, 64)))))
  const alternatives = [...new Set(names)].map((name) =>
    isIP(name) === 0 ? der(0x82, Buffer.from(name, 'latin1')) : der(0x87, ipBytes(name)),
  )
  const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
    sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value))
  const extensions = sequence(
    // A phone installs it as its own authority, and Apple wants a server's certificate to say what it is for.
    extension('2.5.29.19', true, sequence(boolean(true))),
    extension('2.5.29.15', true, bits(Buffer.from([0b1000_0100]), 2)),
    extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(...alternatives)),
    extension('2.5.29.14', false, octets(keyId)),
  )
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    subject,
    sequence(time(new Date(now - BACKDATE_MS)), time(new Date(now + LIFE_MS))),
    subject,
    spki,
    der(0xa3, extensions),
  )
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, privateKey)))
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Addresses that mean nothing outside their link. */
const linkLocal = new BlockList()
linkLocal.addSubnet('fe80::', 10, 'ipv6')
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
export const usableAddress = (address: string): boolean =>
  isIP(address) !== 0 && !linkLocal.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
