/**
 * The recovery password of a device (settings:DevicePassword, [MS-ASCMD] §2.2.3.46): it opens the device's lock, so who reads the mailbox's
 * database or a backup of it must not have it. It is sealed with a key made of the installation's own secret, and bound to mailbox and device.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { MailboxId } from '@postrider/domain'
import type { DeviceRecord } from './device.ts'

const NONCE = 12
const TAG = 16

const keyOf = (secret: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', 'postrider device recovery', 32))

const owner = (mailbox: MailboxId, deviceId: string): Buffer => Buffer.from(`${mailbox}/${deviceId}`)

/** Seals a password for the record of its device. */
export function sealRecovery(secret: Uint8Array, mailbox: MailboxId, deviceId: string, password: string): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce).setAAD(owner(mailbox, deviceId))
  return Buffer.concat([nonce, cipher.update(password, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

/**
 * The recovery password of a device.
 * @returns undefined without one, and where it was sealed by another installation.
 */
export function recoveryOf(secret: Uint8Array, mailbox: MailboxId, device: DeviceRecord): string | undefined {
  // Releases before sealing kept it as it was; the device's next change of it takes that away.
  if (device.sealedPassword === undefined) return device.recoveryPassword
  const bytes = Buffer.from(device.sealedPassword, 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, NONCE))
    decipher.setAAD(owner(mailbox, device.id)).setAuthTag(bytes.subarray(-TAG))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
