import {
  ALL_FLAGS,
  type Attachment,
  type BlobRef,
  DomainError,
  HintKind,
  type ItemId,
  type Mid,
  type NewItem,
  type OperationResult,
  type OriginalSource,
  Pid,
  type Promoted,
} from '@postrider/domain'
import type { Row, Value } from '../statements.ts'
import { seal, sealAttachments, sealBag, sealRecipients, unsealBag } from '../encode.ts'
import { keywordSet } from '../keyword-sets.ts'
import { currentRef } from '../move/references.ts'
import type { FolderRow, MsgRow } from '../rows.ts'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import type { Context, Of } from './context.ts'
import { folderOf } from './folders.ts'
import { dropItems, insertRow, rowOf, tombstone, writeRow } from './placing.ts'
import { forgetReady } from './ready.ts'
import { threaded } from './threads.ts'

const isWhole = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

/** Names an original once more (or for the first time); answers its number and reference. */
export function originalOf(context: Context, source: OriginalSource): { readonly id: number; readonly ref: BlobRef } {
  const { originals, journal, places, named } = context
  if ('ref' in source) {
    const ref = referenceOf(context, source.ref)
    return { id: originals.refer(journal, ref), ref }
  }
  const place = places.get(source)
  if (place === undefined) throw new DomainError('invalid', 'the bytes were not appended')
  if (named.has(source)) originals.referIds([place.id])
  else originals.add(journal, place)
  named.add(source)
  return { id: place.id, ref: originals.refOf(place) }
}

function check(item: NewItem): void {
  const { flags, size, received } = item
  if (!isWhole(flags) || (flags & ~ALL_FLAGS) !== 0) throw new DomainError('invalid', `flags ${flags}`)
  if (!isWhole(size)) throw new DomainError('invalid', `size ${size}`)
  if (!Number.isSafeInteger(received)) throw new DomainError('invalid', `received ${received}`)
}

const promotedValues = (promoted: Promoted): readonly Value[] => [
  promoted.class,
  promoted.subject,
  promoted.fromAddress,
  promoted.fromName,
  promoted.displayTo,
  promoted.displayCc,
  promoted.sent ?? null,
  promoted.messageId,
  promoted.preview,
  promoted.hasAttachments ? 1 : 0,
  promoted.importance,
  promoted.conversation,
]

/** As this database says it, also when the mailbox came from another meanwhile. */
const referenceOf = ({ connection, database, mailbox }: Context, ref: BlobRef): BlobRef =>
  currentRef(connection, database, mailbox.id, ref)
const ownAttachment = (context: Context, one: Attachment): Attachment =>
  'blob' in one.source ? { ...one, source: { blob: referenceOf(context, one.source.blob) } } : one

/** Names the blobs of attachments that have bytes of their own. */
function attachedBlobs({ originals, journal }: Context, attachments: readonly Attachment[]): string | null {
  const ids = attachments.flatMap(({ source }) => ('blob' in source ? [originals.refer(journal, source.blob)] : []))
  return ids.length === 0 ? null : JSON.stringify(ids)
}

/** Writes the fat row; answers the reference of its original. */
function writeItem(
  context: Context,
  folder: FolderRow,
  row: Pick<MsgRow, 'item' | 'mid' | 'itemId' | 'uid'>,
  item: NewItem,
): BlobRef | undefined {
  const { connection, mailbox } = context
  const bag = sealBag(item.props)
  const recipients = sealRecipients(item.recipients)
  const attached = item.attachments.map((one) => ownAttachment(context, one))
  const attachments = sealAttachments(attached)
  const original = item.original === undefined ? undefined : originalOf(context, item.original)
  connection.run(
    write.addItem,
    row.item,
    mailbox.id,
    row.mid,
    row.itemId,
    folder.id,
    row.uid,
    original?.id ?? null,
    attachedBlobs(context, attached),
    ...promotedValues(item.promoted),
    seal(item.index),
    bag,
    recipients,
    attachments,
  )
  return original?.ref
}

