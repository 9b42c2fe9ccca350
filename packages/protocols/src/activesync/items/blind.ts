/**
 * email2:ReceivedAsBcc: [MS-ASEMAIL] §2.2.2.59. The Bcc field does not travel and the envelope is not kept, so it is told by what a mail
 * that was delivered here does not say: it names the user nowhere, neither by an own address nor by a group or mailbox that leads to him.
 */
import { Flag, type Item } from '@postrider/domain'
import { type HeaderFields, mailboxesOf, parseAddressList } from '@postrider/wire/mime'
import { ownAddresses } from '../compose/sender.ts'
import type { Context } from '../context.ts'
import { recipientsOfType } from './addresses.ts'

/** Header fields this is told by. */
export const BLIND_FIELDS = ['return-path', 'list-id', 'list-post', 'precedence', 'resent-to', 'resent-cc'] as const

/** Addresses looked at; a mail to more than these is to everybody. */
const MAX_NAMED = 500

/** True for a mail from somebody else that the user got as a blind recipient: MS-ASEMAIL_R649. */
export function receivedAsBcc(context: Context, item: Item, header: HeaderFields | undefined): boolean {
  if ((item.flags & Flag.draft) !== 0) return false
  const own = ownAddresses(context)
  if (own.has(item.promoted?.fromAddress ?? '')) return false
  if (recipientsOfType(item.recipients ?? [], 3).some((one) => own.has(one.address.toLowerCase()))) return true
  return header !== undefined && wasDelivered(header) && !isNamed(context, header, own)
}

/** Every delivery writes a Return-Path; what a client stored has none. A mailing list names its members never. */
function wasDelivered(header: HeaderFields): boolean {
  if (header.has('list-id') || header.has('list-post') || /^(?:list|bulk)$/i.test(header.get('precedence') ?? '')) {
    return false
  }
  return /@/.test(header.get('return-path') ?? '')
}

function isNamed(context: Context, header: HeaderFields, own: ReadonlySet<string>): boolean {
  const named = ['to', 'cc', 'resent-to', 'resent-cc']
    .flatMap((field) => header.all(field))
    .flatMap((value) => mailboxesOf(parseAddressList(value)))
    .map((one) => one.address)
    .filter((address) => address !== '')
  if (named.length > MAX_NAMED || named.some((address) => own.has(address.toLowerCase()))) return true
  const { mailboxes } = context.deps.directory.expand(named)
  return mailboxes.some((entry) => entry.mailbox === context.principal.mailbox)
}
