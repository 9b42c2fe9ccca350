import {
  type Folder,
  type FolderId,
  folderNameKey,
  type FolderRole,
  type MailboxHandle,
  type Overview,
  specialUse,
} from '@postrider/domain'
import { no, Refusal } from './codes.ts'

/** The hierarchy separator: no folder name may hold it (domain's folderNameValid). */
export const SEPARATOR = '/'

/** Distinguished mail folders that Exchange does not show to IMAP either, unless ShowHiddenFoldersEnabled. */
const hiddenRoles: ReadonlySet<FolderRole> = new Set<FolderRole>([
  'outbox',
  'conversationhistory',
  'rssfeeds',
  'syncissues',
  'conflicts',
  'localfailures',
  'serverfailures',
])

/** Trees by the list they are of: two of each, without and with hidden folders. */
const named = new WeakMap<readonly Folder[], FolderTree[]>()

/** One line of LIST. */
export interface Entry {
  readonly name: string
  /** Undefined for a name that only leads to others: not selectable. */
  readonly folder: Folder | undefined
  readonly id: FolderId
  /** Has visible mailboxes inside. */
  readonly children: boolean
}

/**
 * The mailboxes IMAP shows: mail folders below the top of the store. Calendar, Contacts, Tasks, Notes and Journal are no mail (one
 * protocol shows them as what they are, and a mail program would fill them with mails); public folders are no part of it (R41).
 */
export class FolderTree {
  readonly #folders: readonly Folder[]
  readonly #byId: Map<FolderId, Folder>
  readonly #names = new Map<FolderId, string>()
  readonly #top: Folder | undefined
  readonly #inbox: Folder | undefined
  readonly #showHidden: boolean
  #entries: Entry[] | undefined

  constructor(folders: readonly Folder[], showHidden: boolean) {
    this.#folders = folders
    this.#showHidden = showHidden
    this.#byId = new Map(folders.map((folder) => [folder.id, folder]))
    this.#top = folders.find((folder) => folder.role === 'msgfolderroot')
    this.#inbox = folders.find((folder) => folder.role === 'inbox')
  }

  static async of(mailbox: MailboxHandle, showHidden: boolean): Promise<FolderTree> {
    return new FolderTree(await mailbox.folders(), showHidden)
  }

  /**
   * For those who look a folder up by its name: counters may be of an earlier moment. The tree is made once for all who ask, as long as no
   * folder is made, named or moved.
   */
  static named({ folders }: Pick<Overview, 'folders'>, showHidden: boolean): FolderTree {
    let trees = named.get(folders)
    if (trees === undefined) {
      trees = []
      named.set(folders, trees)
    }
    trees[Number(showHidden)] ??= new FolderTree(folders, showHidden)
    return trees[Number(showHidden)] as FolderTree
  }

  /** True for a folder that can be selected. */
  #isMail(folder: Folder): boolean {
    if (folder.kind !== 'generic' || !/^IPF\.Note(\.OutlookHomepage)?$/i.test(folder.class)) return false
    return this.#showHidden || folder.role === undefined || !hiddenRoles.has(folder.role)
  }

  /** The full name, or undefined for what is not below the top. */
  #nameOf(folder: Folder): string | undefined {
    const known = this.#names.get(folder.id)
    if (known !== undefined) return known
    const path: Folder[] = []
    let at: Folder | undefined = folder
    // A chain longer than the number of folders would be a cycle.
    while (at !== undefined && at.id !== this.#top?.id && path.length <= this.#folders.length) {
      path.push(at)
      at = at.parent === 0 ? undefined : this.#byId.get(at.parent)
    }
    if (at === undefined || path.length === 0 || at.id !== this.#top?.id) return undefined
    const name = path
      .reverse()
      .map((one) => this.#ownName(one))
      .join(SEPARATOR)
    this.#names.set(folder.id, name)
    return name
  }

  #ownName(folder: Folder): string {
    if (folder.id === this.#inbox?.id) return 'INBOX'
    // Somebody else's "inbox" at the top (made by a protocol where the word is free) must not hide the real one.
    const shadows = folder.parent === this.#top?.id && folder.name.toUpperCase() === 'INBOX'
    return shadows ? `${folder.name} (${folder.id})` : folder.name
  }

  /** All names, parents before children, INBOX first. */
  entries(): readonly Entry[] {
    if (this.#entries !== undefined) return this.#entries
    const shown = new Map<FolderId, { name: string; folder: Folder | undefined; children: boolean }>()
    const show = (folder: Folder, asMail: boolean): void => {
      const name = this.#nameOf(folder)
      if (name === undefined) return
      const known = shown.get(folder.id)
      if (known !== undefined) return
      shown.set(folder.id, { name, folder: asMail ? folder : undefined, children: false })
    }
    for (const folder of this.#folders) if (this.#isMail(folder)) show(folder, true)
    // A hidden parent of a shown mailbox is listed as a name only.
    for (const { folder } of [...shown.values()]) {
      for (let up = this.#byId.get(folder?.parent as FolderId); up !== undefined && up.id !== this.#top?.id; ) {
        show(up, false)
        const entry = shown.get(up.id)
        if (entry !== undefined) entry.children = true
        up = this.#byId.get(up.parent as FolderId)
      }
    }
    this.#entries = [...shown].map(([id, entry]) => ({ id, ...entry }))
    this.#entries.sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name))
    return this.#entries
  }

  /** The entry of a name; names compare as the store compares them. */
  find(name: string): Entry | undefined {
    const key = nameKey(name)
    return this.entries().find((entry) => nameKey(entry.name) === key)
  }

  /** The folder of a name, to be opened or filled; raises NO [NONEXISTENT], with TRYCREATE where RFC 9051 §6.3.12 wants it. */
  folder(name: string, code: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT'): Folder {
    const folder = this.find(name)?.folder
    if (folder === undefined) throw new Refusal(no('No such mailbox', code))
    return folder
  }

  /** Any folder of that path, shown or not: what a new name would collide with. */
  anyFolder(name: string): Folder | undefined {
    const key = nameKey(name)
    return this.#folders.find((folder) => {
      const own = this.#nameOf(folder)
      return own !== undefined && nameKey(own) === key
    })
  }

  /** The folder that holds the top-level mailboxes. */
  get top(): Folder {
    if (this.#top === undefined) throw new Refusal(no('The mailbox has no folders', 'UNAVAILABLE'))
    return this.#top
  }

  get inbox(): Folder | undefined {
    return this.#inbox
  }

  /** RFC 6154 attribute of a folder: what it was created for, else what its role is for. */
  static use(folder: Folder): string | undefined {
    return folder.specialUse ?? (folder.role === undefined ? undefined : specialUse.get(folder.role))
  }
}

function rank(entry: Entry): number {
  return entry.name === 'INBOX' ? 0 : entry.name.startsWith('INBOX/') ? 1 : 2
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** INBOX compares without case (RFC 9051 §5.1), so do all names here (domain's folderNameKey). */
function nameKey(name: string): string {
  return folderNameKey(name)
}

/** The levels of a mailbox name; a separator at the end only announces children (RFC 9051 §6.3.4). */
export function levels(name: string): string[] {
  const trimmed = name.endsWith(SEPARATOR) ? name.slice(0, -1) : name
  return trimmed.split(SEPARATOR)
}
