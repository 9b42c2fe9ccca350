import type { ChangeNumber, FolderId } from './ids.ts'

/** What a distinguished folder is for. Exchange's names (EWS DistinguishedFolderIdNameType) so that a search finds both. */
export const folderRoles = [
  'root',
  'msgfolderroot',
  'inbox',
  'drafts',
  'sentitems',
  'deleteditems',
  'outbox',
  'junkemail',
  'archive',
  'calendar',
  'contacts',
  'tasks',
  'notes',
  'journal',
  'searchfolders',
  'conversationhistory',
  'recoverableitemsroot',
  'recoverableitemsdeletions',
  'recoverableitemsversions',
  'recoverableitemspurges',
  'conversationactionsettings',
  'quickcontacts',
  'imcontactlist',
  'recipientcache',
  'mycontacts',
  'syncissues',
  'conflicts',
  'localfailures',
  'serverfailures',
  'commonviews',
  'views',
  'finder',
  'shortcuts',
  'schedule',
  'freebusydata',
  'deferredaction',
  'reminders',
  'todo',
  'favorites',
  'adminauditlogs',
  'directory',
  'rssfeeds',
] as const
export type FolderRole = (typeof folderRoles)[number]

/** Container classes: [MS-OXOCFG], PidTagContainerClass. */
export type FolderClass =
  | 'IPF.Note'
  | 'IPF.Appointment'
  | 'IPF.Contact'
  | 'IPF.Task'
  | 'IPF.StickyNote'
  | 'IPF.Journal'
  | 'IPF.Configuration'
  | 'IPF.Note.OutlookHomepage'
  | 'IPF.Contact.RecipientCache'
  | 'IPF.Contact.MOC.QuickContacts'
  | 'IPF.Contact.MOC.ImContactList'
  | (string & {})

export interface DistinguishedFolder {
  readonly role: FolderRole
  readonly parent: FolderRole | undefined
  readonly class: FolderClass
  readonly kind: 'generic' | 'search'
  /** Name by language; the mailbox's language decides at creation. */
  readonly name: { readonly en: string; readonly fr: string }
}

const row = (
  role: FolderRole,
  parent: FolderRole | undefined,
  en: string,
  fr: string,
  cls: FolderClass = 'IPF.Note',
  kind: 'generic' | 'search' = 'generic',
): DistinguishedFolder => ({ role, parent, class: cls, kind, name: { en, fr } })

