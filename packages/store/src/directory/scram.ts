import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import type { ScramKeys } from '@postrider/domain'

/** One number for all accounts, made-up ones too: a different count would tell who exists. RFC 7677 §4 asks for at least 4096. */
export const SCRAM_ITERATIONS = 50_000
const SALT_BYTES = 16

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** RFC 5802 §3 with SHA-256: what the server keeps of a password; the password itself cannot be computed from it. */
export async function scramKeys(password: string, salt: Uint8Array = randomBytes(SALT_BYTES)): Promise<ScramKeys> {
  const salted = await new Promise<Buffer>((resolve, reject) => {
    // SASLprep's normalisation is NFKC (RFC 4013 §2.2).
    pbkdf2(password.normalize('NFKC'), salt, SCRAM_ITERATIONS, 32, 'sha256', (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
  return {
    salt,
    iterations: SCRAM_ITERATIONS,
    storedKey: createHash('sha256').update(hmac(salted, 'Client Key')).digest(),
    serverKey: hmac(salted, 'Server Key'),
  }
}

/** Keys for a login nobody has: the same for the same login for ever, and no password fits them. */
export function inventedScramKeys(secret: Uint8Array, login: string): ScramKeys {
  return {
    salt: hmac(secret, `scram salt ${login}`).subarray(0, SALT_BYTES),
    iterations: SCRAM_ITERATIONS,
    storedKey: hmac(secret, `scram stored ${login}`),
    serverKey: hmac(secret, `scram server ${login}`),
  }
}
