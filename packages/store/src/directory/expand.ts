import type { Expansion, GroupEntry, MailboxEntry, Resolution } from '@postrider/domain'
import { addressKey } from './address.ts'

/** Groups inside groups, and forwarding, up to here; deeper ones are cut. */
export const MAX_EXPANSION_DEPTH = 32

/**
 * Who really gets a mail: aliases, nested groups and forwarding resolved, every mailbox and address once. Forwarding in a circle would
 * lose the mail, so the mailbox at which the circle closes keeps it.
 */
export function expandAddresses(addresses: readonly string[], resolve: (address: string) => Resolution): Expansion {
  const [only = ''] = addresses
  if (addresses.length === 1) {
    const found = resolve(only)
    // Nearly every mail.
    if (found.kind === 'mailbox' && found.entry.forwardTo === undefined)
      return { mailboxes: [found.entry], outside: [], unknown: [] }
  }
  const mailboxes = new Map<string, MailboxEntry>()
  const outside = new Map<string, string>()
  const unknown = new Map<string, string>()
  const groupsDone = new Set<string>()
  const forwarding = new Set<string>()
  const forwarded = new Set<string>()

  /** Answers false when the mail would go nowhere by this way because the way leads back into itself. */
  const mailbox = (entry: MailboxEntry, depth: number): boolean => {
    if (forwarding.has(entry.account)) return false
    if (mailboxes.has(entry.account) || forwarded.has(entry.account)) return true
    // A forwarding address of ours that is gone must not bounce mail that has a mailbox to stay in.
    const broken = entry.forwardTo !== undefined && resolve(entry.forwardTo).kind === 'unknown'
    if (entry.forwardTo === undefined || broken || depth >= MAX_EXPANSION_DEPTH) {
      mailboxes.set(entry.account, entry)
      return true
    }
    forwarding.add(entry.account)
    const goesOn = visit(entry.forwardTo, depth + 1)
    forwarding.delete(entry.account)
    if (goesOn) forwarded.add(entry.account)
    if (!goesOn || entry.deliverAndForward) mailboxes.set(entry.account, entry)
    return true
  }
  const group = (entry: GroupEntry, depth: number): boolean => {
    if (groupsDone.has(entry.id)) return true
    groupsDone.add(entry.id)
    if (depth < MAX_EXPANSION_DEPTH) for (const member of entry.members) visit(member, depth + 1)
    return true
  }
  const visit = (address: string, depth: number): boolean => {
    const found = resolve(address)
    if (found.kind === 'mailbox') return mailbox(found.entry, depth)
    if (found.kind === 'group') return group(found.entry, depth)
    const kind = found.kind === 'unknown' ? unknown : outside
    kind.set(addressKey(address) || address, address)
    return found.kind === 'outside'
  }
  for (const address of addresses) visit(address, 0)
  return { mailboxes: [...mailboxes.values()], outside: [...outside.values()], unknown: [...unknown.values()] }
}
