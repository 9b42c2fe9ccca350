import { asBuffer } from './bytes.ts'

/** Content-Transfer-Encoding: RFC 2045 §6. Every decoder is tolerant and linear: damaged input gives what can be read. */

const HEX = new Int8Array(256).fill(-1)
for (let i = 0; i < 10; i++) HEX[48 + i] = i
for (let i = 0; i < 6; i++) {
  HEX[65 + i] = 10 + i
  HEX[97 + i] = 10 + i
}

const B64 = new Int8Array(256).fill(-1)
for (let i = 0; i < 64; i++) B64['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(i)] = i
// Some mailers use the alphabet of RFC 4648 §5.
B64[45] = 62
B64[95] = 63

/**
 * Base64: characters outside the alphabet are skipped; padding ends a quantum, so that encoded blocks glued together decode too.
 */
export function decodeBase64(bytes: Uint8Array): Uint8Array {
  const padding = asBuffer(bytes).indexOf(61)
  if (padding < 0 || isPaddingTail(bytes, padding)) return Buffer.from(asBuffer(bytes).toString('latin1'), 'base64')
  const out = Buffer.allocUnsafe(Math.floor((bytes.length * 3) / 4) + 3)
  let size = 0
  let held = 0
  let count = 0
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    const value = B64[c]!
    if (value >= 0) {
      held = (held << 6) | value
      if (++count === 4) {
        out[size++] = held >> 16
        out[size++] = held >> 8
        out[size++] = held
        held = 0
        count = 0
      }
    } else if (c === 61 && count > 0) {
      size = flushQuantum(out, size, held, count)
      held = 0
      count = 0
    }
  }
  size = flushQuantum(out, size, held, count)
  return out.subarray(0, size)
}

/** True if nothing but padding and white space follows: then the platform's decoder does the same, faster. */
function isPaddingTail(bytes: Uint8Array, start: number): boolean {
  for (let i = start; i < bytes.length; i++) {
    const c = bytes[i]!
    if (c > 32 && c !== 61) return false
  }
  return true
}

function flushQuantum(out: Uint8Array, at: number, held: number, count: number): number {
  let size = at
  if (count === 2) out[size++] = held >> 4
  else if (count === 3) {
    out[size++] = held >> 10
    out[size++] = held >> 2
  }
  return size
}

/** Base64 in lines of 76 characters ending in CRLF: RFC 2045 §6.8. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const text = asBuffer(bytes).toString('base64')
  const lines = Math.ceil(text.length / 76)
  const out = Buffer.allocUnsafe(text.length + lines * 2)
  let at = 0
  for (let i = 0; i < text.length; i += 76) {
    at += out.write(text.slice(i, i + 76), at, 'latin1')
    out[at++] = 13
    out[at++] = 10
  }
  return out
}

/**
 * Quoted-printable: RFC 2045 §6.7. White space before a line end is dropped (rule 3), an `=` that starts no valid escape stays
 * as it is; line ends are kept as they came.
 */
export function decodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(bytes.length)
  let size = 0
  // Bytes before `kept` came from an escape: encoded white space at a line end stays.
  let kept = 0
  let i = 0
  while (i < bytes.length) {
    const c = bytes[i]!
    if (c === 61) {
      const high = HEX[bytes[i + 1] ?? 0]!
      const low = HEX[bytes[i + 2] ?? 0]!
      if (high >= 0 && low >= 0) {
        out[size++] = (high << 4) | low
        kept = size
        i += 3
        continue
      }
      const softEnd = softBreak(bytes, i + 1)
      if (softEnd > 0) {
        i = softEnd
        kept = size
        continue
      }
    } else if (c === 10) {
      const carriage = size > kept && out[size - 1] === 13
      if (carriage) size--
      while (size > kept && (out[size - 1] === 32 || out[size - 1] === 9)) size--
      if (carriage) out[size++] = 13
      out[size++] = 10
      kept = size
      i++
      continue
    }
    out[size++] = c
    i++
  }
  return out.subarray(0, size)
}

/** The offset behind a soft line break whose `=` stands before `at`, 0 if there is none. */
function softBreak(bytes: Uint8Array, at: number): number {
  let i = at
  // Bounded: a run of blanks longer than a line is no soft break, and must not be walked again and again.
  while (i < bytes.length && i - at < 80 && (bytes[i] === 32 || bytes[i] === 9)) i++
  if (i >= bytes.length) return i
  if (bytes[i] === 13) i++
  if (i >= bytes.length) return i
  return bytes[i] === 10 ? i + 1 : 0
}

