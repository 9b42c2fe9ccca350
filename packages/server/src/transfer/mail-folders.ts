import type { Folder, FolderId, FolderRole } from '@postrider/domain'

/** Folders that a program fills by itself: exported only when they hold mails. */
const aside: ReadonlySet<FolderRole> = new Set<FolderRole>([
  'outbox',
  'conversationhistory',
  'rssfeeds',
  'syncissues',
  'conflicts',
  'localfailures',
  'serverfailures',
])

export interface MailFolder {
  readonly folder: Folder
  /** From the top of the mailbox; never empty. */
  readonly path: readonly string[]
}

/** The mail folders of a mailbox, parents first, in an order that depends on the names alone. */
export function mailFolders(folders: readonly Folder[]): MailFolder[] {
  const top = folders.find((folder) => folder.role === 'msgfolderroot')
  const found: MailFolder[] = []
  const walk = (parent: FolderId, path: readonly string[]): void => {
    const inside = folders.filter((folder) => folder.parent === parent)
    for (const folder of inside.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const own = [...path, folder.name]
      const isMail = folder.kind === 'generic' && /^IPF\.Note(\.OutlookHomepage)?$/i.test(folder.class)
      const wanted = folder.role === undefined || !aside.has(folder.role) || folder.total > 0
      if (isMail && wanted) found.push({ folder, path: own })
      if (isMail) walk(folder.id, own)
    }
  }
  if (top !== undefined) walk(top.id, [])
  return found
}
