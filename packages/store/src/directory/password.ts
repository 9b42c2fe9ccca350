import { argon2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/**
 * Password hashes in PHC string form. New ones are argon2id (RFC 9106) with the parameters OWASP recommends; scrypt
 * (RFC 7914) where the runtime has no argon2. Old parameters stay readable: the string says them.
 */
export interface HashCost {
  /** KiB. */
  readonly memory: number
  readonly passes: number
}
export const defaultHashCost: HashCost = { memory: 19_456, passes: 2 }

const SALT_BYTES = 16
const TAG_BYTES = 32
const SCRYPT = { N: 2 ** 15, r: 8, p: 1 } as const
/** A hash string that asks for more than this is corrupt or hostile. KiB and passes. */
const MAX_MEMORY = 1_048_576
const MAX_PASSES = 64

const hasArgon2 = typeof argon2 === 'function'
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** NFC, as RFC 8265 §4.2 (OpaqueString) has it; non-ASCII spaces become U+0020. */
export const normalPassword = (password: string): string =>
  password.replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ').normalize('NFC')

function argon2id(password: string, salt: Uint8Array, cost: HashCost, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parameters = { message: normalPassword(password), nonce: salt, parallelism: 1, tagLength: length, ...cost }
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)))
  })
}
function scryptKey(
  password: string,
  salt: Uint8Array,
  cost: { N: number; r: number; p: number },
  length: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { ...cost, maxmem: 256 * cost.N * cost.r }
    scrypt(normalPassword(password), salt, length, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

/** The string to store for a password. About 30 ms of a pool thread, not of the event loop. */
export async function hashPassword(password: string, cost: HashCost = defaultHashCost): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  if (hasArgon2) {
    const tag = await argon2id(password, salt, cost, TAG_BYTES)
    return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=1$${b64(salt)}$${b64(tag)}`
  }
  const key = await scryptKey(password, salt, SCRYPT, TAG_BYTES)
  return `$scrypt$ln=${Math.log2(SCRYPT.N)},r=${SCRYPT.r},p=${SCRYPT.p}$${b64(salt)}$${b64(key)}`
}

const ARGON = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=1\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const SCRYPT_FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** Whether the password gives this hash. A hash of unknown form is false, never an error. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const argon = ARGON.exec(hash)
  if (argon !== null && hasArgon2) {
    const [, memory = '', passes = '', salt = '', tag = ''] = argon
    const cost = { memory: Number(memory), passes: Number(passes) }
    if (cost.memory < 8 || cost.memory > MAX_MEMORY || cost.passes < 1 || cost.passes > MAX_PASSES) return false
    const expected = Buffer.from(tag, 'base64')
    return timingSafeEqual(expected, await argon2id(password, Buffer.from(salt, 'base64'), cost, expected.length))
  }
  const key = SCRYPT_FORM.exec(hash)
  if (key === null) return false
  const [, ln = '', r = '', p = '', salt = '', tag = ''] = key
  if (Number(ln) > 20 || Number(ln) < 1 || Number(r) < 1 || Number(p) < 1) return false
  const expected = Buffer.from(tag, 'base64')
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
  return timingSafeEqual(expected, await scryptKey(password, Buffer.from(salt, 'base64'), cost, expected.length))
}

/** True when the hash should be made anew at the next login: other algorithm or other cost than new ones get. */
export function hashIsOld(hash: string, cost: HashCost = defaultHashCost): boolean {
  return hasArgon2 && !hash.startsWith(`$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=1$`)
}
