/** FolderDelete: [MS-ASCMD] §2.2.1.4. The folder goes with all below it; items in it are gone for good, as the command says. */
import { text } from '@postrider/wire/wbxml'
import { command } from '../command.ts'
import { findFolder, recipientCacheId } from '../folders.ts'
import { type FolderChange, runFolderChange } from './folderchange.ts'
import { FolderStatus } from './foldersync.ts'

const change: FolderChange = {
  root: 'FolderHierarchy:FolderDelete',
  failures: {
    folderNotFound: FolderStatus.notFound,
    folderSpecial: FolderStatus.special,
  },
  plan(_context, document, folders, known) {
    const id = text(document, 'FolderHierarchy:ServerId')?.trim()
    if (id === undefined || id === '') return { status: FolderStatus.malformed }
    if (id === recipientCacheId) return { status: FolderStatus.special }
    const folder = findFolder(folders, id)
    if (folder === undefined) return { status: FolderStatus.notFound }
    if (folder.role !== undefined) return { status: FolderStatus.special }
    const gone = new Set([id])
    // Parents stand before their children in the list.
    for (const entry of known) if (gone.has(entry.parentId)) gone.add(entry.serverId)
    return {
      operation: { op: 'deleteFolder', folder: folder.id, recursive: true },
      folders: known.filter((entry) => !gone.has(entry.serverId)),
    }
  },
}

export const folderDelete = command({
  name: 'FolderDelete',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'FolderHierarchy:FolderDelete',
  statusTag: 'FolderHierarchy:Status',
  run: (context, request) => runFolderChange(change, context, request),
})
