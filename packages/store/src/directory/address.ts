import { domainToASCII } from 'node:url'

/** RFC 5321 §4.5.3.1: octets. */
export const MAX_LOCAL_PART = 64
export const MAX_DOMAIN = 255

/** A domain name as the key of maps: A-labels, lower case, no trailing dot. '' when it is none. */
export function domainKey(domain: string): string {
  const plain = domain.trim().replace(/\.$/, '').toLowerCase()
  if (plain === '' || plain.length > MAX_DOMAIN) return ''
  if (/^[a-z0-9.-]+$/.test(plain)) return plain
  return domainToASCII(plain)
}

/** Letters, digits and hyphens in labels of 1 to 63, RFC 1123 §2.1; a single label is allowed (`localhost`). */
export const domainValid = (key: string): boolean =>
  key !== '' &&
  key.length <= MAX_DOMAIN &&
  key.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))

/** A quoted local part without its quotes and backslashes: `"bob"` is `bob` (RFC 5321 §4.1.2). */
function unquoted(local: string): string {
  return local.length >= 2 && local.startsWith('"') && local.endsWith('"')
    ? local.slice(1, -1).replace(/\\(.)/g, '$1')
    : local
}

/** `local` folded for comparison and `domain` as key; undefined without an '@' or with an empty half. */
export function splitAddress(address: string): { readonly local: string; readonly domain: string } | undefined {
  const at = address.lastIndexOf('@')
  if (at <= 0) return undefined
  const local = unquoted(address.slice(0, at)).normalize('NFC').toLowerCase()
  const domain = domainKey(address.slice(at + 1))
  return local === '' || domain === '' ? undefined : { local, domain }
}

/** Two addresses are the same recipient when their keys are equal. '' when it is no address. */
export function addressKey(address: string): string {
  const parts = splitAddress(address)
  return parts === undefined ? '' : `${parts.local}@${parts.domain}`
}

/** An address that may be given to a recipient of ours: dot-atom of ASCII or RFC 6531 letters, and a valid domain. */
export function addressValid(address: string): boolean {
  const parts = splitAddress(address)
  if (parts === undefined || !domainValid(parts.domain)) return false
  if (Buffer.byteLength(parts.local) > MAX_LOCAL_PART) return false
  return (
    parts.local.split('.').every((atom) => /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+$/u.test(atom)) &&
    !/[\u0080-\u00a0]/.test(parts.local)
  )
}

/** As stored and shown: the local part as typed, the domain in lower case. */
export function canonicalAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at).normalize('NFC')}@${domainKey(address.slice(at + 1))}`
}
