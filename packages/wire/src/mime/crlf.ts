import { asBuffer } from './bytes.ts'

/**
 * The bytes with every line end as CRLF: RFC 5322 §2.3. Bare LF and bare CR become CRLF. Returns the input itself when there is nothing to
 * change. Linear.
 */
export function toCrlf(bytes: Uint8Array): Uint8Array {
  let wrong = 0
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]
    if (c === 10) wrong++
    else if (c === 13) {
      if (bytes[i + 1] === 10) i++
      else wrong++
    }
  }
  if (wrong === 0) return bytes
  const source = asBuffer(bytes)
  const out = Buffer.allocUnsafe(bytes.length + wrong)
  let size = 0
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!
    if (c === 13 || c === 10) {
      out[size++] = 13
      out[size++] = 10
      if (c === 13 && source[i + 1] === 10) i++
    } else out[size++] = c
  }
  return out.subarray(0, size)
}
