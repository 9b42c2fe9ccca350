import { DirectoryError } from '@postrider/domain'
import { type HashCost, hashPassword } from './password.ts'
import { scramKeys } from './scram.ts'
import type { StoredCredential } from './tables.ts'

export const MAX_PASSWORD_BYTES = 1_024

/** What is kept of a password. Rejects with DirectoryError for one that cannot be one. */
export async function credentialOf(password: string, version: number, cost: HashCost): Promise<StoredCredential> {
  if (password === '')
    throw new DirectoryError('invalid', {
      en: 'The password must not be empty.',
      fr: 'Le mot de passe ne doit pas être vide.',
    })
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    throw new DirectoryError('invalid', {
      en: `The password must not be longer than ${MAX_PASSWORD_BYTES} bytes.`,
      fr: `Le mot de passe ne doit pas dépasser ${MAX_PASSWORD_BYTES} octets.`,
    })
  if (password.includes('\0'))
    throw new DirectoryError('invalid', {
      en: 'The password must not contain NUL.',
      fr: 'Le mot de passe ne doit pas contenir NUL.',
    })
  const [hash, scram] = await Promise.all([hashPassword(password, cost), scramKeys(password)])
  return { version, hash, scram }
}
