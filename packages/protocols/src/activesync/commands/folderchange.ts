/**
 * What FolderCreate, FolderDelete and FolderUpdate have in common: the key, the reply that got lost, and the statuses. The
 * change of the mailbox and the new key are one commit.
 */
import {
  type DomainCode,
  type Folder,
  type FolderId,
  folderNameKey,
  isDomainError,
  type Operation,
  resultOf,
} from '@postrider/domain'
import { type Element, el, has, type Tag, text } from '@postrider/wire/wbxml'
import { type Answer, document } from '../command.ts'
import type { Context } from '../context.ts'
import type { ShownFolder } from '../folders.ts'
import { collectionId, topParentId } from '../ids.ts'
import type { Request } from '../request.ts'
import {
  advance,
  digestOfRequest,
  type HierarchyRecord,
  hierarchyKey,
  loadFolderJournal,
  loadHierarchy,
  meaningOf,
  putFolderJournal,
  putHierarchy,
} from '../state/hierarchy.ts'
import { FolderStatus } from './foldersync.ts'

/** What a command makes of its request: a status, or the operations and the list they lead to. */
export type FolderPlan =
  | { readonly status: number }
  /** The device's list afterwards is known: change and key are one commit. */
  | { readonly operation: Operation; readonly folders: readonly ShownFolder[] }
  /** The list needs the id of the folder that is made: the key follows in a second commit, found again by its journal. */
  | {
      readonly create: Extract<Operation, { op: 'createFolder' }>
      shown(serverId: string): ShownFolder
    }

export interface FolderChange {
  readonly root: Tag
  plan(context: Context, document: Element, folders: readonly Folder[], known: readonly ShownFolder[]): FolderPlan
  /** Statuses of failed operations that are the command's own; others are 6. */
  readonly failures: Readonly<Partial<Record<DomainCode, number>>>
}

/** Runs a folder command. */
export const runFolderChange = (change: FolderChange, context: Context, request: Request): Promise<Answer> =>
  context.exclusive(() => run(change, context, request))

async function run(change: FolderChange, context: Context, request: Request): Promise<Answer> {
  const root = request.document
  const fail = (status: number): Answer => document(el(change.root, el('FolderHierarchy:Status', status)))
  const syncKey = text(root, 'FolderHierarchy:SyncKey')?.trim()
  // MS-ASCMD_R4568, R3102.
  if (root === undefined || syncKey === undefined || syncKey === '') return fail(FolderStatus.malformed)
  if (has(root, 'FolderHierarchy:Status')) return fail(FolderStatus.malformed)
  const digest = digestOfRequest(root)
  const meaning = meaningOf(await loadHierarchy(context.mailbox, context.device.id), syncKey)
  if (meaning.kind === 'unknown') return fail(FolderStatus.invalidSyncKey)
  if (meaning.kind === 'previous') {
    // The same request again: it was done, and its answer was lost.
    if (meaning.previous.digest !== digest) return fail(FolderStatus.invalidSyncKey)
    return success(change.root, meaning.record, meaning.previous.serverId)
  }
  const { record } = meaning
  const folders = await context.mailbox.folders()
  const plan = change.plan(context, root, folders, record.folders)
  if ('status' in plan) return fail(plan.status)
  try {
    if ('create' in plan) return await create(change, context, folders, record, plan, digest)
    const next = advance(record, record, plan.folders, { digest, serverId: '' })
    await context.mailbox.apply([plan.operation, putHierarchy(context.device.id, next)])
    return success(change.root, next, '')
  } catch (error) {
    if (!isDomainError(error)) throw error
    const status = change.failures[error.code]
    if (status === undefined) throw error
    return fail(status)
  }
}

/** Makes a folder; one that was made for the same request, whose key was never stored, is taken as made. */
async function create(
  change: FolderChange,
  context: Context,
  folders: readonly Folder[],
  record: HierarchyRecord,
  plan: Extract<FolderPlan, { create: unknown }>,
  digest: string,
): Promise<Answer> {
  const { mailbox, device } = context
  const note = `${hierarchyKey(record)} ${digest}`
  let id: FolderId | undefined
  if ((await loadFolderJournal(mailbox, device.id)) === note) {
    const { parent, name } = plan.create
    const wanted = folderNameKey(name)
    id = folders.find((folder) => folder.parent === parent && folderNameKey(folder.name) === wanted)?.id
  }
  if (id === undefined) {
    const applied = await mailbox.apply([plan.create, putFolderJournal(device.id, note)])
    id = resultOf(applied, 0, 'createFolder').folder
  }
  const serverId = collectionId(id)
  const next = advance(record, record, [...record.folders, plan.shown(serverId)], { digest, serverId })
  await mailbox.apply([putHierarchy(device.id, next)])
  return success(change.root, next, serverId)
}

const success = (root: Tag, record: HierarchyRecord, created: string): Answer =>
  document(
    el(
      root,
      el('FolderHierarchy:Status', FolderStatus.success),
      el('FolderHierarchy:SyncKey', hierarchyKey(record)),
      created !== '' && el('FolderHierarchy:ServerId', created),
    ),
  )

/** The folder a ParentId means; `0` is the top. */
export function findParent(
  folders: readonly Folder[],
  find: (id: string) => Folder | undefined,
  id: string,
): Folder | undefined {
  return id === topParentId ? folders.find((folder) => folder.role === 'msgfolderroot') : find(id)
}
