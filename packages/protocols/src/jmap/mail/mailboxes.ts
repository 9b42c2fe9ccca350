/** Mailbox objects: RFC 8621 §2. Counters come from the view, rights from the door. */
import type { FolderId } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import { mailboxIdOf } from '../core/ids.ts'
import { isObject } from '../core/json.ts'
import { type MailboxRights, rightsOf } from '../sharing/rights.ts'
import { isUnread } from '../view/keywords.ts'
import type { Mail, View } from '../view/view.ts'
import { rolesOf, usualOrder } from './roles.ts'

export const mailboxProperties = [
  'id',
  'name',
  'parentId',
  'role',
  'sortOrder',
  'totalEmails',
  'unreadEmails',
  'totalThreads',
  'unreadThreads',
  'myRights',
  'isSubscribed',
] as const
export const countProperties = ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'] as const

export type MailboxObject = Readonly<Record<(typeof mailboxProperties)[number], unknown>> & {
  readonly myRights: MailboxRights
  readonly name: string
  readonly parentId: string | null
  readonly role: string | null
  readonly sortOrder: number
  readonly isSubscribed: boolean
}

/** Where the user's own order is kept: RFC 8621 §2 sortOrder. */
export const ORDER_STATE = { client: 'jmap', key: 'mailbox-order' } as const

export async function readOrder(account: Account): Promise<ReadonlyMap<string, number>> {
  if (!account.handle.full) return new Map()
  const entries = await account.handle.state(ORDER_STATE.client, ORDER_STATE.key)
  const value = entries.find((one) => one.key === ORDER_STATE.key)?.value
  const json: unknown = value === undefined ? {} : JSON.parse(new TextDecoder().decode(value))
  if (!isObject(json)) return new Map()
  return new Map(Object.entries(json).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** The mailboxes of an account. `threads`: their conversations are counted, too. */
export async function mailboxesOf(
  account: Account,
  view: View,
  threads: boolean,
): Promise<ReadonlyMap<FolderId, MailboxObject>> {
  const { folders } = view
  const roles = rolesOf(folders.values())
  const orders = await readOrder(account)
  if (threads) await view.readThreads()
  const counts = threads ? countedThreads(view, roles) : undefined
  const out = new Map<FolderId, MailboxObject>()
  for (const folder of folders.values()) {
    const role = roles.get(folder.id)
    const mails = view.inFolder(folder.id)
    const counted = counts?.get(folder.id)
    const id = mailboxIdOf(folder.id)
    out.set(folder.id, {
      id,
      name: folder.name,
      parentId: folders.has(folder.parent as FolderId) ? mailboxIdOf(folder.parent as FolderId) : null,
      role: role ?? null,
      sortOrder: orders.get(id) ?? usualOrder(role),
      totalEmails: mails.length,
      unreadEmails: unreadOf(mails),
      totalThreads: counted?.total ?? 0,
      unreadThreads: counted?.unread ?? 0,
      myRights: rightsOf(folder, await account.handle.rights(folder.id), account.personal),
      isSubscribed: folder.subscribed,
    })
  }
  return out
}

function unreadOf(mails: readonly Mail[]): number {
  let unread = 0
  for (const mail of mails) if (isUnread(mail)) unread++
  return unread
}

const counted = new WeakMap<View, { readonly change: number; readonly counts: ReadonlyMap<FolderId, ThreadCount> }>()

/** Counted once for every change. */
function countedThreads(view: View, roles: ReadonlyMap<FolderId, string>): ReadonlyMap<FolderId, ThreadCount> {
  const { change } = view.state
  const known = counted.get(view)
  if (known?.change === change) return known.counts
  const counts = countThreads(view, roles)
  counted.set(view, { change, counts })
  return counts
}

interface ThreadCount {
  total: number
  unread: number
}

/**
 * totalThreads and unreadThreads: RFC 8621 §2. A conversation is unread in every mailbox it has a mail in, whichever of its mails is unread;
 * but mails that are only in the trash count for the trash alone, and for the trash only mails that are in it.
 */
function countThreads(view: View, roles: ReadonlyMap<FolderId, string>): ReadonlyMap<FolderId, ThreadCount> {
  const trash = [...roles].find(([, role]) => role === 'trash')?.[0]
  const out = new Map<FolderId, ThreadCount>()
  for (const id of view.folders.keys()) out.set(id, { total: 0, unread: 0 })
  for (const mails of view.conversations()) {
    let unreadOutside = false
    let unreadInTrash = false
    const folders = new Set<FolderId>()
    for (const mail of mails) {
      const unread = isUnread(mail)
      for (const { folder } of mail.places) {
        folders.add(folder)
        if (!unread) continue
        if (folder === trash) unreadInTrash = true
        else unreadOutside = true
      }
    }
    for (const folder of folders) {
      const count = out.get(folder)
      if (count === undefined) continue
      count.total++
      if (folder === trash ? unreadInTrash : unreadOutside) count.unread++
    }
  }
  return out
}
