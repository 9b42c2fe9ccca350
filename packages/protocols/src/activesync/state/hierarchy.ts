/**
 * The folder hierarchy as a device knows it: one key for FolderSync, FolderCreate, FolderDelete and FolderUpdate
 * ([MS-ASCMD] §2.2.3.181.2). The list behind the current key is kept, so an answer is the difference to what is there now;
 * the list behind the key before it is kept too, with what was answered, for the reply that got lost.
 */
import { createHash, randomInt } from 'node:crypto'
import type { MailboxHandle, Operation } from '@postrider/domain'
import { type Element, el, encodeWbxml } from '@postrider/wire/wbxml'
import type { ShownFolder } from '../folders.ts'
import { stateClient } from './device.ts'

export interface HierarchyRecord {
  readonly v: 1
  readonly generation: string
  readonly issued: number
  readonly key: number
  readonly folders: readonly ShownFolder[]
  readonly previous: PreviousHierarchy | undefined
}

export interface PreviousHierarchy {
  readonly key: number
  readonly folders: readonly ShownFolder[]
  /** Digest of the FolderCreate, FolderDelete or FolderUpdate that led to the current key; '' for a FolderSync. */
  readonly digest: string
  /** ServerId that a FolderCreate answered. */
  readonly serverId: string
}

const key = 'folders'

export const hierarchyKey = (record: HierarchyRecord, number = record.key): string => `${record.generation}-${number}`

/** What a key that is not 0 stands for. */
export type KeyMeaning =
  | { readonly kind: 'current'; readonly record: HierarchyRecord }
  | { readonly kind: 'previous'; readonly record: HierarchyRecord; readonly previous: PreviousHierarchy }
  | { readonly kind: 'unknown' }

export async function loadHierarchy(mailbox: MailboxHandle, deviceId: string): Promise<HierarchyRecord | undefined> {
  const entries = await mailbox.state(stateClient(deviceId), key)
  const value = entries.find((entry) => entry.key === key)?.value
  if (value === undefined) return undefined
  try {
    const record = JSON.parse(Buffer.from(value).toString('utf8')) as HierarchyRecord
    return record.v === 1 ? record : undefined
  } catch {
    return undefined
  }
}

const journalKey = 'folders/journal'

/** Key and digest of the last FolderCreate that was carried out. */
export async function loadFolderJournal(mailbox: MailboxHandle, deviceId: string): Promise<string | undefined> {
  const entries = await mailbox.state(stateClient(deviceId), journalKey)
  const value = entries.find((entry) => entry.key === journalKey)?.value
  return value === undefined ? undefined : Buffer.from(value).toString('utf8')
}

export const putFolderJournal = (deviceId: string, note: string): Operation => ({
  op: 'putState',
  client: stateClient(deviceId),
  key: journalKey,
  value: Buffer.from(note),
})

export function meaningOf(record: HierarchyRecord | undefined, syncKey: string): KeyMeaning {
  if (record === undefined) return { kind: 'unknown' }
  if (syncKey === hierarchyKey(record)) return { kind: 'current', record }
  const { previous } = record
  if (previous !== undefined && syncKey === hierarchyKey(record, previous.key)) {
    return { kind: 'previous', record, previous }
  }
  return { kind: 'unknown' }
}

export const putHierarchy = (deviceId: string, record: HierarchyRecord): Operation => ({
  op: 'putState',
  client: stateClient(deviceId),
  key,
  value: Buffer.from(JSON.stringify(record)),
})

/** Key 0: everything anew. Sync states of the collections stay: clients ask for key 0 to refresh, not to forget. */
export const firstHierarchy = (folders: readonly ShownFolder[]): HierarchyRecord => ({
  v: 1,
  generation: randomInt(36 ** 7, 36 ** 8).toString(36),
  issued: 1,
  key: 1,
  folders,
  previous: undefined,
})

/** The next key, with what led to it. */
export function advance(
  record: HierarchyRecord,
  from: { readonly key: number; readonly folders: readonly ShownFolder[] },
  folders: readonly ShownFolder[],
  done: { readonly digest: string; readonly serverId: string } = { digest: '', serverId: '' },
): HierarchyRecord {
  const next = record.issued + 1
  return { ...record, issued: next, key: next, folders, previous: { key: from.key, folders: from.folders, ...done } }
}

export interface HierarchyChanges {
  readonly updated: readonly ShownFolder[]
  readonly deleted: readonly string[]
  readonly added: readonly ShownFolder[]
}

/** What turns one list into another. */
export function difference(before: readonly ShownFolder[], after: readonly ShownFolder[]): HierarchyChanges {
  const old = new Map(before.map((folder) => [folder.serverId, folder]))
  const now = new Set(after.map((folder) => folder.serverId))
  const same = (a: ShownFolder, b: ShownFolder): boolean =>
    a.name === b.name && a.parentId === b.parentId && a.type === b.type
  return {
    updated: after.filter((folder) => {
      const known = old.get(folder.serverId)
      return known !== undefined && !same(known, folder)
    }),
    deleted: before.filter((folder) => !now.has(folder.serverId)).map((folder) => folder.serverId),
    added: after.filter((folder) => !old.has(folder.serverId)),
  }
}

export const sameHierarchy = (changes: HierarchyChanges): boolean =>
  changes.updated.length === 0 && changes.deleted.length === 0 && changes.added.length === 0

/** Changes in the order of FolderSyncResponse.xsd: Count, Update, Delete, Add. */
export function changesElement({ updated, deleted, added }: HierarchyChanges): Element {
  const folder = (
    tag: 'FolderHierarchy:Update' | 'FolderHierarchy:Add',
    { serverId, parentId, name, type }: ShownFolder,
  ) =>
    el(
      tag,
      el('FolderHierarchy:ServerId', serverId),
      el('FolderHierarchy:ParentId', parentId),
      el('FolderHierarchy:DisplayName', name),
      el('FolderHierarchy:Type', type),
    )
  return el(
    'FolderHierarchy:Changes',
    el('FolderHierarchy:Count', updated.length + deleted.length + added.length),
    ...updated.map((entry) => folder('FolderHierarchy:Update', entry)),
    ...deleted.map((id) => el('FolderHierarchy:Delete', el('FolderHierarchy:ServerId', id))),
    ...added.map((entry) => folder('FolderHierarchy:Add', entry)),
  )
}

/** The digest of a request that changes folders. */
export const digestOfRequest = (root: Element): string =>
  createHash('sha256').update(encodeWbxml(root)).digest('base64url').slice(0, 22)
