import {
  ALL_FLAGS,
  type BlobRef,
  type ChangeNumber,
  DomainError,
  encodeBag,
  type Mid,
  type NewItem,
  type Operation,
  type OperationResult,
  type OriginalSource,
  type PropertyBag,
  type Uid,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import { copyOf } from '../plain.ts'
import type { Content, Row } from '../rows.ts'
import type { Transaction } from '../transaction.ts'
import { folderOf } from './folders.ts'
import type { Context } from './index.ts'
import { keywordSet } from './keywords.ts'
import { threaded } from './threads.ts'

type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>

const isWhole = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

/** A reference to the bytes, after storing them if they are new. */
export function originalOf({ mailbox, transaction }: Context, source: OriginalSource): BlobRef {
  const { blobs } = mailbox.database
  if ('bytes' in source) return blobs.put(source.bytes, transaction.now)
  blobs.read(source.ref)
  return source.ref
}

function checkFlags(flags: number): void {
  if ((flags & ~ALL_FLAGS) !== 0 || !isWhole(flags)) throw new DomainError('invalid', `flags ${flags}`)
}

function checkBag(bag: PropertyBag): void {
  try {
    encodeBag(bag)
  } catch (cause) {
    throw new DomainError('invalid', String(cause), { cause })
  }
}

function contentOf(context: Context, item: NewItem): Content {
  checkFlags(item.flags)
  if (!isWhole(item.size)) throw new DomainError('invalid', `size ${item.size}`)
  if (!Number.isSafeInteger(item.received)) throw new DomainError('invalid', `received ${item.received}`)
  checkBag(item.props)
  const { promoted, index, props, recipients, attachments } = item
  const original = item.original === undefined ? undefined : originalOf(context, item.original)
  return { ...copyOf({ promoted, index, props, recipients, attachments }), original }
}

export function add(context: Context, operation: Of<'add'>): OperationResult {
  const { mailbox, transaction } = context
  const folder = folderOf(context, operation.folder)
  if (folder.kind === 'search') throw new DomainError('invalid', 'a search folder holds no items of its own')
  const item = threaded(context, operation.item)
  const keywords = keywordSet(item.keywords)
  mailbox.reserve(item.size)
  const content = contentOf(context, item)
  const mid = mailbox.nextId(transaction) as Mid
  const row = newRow(
    mailbox,
    transaction,
    {
      mid,
      itemId: mid as number as Row['itemId'],
      folder: folder.id,
      flags: item.flags,
      keywords,
      size: item.size,
      received: item.received,
      associated: item.associated,
      content,
    },
    operation.uid,
  )
  const { itemId, uid, change } = row
  return {
    op: 'add',
    mid,
    itemId,
    uid,
    uidValidity: folder.uidValidity,
    change,
    original: content.original,
    conversation: content.promoted.conversation,
  }
}

/** A new placement with the next UID (or `wanted`, of an import) and change number. */
export function newRow(
  mailbox: Mailbox,
  transaction: Transaction,
  given: Omit<Row, 'uid' | 'change' | 'cn' | 'readCn' | 'createdCn'>,
  wanted?: Uid,
): Row {
  const uid = mailbox.nextUid(transaction, mailbox.folder(given.folder), wanted)
  const change = mailbox.nextChange(transaction)
  const row: Row = { ...given, uid, change, cn: change, readCn: 0 as ChangeNumber, createdCn: change }
  mailbox.insert(transaction, row)
  return row
}

function existing(mailbox: Mailbox, mid: Mid, unchangedSince: ChangeNumber | undefined): Row {
  const row = mailbox.rows.get(mid)
  if (row === undefined) throw new DomainError('itemGone', `mid ${mid}`)
  if (unchangedSince !== undefined && row.change > unchangedSince) {
    throw new DomainError('conflict', `mid ${mid} changed at ${row.change}`)
  }
  return row
}

export function update({ mailbox, transaction }: Context, operation: Of<'update'>): OperationResult {
  const row = existing(mailbox, operation.mid, operation.unchangedSince)
  const { content } = row
  const props = new Map(content.props)
  for (const tag of operation.remove ?? []) props.delete(tag)
  for (const [tag, value] of copyOf(operation.set ?? new Map())) props.set(tag, value)
  checkBag(props)
  transaction.save(row)
  row.content = {
    ...content,
    props,
    promoted: { ...content.promoted, ...copyOf(operation.promoted ?? {}) },
    recipients: operation.recipients === undefined ? content.recipients : copyOf(operation.recipients),
  }
  return { op: 'update', change: mailbox.stamp(transaction, row, false) }
}

export function replace(context: Context, operation: Of<'replace'>): OperationResult {
  const { mailbox, transaction } = context
  const item = threaded(context, operation.item)
  const row = existing(mailbox, operation.mid, operation.unchangedSince)
  const keywords = keywordSet(item.keywords)
  mailbox.reserve(item.size - row.size)
  const content = contentOf(context, item)
  mailbox.refer(transaction, content, 1)
  mailbox.refer(transaction, row.content, -1)
  mailbox.count(transaction, row, -1)
  mailbox.renumber(transaction, row)
  const { flags, size, received, associated } = item
  Object.assign(row, { flags, size, received, associated, keywords, content })
  mailbox.count(transaction, row, 1)
  const change = mailbox.stamp(transaction, row, false)
  return { op: 'replace', change, uid: row.uid, original: content.original }
}
