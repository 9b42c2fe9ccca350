/** The accounts of a user: RFC 8620 §1.6.2. The own mailbox, those with FullAccess, and those somebody gave a folder of: sharing/given.ts lists them. */
import { DomainError, type MailboxEntry, type MailboxHandle, type Principal } from '@postrider/domain'
import type { JmapParts } from '../parts.ts'
import { accountIdOf, readAccountId } from './ids.ts'

export interface Account {
  readonly id: string
  readonly entry: MailboxEntry
  readonly handle: MailboxHandle
  /** The user's own mailbox. */
  readonly personal: boolean
}

/** A user as the server itself acts for them. */
export const principalOf = ({ account, address, displayName, mailbox, language }: MailboxEntry): Principal => ({
  account,
  address,
  displayName,
  mailbox,
  language,
  protocol: 'web',
  appPassword: undefined,
})

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
