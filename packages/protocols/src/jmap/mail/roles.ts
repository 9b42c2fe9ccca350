/** Roles of mailboxes (RFC 8621 §2, IANA registry) and what folders are. */
import type { Folder, FolderRole } from '@postrider/domain'

const byFolderRole: ReadonlyMap<FolderRole, string> = new Map<FolderRole, string>([
  ['inbox', 'inbox'],
  ['drafts', 'drafts'],
  ['sentitems', 'sent'],
  ['deleteditems', 'trash'],
  ['junkemail', 'junk'],
  ['archive', 'archive'],
])

/** Roles a user may give to a folder of their own, with the special use that keeps them. */
export const freeRoles: ReadonlyMap<string, string> = new Map([
  ['important', '\\Important'],
  ['memos', '\\Memos'],
  ['scheduled', '\\Scheduled'],
  ['snoozed', '\\Snoozed'],
])
const byUse = new Map([...freeRoles].map(([role, use]) => [use.toLowerCase(), role]))

/** The roles of folders; each at most once, the oldest folder has it. */
export function rolesOf(folders: Iterable<Folder>): ReadonlyMap<Folder['id'], string> {
  const taken = new Set<string>()
  const out = new Map<Folder['id'], string>()
  for (const folder of [...folders].sort((a, b) => a.id - b.id)) {
    const role =
      (folder.role === undefined ? undefined : byFolderRole.get(folder.role)) ??
      byUse.get((folder.specialUse ?? '').toLowerCase())
    if (role === undefined || taken.has(role)) continue
    taken.add(role)
    out.set(folder.id, role)
  }
  return out
}

const order: readonly string[] = ['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash']
const OTHER_ORDER = 10
/** Where a mailbox stands until the user says otherwise. */
export const usualOrder = (role: string | undefined): number => {
  const at = role === undefined ? -1 : order.indexOf(role)
  return at < 0 ? OTHER_ORDER : at + 1
}
