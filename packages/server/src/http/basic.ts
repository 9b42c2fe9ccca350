import type { LoginAttempt } from '@postrider/domain'

/** Longest Authorization header looked at. */
const MAX_HEADER = 8_192

/**
 * Login and password of an `Authorization: Basic` header (RFC 7617): UTF-8, or Latin-1 as older phones send it. Undefined when there is
 * none that can be read.
 */
export function readBasic(header: string | undefined): Pick<LoginAttempt, 'login' | 'password'> | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined
  const match = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header)
  if (match === null) return undefined
  const bytes = Buffer.from(match[1]!, 'base64')
  const text = isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { login: text.slice(0, colon), password: text.slice(colon + 1) }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** The challenge: RFC 7617 §2.1. The realm is the host's name and stays the same, or devices forget the password. */
export const challenge = (realm: string): string =>
  `Basic realm="${realm.replace(/["\\\u0000-\u001f\u007f]/g, '')}", charset="UTF-8"`
