/** `shareWith` of Mailbox (RFC 9670 §4): principals and their rights, kept as the folder's permission list. */
import { type Folder, type MailboxEntry, type Permission, Right } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties } from '../core/error.ts'
import { principalIdOf, readPrincipalId } from '../core/ids.ts'
import { isObject, type Json, type JsonObject, record } from '../core/json.ts'
import { MAX_SHARES } from '../limits.ts'
import { notifyOf } from './notifications.ts'
import { bitsOf, givenRights, type MailboxRights } from './rights.ts'

/** Of folders that the user may share; null for all others: who else sees them is not theirs to know. */
export async function sharesOf(
  call: Call,
  account: Account,
): Promise<(folder: Folder) => Promise<Readonly<Record<string, MailboxRights>> | null>> {
  const lists = Map.groupBy(await account.handle.permissions(), (one) => one.folder)
  return async (folder) => {
    if (((await account.handle.rights(folder.id)) & Right.folderOwner) === 0) return null
    return shown(call, lists.get(folder.id) ?? [])
  }
}

/** Members that are nobody any more, and what holds for everybody, are no principals. */
function shown(call: Call, list: readonly Permission[]): Readonly<Record<string, MailboxRights>> {
  const out = record<MailboxRights>()
  for (const { member, rights } of list) {
    const entry = call.jmap.parts.directory.account(member)
    if (entry !== undefined && rights !== 0) out[principalIdOf(entry.mailbox)] = givenRights(rights)
  }
  return out
}

/** What is to change for one principal. */
export interface Share {
  readonly member: MailboxEntry
  readonly before: number
  readonly after: number
}

/** What a whole `shareWith` changes; raises SetError (invalidProperties) for principals and rights that cannot be. */
export async function sharesWanted(
  call: Call,
  account: Account,
  folder: Folder | undefined,
  wanted: Json,
): Promise<readonly Share[]> {
  const wrong = (): never => {
    throw invalidProperties(['shareWith'])
  }
  if (wanted !== null && !isObject(wanted)) return wrong()
  const { directory } = call.jmap.parts
  const before = new Map<string, number>()
  for (const { folder: id, member, rights } of folder === undefined ? [] : await account.handle.permissions())
    if (id === folder?.id && directory.account(member) !== undefined) before.set(member, rights)
  const shares: Share[] = []
  const kept = new Set<string>()
  const asked = Object.entries((wanted ?? {}) as JsonObject)
  if (asked.length > MAX_SHARES) return wrong()
  for (const [key, rights] of asked) {
    const mailbox = readPrincipalId(key)
    const member = mailbox === undefined ? undefined : directory.mailbox(mailbox)
    if (member === undefined || member.mailbox === account.entry.mailbox || member.type === 'system') return wrong()
    if (!isObject(rights)) return wrong()
    const old = before.get(member.account) ?? 0
    const after = bitsOf(rights, old, `shareWith/${key}`) ?? wrong()
    kept.add(member.account)
    if (after !== old) shares.push({ member, before: old, after })
  }
  for (const [name, rights] of before) {
    const member = directory.account(name)
    if (member !== undefined && !kept.has(name) && rights !== 0) shares.push({ member, before: rights, after: 0 })
  }
  return shares
}

/** Gives and takes, one principal after the other: the note of the folder's owner before the right, the notification after it. */
export async function share(call: Call, account: Account, folder: Folder, shares: readonly Share[]): Promise<void> {
  const { given } = call.jmap
  for (const one of shares) {
    const { member, before, after } = one
    const work = (): Promise<unknown> =>
      account.handle.apply([
        { op: 'setPermission', folder: folder.id, member: member.account, rights: after === 0 ? undefined : after },
        // A list of rights has no change number of its own: the folder's moves.
        { op: 'updateFolder', folder: folder.id, props: new Map() },
      ])
    const rest = (): Promise<boolean> => given.has(account.entry, member)
    await given.around(account.entry, member, after !== 0, work, rest)
    if (member.account !== call.principal.account) await notifyOf(call, account, folder, member, before, after)
  }
}
