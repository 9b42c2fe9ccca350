import {
  DomainError,
  emptyBag,
  type FolderId,
  folderNameKey,
  folderNameValid,
  HintKind,
  MAX_FOLDER_DEPTH,
  MAX_FOLDERS,
  type Operation,
  type OperationResult,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import { copyOf } from '../plain.ts'
import type { FolderRow } from '../rows.ts'
import type { Context } from './index.ts'

type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>

/** The folder an operation names, or the one an earlier `createFolder` of the list made. */
export function folderOf({ mailbox, results }: Context, named: FolderId | { operation: number }): FolderRow {
  if (typeof named !== 'object') return mailbox.folder(named)
  const result = results[named.operation]
  if (result?.op !== 'createFolder') throw new DomainError('invalid', `operation ${named.operation} makes no folder`)
  return mailbox.folder(result.folder)
}

function parentOf(mailbox: Mailbox, folder: FolderRow): FolderRow | undefined {
  return folder.parent === 0 ? undefined : mailbox.folder(folder.parent)
}

function depthOf(mailbox: Mailbox, folder: FolderRow): number {
  let depth = 0
  for (let up = parentOf(mailbox, folder); up !== undefined; up = parentOf(mailbox, up)) depth++
  return depth
}

function heightOf(folder: FolderRow): number {
  let height = 0
  for (const child of folder.children.values()) height = Math.max(height, 1 + heightOf(child))
  return height
}

function checkName(parent: FolderRow, name: string, self?: FolderRow): void {
  if (!folderNameValid(name)) throw new DomainError('nameInvalid', JSON.stringify(name))
  const same = parent.children.get(folderNameKey(name))
  if (same !== undefined && same !== self) throw new DomainError('folderExists', JSON.stringify(name))
}

export function createFolder(context: Context, operation: Of<'createFolder'>): OperationResult {
  const { mailbox, transaction } = context
  const { name, role } = operation
  const parent = folderOf(context, operation.parent)
  checkName(parent, name)
  if (role !== undefined && [...mailbox.folders.values()].some((folder) => folder.role === role)) {
    throw new DomainError('folderExists', role)
  }
  if (mailbox.folders.size >= MAX_FOLDERS) throw new DomainError('tooMany', 'folders')
  if (depthOf(mailbox, parent) + 1 > MAX_FOLDER_DEPTH) throw new DomainError('tooMany', 'levels of folders')
  const folder = mailbox.newFolder(transaction, {
    parent: parent.id,
    name,
    class: operation.class,
    role,
    kind: operation.kind ?? 'generic',
    subscribed: operation.subscribed ?? false,
    specialUse: operation.specialUse,
    props: copyOf(operation.props ?? emptyBag),
  })
  return { op: 'createFolder', folder: folder.id, uidValidity: folder.uidValidity }
}

export function updateFolder({ mailbox, transaction }: Context, operation: Of<'updateFolder'>): undefined {
  const folder = mailbox.folder(operation.folder)
  const name = operation.name ?? folder.name
  const parentId = operation.parent ?? folder.parent
  if (operation.uids !== undefined) mailbox.renumberFolder(transaction, folder, operation.uids)
  transaction.save(folder)
  if (name !== folder.name || parentId !== folder.parent) {
    if (folder.role !== undefined) throw new DomainError('folderSpecial', folder.role)
    place(mailbox, folder, mailbox.folder(parentId as FolderId), name)
    transaction.delete(mailbox.folder(folder.parent as FolderId).children, folderNameKey(folder.name))
    folder.name = name
    folder.parent = parentId
    transaction.set(mailbox.folder(parentId as FolderId).children, folderNameKey(name), folder)
  } else if (
    !operation.uids &&
    operation.props === undefined &&
    (operation.specialUse ?? folder.specialUse) === folder.specialUse
  ) {
    // Who subscribes is no business of the other clients: no change number.
    folder.subscribed = operation.subscribed ?? folder.subscribed
    return
  }
  folder.subscribed = operation.subscribed ?? folder.subscribed
  folder.specialUse = operation.specialUse ?? folder.specialUse
  if (operation.props !== undefined) folder.props = new Map([...folder.props, ...copyOf(operation.props)])
  const change = mailbox.nextChange(transaction)
  folder.cn = change
  mailbox.record(transaction, { change, kind: 'folder', folder })
  mailbox.counters.hierarchy = change
  transaction.touch(folder.id, HintKind.hierarchy)
}

/** Checks that a folder may go to this place under this name. */
function place(mailbox: Mailbox, folder: FolderRow, parent: FolderRow, name: string): void {
  for (let up: FolderRow | undefined = parent; up !== undefined; up = parentOf(mailbox, up)) {
    if (up === folder) throw new DomainError('folderCycle', `folder ${folder.id}`)
  }
  checkName(parent, name, folder)
  if (depthOf(mailbox, parent) + 1 + heightOf(folder) > MAX_FOLDER_DEPTH) {
    throw new DomainError('tooMany', 'levels of folders')
  }
}

export function deleteFolder({ mailbox, transaction }: Context, operation: Of<'deleteFolder'>): undefined {
  const folder = mailbox.folder(operation.folder)
  if (folder.role !== undefined) throw new DomainError('folderSpecial', folder.role)
  const full = operation.ifEmpty === true && [...folder.rows.values()].some((row) => !row.associated)
  if (full || (folder.children.size > 0 && !operation.recursive))
    throw new DomainError('folderNotEmpty', `folder ${folder.id}`)
  dropFolder({ mailbox, transaction }, folder)
}

function dropFolder(context: Pick<Context, 'mailbox' | 'transaction'>, folder: FolderRow): void {
  const { mailbox, transaction } = context
  if (folder.role !== undefined) throw new DomainError('folderSpecial', folder.role)
  for (const child of [...folder.children.values()]) dropFolder(context, child)
  for (const row of [...folder.rows.values()]) mailbox.bury(transaction, row, 'deleted')
  for (const [key, permission] of mailbox.permissions) {
    if (permission.folder === folder.id) transaction.delete(mailbox.permissions, key)
  }
  transaction.delete(mailbox.folder(folder.parent as FolderId).children, folderNameKey(folder.name))
  transaction.delete(mailbox.folders, folder.id)
  const change = mailbox.nextChange(transaction)
  mailbox.record(transaction, { change, kind: 'goneFolder', folder: folder.id })
  mailbox.counters.hierarchy = change
  transaction.touch(folder.id, HintKind.hierarchy)
}