export function add(context: Context, operation: Of<'add'>): OperationResult {
  const { books, mailbox, journal } = context
  const folder = folderOf(context, operation.folder)
  if (folder.kind === 'search') throw new DomainError('invalid', 'a search folder holds no items of its own')
  check(operation.item)
  const given = threaded(context, operation.item)
  const keywords = keywordSet(given.keywords)
  mailbox.reserve(given.size)
  const mid = mailbox.nextId(journal) as Mid
  const itemId = mid as number as ItemId
  const kw = keywords.length === 0 ? 0 : mailbox.keywords.number(journal, keywords)
  const { flags, associated, size, received } = given
  const made = { mid, itemId, item: books.next('item'), flags, kw, associated, size, received }
  const row = insertRow(context, folder, made, operation.uid)
  const original = writeItem(context, folder, row, given)
  const { conversation } = given.promoted
  const { uid, change } = row
  return { op: 'add', mid, itemId, uid, uidValidity: folder.uidValidity, change, original, conversation }
}

function existing(context: Context, operation: Of<'update'> | Of<'replace'>): { folder: FolderRow; row: MsgRow } {
  const found = rowOf(context, operation.mid)
  if (found === undefined) throw new DomainError('itemGone', `mid ${operation.mid}`)
  if (operation.unchangedSince !== undefined && found.row.change > operation.unchangedSince) {
    throw new DomainError('conflict', `mid ${operation.mid} changed at ${found.row.change}`)
  }
  return found
}

const promotedOf = (fat: Row): Promoted => ({
  class: fat[2] as string,
  subject: fat[3] as string,
  fromAddress: fat[4] as string,
  fromName: fat[5] as string,
  displayTo: fat[6] as string,
  displayCc: fat[7] as string,
  sent: (fat[8] ?? undefined) as number | undefined,
  messageId: fat[9] as string,
  preview: fat[10] as string,
  hasAttachments: fat[11] === 1,
  importance: fat[12] as 0 | 1 | 2,
  conversation: fat[13] as string,
})

/** Whether a change touches what the word index reads. */
const touchesText = (operation: Of<'update'>): boolean =>
  operation.promoted !== undefined ||
  operation.recipients !== undefined ||
  operation.set?.has(Pid.TagBody) === true ||
  operation.remove?.includes(Pid.TagBody) === true

export function update(context: Context, operation: Of<'update'>): OperationResult {
  const { connection, books, mailbox, journal } = context
  const { folder, row } = existing(context, operation)
  const fat = connection.get(read.itemFat, row.item) as Row
  const props = new Map(unsealBag(fat[14] as Uint8Array | null))
  for (const tag of operation.remove ?? []) props.delete(tag)
  for (const [tag, value] of operation.set ?? []) props.set(tag, value)
  const recipients =
    operation.recipients === undefined ? (fat[15] as Uint8Array | null) : sealRecipients(operation.recipients)
  // The word index follows new rows: text that changed moves to one.
  const item = touchesText(operation) ? books.next('item') : row.item
  if (item !== row.item) connection.run(write.addDead, books.next('dead'), mailbox.id, row.item)
  connection.run(
    write.updateItem,
    item,
    ...promotedValues({ ...promotedOf(fat), ...operation.promoted }),
    sealBag(props),
    recipients,
    row.item,
  )
  const change = mailbox.contentChange(journal, folder, HintKind.changed)
  connection.run(write.stampMsg, item, change, change, mailbox.id, folder.id, row.uid)
  return { op: 'update', change }
}

export function replace(context: Context, operation: Of<'replace'>): OperationResult {
  const { connection, books, mailbox, journal } = context
  check(operation.item)
  const given = threaded(context, operation.item)
  const { folder, row } = existing(context, operation)
  const keywords = keywordSet(given.keywords)
  mailbox.reserve(given.size - row.size)
  connection.run(write.removeMsg, mailbox.id, folder.id, row.uid)
  mailbox.count(journal, folder, row, -1)
  forgetReady(context, folder, [row])
  tombstone(context, folder, row, 'renumbered')
  const uid = mailbox.nextUid(journal, folder)
  const change = mailbox.contentChange(journal, folder, HintKind.added | HintKind.changed)
  const { flags, associated, size, received } = given
  const kw = mailbox.keywords.number(journal, keywords)
  const item = books.next('item')
  const next: MsgRow = { ...row, item, uid, change, cn: change, flags, kw, associated, size, received }
  writeRow(connection, mailbox.id, folder.id, next)
  mailbox.count(journal, folder, next, 1)
  // The new content may be named by the reference of the old one: name it before the old one lets go.
  const dropped = row.item
  connection.run(write.retireItem, dropped)
  const original = writeItem(context, folder, next, given)
  dropItems(context, mailbox.id, [dropped])
  return { op: 'replace', change, uid, original }
}
