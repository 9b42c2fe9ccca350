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
import { isSmime, smimeOf } from '../smime/properties.ts'
import { snoozedFolder } from './extras.ts'
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
    const smime = want.properties.some(isSmime)
    const snoozed = snoozedFolder(view)?.id
    const rows =
      want.columns.length === 0
        ? mails.map((mail) => ({ mail, item: rowItem(mail) }))
        : await itemsOf(account, mails, want.columns)
    for (const { mail, item } of rows) {
      const message = storedMessage(account.handle, item)
      const known = metadataOf(mail, item, snoozed)
      if (smime) Object.assign(known, await smimeOf(call, account.handle, item))
      list.push(await emailObject(call, message, known, want))
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

/** More than any feed has. */
const ALL = 1_000_000

interface MailChanges {
  readonly created: ReadonlySet<ItemId>
  readonly updated: ReadonlySet<ItemId>
  readonly destroyed: ReadonlySet<ItemId>
  readonly state: MailState
  readonly more: boolean
}

/**
 * What happened to mails after `since`: the feed told in ids. A mail in several folders has several events; it is told at the last, so that
 * pages do not tell it twice.
 */
export async function mailChanges(account: Account, view: View, since: MailState, limit: number): Promise<MailChanges> {
  const folders = [...view.folders.keys()]
  const feed = await readFeed(account.handle, since.change, limit, folders)
  if (feed.resync) throw new MethodError('cannotCalculateChanges')
  const created = new Set<ItemId>()
  const updated = new Set<ItemId>()
  const destroyed = new Set<ItemId>()
  const { items, gone } = feed
  // An id that is old, all of whose places are new: either it moved about, or it came from a folder that is no mailbox.
  const newcomer = (id: ItemId): boolean =>
    id <= since.highest && (view.mail(id)?.places.every((one) => one.mid > since.highest) ?? false)
  const ids = [...Array.from(items.itemId ?? []), ...Array.from(gone.itemId)] as ItemId[]
  const origin = since.partial ?? since.change
  const retold = since.partial !== undefined && Array.from(gone.itemId).some((id) => id > since.highest)
  const cut = feed.more || since.partial !== undefined
  const whole =
    cut && (retold || ids.some(newcomer)) ? (await readFeed(account.handle, origin, ALL, folders)).gone : gone
  const { wereHere, told } = tombstones(whole, view, since)
  const tell = (id: ItemId, change: number, tombstone: boolean): void => {
    const mail = view.mail(id)
    if (mail === undefined) return
    const last = mail.places.reduce((max, one) => Math.max(max, one.change), 0)
    if (change < last) return
    // On the way: an earlier page told of its row, or of another tombstone.
    const before = since.partial !== undefined && last > since.partial && last <= since.change
    const old = id <= since.highest && (!newcomer(id) || wereHere.has(id))
    const known = old || (tombstone && (before || told.has(id)))
    if (known) updated.add(id)
    else created.add(id)
  }
  for (let i = 0; i < items.count; i++) tell(items.itemId?.[i] as ItemId, items.change?.[i] as number, false)
  for (let i = 0; i < gone.count; i++) {
    const id = gone.itemId[i] as ItemId
    // In place: its row comes later in the feed.
    if (goneReasons[gone.why[i] as number] === 'renumbered') continue
    if (view.mail(id) !== undefined) tell(id, gone.change[i] as number, true)
    // Made and gone since is nothing at all, but for who may have been told of it on the way.
    else if (id <= since.highest || since.partial !== undefined) destroyed.add(id)
  }
  for (const id of created) updated.delete(id)
  const now = view.state
  const state = feed.more ? { change: feed.upTo, highest: since.highest, partial: since.partial ?? since.change } : now
  return { created, updated, destroyed, state, more: feed.more }
}

/** From tombstones: mails that were in a mailbox when the client's list began, and those an earlier page told of. */
function tombstones(
  gone: Feed['gone'],
  view: View,
  since: MailState,
): { readonly wereHere: ReadonlySet<ItemId>; readonly told: ReadonlySet<ItemId> } {
  const others = new Set<number>(view.allFolders.filter((one) => !view.folders.has(one.id)).map((one) => one.id))
  const wereHere = new Set<ItemId>()
  const told = new Set<ItemId>()
  for (let i = 0; i < gone.count; i++) {
    const id = gone.itemId[i] as ItemId
    if ((gone.mid[i] as number) <= since.highest && !others.has(gone.folder[i] as number)) wereHere.add(id)
    if ((gone.change[i] as number) <= since.change) told.add(id)
  }
  return { wereHere, told }
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
    for (const thread of view.leftAfter(since.change)) threads.add(thread)
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
