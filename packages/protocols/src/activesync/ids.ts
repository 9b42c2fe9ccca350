/**
 * The ids ActiveSync shows outside and how they read back. They are addresses, never authority: whoever parses one still
 * goes through the mailbox handle. All are ASCII, at most 64 characters, and permanent ([MS-ASCMD] §2.2.3.166).
 *
 * | id | form | example |
 * |---|---|---|
 * | CollectionId, folder ServerId | the folder id | `7` |
 * | item ServerId | folder id, colon, placement id | `7:1234` |
 * | FileReference | mailbox id, placement id, attachment number | `3:1234:0` |
 * | LongId | `L`, mailbox id, colon, placement id | `L3:1234` |
 *
 * The last two stand outside any folder; the mailbox in them keeps one pasted into another account from meaning anything there.
 */
import type { FolderId, MailboxId, Mid } from '@postrider/domain'
import { folderId, mid } from '@postrider/domain'

/** The ParentId of folders at the top: [MS-ASCMD] §2.2.3.123. */
export const topParentId = '0'

const number = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[1-9]\d{0,14}$/.test(text)) return undefined
  const value = Number(text)
  return value < 2 ** 48 ? value : undefined
}

export const collectionId = (folder: FolderId): string => String(folder)

export function parseCollectionId(text: string | undefined): FolderId | undefined {
  const value = number(text)
  return value === undefined ? undefined : folderId(value)
}

export const serverId = (folder: FolderId, item: Mid): string => `${folder}:${item}`

/** An item ServerId: the folder it was in when it was given out, and its placement. */
export function parseServerId(text: string | undefined): { folder: FolderId; mid: Mid } | undefined {
  if (text === undefined) return undefined
  const colon = text.indexOf(':')
  const folder = number(text.slice(0, colon))
  const item = number(text.slice(colon + 1))
  if (colon < 1 || folder === undefined || item === undefined) return undefined
  return { folder: folderId(folder), mid: mid(item) }
}

export const fileReference = (mailbox: MailboxId, item: Mid, attachment: number): string =>
  `${mailbox}:${item}:${attachment}`

/** Undefined for what is no reference, or one of another mailbox. */
export function parseFileReference(
  mailbox: MailboxId,
  text: string | undefined,
): { mid: Mid; attachment: number } | undefined {
  if (text === undefined) return undefined
  const match = /^([1-9]\d{0,14}):([1-9]\d{0,14}):(0|[1-9]\d{0,5})$/.exec(text)
  const item = number(match?.[2])
  if (item === undefined || match?.[1] !== String(mailbox)) return undefined
  return { mid: mid(item), attachment: Number(match[3]) }
}

export const longId = (mailbox: MailboxId, item: Mid): string => `L${mailbox}:${item}`

/** Undefined for what is no LongId, or one of another mailbox. */
export function parseLongId(mailbox: MailboxId, text: string | undefined): Mid | undefined {
  const match = /^L([1-9]\d{0,14}):([1-9]\d{0,14})$/.exec(text ?? '')
  const item = number(match?.[2])
  return item === undefined || match?.[1] !== String(mailbox) ? undefined : mid(item)
}
