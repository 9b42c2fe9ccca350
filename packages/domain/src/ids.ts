declare const brand: unique symbol

/** A number or string that only its own parser may create: a UID and a row id must never meet. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** A mailbox of the organisation, given once by the directory, never reused. */
export type MailboxId = Brand<number, 'MailboxId'>
/** A folder of one mailbox: from the mailbox's own 48-bit id counter, never reused. EAS CollectionId, MAPI FID, IMAP MAILBOXID. */
export type FolderId = Brand<number, 'FolderId'>
/** One placement of an item in one folder: a move gives a new one. EAS ServerId, EWS ItemId, MAPI MID. 48 bits, never reused. */
export type Mid = Brand<number, 'Mid'>
/** The item itself, whatever folder it is in: the first Mid it had. IMAP EMAILID, JMAP id. */
export type ItemId = Brand<number, 'ItemId'>
/** RFC 9051 §2.3.1.1: 32 bits, never zero, strictly ascending in its folder. */
export type Uid = Brand<number, 'Uid'>
/** The mailbox's one change counter: IMAP MODSEQ, MAPI CN, the state behind EAS, EWS, JMAP and DAV. 48 bits. */
export type ChangeNumber = Brand<number, 'ChangeNumber'>
/** Where the bytes of an original lie. Opaque: only the driver that gave it can read it, and only in the same database. */
export type BlobRef = Brand<string, 'BlobRef'>

const MAX_48 = 2 ** 48 - 1
const checked = (n: number, max: number, name: string): number => {
  if (Number.isInteger(n) && n >= 1 && n <= max) return n
  throw new RangeError(`not a ${name}: ${n}`)
}

/** Each throws RangeError outside 1…2^48-1 (Uid: 2^32-1). Use them at the edge, where a number comes from outside. */
export const mailboxId = (n: number): MailboxId => checked(n, MAX_48, 'mailbox id') as MailboxId
export const folderId = (n: number): FolderId => checked(n, MAX_48, 'folder id') as FolderId
export const mid = (n: number): Mid => checked(n, MAX_48, 'mid') as Mid
export const itemId = (n: number): ItemId => checked(n, MAX_48, 'item id') as ItemId
export const uid = (n: number): Uid => checked(n, 0xffff_ffff, 'UID') as Uid
/** Zero is legal here: "before any change". */
export const changeNumber = (n: number): ChangeNumber =>
  (n === 0 ? 0 : checked(n, MAX_48, 'change number')) as ChangeNumber
