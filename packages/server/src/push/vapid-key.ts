import { createECDH, hkdfSync } from 'node:crypto'
import { Vapid } from '@postrider/protocols/jmap'
import type { SharedDirectory } from '@postrider/store/directory'

/** Order of P-256: SEC 2 §2.4.2. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/**
 * The installation's own key pair, derived from its secret, so that every process has the same one and a restored backup goes on with it:
 * browsers subscribe to its public half, another key would end every subscription.
 */
export function vapidOf(directory: Pick<SharedDirectory, 'secret' | 'domains'>): Vapid {
  // 48 bytes, so that the remainder is even to 2^-128: FIPS 186-5 A.2.1.
  const wide = Buffer.from(hkdfSync('sha256', directory.secret, '', 'postrider vapid', 48)).toString('hex')
  const scalar = Buffer.from(((BigInt(`0x${wide}`) % (ORDER - 1n)) + 1n).toString(16).padStart(64, '0'), 'hex')
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(scalar)
  const point = pair.getPublicKey()
  const part = (from: number, to: number): string => point.subarray(from, to).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: part(1, 33), y: part(33, 65), d: scalar.toString('base64url') }
  return new Vapid(jwk, () => {
    const domain = directory.domains().find(({ isDefault }) => isDefault)?.name ?? 'localhost'
    return `mailto:postmaster@${domain}`
  })
}
