import { domainToASCII } from 'node:url'
import { joinAddress, parseAddress, parseRawAddresses } from './address.ts'
import { isNonAscii } from './bytes.ts'
import type { AddressGroup, AddressItem, AddressLike } from './types.ts'
import { encodeWord, needsEncoding } from './words.ts'

/** Words that may stand in a phrase without quotes: RFC 5322 §3.2.3 atext and single spaces. */
const PLAIN_PHRASE = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+( [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/

/** A display name as phrase: atoms, a quoted-string, or encoded-words. Line breaks and controls become spaces. */
export function formatPhrase(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .trim()
  if (clean === '') return ''
  if (needsEncoding(clean) || clean.length > 200) return encodeWord(clean)
  return PLAIN_PHRASE.test(clean) ? clean : `"${clean.replace(/["\\]/g, '\\$&')}"`
}

/**
 * One mailbox for a header field: `Name <local@domain>`, or the bare address without a name. An address that is not valid is left out,
 * so that nothing a caller passes can add a recipient: its name becomes an empty group; '' if nothing remains. A UTF-8 domain becomes A-labels
 * (RFC 5890) unless the local part is UTF-8 too (RFC 6532).
 */
export function formatAddress(mailbox: AddressLike): string {
  const phrase = formatPhrase(mailbox.name ?? '')
  const address = wireAddress(mailbox.address)
  if (address === undefined) return phrase === '' ? '' : `${phrase}:;`
  return phrase === '' ? address : `${phrase} <${address}>`
}

/** The address as the widest range of servers takes it. */
function wireAddress(address: string): string | undefined {
  const clean = cleanAddress(address)
  if (clean === undefined || !isNonAscii(clean)) return clean
  const { local, domain } = parseAddress(clean)!
  const ascii = isNonAscii(local) ? '' : domainToASCII(domain)
  return ascii === '' ? clean : joinAddress(local, ascii)
}

/** The address in canonical form, undefined if the text is not exactly one bare address. */
export function cleanAddress(address: string): string | undefined {
  const trimmed = address.trim()
  if (trimmed === '' || /[\r\n\0]/.test(trimmed)) return undefined
  const mailbox = parseAddress(trimmed)
  if (mailbox === undefined || mailbox.name !== '') return undefined
  const raw = parseRawAddresses(trimmed)[0]
  return raw?.kind === 'mailbox' && raw.rawName === '' && raw.route === '' ? mailbox.address : undefined
}

/** A list for a header field, separated by comma and space so that folding can break it; groups are written as groups. */
export function formatAddressList(items: readonly (AddressItem | AddressLike)[]): string {
  const out: string[] = []
  for (const item of items) {
    const text = isGroup(item)
      ? `${formatPhrase(item.name) || '""'}: ${item.members.map(formatAddress).filter(Boolean).join(', ')};`
      : formatAddress(item)
    if (text !== '') out.push(text)
  }
  return out.join(', ')
}

function isGroup(item: AddressItem | AddressLike): item is AddressGroup {
  return 'kind' in item && item.kind === 'group'
}
