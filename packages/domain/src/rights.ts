/** Folder rights: [MS-OXCPERM] §2.2.7 PidTagMemberRights bits. */
export const Right = {
  readAny: 0x1,
  create: 0x2,
  editOwned: 0x8,
  deleteOwned: 0x10,
  editAny: 0x20,
  deleteAny: 0x40,
  createSubfolder: 0x80,
  folderOwner: 0x100,
  folderContact: 0x200,
  folderVisible: 0x400,
  freeBusySimple: 0x800,
  freeBusyDetailed: 0x1000,
} as const
export type RightName = keyof typeof Right
export const ALL_RIGHTS = 0x1ffb

/** The roles administrators know (Add-MailboxFolderPermission -AccessRights). */
export const folderRoleRights = {
  Owner: 0x7fb,
  PublishingEditor: 0x4fb,
  Editor: 0x47b,
  PublishingAuthor: 0x49b,
  Author: 0x41b,
  NonEditingAuthor: 0x413,
  Reviewer: 0x401,
  Contributor: 0x402,
  AvailabilityOnly: 0x800,
  LimitedDetails: 0x1800,
  None: 0,
} as const satisfies Record<string, number>

/** One line of a folder's permission list. `member`: a principal's account id, or 'default' or 'anonymous'. */
export interface Permission {
  readonly folder: number
  readonly member: string
  readonly rights: number
}
