/** Email/get (RFC 8621 §4.2), Thread/get (§3.1), Email/changes (§4.3), Thread/changes (§3.2). */
import { goneReasons, type Item, type ItemColumn, type ItemId } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import { MethodError } from '../core/error.ts'
import { emailIdOf, readEmailId, readThreadId, threadIdOf } from '../core/ids.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { changesArgs, changesLimit, getArgs, pick, wantedIds, wantedProperties } from '../core/standard.ts'
import { type MailState, sinceState, writeState } from '../core/state.ts'
import { MAX_OBJECTS_IN_GET } from '../limits.ts'
import { type Feed, type Mail, type Place, readFeed, type View } from '../view/view.ts'
import { contentArgs, emailObject, metadataOf, wanted } from './email-object.ts'
import { storedMessage } from './message.ts'

/** Reads the items of mails, in their order; those that went meanwhile are left out. */
export async function itemsOf(
  account: Account,
  mails: readonly Mail[],
  columns: readonly ItemColumn[],
): Promise<readonly { readonly mail: Mail; readonly item: Item }[]> {
  const byId = new Map(mails.map((mail) => [mail.id, mail]))
  const mids = mails.map((mail) => (mail.places[0] as Place).mid)
  const items = await account.handle.get({ by: { mids }, columns })
  return items.flatMap((item) => {
    const mail = byId.get(item.itemId)
    return mail === undefined ? [] : [{ mail, item }]
  })
}

export const emailGet = method({
  name: 'Email/get',
  capability: 'mail',
  args: { ...getArgs, ...contentArgs },
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    const want = wanted(args)
    const asked = args.ids === null ? undefined : wantedIds(call, args.ids)
    const view = await call.view(account)
    if (asked === undefined && view.size > MAX_OBJECTS_IN_GET) throw new MethodError('requestTooLarge')
    const ids = asked ?? [...view.all()].map((mail) => emailIdOf(mail.id))
    const mails = ids.flatMap((id) => view.mail(readEmailId(id) as ItemId) ?? [])
    const list: Record<string, unknown>[] = []
    const rows =
      want.columns.length === 0
        ? mails.map((mail) => ({ mail, item: rowItem(mail) }))
        : await itemsOf(account, mails, want.columns)
    for (const { mail, item } of rows) {
      const message = storedMessage(account.handle, item)
      list.push(await emailObject(call, message, metadataOf(mail, item), want))
    }
    const found = new Set(list.map((one) => one.id))
    return {
      accountId: args.accountId,
      state: writeState(view.state),
      list,
      notFound: ids.filter((id) => !found.has(id)),
    }
  },
})

/** What the view knows is enough: no item is read. */
function rowItem(mail: Mail): Item {
  const place = mail.places[0] as Place
  return { ...place, itemId: mail.id, keywords: [] } as unknown as Item
}

export const threadGet = method({
  name: 'Thread/get',
  capability: 'mail',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'mail')
    const properties = wantedProperties(args.properties, ['id', 'emailIds'])
    if (args.ids === null) throw new MethodError('requestTooLarge', 'conversations are asked for by id')
    const ids = wantedIds(call, args.ids)
    const view = await call.view(account)
    await view.readThreads()
    const list: Record<string, unknown>[] = []
    const notFound: string[] = []
    for (const id of ids) {
      const mails = view.thread(readThreadId(id) ?? '')
      if (mails.length === 0) notFound.push(id)
      else list.push(pick({ id, emailIds: mails.map((mail) => emailIdOf(mail.id)) }, properties))
    }
    return { accountId: args.accountId, state: writeState(view.state), list, notFound }
  },
})

interface MailChanges {
  readonly created: ReadonlySet<ItemId>
  readonly updated: ReadonlySet<ItemId>
  readonly destroyed: ReadonlySet<ItemId>
  readonly state: MailState
  readonly more: boolean
}

