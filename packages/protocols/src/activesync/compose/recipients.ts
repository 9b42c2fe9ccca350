/** Who a mail goes to: the addresses of To, Cc and Bcc, names looked up in the address list. */
import type { Directory } from '@postrider/domain'
import {
  type AddressItem,
  cleanAddress,
  type HeaderFields,
  type MailAddress,
  parseAddressList,
} from '@postrider/wire/mime'

export const recipientFields = ['to', 'cc', 'bcc'] as const

export type RecipientsResult =
  | {
      readonly ok: true
      /** Envelope recipients, each once, in the order of the message. */
      readonly addresses: readonly string[]
      /** Fields in which a name was replaced by its address, to be written anew. */
      readonly rewritten: ReadonlyMap<(typeof recipientFields)[number], readonly AddressItem[]>
    }
  /** What is no address and no name of exactly one person: MS-ASCMD_R4844. */
  | { readonly ok: false; readonly unresolved: string }

/** Reads the recipients of a header. */
export function recipientsOfHeader(header: HeaderFields, directory: Directory): RecipientsResult {
  const addresses = new Map<string, string>()
  const rewritten = new Map<(typeof recipientFields)[number], readonly AddressItem[]>()
  for (const field of recipientFields) {
    const items = header.all(field).flatMap((value) => parseAddressList(value))
    const result = resolveAll(items, directory)
    if (!result.ok) return result
    if (result.changed) rewritten.set(field, result.items)
    for (const address of result.addresses) addresses.set(address.toLowerCase(), address)
  }
  return { ok: true, addresses: [...addresses.values()], rewritten }
}

type Resolved =
  | {
      readonly ok: true
      readonly items: readonly AddressItem[]
      readonly addresses: readonly string[]
      readonly changed: boolean
    }
  | { readonly ok: false; readonly unresolved: string }

/** Resolves a list; a group without members ("undisclosed-recipients:;") is no recipient. */
export function resolveAll(items: readonly AddressItem[], directory: Directory): Resolved {
  const addresses: string[] = []
  const out: AddressItem[] = []
  let changed = false
  for (const item of items) {
    if (item.kind === 'group') {
      const members = resolveAll(item.members, directory)
      if (!members.ok) return members
      addresses.push(...members.addresses)
      out.push(item)
      continue
    }
    const address = item.address === '' ? undefined : cleanAddress(item.address)
    if (address !== undefined) {
      addresses.push(address)
      out.push(item)
      continue
    }
    const found = lookUp(item.name || item.local, directory)
    if (found === undefined) return { ok: false, unresolved: item.name || item.address }
    addresses.push(found.address)
    out.push(found)
    changed = true
  }
  return { ok: true, items: out, addresses, changed }
}

/** The one entry of the address list that a name means. */
function lookUp(name: string, directory: Directory): MailAddress | undefined {
  if (name.trim() === '') return undefined
  const { total, entries } = directory.find(name.trim(), 2)
  const [entry] = entries
  if (total !== 1 || entry === undefined) return undefined
  const at = entry.address.lastIndexOf('@')
  return {
    kind: 'mailbox',
    name: entry.displayName,
    address: entry.address,
    local: entry.address.slice(0, at),
    domain: entry.address.slice(at + 1),
  }
}
