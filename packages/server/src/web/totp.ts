import { createHmac } from 'node:crypto'

/** Time-based one-time passwords: RFC 6238 over RFC 4226, SHA-1, six digits, thirty seconds: what every authenticator app speaks. */

const STEP_MS = 30_000
const DIGITS = 6
/** Steps before and after now that are taken: a clock may be wrong by so much (RFC 6238 §5.2). */
const WINDOW = 1
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4226 §5.3. */
export function hotp(secret: Uint8Array, counter: number): string {
  const moving = Buffer.alloc(8)
  moving.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', secret).update(moving).digest()
  const number = mac.readUInt32BE(mac[mac.length - 1]! & 0xf) & 0x7fff_ffff
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0')
}

export const stepOf = (ms: number): number => Math.floor(ms / STEP_MS)

/** The step a code belongs to, later than `lastStep` (a code works once, RFC 6238 §5.2); undefined when it is wrong. Looks at every step, so that time tells nothing. */
export function totpStep(secret: Uint8Array, code: string, now: number, lastStep: number): number | undefined {
  let found: number | undefined
  for (let step = stepOf(now) - WINDOW; step <= stepOf(now) + WINDOW; step++)
    if (step >= 0 && hotp(secret, step) === code && step > lastStep) found = step
  return found
}

/** RFC 4648 §6 without padding, as authenticator apps want it. */
export function base32(bytes: Uint8Array): string {
  let out = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) out += ALPHABET[(held >> (bits - 5)) & 31]
  }
  return bits === 0 ? out : out + ALPHABET[(held << (5 - bits)) & 31]
}

/** The address that apps read from a QR code or a link. */
export const totpUri = (secret: Uint8Array, organization: string, address: string): string =>
  `otpauth://totp/${encodeURIComponent(`${organization}:${address}`)}?secret=${base32(secret)}&issuer=${encodeURIComponent(organization)}`