/**
 * Quoted-printable with lines of at most 76 characters and CRLF line ends: RFC 2045 §6.7. With `binary` every CR and LF that is
 * no CRLF pair is written as an escape; a bare LF of text counts as a line end. A dot or "From " at a line start is escaped, so that the
 * text survives SMTP and mbox unchanged (RFC 2049 §3).
 */
export function encodeQuotedPrintable(bytes: Uint8Array, binary = false): Uint8Array {
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil((bytes.length * 3) / 72) * 3 + 8)
  let size = 0
  let column = 0
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    const next = bytes[i + 1]
    if (c === 13 && next === 10) {
      out[size++] = 13
      out[size++] = 10
      column = 0
      i++
      continue
    }
    if (c === 10 && !binary) {
      out[size++] = 13
      out[size++] = 10
      column = 0
      continue
    }
    const lineEnd = next === undefined || next === 10 || (next === 13 && bytes[i + 2] === 10)
    let escaped = c > 126 || c === 61 || (c < 32 && c !== 9) || ((c === 32 || c === 9) && lineEnd)
    // A dot or the "Fro" of an mbox separator must not begin a line.
    const risky = c === 46 || (c === 70 && next === 114 && bytes[i + 2] === 111)
    if (column === 0 && risky) escaped = true
    const width = escaped ? 3 : 1
    // The last character of a line may stand where a soft break's `=` would.
    if (column + width > (lineEnd ? 76 : 75)) {
      out[size++] = 61
      out[size++] = 13
      out[size++] = 10
      column = 0
      if (risky) escaped = true
    }
    if (escaped) {
      out[size++] = 61
      out[size++] = hexDigit(c >> 4)
      out[size++] = hexDigit(c & 15)
      column += 3
    } else {
      out[size++] = c
      column++
    }
  }
  return out.subarray(0, size)
}

function hexDigit(value: number): number {
  return value < 10 ? 48 + value : 55 + value
}

/** UUencoded files: lines between "begin" and "end"; without a begin line, every line is tried. */
export function decodeUuencode(bytes: Uint8Array): Uint8Array {
  const buffer = asBuffer(bytes)
  const out = Buffer.allocUnsafe(bytes.length + 3)
  let size = 0
  let at = 0
  let started = !buffer.includes('begin ')
  while (at < buffer.length) {
    let next = buffer.indexOf(10, at)
    if (next < 0) next = buffer.length
    const end = next > at && buffer[next - 1] === 13 ? next - 1 : next
    if (!started) started = buffer.toString('latin1', at, Math.min(end, at + 6)) === 'begin '
    else if (end - at === 3 && buffer.toString('latin1', at, end) === 'end') break
    else if (end > at) {
      const length = (buffer[at]! - 32) & 63
      const stop = Math.min(size + length, out.length)
      for (let i = at + 1; i < end && size < stop; i += 4) {
        const a = uuValue(buffer, i, end)
        const b = uuValue(buffer, i + 1, end)
        const c = uuValue(buffer, i + 2, end)
        const d = uuValue(buffer, i + 3, end)
        if (size < stop) out[size++] = (a << 2) | (b >> 4)
        if (size < stop) out[size++] = (b << 4) | (c >> 2)
        if (size < stop) out[size++] = (c << 6) | d
      }
    }
    at = next + 1
  }
  return out.subarray(0, size)
}

function uuValue(bytes: Uint8Array, at: number, end: number): number {
  return at < end ? (bytes[at]! - 32) & 63 : 0
}

/**
 * The decoded body of an encoding name; identity encodings (7bit, 8bit, binary) and unknown names give the bytes as they are
 * (RFC 2045 §6.4), without a copy.
 */
export function decodeTransfer(bytes: Uint8Array, encoding: string): Uint8Array {
  switch (encoding.toLowerCase()) {
    case 'base64':
      return decodeBase64(bytes)
    case 'quoted-printable':
      return decodeQuotedPrintable(bytes)
    case 'x-uuencode':
    case 'uuencode':
    case 'x-uue':
      return decodeUuencode(bytes)
    default:
      return bytes
  }
}

/** True if decodeTransfer understands this encoding (identity included): FETCH BINARY answers UNKNOWN-CTE otherwise (RFC 3516). */
export function isKnownEncoding(encoding: string): boolean {
  return /^(7bit|8bit|binary|base64|quoted-printable|x-uuencode|uuencode|x-uue)$/i.test(encoding)
}
