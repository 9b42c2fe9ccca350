/**
 * The folders a phone sees, and as what: [MS-ASCMD] §2.2.3.186.3 (Type). Everything below the top of the information store
 * that holds mail, calendar, contacts, tasks, notes or journal; the folders of other programs' inner workings stay hidden.
 */
import { createHash } from 'node:crypto'
import type { Folder, FolderRole } from '@postrider/domain'
import { collectionId, parseCollectionId, topParentId } from './ids.ts'

/** Type of folderhierarchy. */
export const FolderType = {
  generic: 1,
  inbox: 2,
  drafts: 3,
  deletedItems: 4,
  sentItems: 5,
  outbox: 6,
  tasks: 7,
  calendar: 8,
  contacts: 9,
  notes: 10,
  journal: 11,
  userMail: 12,
  userCalendar: 13,
  userContacts: 14,
  userTasks: 15,
  userJournal: 16,
  userNotes: 17,
  unknown: 18,
  recipientCache: 19,
} as const

const roleTypes: ReadonlyMap<FolderRole, number> = new Map([
  ['inbox', FolderType.inbox],
  ['drafts', FolderType.drafts],
  ['deleteditems', FolderType.deletedItems],
  ['sentitems', FolderType.sentItems],
  ['outbox', FolderType.outbox],
  ['tasks', FolderType.tasks],
  ['calendar', FolderType.calendar],
  ['contacts', FolderType.contacts],
  ['notes', FolderType.notes],
  ['journal', FolderType.journal],
])

/** Container classes, the longest match first, and what they are on the phone. */
const classTypes: readonly (readonly [prefix: string, type: number, className: ItemClassName])[] = [
  ['IPF.Appointment', FolderType.userCalendar, 'Calendar'],
  ['IPF.Contact', FolderType.userContacts, 'Contacts'],
  ['IPF.StickyNote', FolderType.userNotes, 'Notes'],
  ['IPF.Journal', FolderType.userJournal, 'Notes'],
  ['IPF.Task', FolderType.userTasks, 'Tasks'],
  ['IPF.Note', FolderType.userMail, 'Email'],
]

export type ItemClassName = 'Email' | 'Calendar' | 'Contacts' | 'Tasks' | 'Notes'

/** Folders with a role that no phone is shown, with all below them. */
const hiddenRoles: ReadonlySet<FolderRole> = new Set([
  'conversationactionsettings',
  'quickcontacts',
  'imcontactlist',
  'recipientcache',
  'syncissues',
  'conversationhistory',
  'rssfeeds',
])

/** The ServerId of the recipient information cache: [MS-ASCMD] §2.2.3.30.5. */
export const recipientCacheId = 'RI'

/** One folder as FolderSync tells it. */
export interface ShownFolder {
  readonly serverId: string
  readonly parentId: string
  readonly name: string
  readonly type: number
}

/** The class of items a folder holds. */
export const classNameOf = (folder: Folder): ItemClassName =>
  classTypes.find(([prefix]) => folder.class.startsWith(prefix))?.[2] ?? 'Email'

/** The container class for a Type of FolderCreate; undefined for a type that cannot be made (R: only user types). */
export function classOfType(type: number): string | undefined {
  if (type === FolderType.generic) return 'IPF.Note'
  return classTypes.find(([, userType]) => userType === type)?.[0]
}

/**
 * The folders shown to a client, parents before children.
 * @param recipientCache whether the client knows type 19 (14.0 and newer).
 */
export function shownFolders(folders: readonly Folder[], recipientCache: boolean): ShownFolder[] {
  const top = folders.find((folder) => folder.role === 'msgfolderroot')
  if (top === undefined) return []
  const byParent = Map.groupBy(folders, (folder) => folder.parent as number)
  const shown: ShownFolder[] = []
  const visit = (parent: number, parentId: string): void => {
    for (const folder of byParent.get(parent) ?? []) {
      if (folder.kind !== 'generic' || (folder.role !== undefined && hiddenRoles.has(folder.role))) continue
      const type = typeOf(folder)
      if (type === undefined) continue
      const serverId = collectionId(folder.id)
      shown.push({ serverId, parentId, name: folder.name, type })
      visit(folder.id, serverId)
    }
  }
  visit(top.id, topParentId)
  const cache = recipientCache ? folders.find((folder) => folder.role === 'recipientcache') : undefined
  if (cache !== undefined) {
    shown.push({
      serverId: recipientCacheId,
      parentId: topParentId,
      name: cache.name,
      type: FolderType.recipientCache,
    })
  }
  return shown
}

/** The folders a client is shown, and a name of this state of them. */
export interface ShownHierarchy {
  readonly folders: readonly ShownFolder[]
  readonly state: string
}

const kept = new WeakMap<readonly Folder[], Map<boolean, ShownHierarchy>>()

/** The same as `shownFolders` for a list that many share (`MailboxHandle.hierarchy`): made once a list, not once a waiting phone. */
export function shownHierarchy(folders: readonly Folder[], recipientCache: boolean): ShownHierarchy {
  let made = kept.get(folders)
  if (made === undefined) {
    made = new Map()
    kept.set(folders, made)
  }
  let shown = made.get(recipientCache)
  if (shown === undefined) {
    const list = shownFolders(folders, recipientCache)
    shown = {
      folders: list,
      state: createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 22),
    }
    made.set(recipientCache, shown)
  }
  return shown
}

function typeOf(folder: Folder): number | undefined {
  const byRole = folder.role === undefined ? undefined : roleTypes.get(folder.role)
  if (byRole !== undefined) return byRole
  return classTypes.find(([prefix]) => folder.class.startsWith(prefix))?.[1]
}

/** The folder a CollectionId means: one that is shown, or `RI`. */
export function findFolder(folders: readonly Folder[], id: string): Folder | undefined {
  if (id === recipientCacheId) return folders.find((folder) => folder.role === 'recipientcache')
  const wanted = parseCollectionId(id)
  if (wanted === undefined) return undefined
  const folder = folders.find((candidate) => candidate.id === wanted)
  return folder !== undefined && isShown(folders, folder) ? folder : undefined
}

function isShown(folders: readonly Folder[], folder: Folder): boolean {
  const byId = new Map(folders.map((candidate) => [candidate.id as number, candidate]))
  for (let current: Folder | undefined = folder; current !== undefined; current = byId.get(current.parent as number)) {
    if (current.role === 'msgfolderroot') return true
    if (current.kind !== 'generic' || (current.role !== undefined && hiddenRoles.has(current.role))) return false
  }
  return false
}
