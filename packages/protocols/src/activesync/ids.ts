/**
 * The ids ActiveSync shows outside and how they read back. They are addresses, never authority: whoever parses one still
 * goes through the mailbox handle. All are ASCII, at most 64 characters, and permanent ([MS-ASCMD] §2.2.3.166).
 *
 * | id | form | example |
 * |---|---|---|
 * | CollectionId, folder ServerId | the folder id | `7` |
 * | item ServerId | folder id, colon, placement id | `7:1234` |
 * | FileReference | placement id, colon, attachment number | `1234:0` |
 * | LongId | `L`, placement id | `L1234` |
 */
import type { FolderId, Mid } from '@postrider/domain'
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

export const fileReference = (item: Mid, attachment: number): string => `${item}:${attachment}`

export function parseFileReference(text: string | undefined): { mid: Mid; attachment: number } | undefined {
  if (text === undefined) return undefined
  const match = /^([1-9]\d{0,14}):(\d{1,5})$/.exec(text)
  const item = number(match?.[1])
  return item === undefined ? undefined : { mid: mid(item), attachment: Number(match?.[2]) }
}

export const longId = (item: Mid): string => `L${item}`

export function parseLongId(text: string | undefined): Mid | undefined {
  const item = text?.startsWith('L') ? number(text.slice(1)) : undefined
  return item === undefined ? undefined : mid(item)
}
