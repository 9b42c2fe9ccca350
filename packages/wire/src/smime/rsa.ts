import { bigOf, bigOfBytes, bitsOf, child, octetsOf, readValue, SmimeError, Tag, type Value } from './der.ts'
import { MAX_RSA_BITS, MIN_RSA_BITS } from './limits.ts'

/**
 * RSAES-PKCS1-v1_5 (RFC 8017 §7.2), which nearly all encrypted mail uses and the Web Cryptography API leaves out. Private operations are
 * blinded, and a wrong padding is answered with bytes made up from the input, not with an error (RFC 3218 §2.3.2): what follows
 * fails to decrypt, and nobody learns why.
 */

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base % modulus
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

function bytesOf(number: bigint, size: number): Uint8Array<ArrayBuffer> {
  const text = number.toString(16).padStart(size * 2, '0')
  const out = new Uint8Array(size)
  for (let i = 0; i < size; i++) out[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16)
  return out
}

const checkedSize = (modulus: bigint): number => {
  const bits = modulus.toString(2).length
  if (bits > MAX_RSA_BITS) throw new SmimeError('tooLarge')
  if (bits < MIN_RSA_BITS) throw new SmimeError('weak')
  return Math.ceil(bits / 8)
}

/** The key of a message for the holder of an RSA certificate. `key`: its SubjectPublicKeyInfo. */
export function wrapKey(key: Value, secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const numbers = readValue(bitsOf(child(key, 1, Tag.bits)))
  const modulus = bigOf(child(numbers, 0))
  const exponent = bigOf(child(numbers, 1))
  const size = checkedSize(modulus)
  const padded = new Uint8Array(size)
  padded[1] = 2
  const filler = size - secret.length - 3
  for (let i = 0; i < filler; ) {
    const [octet = 0] = crypto.getRandomValues(new Uint8Array(1))
    if (octet !== 0) padded[2 + i++] = octet
  }
  padded.set(secret, size - secret.length)
  return bytesOf(power(bigOfBytes(padded), exponent, modulus), size)
}

/** The key of a message out of what `wrapKey` made; `size`: octets it has. `pkcs8`: the private key. */
export async function unwrapKey(
  pkcs8: Uint8Array,
  wrapped: Uint8Array,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const numbers = readValue(octetsOf(child(readValue(pkcs8), 2, Tag.octets)))
  const at = (i: number): bigint => bigOf(child(numbers, i))
  const [modulus, exponent] = [at(1), at(2)]
  const [p, q, dp, dq, inverse] = [at(4), at(5), at(6), at(7), at(8)]
  const length = checkedSize(modulus)
  const input = bigOfBytes(wrapped)
  const madeUp = new Uint8Array(
    await crypto.subtle.digest(
      'SHA-512',
      Uint8Array.from([...octetsOf(child(readValue(pkcs8), 2)).subarray(-64), ...wrapped]),
    ),
  ).slice(0, size)
  if (wrapped.length !== length || input >= modulus || p * q !== modulus) return madeUp
  const blind = bigOfBytes(crypto.getRandomValues(new Uint8Array(length - 1))) | 1n
  const blinded = (input * power(blind, exponent, modulus)) % modulus
  const m1 = power(blinded, dp, p)
  const m2 = power(blinded, dq, q)
  const h = (inverse * (((m1 - m2) % p) + p)) % p
  const plain = ((m2 + h * q) * inverseOf(blind, modulus)) % modulus
  const padded = bytesOf(plain, length)
  let wrong = (padded[0] as number) | ((padded[1] as number) ^ 2) | (padded[length - size - 1] as number)
  for (let i = 2; i < length - size - 1; i++) wrong |= padded[i] === 0 ? 1 : 0
  const found = padded.slice(length - size)
  for (let i = 0; i < size; i++) found[i] = wrong === 0 ? (found[i] as number) : (madeUp[i] as number)
  return found
}

/** Extended Euclid; the two have no common divisor, or the modulus is factored. */
function inverseOf(number: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [number % modulus, modulus, 1n, 0n]
  while (a > 1n && b > 0n) {
    const quotient = a / b
    ;[a, b] = [b, a % b]
    ;[x, y] = [y, x - quotient * y]
  }
  return ((x % modulus) + modulus) % modulus
}
