/**
 * Ids as JMAP shows them: a letter and the number the mailbox gave, the same as IMAP's OBJECTID shows (RFC 8474), so that RFC 9698 holds.
 * An id is an address: what it names is asked for through the door.
 */
import { folderId, type FolderId, itemId, type ItemId, mailboxId, type MailboxId } from '@postrider/domain'

const numberOf = (text: string, letter: string): number | undefined => {
  const digits = /^[1-9]\d{0,14}$/.exec(text.slice(1))?.[0]
  return text.startsWith(letter) && digits !== undefined ? Number(digits) : undefined
}
function branded<T>(text: string, letter: string, brand: (n: number) => T): T | undefined {
  const n = numberOf(text, letter)
  return n === undefined || n >= 2 ** 48 ? undefined : brand(n)
}

export const accountIdOf = (mailbox: MailboxId): string => `A${mailbox}`
export const readAccountId = (text: string): MailboxId | undefined => branded(text, 'A', mailboxId)
/** RFC 9670: a principal is the owner of a mailbox. */
export const principalIdOf = (mailbox: MailboxId): string => `P${mailbox}`
export const readPrincipalId = (text: string): MailboxId | undefined => branded(text, 'P', mailboxId)
export const mailboxIdOf = (folder: FolderId): string => `F${folder}`
export const readMailboxId = (text: string): FolderId | undefined => branded(text, 'F', folderId)
export const emailIdOf = (item: ItemId): string => `M${item}`
export const readEmailId = (text: string): ItemId | undefined => branded(text, 'M', itemId)
export const threadIdOf = (conversation: string): string => `T${conversation}`
export const readThreadId = (text: string): string | undefined =>
  /^T[0-9a-f]{1,64}$/.test(text) ? text.slice(1) : undefined
