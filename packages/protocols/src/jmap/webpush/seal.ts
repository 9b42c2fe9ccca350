/** A message for one browser only: RFC 8291 (Message Encryption for Web Push) over RFC 8188 (aes128gcm), one record. */
import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'

/** What the browser gave us: its public key and its secret, base64url. RFC 8620 §7.2 `keys`. */
export interface PushKeys {
  readonly p256dh: string
  readonly auth: string
}

const PUBLIC_BYTES = 65
const AUTH_BYTES = 16
const SALT_BYTES = 16
const TAG_BYTES = 16
const RECORD_SIZE = 4_096
/** Text that fits into what push services must take: RFC 8291 §4. */
export const MAX_PUSHED = RECORD_SIZE - SALT_BYTES - 4 - 1 - PUBLIC_BYTES - TAG_BYTES - 1

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64url')

/** Whether these can be keys: an uncompressed point of P-256, sixteen bytes. */
export function keysValid({ p256dh, auth }: PushKeys): boolean {
  const point = bytesOf(p256dh)
  if (point.length !== PUBLIC_BYTES || point[0] !== 4 || bytesOf(auth).length !== AUTH_BYTES) return false
  try {
    const own = createECDH('prime256v1')
    own.generateKeys()
    own.computeSecret(point)
    return true
  } catch {
    return false
  }
}

/** `fixed` is for the test vector of RFC 8291 §5. Throws RangeError for a text that does not fit. */
export function seal(
  text: Uint8Array,
  keys: PushKeys,
  fixed?: { readonly salt: Uint8Array; readonly privateKey: Uint8Array },
): Buffer {
  if (text.length > MAX_PUSHED) throw new RangeError(`${text.length} bytes do not fit into a push`)
  const receiver = bytesOf(keys.p256dh)
  const sender = createECDH('prime256v1')
  if (fixed === undefined) sender.generateKeys()
  else sender.setPrivateKey(fixed.privateKey)
  const salt = fixed?.salt ?? randomBytes(SALT_BYTES)
  const own = sender.getPublicKey()
  const derive = (key: Uint8Array, with_: Uint8Array, info: Uint8Array, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, with_, info, length))
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), receiver, own])
  const material = derive(sender.computeSecret(receiver), bytesOf(keys.auth), info, 32)
  const key = derive(material, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(material, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  // The delimiter of the last record: RFC 8188 §2.
  const sealed = Buffer.concat([
    cipher.update(text),
    cipher.update(Buffer.from([2])),
    cipher.final(),
    cipher.getAuthTag(),
  ])
  const size = Buffer.alloc(5)
  size.writeUInt32BE(RECORD_SIZE)
  size[4] = own.length
  return Buffer.concat([salt, size, own, sealed])
}
