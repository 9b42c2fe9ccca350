import { distinguishedFolders, type Language, type Principal } from '@postrider/domain'
import type { WebContext } from '../context.ts'
import { ask } from '../mail.ts'

/** The folders of the user's mailbox, in the order they are shown. */
export interface Folder {
  readonly id: string
  readonly name: string
  readonly parentId: string | null
  readonly role: string | null
  readonly sortOrder: number
  readonly totalEmails: number
  readonly unreadEmails: number
  readonly depth: number
}

export async function foldersOf(
  context: WebContext,
  principal: Principal,
  accountId: string,
  language: Language,
): Promise<readonly Folder[]> {
  const properties = ['id', 'name', 'parentId', 'role', 'sortOrder', 'totalEmails', 'unreadEmails']
  const { list } = await ask<{ list: readonly Omit<Folder, 'depth'>[] }>(context, principal, 'Mailbox/get', {
    accountId,
    ids: null,
    properties,
  })
  const known = new Set(list.map(({ id }) => id))
  const children = new Map<string | null, Omit<Folder, 'depth'>[]>()
  for (const one of list) {
    const parentId = one.parentId !== null && known.has(one.parentId) ? one.parentId : null
    const own = children.get(parentId) ?? []
    own.push({ ...one, parentId, name: one.role === null ? one.name : nameIn(language, one.name) })
    children.set(parentId, own)
  }
  const out: Folder[] = []
  const walk = (parent: string | null, depth: number): void => {
    const own = children.get(parent) ?? []
    own.sort((a, b) => a.sortOrder - b.sortOrder || a.name.localeCompare(b.name, language))
    for (const one of own) {
      out.push({ ...one, depth })
      walk(one.id, depth + 1)
    }
  }
  walk(null, 0)
  return out
}

/** The folders every mailbox has are called as the reader calls them, in whatever language the mailbox was made. */
const nameIn = (language: Language, name: string): string =>
  distinguishedFolders.find((one) => one.name.en === name || one.name.fr === name)?.name[language] ?? name