/** Every mailbox has these from its creation, in this order: the ids of all mailboxes are alike. */
export const distinguishedFolders: readonly DistinguishedFolder[] = [
  row('root', undefined, 'Root', 'Racine', ''),
  row('msgfolderroot', 'root', 'Top of Information Store', 'Haut de la banque d’informations', ''),
  row('inbox', 'msgfolderroot', 'Inbox', 'Boîte de réception'),
  row('drafts', 'msgfolderroot', 'Drafts', 'Brouillons'),
  row('sentitems', 'msgfolderroot', 'Sent Items', 'Éléments envoyés'),
  row('deleteditems', 'msgfolderroot', 'Deleted Items', 'Éléments supprimés'),
  row('outbox', 'msgfolderroot', 'Outbox', 'Boîte d’envoi'),
  row('junkemail', 'msgfolderroot', 'Junk Email', 'Courrier indésirable'),
  row('archive', 'msgfolderroot', 'Archive', 'Archive'),
  row('calendar', 'msgfolderroot', 'Calendar', 'Calendrier', 'IPF.Appointment'),
  row('contacts', 'msgfolderroot', 'Contacts', 'Contacts', 'IPF.Contact'),
  row('tasks', 'msgfolderroot', 'Tasks', 'Tâches', 'IPF.Task'),
  row('notes', 'msgfolderroot', 'Notes', 'Notes', 'IPF.StickyNote'),
  row('journal', 'msgfolderroot', 'Journal', 'Journal', 'IPF.Journal'),
  row('conversationhistory', 'msgfolderroot', 'Conversation History', 'Historique des conversations'),
  row('rssfeeds', 'msgfolderroot', 'RSS Feeds', 'Flux RSS', 'IPF.Note.OutlookHomepage'),
  row('syncissues', 'msgfolderroot', 'Sync Issues', 'Problèmes de synchronisation'),
  row('conflicts', 'syncissues', 'Conflicts', 'Conflits'),
  row('localfailures', 'syncissues', 'Local Failures', 'Défaillances locales'),
  row('serverfailures', 'syncissues', 'Server Failures', 'Défaillances du serveur'),
  row('quickcontacts', 'contacts', 'Quick Contacts', 'Contacts rapides', 'IPF.Contact.MOC.QuickContacts'),
  row('imcontactlist', 'contacts', 'IM Contact List', 'Liste de contacts', 'IPF.Contact.MOC.ImContactList'),
  row('recipientcache', 'contacts', 'Recipient Cache', 'Cache des destinataires', 'IPF.Contact.RecipientCache'),
  row(
    'conversationactionsettings',
    'msgfolderroot',
    'Conversation Action Settings',
    'Actions de conversation',
    'IPF.Configuration',
  ),
  row('searchfolders', 'root', 'Search Folders', 'Dossiers de recherche', ''),
  row('finder', 'root', 'Finder', 'Recherche', ''),
  row('commonviews', 'root', 'Common Views', 'Vues communes', ''),
  row('views', 'root', 'Views', 'Vues', ''),
  row('shortcuts', 'root', 'Shortcuts', 'Raccourcis', ''),
  row('schedule', 'root', 'Schedule', 'Planning', ''),
  row('freebusydata', 'root', 'Freebusy Data', 'Disponibilités', ''),
  row('deferredaction', 'root', 'Deferred Action', 'Actions différées', ''),
  row('reminders', 'root', 'Reminders', 'Rappels', 'Outlook.Reminder', 'search'),
  row('todo', 'root', 'To-Do Search', 'Tâches à faire', 'IPF.Task', 'search'),
  row('mycontacts', 'root', 'My Contacts', 'Mes contacts', 'IPF.Contact', 'search'),
  row('favorites', 'root', 'Favorites', 'Favoris', 'IPF.Note', 'search'),
  row('directory', 'root', 'Directory', 'Annuaire', ''),
  row('adminauditlogs', 'root', 'Admin Audit Logs', 'Journaux d’audit', ''),
  row('recoverableitemsroot', 'root', 'Recoverable Items', 'Éléments récupérables', ''),
  row('recoverableitemsdeletions', 'recoverableitemsroot', 'Deletions', 'Suppressions'),
  row('recoverableitemsversions', 'recoverableitemsroot', 'Versions', 'Versions'),
  row('recoverableitemspurges', 'recoverableitemsroot', 'Purges', 'Purges'),
]

/** RFC 6154 / RFC 8621 special use of a role; roles without one have no IMAP attribute. */
export const specialUse: ReadonlyMap<FolderRole, string> = new Map<FolderRole, string>([
  ['drafts', '\\Drafts'],
  ['sentitems', '\\Sent'],
  ['deleteditems', '\\Trash'],
  ['junkemail', '\\Junk'],
  ['archive', '\\Archive'],
])

/** One folder as the service answers it. Counters are of the moment; `cn` moves with hierarchy changes only. */
export interface Folder {
  readonly id: FolderId
  /** 0 for the root. */
  readonly parent: FolderId | 0
  readonly name: string
  readonly class: FolderClass
  readonly role: FolderRole | undefined
  readonly kind: 'generic' | 'search'
  readonly cn: ChangeNumber
  readonly createdCn: ChangeNumber
  /** The highest change number of anything inside: IMAP HIGHESTMODSEQ of the folder. */
  readonly contentChange: ChangeNumber
  readonly uidValidity: number
  readonly uidNext: number
  readonly total: number
  readonly unread: number
  /** Items with \Deleted set, for STATUS DELETED. */
  readonly deleted: number
  /** Associated (hidden) items. */
  readonly hidden: number
  /** Bytes of all originals in it, for STATUS=SIZE. */
  readonly bytes: number
  /** IMAP SUBSCRIBE. Distinguished mail folders start subscribed. */
  readonly subscribed: boolean
  /** A special use given by CREATE-SPECIAL-USE to a folder of the user's own, e.g. '\\Sent'. */
  readonly specialUse: string | undefined
}

/** [MS-ASCMD] status 151 of peers' experience: more folders than this are refused with `tooMany`. */
export const MAX_FOLDERS = 10_000
export const MAX_FOLDER_DEPTH = 64
export const MAX_FOLDER_NAME = 255

/** The comparison key of a folder name among its siblings: Unicode NFC, case folded. `Inbox` is special only by role. */
export const folderNameKey = (name: string): string => name.normalize('NFC').toLowerCase()

/** Whether a name may be given to a folder: not empty, no controls, no '/' (it separates levels in IMAP), at most 255 characters. */
export const folderNameValid = (name: string): boolean =>
  name.length > 0 && name.length <= MAX_FOLDER_NAME && name.trim() !== '' && !/[\u0000-\u001f\u007f/]/.test(name)
