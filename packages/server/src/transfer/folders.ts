import {
  type Folder,
  type FolderId,
  type FolderRole,
  folderNameKey,
  folderNameValid,
  MAX_FOLDER_NAME,
} from '@postrider/domain'

/** What other programs call the folders that have a role here, lower case: English, French, German, Spanish, Italian, Dutch. */
const roleNames: readonly (readonly [FolderRole, readonly string[]])[] = [
  ['inbox', ['inbox', 'boîte de réception', 'posteingang', 'bandeja de entrada', 'posta in arrivo', 'postvak in']],
  ['drafts', ['drafts', 'draft', 'brouillons', 'entwürfe', 'borradores', 'bozze', 'concepten']],
  [
    'sentitems',
    [
      'sent',
      'sent items',
      'sent mail',
      'sent-mail',
      'sent messages',
      'éléments envoyés',
      'messages envoyés',
      'envoyés',
      'gesendet',
      'gesendete objekte',
      'gesendete elemente',
      'enviados',
      'elementos enviados',
      'posta inviata',
      'inviata',
      'verzonden items',
      'verzonden',
    ],
  ],
  [
    'deleteditems',
    [
      'trash',
      'deleted items',
      'deleted messages',
      'deleted',
      'bin',
      'corbeille',
      'éléments supprimés',
      'papierkorb',
      'gelöschte objekte',
      'gelöschte elemente',
      'papelera',
      'elementos eliminados',
      'cestino',
      'posta eliminata',
      'verwijderde items',
      'prullenbak',
    ],
  ],
  [
    'junkemail',
    [
      'junk',
      'junk e-mail',
      'junk email',
      'junk mail',
      'spam',
      'bulk mail',
      'indésirables',
      'courrier indésirable',
      'pourriel',
      'junk-e-mail',
      'correo no deseado',
      'posta indesiderata',
      'ongewenste e-mail',
    ],
  ],
  ['archive', ['archive', 'archives', 'archiv', 'archivo', 'archivio', 'archief']],
]
const roleOfName = new Map(
  roleNames.flatMap(([role, names]) => names.map((name) => [folderNameKey(name), role] as const)),
)

/** RFC 6154 attributes → roles. \All and \Flagged are views, not folders. */
export const roleOfUse: ReadonlyMap<string, FolderRole> = new Map<string, FolderRole>([
  ['\\drafts', 'drafts'],
  ['\\sent', 'sentitems'],
  ['\\trash', 'deleteditems'],
  ['\\junk', 'junkemail'],
  ['\\archive', 'archive'],
])

/** A name of another system → one that may be given here. */
export function fitName(name: string): string {
  const fit = name
    .normalize('NFC')
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .replace(/\//g, '_')
    .slice(0, MAX_FOLDER_NAME)
    .replace(/[\ud800-\udbff]$/, '')
  return folderNameValid(fit) ? fit : '_'
}

/** Where a folder of a source goes: a role's folder, and names from there on. */
export interface Place {
  readonly role: FolderRole
  readonly names: readonly string[]
}

/** Roles that the folders of one source have: each once. What the source says counts, then names of the first level. */
export function placeFolders(
  folders: readonly { readonly path: readonly string[]; readonly role?: FolderRole | undefined }[],
  into: readonly string[] | undefined,
): readonly Place[] {
  if (into !== undefined)
    return folders.map(({ path }) => ({ role: 'msgfolderroot', names: [...into, ...path].map(fitName) }))
  const roles = new Map<string, FolderRole>()
  const taken = new Set<FolderRole>()
  const take = (path: readonly string[], role: FolderRole | undefined): void => {
    const key = path.join('\0')
    if (role === undefined || taken.has(role) || roles.has(key)) return
    taken.add(role)
    roles.set(key, role)
  }
  for (const { path, role } of folders) take(path, role)
  if (folders.some(({ path }) => path.length === 0)) take([], 'inbox')
  for (const [role, names] of roleNames)
    for (const name of names)
      for (const { path } of folders)
        if (path.length === 1 && folderNameKey(path[0] as string) === name) take(path, roleOfName.get(name) ?? role)
  return folders.map(({ path }) => {
    for (let length = path.length; length >= 0; length--) {
      const role = roles.get(path.slice(0, length).join('\0'))
      if (role === undefined || (length === 0 && path.length > 0)) continue
      return { role, names: path.slice(length).map(fitName) }
    }
    return { role: 'msgfolderroot', names: path.map(fitName) }
  })
}

/** The mail folders of a mailbox by their names: what exists of a place, and the folder where the rest begins. */
export function findPlace(
  folders: readonly Folder[],
  { role, names }: Place,
): { readonly at: Folder; readonly missing: readonly string[] } | undefined {
  let at = folders.find((folder) => folder.role === role)
  if (at === undefined) return undefined
  for (const [i, name] of names.entries()) {
    const parent: FolderId = at.id
    const next = folders.find((one) => one.parent === parent && folderNameKey(one.name) === folderNameKey(name))
    if (next === undefined) return { at, missing: names.slice(i) }
    at = next
  }
  return { at, missing: [] }
}
