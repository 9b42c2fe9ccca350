/** FolderCreate: [MS-ASCMD] §2.2.1.3. */
import { folderNameValid } from '@postrider/domain'
import { integer, text } from '@postrider/wire/wbxml'
import { command } from '../command.ts'
import { classOfType, findFolder, FolderType, recipientCacheId } from '../folders.ts'
import { type FolderChange, findParent, runFolderChange } from './folderchange.ts'
import { FolderStatus } from './foldersync.ts'

const change: FolderChange = {
  root: 'FolderHierarchy:FolderCreate',
  failures: {
    folderExists: FolderStatus.exists,
    folderNotFound: FolderStatus.parentNotFound,
    nameInvalid: FolderStatus.malformed,
    invalid: FolderStatus.malformed,
    tooMany: FolderStatus.serverError,
  },
  plan(_context, document, folders) {
    const parentId = text(document, 'FolderHierarchy:ParentId')?.trim()
    const name = text(document, 'FolderHierarchy:DisplayName')
    const type = integer(document, 'FolderHierarchy:Type')
    if (parentId === undefined || name === undefined || type === undefined) return { status: FolderStatus.malformed }
    if (parentId === recipientCacheId) return { status: FolderStatus.special }
    const kind = classOfType(type)
    // MS-ASCMD_R4035: default folders cannot be made. R81: nor a recipient information cache.
    if (kind === undefined || !folderNameValid(name)) return { status: FolderStatus.malformed }
    const parent = findParent(folders, (id) => findFolder(folders, id), parentId)
    if (parent === undefined) return { status: FolderStatus.parentNotFound }
    return {
      create: { op: 'createFolder', parent: parent.id, name, class: kind, subscribed: true },
      // Generic mail folders are told as mail folders, so the device hears no Update of its own folder.
      shown: (serverId) => ({
        serverId,
        parentId,
        name,
        type: type === FolderType.generic ? FolderType.userMail : type,
      }),
    }
  },
}

export const folderCreate = command({
  name: 'FolderCreate',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'FolderHierarchy:FolderCreate',
  statusTag: 'FolderHierarchy:Status',
  run: (context, request) => runFolderChange(change, context, request),
})
