/** Mailbox/set: RFC 8621 §2.5. */
import { DomainError, type FolderId, folderNameValid, isDomainError, type Operation, resultOf } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, SetError } from '../core/error.ts'
import { mailboxIdOf, readMailboxId } from '../core/ids.ts'
import { type Json, type JsonObject, sameJson } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { checkSetSize, patchedObject, setArgs, SetOutcome } from '../core/standard.ts'
import { needState, writeState } from '../core/state.ts'
import { share, sharesOf, sharesWanted } from '../sharing/share-with.ts'
import type { View } from '../view/view.ts'
import { type MailboxObject, mailboxesOf, ORDER_STATE, readOrder } from './mailboxes.ts'
import { freeRoles, usualOrder } from './roles.ts'

/** PR_ORDERING of Outlook's folder lists: the order is kept beside, this makes the folder's change number move. */
const ORDERING = 0x7c0e_0003

const settable = ['name', 'parentId', 'role', 'sortOrder', 'isSubscribed', 'shareWith']

const newMailbox = s.object({
  name: s.string,
  parentId: s.optional<string | null>(s.nullable(s.idOrCreation), null),
  role: s.optional<string | null>(s.nullable(s.string), null),
  sortOrder: s.optional<number | null>(s.unsigned, null),
  isSubscribed: s.optional(s.boolean, true),
  shareWith: s.maybe(s.jsonObject),
})

interface Room {
  readonly call: Call
  readonly account: Account
}

export const mailboxSet = method({
  name: 'Mailbox/set',
  capability: 'mail',
  args: { ...setArgs, onDestroyRemoveEmails: s.optional(s.boolean, false) },
  async run(call, args) {
    checkSetSize(args)
    const account = await call.account(args.accountId, 'mail')
    const room: Room = { call, account }
    let view = await call.view(account)
    needState(args.ifInState, view.state)
    const oldState = writeState(view.state)
    const outcome = new SetOutcome()
    await createAll(room, args.create ?? new Map(), outcome)
    for (const [key, patch] of args.update ?? []) {
      try {
        view = await call.view(account)
        await update(room, view, idOf(call, key), patch)
        outcome.updated(call.resolve(key) ?? key)
      } catch (error) {
        outcome.notUpdated(key, nameFault(error))
      }
    }
    view = await call.view(account)
    // Children before their parents, so that both may go in one call.
    const depth = (key: string): number => {
      let levels = 0
      let at = view.folders.get(readMailboxId(call.resolve(key) ?? key) as FolderId)
      for (; at !== undefined; at = view.folders.get(at.parent as FolderId)) levels++
      return levels
    }
    for (const key of [...new Set(args.destroy ?? [])].sort((a, b) => depth(b) - depth(a))) {
      try {
        view = await call.view(account)
        await destroy(room, view, idOf(call, key), args.onDestroyRemoveEmails)
        outcome.destroyed(call.resolve(key) ?? key)
      } catch (error) {
        outcome.notDestroyed(key, error)
      }
    }
    view = await call.view(account)
    return outcome.answer(args.accountId, oldState, writeState(view.state))
  },
})

function idOf(call: Call, key: string): FolderId {
  const id = readMailboxId(call.resolve(key) ?? key)
  if (id === undefined) throw new SetError('notFound')
  return id
}

/** Parents that are made in the same call come first, however the object lists them. */
async function createAll(room: Room, create: ReadonlyMap<string, JsonObject>, outcome: SetOutcome): Promise<void> {
  let waiting = [...create]
  for (;;) {
    const later: [string, JsonObject][] = []
    for (const [creation, object] of waiting) {
      const { parentId } = object
      const other = typeof parentId === 'string' && parentId.startsWith('#') ? parentId.slice(1) : undefined
      const pending = other !== undefined && other !== creation && room.call.resolve(`#${other}`) === undefined
      if (pending && waiting.some(([one]) => one === other)) {
        later.push([creation, object])
        continue
      }
      try {
        outcome.created(creation, await createOne(room, creation, object))
      } catch (error) {
        outcome.notCreated(creation, nameFault(error))
      }
    }
    if (later.length === waiting.length) {
      for (const [creation] of later) outcome.notCreated(creation, invalidProperties(['parentId']))
      return
    }
    if (later.length === 0) return
    waiting = later
  }
}

async function createOne(room: Room, creation: string, object: JsonObject): Promise<Record<string, unknown>> {
  const { call, account } = room
  const wanted = newMailbox(object, '')
  checkName(wanted.name)
  const shares = await sharesWanted(call, account, undefined, wanted.shareWith)
  if (shares.length > 0 && !account.handle.full) throw new SetError('forbidden')
  const view = await call.view(account)
  const parent = parentOf(call, view, wanted.parentId)
  const specialUse = useOf(view, await mailboxesOf(account, view, false), wanted.role, undefined)
  const applied = await account.handle.apply([
    {
      op: 'createFolder',
      parent,
      name: wanted.name,
      class: 'IPF.Note',
      subscribed: wanted.isSubscribed,
      ...(specialUse === undefined ? {} : { specialUse }),
    },
  ])
  const { folder } = resultOf(applied, 0, 'createFolder')
  const id = mailboxIdOf(folder)
  call.remember(creation, id)
  if (wanted.sortOrder !== null) await account.handle.apply(await orderOperations(account, folder, wanted.sortOrder))
  const after = await call.view(account)
  const here = after.folders.get(folder)
  if (here !== undefined) await share(call, account, here, shares)
  const made = (await mailboxesOf(account, after, false)).get(folder)
  if (made === undefined) return { id }
  // RFC 8620 §5.3: what the server set, and defaults the client left out.
  const { name: _, ...rest } = made
  return Object.fromEntries(Object.entries(rest).filter(([key, value]) => !sameJson(object[key], value)))
}

