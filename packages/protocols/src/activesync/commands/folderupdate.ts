/** FolderUpdate: [MS-ASCMD] §2.2.1.6. Renames a folder, or moves it below another one. */
import { folderNameValid } from '@postrider/domain'
import { text } from '@postrider/wire/wbxml'
import { command } from '../command.ts'
import { findFolder, recipientCacheId } from '../folders.ts'
import { type FolderChange, findParent, runFolderChange } from './folderchange.ts'
import { FolderStatus } from './foldersync.ts'

const change: FolderChange = {
  root: 'FolderHierarchy:FolderUpdate',
  failures: {
    folderExists: FolderStatus.exists,
    folderSpecial: FolderStatus.exists,
    folderNotFound: FolderStatus.parentNotFound,
    folderCycle: FolderStatus.malformed,
    nameInvalid: FolderStatus.malformed,
    invalid: FolderStatus.malformed,
  },
  plan(_context, document, folders, known) {
    const id = text(document, 'FolderHierarchy:ServerId')?.trim()
    const parentId = text(document, 'FolderHierarchy:ParentId')?.trim()
    const name = text(document, 'FolderHierarchy:DisplayName')
    if (id === undefined || id === '' || parentId === undefined || name === undefined) {
      return { status: FolderStatus.malformed }
    }
    // MS-ASCMD_R143: the recipient information cache is 3; R4102: other special folders are 2.
    if (id === recipientCacheId || parentId === recipientCacheId) return { status: FolderStatus.special }
    const folder = findFolder(folders, id)
    if (folder === undefined) return { status: FolderStatus.notFound }
    if (folder.role !== undefined) return { status: FolderStatus.exists }
    if (!folderNameValid(name)) return { status: FolderStatus.malformed }
    const parent = findParent(folders, (wanted) => findFolder(folders, wanted), parentId)
    if (parent === undefined) return { status: FolderStatus.parentNotFound }
    return {
      operation: { op: 'updateFolder', folder: folder.id, name, parent: parent.id },
      folders: known.map((entry) => (entry.serverId === id ? { ...entry, name, parentId } : entry)),
    }
  },
}

export const folderUpdate = command({
  name: 'FolderUpdate',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'FolderHierarchy:FolderUpdate',
  statusTag: 'FolderHierarchy:Status',
  run: (context, request) => runFolderChange(change, context, request),
})
