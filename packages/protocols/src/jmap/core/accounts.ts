/** The accounts of a user: RFC 8620 §1.6.2. The own mailbox, and those the user has FullAccess to or is shown folders of. */
import { DomainError, type Directory, type MailboxEntry, type MailboxHandle, type Principal } from '@postrider/domain'
import type { JmapParts } from '../parts.ts'
import { accountIdOf, readAccountId } from './ids.ts'

export interface Account {
  readonly id: string
  readonly entry: MailboxEntry
  readonly handle: MailboxHandle
  /** The user's own mailbox. */
  readonly personal: boolean
}

/** The mailboxes that are listed for a user: the own one first. Folders shared singly are not looked for; their account works by its id. */
export function listedMailboxes(directory: Directory, principal: Principal): MailboxEntry[] {
  const own = directory.mailbox(principal.mailbox)
  const out = own === undefined ? [] : [own]
  for (const entry of directory.mailboxes())
    if (entry.mailbox !== principal.mailbox && entry.fullAccess.includes(principal.account)) out.push(entry)
  return out
}

/** Opens an account by its id, through the door; undefined when there is none, or none for this user. */
export async function openAccount(
  { door, directory }: Pick<JmapParts, 'door' | 'directory'>,
  principal: Principal,
  id: string,
): Promise<Account | undefined> {
  const mailbox = readAccountId(id)
  const entry = mailbox === undefined ? undefined : directory.mailbox(mailbox)
  if (entry === undefined) return undefined
  try {
    const handle = await door.open(principal, entry.mailbox)
    return { id: accountIdOf(entry.mailbox), entry, handle, personal: entry.mailbox === principal.mailbox }
  } catch (error) {
    if (error instanceof DomainError && (error.code === 'accessDenied' || error.code === 'mailboxNotFound'))
      return undefined
    throw error
  }
}
