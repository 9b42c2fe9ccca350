/** Who gets a message: recipients as the envelope names them become mailboxes here, destinations elsewhere, and nobody. */
import { isAscii } from 'node:buffer'
import type { Directory, MailboxEntry, QueueRecipient } from '@postrider/domain'
import { asciiDomain, parseMailbox } from '@postrider/wire/smtp'
import { domainOf } from '../core.ts'

/** Queue destinations that are no domain. */
export const LOCAL = '[local]'
/** To be planned again from the start: reports and automatic replies. */
export const ROUTE = '[route]'

export interface LocalTarget {
  readonly entry: MailboxEntry
  readonly recipient: QueueRecipient
}

export interface Plan {
  readonly local: readonly LocalTarget[]
  /** By destination domain (A-labels). */
  readonly remote: ReadonlyMap<string, readonly QueueRecipient[]>
  readonly unknown: readonly QueueRecipient[]
  /** Groups whose sender wants to hear of success: of the group, not of its members. */
  readonly expanded: readonly QueueRecipient[]
}

/**
 * Expands aliases, groups and forwarding; every mailbox and outside address once, the first mention counts. A recipient keeps what its
 * sender asked for (NOTIFY, ORCPT), and by default its original address, so that a report names what the sender wrote.
 */
export function planRecipients(recipients: readonly QueueRecipient[], directory: Directory): Plan {
  const local = new Map<string, LocalTarget>()
  const remote = new Map<string, Map<string, QueueRecipient>>()
  const unknown: QueueRecipient[] = []
  const expanded: QueueRecipient[] = []
  for (const recipient of recipients) {
    const expansion = directory.expand([recipient.address])
    const notify = notifyOfMembers(recipient, directory)
    if (notify !== recipient.notify) expanded.push(recipient)
    const derived = (address: string): QueueRecipient => ({
      address,
      notify,
      originalRecipient:
        recipient.originalRecipient ??
        (address.toLowerCase() === recipient.address.toLowerCase() ? undefined : originalRecipient(recipient.address)),
    })
    for (const entry of expansion.mailboxes)
      if (!local.has(entry.account)) local.set(entry.account, { entry, recipient: derived(entry.address) })
    for (const address of expansion.outside) {
      const destination = destinationOf(address)
      if (destination === undefined) {
        unknown.push(derived(address))
        continue
      }
      const there = remote.get(destination) ?? new Map<string, QueueRecipient>()
      remote.set(destination, there)
      if (!there.has(address.toLowerCase())) there.set(address.toLowerCase(), derived(address))
    }
    // A stale member of a group is the group owner's business; an address the sender wrote is the sender's.
    for (const address of expansion.unknown)
      if (address.toLowerCase() === recipient.address.toLowerCase()) unknown.push(recipient)
  }
  return {
    local: [...local.values()],
    remote: new Map([...remote].map(([destination, there]) => [destination, [...there.values()]])),
    unknown,
    expanded,
  }
}

/**
 * RFC 3461 §5.2.7.3, RFC 3464 §2.3.3 (expanded): that a group took the mail is said once, and no success of a member. Who is in it is nobody's
 * business but the group's.
 */
function notifyOfMembers({ address, notify }: QueueRecipient, directory: Directory): QueueRecipient['notify'] {
  if (notify?.includes('success') !== true || directory.resolve(address).kind !== 'group') return notify
  const rest = notify.filter((one) => one !== 'success')
  return rest.length === 0 ? ['never'] : rest
}

/** The ORCPT value of an address: RFC 3461 §4.2, RFC 6533 §3. */
function originalRecipient(address: string): string {
  return `${isAscii(Buffer.from(address)) ? 'rfc822' : 'utf-8'};${address}`
}

function destinationOf(address: string): string | undefined {
  const mailbox = parseMailbox(address)
  return mailbox === undefined ? undefined : asciiDomain(domainOf(mailbox.address))
}