function checkName(name: string): void {
  if (!folderNameValid(name)) throw invalidProperties(['name'])
}

function parentOf(call: Call, view: View, parentId: string | null): FolderId {
  if (parentId === null) {
    const top = view.allFolders.find((one) => one.role === 'msgfolderroot')
    if (top === undefined) throw new SetError('forbidden')
    return top.id
  }
  const id = readMailboxId(call.resolve(parentId) ?? '')
  if (id === undefined || !view.folders.has(id)) throw invalidProperties(['parentId'])
  return id
}

/** The special use that keeps a role; raises for roles a folder cannot be given. */
function useOf(
  view: View,
  mailboxes: ReadonlyMap<FolderId, MailboxObject>,
  role: string | null,
  self: FolderId | undefined,
): string | undefined {
  if (role === null) return undefined
  const use = freeRoles.get(role)
  const taken = [...mailboxes].some(([id, one]) => one.role === role && id !== self)
  if (use === undefined || taken || (self !== undefined && view.folders.get(self)?.role !== undefined))
    throw invalidProperties(['role'])
  return use
}

async function orderOperations(account: Account, folder: FolderId, order: number): Promise<readonly Operation[]> {
  if (!account.handle.full) throw new SetError('forbidden')
  const orders = new Map(await readOrder(account))
  orders.set(mailboxIdOf(folder), order)
  const value = new TextEncoder().encode(JSON.stringify(Object.fromEntries(orders)))
  return [
    { op: 'putState', ...ORDER_STATE, value },
    { op: 'updateFolder', folder, props: new Map([[ORDERING, order & 0x7fff_ffff]]) },
  ]
}

async function update({ call, account }: Room, view: View, id: FolderId, patch: JsonObject): Promise<void> {
  const mailboxes = await mailboxesOf(account, view, false)
  const known = mailboxes.get(id)
  const folder = view.folders.get(id)
  if (known === undefined || folder === undefined) throw new SetError('notFound')
  const shares = Object.keys(patch).some((path) => /^shareWith(?:\/|$)/.test(path))
  // Who may not share a mailbox learns nothing of its list; a patch of one entry needs the object it is in.
  const before = shares ? { ...known, shareWith: (await (await sharesOf(call, account))(folder)) ?? {} } : known
  const patched: Record<string, Json> = { ...patchedObject(before as unknown as JsonObject, patch) }
  // RFC 8620 §5.3: null takes a property back to its default.
  for (const [name, standard] of [
    ['parentId', null],
    ['role', null],
    ['sortOrder', usualOrder(before.role ?? undefined)],
    ['isSubscribed', false],
  ] as const)
    patched[name] ??= standard
  const changed = [...new Set([...Object.keys(before), ...Object.keys(patched)])].filter(
    (name) => !sameJson((before as Record<string, unknown>)[name], patched[name]),
  )
  const foreign = changed.filter((name) => !settable.includes(name))
  if (foreign.length > 0) throw invalidProperties(foreign)
  if (changed.length === 0) return
  const wanted = shares ? await sharesWanted(call, account, folder, patched.shareWith ?? null) : []
  if (wanted.length > 0 && !known.myRights.mayShare) throw new SetError('forbidden')
  const after = newMailbox(Object.fromEntries(settable.map((name) => [name, patched[name] ?? null])), '')
  const operations: Operation[] = []
  const moves = changed.includes('name') || changed.includes('parentId')
  if (moves && folder.role !== undefined)
    throw new SetError('forbidden', 'this mailbox can be neither renamed nor moved')
  if (changed.includes('name')) checkName(after.name)
  const use = changed.includes('role') ? useOf(view, mailboxes, after.role, id) : undefined
  operations.push({
    op: 'updateFolder',
    folder: id,
    ...(changed.includes('name') ? { name: after.name } : {}),
    ...(changed.includes('parentId') ? { parent: parentOf(call, view, after.parentId) } : {}),
    ...(changed.includes('isSubscribed') ? { subscribed: after.isSubscribed } : {}),
    ...(changed.includes('role') ? { specialUse: use ?? '' } : {}),
  })
  if (changed.includes('sortOrder') && after.sortOrder !== null)
    operations.push(...(await orderOperations(account, id, after.sortOrder)))
  await account.handle.apply(operations)
  await share(call, account, folder, wanted)
}

async function destroy({ account }: Room, view: View, id: FolderId, removeEmails: boolean): Promise<void> {
  const folder = view.folders.get(id)
  if (folder === undefined) throw new SetError('notFound')
  if (folder.role !== undefined) throw new SetError('forbidden', 'this mailbox cannot be destroyed')
  if (view.allFolders.some((one) => one.parent === id)) throw new SetError('mailboxHasChild')
  if (!removeEmails && view.inFolder(id).length > 0) throw new SetError('mailboxHasEmail')
  try {
    // What arrives meanwhile is not lost with it.
    await account.handle.apply([{ op: 'deleteFolder', folder: id, recursive: false, ifEmpty: !removeEmails }])
  } catch (error) {
    if (!removeEmails && isDomainError(error, 'folderNotEmpty')) throw new SetError('mailboxHasEmail')
    throw error
  }
}

/** What the store says of a name is about the property `name`, of a place about `parentId`. */
function nameFault(error: unknown): unknown {
  if (!(error instanceof DomainError)) return error
  if (error.code === 'folderExists') return invalidProperties(['name'], 'a mailbox of that name is there already')
  if (error.code === 'nameInvalid') return invalidProperties(['name'])
  if (error.code === 'folderCycle' || error.code === 'folderNotFound') return invalidProperties(['parentId'])
  return error
}
