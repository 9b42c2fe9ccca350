/** Which folders a search looks through. */
import type { Folder, FolderId } from '@postrider/domain'
import { parseCollectionId } from '../ids.ts'

/** Folders of mail: everything a user sees under the top that holds notes; the two that only pass mail on are left out. */
export function mailFolders(folders: readonly Folder[]): Folder[] {
  const visible = below(
    folders,
    folders.filter((folder) => folder.role === 'msgfolderroot').map((folder) => folder.id),
  )
  return folders.filter(
    (folder) =>
      visible.has(folder.id) &&
      folder.kind === 'generic' &&
      folder.class.startsWith('IPF.Note') &&
      folder.role !== 'msgfolderroot' &&
      folder.role !== 'outbox',
  )
}

/** The ids given and all below them. */
export function below(folders: readonly Folder[], roots: readonly FolderId[]): Set<FolderId> {
  const children = new Map<number, FolderId[]>()
  for (const { id, parent } of folders) {
    const list = children.get(parent)
    if (list === undefined) children.set(parent, [id])
    else list.push(id)
  }
  const found = new Set<FolderId>()
  const left = [...roots]
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (found.has(id)) continue
    found.add(id)
    left.push(...(children.get(id) ?? []))
  }
  return found
}

export type ScopeResult =
  | { readonly ok: true; readonly folders: readonly FolderId[] }
  /** A collection that is not there: the client's hierarchy is old. */
  | { readonly ok: false }

/**
 * The folders of a query's CollectionIds. None, or `0` (Outlook for phones), means all mail; with `deep` what lies below them too.
 */
export function scope(folders: readonly Folder[], collections: readonly string[], deep: boolean): ScopeResult {
  const mail = mailFolders(folders)
  const named = collections.map((id) => id.trim()).filter((id) => id !== '0' && id !== '')
  if (named.length === 0) return { ok: true, folders: mail.map(({ id }) => id) }
  const roots: FolderId[] = []
  for (const id of named) {
    const folder = folders.find((one) => one.id === parseCollectionId(id))
    if (folder === undefined) return { ok: false }
    roots.push(folder.id)
  }
  const wanted = deep ? below(folders, roots) : new Set(roots)
  return {
    ok: true,
    folders: folders.filter(({ id, kind }) => wanted.has(id) && kind === 'generic').map(({ id }) => id),
  }
}
