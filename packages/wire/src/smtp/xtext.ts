/** The two encodings of DSN values: xtext (RFC 3461 §4) and utf-8-address (RFC 6533 §3). */

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/
const UTF8_XTEXT = /^(?:[!-*,-<>-[\]-~\u0080-\u{10ffff}]|\\x\{[0-9A-F]{1,6}\})*$/u

/** Decodes xtext; undefined when it is none. Octets above 127 are not allowed to come out. */
export function decodeXtext(text: string): string | undefined {
  if (!XTEXT.test(text)) return undefined
  return text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Encodes as xtext; characters beyond ASCII cannot be expressed and become "?". */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/gu, (char) => {
    const code = char.codePointAt(0)!
    return code > 127 ? '?' : `+${code.toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/** Decodes utf-8-addr-xtext or utf-8-addr-unitext; undefined when it is neither. */
export function decodeUtf8Address(text: string): string | undefined {
  if (!UTF8_XTEXT.test(text)) return undefined
  let valid = true
  const decoded = text.replace(/\\x\{([0-9A-F]{1,6})\}/g, (_, hex: string) => {
    const code = Number.parseInt(hex, 16)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) valid = false
    return valid ? String.fromCodePoint(code) : ''
  })
  return valid ? decoded : undefined
}

/** Encodes as utf-8-addr-xtext, pure ASCII. */
export function encodeUtf8Address(text: string): string {
  return text.replace(/[^!-*,-<>-[\]-~]/gu, (char) => `\\x{${char.codePointAt(0)!.toString(16).toUpperCase()}}`)
}
