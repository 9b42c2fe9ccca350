/** Charsets written in 7 bits with escapes that TextDecoder does not know: UTF-7, HZ, ISO-2022-KR. One pass each. */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE64_VALUES = new Int8Array(256).fill(-1)
for (let i = 0; i < 64; i++) BASE64_VALUES[BASE64.charCodeAt(i)] = i

/** RFC 2152. A `+` run ends at `-` or the first character outside base64; left-over bits are dropped. */
export function decodeUtf7(bytes: Uint8Array): string {
  const units: string[] = []
  let i = 0
  while (i < bytes.length) {
    const c = bytes[i++]!
    if (c !== 43) {
      units.push(c < 128 ? String.fromCharCode(c) : '\ufffd')
      continue
    }
    if (bytes[i] === 45) {
      units.push('+')
      i++
      continue
    }
    let bits = 0
    let held = 0
    while (i < bytes.length && BASE64_VALUES[bytes[i]!]! >= 0) {
      held = ((held << 6) | BASE64_VALUES[bytes[i++]!]!) & 0x3fffff
      bits += 6
      if (bits >= 16) {
        bits -= 16
        units.push(String.fromCharCode((held >> bits) & 0xffff))
      }
    }
    if (bytes[i] === 45) i++
  }
  return units.join('').toWellFormed()
}

/** RFC 1843: `~{` … `~}` holds pairs of GB 2312 with the high bit off. */
export function decodeHz(bytes: Uint8Array): string {
  const out = new Uint8Array(bytes.length)
  let size = 0
  let double = false
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    const next = bytes[i + 1]
    if (c === 126 && (next === 123 || next === 125)) {
      double = next === 123
      i++
    } else if (c === 126 && next === 126) {
      out[size++] = 126
      i++
    } else if (c === 126 && next === 10) i++
    else {
      if (c === 10) double = false
      out[size++] = double && c > 32 ? c | 128 : c
    }
  }
  return new TextDecoder('gbk').decode(out.subarray(0, size))
}

/** RFC 1557: SO and SI switch to KS C 5601 with the high bit off. */
export function decodeIso2022Kr(bytes: Uint8Array): string {
  const out = new Uint8Array(bytes.length)
  let size = 0
  let double = false
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    if (c === 27 && bytes[i + 1] === 36 && bytes[i + 2] === 41 && bytes[i + 3] === 67) i += 3
    else if (c === 14) double = true
    else if (c === 15) double = false
    else {
      if (c === 10) double = false
      out[size++] = double && c > 32 ? c | 128 : c
    }
  }
  return new TextDecoder('euc-kr').decode(out.subarray(0, size))
}