/** What happened to mails after `since`: the feed told in ids. */
export async function mailChanges(account: Account, view: View, since: MailState, limit: number): Promise<MailChanges> {
  const feed = await readFeed(account.handle, since.change, limit, [...view.folders.keys()])
  if (feed.resync) throw new MethodError('cannotCalculateChanges')
  const created = new Set<ItemId>()
  const updated = new Set<ItemId>()
  const destroyed = new Set<ItemId>()
  const appeared = fromElsewhere(feed, view)
  const { items, gone } = feed
  for (let i = 0; i < items.count; i++) {
    const id = items.itemId?.[i] as ItemId
    if (view.mail(id) === undefined) continue
    if (id > since.highest || appeared.has(id)) created.add(id)
    else updated.add(id)
  }
  for (let i = 0; i < gone.count; i++) {
    const id = gone.itemId[i] as ItemId
    // In place: its row comes later in the feed.
    if (created.has(id) || goneReasons[gone.why[i] as number] === 'renumbered') continue
    if (view.mail(id) !== undefined) updated.add(id)
    // Made and gone since is nothing at all, but for who may have been told of it on the way.
    else if (id <= since.highest || since.partial) destroyed.add(id)
  }
  const now = view.state
  const state = feed.more ? { change: feed.upTo, highest: since.highest, partial: true } : now
  return { created, updated, destroyed, state, more: feed.more }
}

/** Mails that came from a folder that is no mailbox: to the client they are new. */
function fromElsewhere({ gone }: Feed, view: View): ReadonlySet<ItemId> {
  const out = new Set<ItemId>()
  const known = new Set(view.allFolders.map((folder) => folder.id as number))
  for (let i = 0; i < gone.count; i++) {
    const folder = gone.folder[i] as number
    if (goneReasons[gone.why[i] as number] === 'moved' && known.has(folder) && !view.folders.has(folder as never))
      out.add(gone.itemId[i] as ItemId)
  }
  return out
}

export const emailChanges = method({
  name: 'Email/changes',
  capability: 'mail',
  args: changesArgs,
  async run(call, args) {
    const limit = changesLimit(args.maxChanges)
    const account = await call.account(args.accountId, 'mail')
    const view = await call.view(account)
    const since = sinceState(args.sinceState, view.state)
    const { created, updated, destroyed, state, more } = await mailChanges(account, view, since, limit)
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: writeState(state),
      hasMoreChanges: more,
      created: [...created].map(emailIdOf),
      updated: [...updated].map(emailIdOf),
      destroyed: [...destroyed].map(emailIdOf),
    }
  },
})

export const threadChanges = method({
  name: 'Thread/changes',
  capability: 'mail',
  args: { accountId: s.id, sinceState: s.string, maxChanges: s.maybe(s.unsigned) },
  async run(call, args) {
    const limit = changesLimit(args.maxChanges)
    const account = await call.account(args.accountId, 'mail')
    const view = await call.view(account)
    const since = sinceState(args.sinceState, view.state)
    const changes = await mailChanges(account, view, since, limit)
    await view.readThreads()
    const threads = new Set<string>()
    // A conversation changes when a mail joins or leaves it, not when one of its mails is read.
    for (const id of changes.created) threads.add(view.mail(id)?.thread ?? '')
    if (changes.destroyed.size > 0) {
      const departed = view.departedAfter(since.change)
      if (departed === undefined || departed.some((one) => changes.destroyed.has(one.id) && one.thread === undefined))
        throw new MethodError('cannotCalculateChanges')
      for (const one of departed) if (changes.destroyed.has(one.id)) threads.add(one.thread as string)
    }
    threads.delete('')
    const created: string[] = []
    const updated: string[] = []
    const destroyed: string[] = []
    for (const thread of threads) {
      const mails = view.thread(thread)
      if (mails.length === 0) destroyed.push(threadIdOf(thread))
      else if (mails.every((mail) => mail.id > since.highest)) created.push(threadIdOf(thread))
      else updated.push(threadIdOf(thread))
    }
    return {
      accountId: args.accountId,
      oldState: args.sinceState,
      newState: writeState(changes.state),
      hasMoreChanges: changes.more,
      created,
      updated,
      destroyed,
    }
  },
})
