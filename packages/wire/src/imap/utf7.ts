/**
 * Modified UTF-7, the coding of mailbox names before UTF-8 was allowed: RFC 3501 §5.1.3, RFC 9051 appendix A.1.
 * Printable ASCII stands for itself, `&` is `&-`, everything else is `&` base64(UTF-16BE) `-` with `,` for `/`.
 */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,'
const values = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i

/** Writes a name in modified UTF-7. Lone surrogates are written as they are. */
export function encodeUtf7(name: string): string {
  let out = ''
  let bits = 0
  let count = 0
  let open = false
  const close = (): void => {
    if (!open) return
    if (count > 0) out += alphabet[(bits << (6 - count)) & 63]
    out += '-'
    bits = 0
    count = 0
    open = false
  }
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    if (unit >= 0x20 && unit <= 0x7e) {
      close()
      out += unit === 0x26 ? '&-' : String.fromCharCode(unit)
      continue
    }
    if (!open) {
      out += '&'
      open = true
    }
    bits = ((bits & 0x3f) << 16) | unit
    count += 16
    while (count >= 6) {
      count -= 6
      out += alphabet[(bits >>> count) & 63]
    }
    bits &= (1 << count) - 1
  }
  close()
  return out
}

/** Reads modified UTF-7; undefined when the bytes are not modified UTF-7 as RFC 3501 demands it. */
export function decodeUtf7(text: string): string | undefined {
  let out = ''
  let i = 0
  while (i < text.length) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return undefined
    if (code !== 0x26) {
      out += text[i++]
      continue
    }
    const end = text.indexOf('-', i)
    if (end < 0) return undefined
    if (end === i + 1) {
      out += '&'
    } else {
      const run = decodeRun(text, i + 1, end)
      if (run === undefined) return undefined
      out += run
    }
    i = end + 1
  }
  return out
}

function decodeRun(text: string, from: number, to: number): string | undefined {
  let bits = 0
  let count = 0
  let out = ''
  for (let i = from; i < to; i++) {
    const value = values[text.charCodeAt(i) & 0x7f] as number
    if (value < 0 || text.charCodeAt(i) > 0x7f) return undefined
    bits = (bits << 6) | value
    count += 6
    if (count >= 16) {
      count -= 16
      const unit = (bits >>> count) & 0xffff
      if (unit >= 0x20 && unit <= 0x7e) return undefined
      out += String.fromCharCode(unit)
      bits &= (1 << count) - 1
    }
  }
  return count >= 6 || bits !== 0 ? undefined : out
}
