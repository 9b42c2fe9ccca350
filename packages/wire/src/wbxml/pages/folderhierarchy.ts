import { codePage } from '../page.ts'

/** Code page 7, FolderHierarchy: [MS-ASWBXML] §2.1.2.1.8. */
export const folderHierarchyPage = codePage(7, 'FolderHierarchy', {
  Folders: [0x05, '-12.1'],
  Folder: [0x06, '-12.1'],
  DisplayName: 0x07,
  ServerId: 0x08,
  ParentId: 0x09,
  Type: 0x0a,
  Response: 0x0b,
  Status: 0x0c,
  ContentClass: 0x0d,
  Changes: 0x0e,
  Add: 0x0f,
  Delete: 0x10,
  Update: 0x11,
  SyncKey: 0x12,
  FolderCreate: 0x13,
  FolderDelete: 0x14,
  FolderUpdate: 0x15,
  FolderSync: 0x16,
  Count: 0x17,
  Version: 0x18,
})
