import {
  DomainError,
  type FolderId,
  folderNameKey,
  folderNameValid,
  HintKind,
  MAX_FOLDER_DEPTH,
  MAX_FOLDERS,
  type OperationResult,
} from '@postrider/domain'
import { sealBag, unsealBag } from '../encode.ts'
import type { MailboxState } from '../mailbox-state.ts'
import type { FolderRow } from '../rows.ts'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import type { Context, Of } from './context.ts'
import { buryAll } from './placing.ts'

/** The folder an operation names, or the one an earlier `createFolder` of the list made. */
export function folderOf({ mailbox, results }: Context, named: FolderId | { operation: number }): FolderRow {
  if (typeof named !== 'object') return mailbox.folder(named)
  const result = results[named.operation]
  if (result?.op !== 'createFolder') throw new DomainError('invalid', `operation ${named.operation} makes no folder`)
  return mailbox.folder(result.folder)
}

/** From the folder up to the root. */
function* line(mailbox: MailboxState, from: FolderRow): Generator<FolderRow> {
  for (let up: FolderRow | undefined = from; up !== undefined; ) {
    yield up
    up = up.parent === 0 ? undefined : mailbox.folder(up.parent)
  }
}

const depthOf = (mailbox: MailboxState, folder: FolderRow): number => [...line(mailbox, folder)].length - 1

const children = ({ connection, mailbox }: Context, folder: FolderRow): FolderRow[] =>
  connection.all(read.folderChildren, mailbox.id, folder.id).map((row) => mailbox.folder(row[0] as FolderId))

const heightOf = (context: Context, folder: FolderRow): number =>
  children(context, folder).reduce((height, child) => Math.max(height, 1 + heightOf(context, child)), 0)

function checkName({ connection, mailbox }: Context, parent: FolderRow, name: string, self?: FolderRow): void {
  if (typeof name !== 'string' || !folderNameValid(name)) throw new DomainError('nameInvalid', JSON.stringify(name))
  const same = connection.get(read.folderNamed, mailbox.id, parent.id, folderNameKey(name))
  if (same !== undefined && same[0] !== self?.id) throw new DomainError('folderExists', JSON.stringify(name))
}

export function createFolder(context: Context, operation: Of<'createFolder'>): OperationResult {
  const { connection, mailbox, journal, now } = context
  const { name, role, props } = operation
  const parent = folderOf(context, operation.parent)
  checkName(context, parent, name)
  if (role !== undefined && connection.get(read.folderRole, mailbox.id, role) !== undefined) {
    throw new DomainError('folderExists', role)
  }
  const count = connection.get(read.folderCount, mailbox.id)?.[0] as number
  if (count >= MAX_FOLDERS) throw new DomainError('tooMany', 'folders')
  if (depthOf(mailbox, parent) + 1 > MAX_FOLDER_DEPTH) throw new DomainError('tooMany', 'levels of folders')
  const folder = mailbox.newFolder(journal, now, {
    parent: parent.id,
    name,
    class: operation.class,
    role,
    kind: operation.kind ?? 'generic',
    subscribed: operation.subscribed ?? false,
    specialUse: operation.specialUse,
    ...(props === undefined ? {} : { props }),
  })
  return { op: 'createFolder', folder: folder.id, uidValidity: folder.uidValidity }
}

export function updateFolder(context: Context, operation: Of<'updateFolder'>): undefined {
  const { connection, mailbox, journal } = context
  const folder = mailbox.folder(operation.folder)
  const { name = folder.name, parent = folder.parent, specialUse = folder.specialUse, props, uids } = operation
  const placed = name !== folder.name || parent !== folder.parent
  if (placed) {
    if (folder.role !== undefined) throw new DomainError('folderSpecial', folder.role)
    checkPlace(context, folder, mailbox.folder(parent as FolderId), name)
  }
  if (uids !== undefined) mailbox.renumber(journal, folder, uids)
  journal.save(folder)
  folder.subscribed = operation.subscribed ?? folder.subscribed
  // Who subscribes is no business of the other clients: no change number.
  if (placed || props !== undefined || uids !== undefined || specialUse !== folder.specialUse) {
    const change = mailbox.nextChange(journal)
    mailbox.row.hierarchy = change
    Object.assign(folder, { name, parent, specialUse, cn: change })
    journal.touch(folder.id, HintKind.hierarchy)
  }
  connection.run(
    write.nameFolder,
    folder.parent,
    folder.name,
    folderNameKey(folder.name),
    folder.specialUse ?? null,
    folder.subscribed ? 1 : 0,
    folder.cn,
    mailbox.id,
    folder.id,
  )
  if (props !== undefined) {
    const before = connection.get(read.folderBag, mailbox.id, folder.id)?.[0] as Uint8Array | null
    connection.run(write.bagFolder, sealBag(new Map([...unsealBag(before), ...props])), mailbox.id, folder.id)
  }
}

/** Checks that a folder may go to this place under this name. */
function checkPlace(context: Context, folder: FolderRow, parent: FolderRow, name: string): void {
  for (const up of line(context.mailbox, parent)) {
    if (up === folder) throw new DomainError('folderCycle', `folder ${folder.id}`)
  }
  checkName(context, parent, name, folder)
  if (depthOf(context.mailbox, parent) + 1 + heightOf(context, folder) > MAX_FOLDER_DEPTH) {
    throw new DomainError('tooMany', 'levels of folders')
  }
}

export function deleteFolder(context: Context, operation: Of<'deleteFolder'>): undefined {
  const folder = context.mailbox.folder(operation.folder)
  if (folder.role !== undefined) throw new DomainError('folderSpecial', folder.role)
  const full = operation.ifEmpty === true && folder.total > 0
  if (full || (!operation.recursive && children(context, folder).length > 0)) {
    throw new DomainError('folderNotEmpty', `folder ${folder.id}`)
  }
  dropFolder(context, folder)
}

function dropFolder(context: Context, folder: FolderRow): void {
  if (folder.role !== undefined) throw new DomainError('folderSpecial', folder.role)
  for (const child of children(context, folder)) dropFolder(context, child)
  buryAll(context, folder)
  context.mailbox.removeFolder(context.journal, context.now, folder)
}
